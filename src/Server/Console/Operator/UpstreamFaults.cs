using System.Collections.Concurrent;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Console.Operator;

/// <summary>The last thing that went wrong at each upstream, for the page of the gate. As many as there are names in the options.</summary>
internal sealed class UpstreamFaults : IDisposable
{
    private readonly ConcurrentDictionary<string, UpstreamFaultNote> _last = new(StringComparer.Ordinal);
    private readonly UpstreamPool _pool;
    private readonly TimeProvider _time;

    public UpstreamFaults(UpstreamPool pool, TimeProvider time)
    {
        (_pool, _time) = (pool, time);
        pool.RequestFailed += Note;
    }

    public UpstreamFaultNote? Of(string name) => _last.GetValueOrDefault(name);

    public void Dispose() => _pool.RequestFailed -= Note;

    /// <summary>A cause begins with the name of the upstream.</summary>
    private void Note(string? requestId, string cause)
    {
        var end = cause.IndexOf(": ", StringComparison.Ordinal);
        if (end > 0)
        {
            _last[cause[..end]] = new UpstreamFaultNote(cause[(end + 2)..], requestId, _time.GetUtcNow().ToUnixTimeMilliseconds());
        }
    }
}

/// <summary>How a request failed, which, and when.</summary>
internal sealed record UpstreamFaultNote(string Cause, string? RequestId, long AtMs);
