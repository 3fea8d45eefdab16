using System.Runtime.InteropServices;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Upstreams;

/// <summary>Where the options name upstreams, and reads them there anew: the list, or every fault.</summary>
internal delegate (IReadOnlyList<UpstreamConfig>? Upstreams, IReadOnlyList<string> Faults) UpstreamSource();

/// <summary>
/// Carries the upstreams of the options into the pool: at the start, and on SIGHUP those that are written by then, all of them or, where
/// one is wrong, none. Has the background check run, and logs who is healthy and who is not.
/// </summary>
internal sealed partial class UpstreamFeed : BackgroundService
{
    private readonly UpstreamPool _pool;
    private readonly UpstreamSource _source;
    private readonly HealthWatch _watch;
    private readonly ILogger<UpstreamFeed> _log;
    private readonly Lock _reloading = new();
    private long _taken;
    private long _refused;

    public UpstreamFeed(
        UpstreamPool pool, IReadOnlyList<UpstreamConfig> upstreams, UpstreamSource source, TimeProvider time, ILogger<UpstreamFeed> log)
    {
        (_pool, _source, _watch, _log) = (pool, source, new HealthWatch(pool, time), log);
        pool.StandingChanged += Note;
        pool.RequestFailed += NoteFailed;
        pool.Replace(upstreams);
    }

    /// <summary>How often they were read anew and taken.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>How often what was written was wrong.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>False where what is written now is wrong; then all stays as it was.</summary>
    public bool Reload()
    {
        lock (_reloading)
        {
            var (upstreams, faults) = _source();
            if (upstreams is null)
            {
                Refuse(string.Join(' ', faults));
                return false;
            }

            _pool.Replace(upstreams);
            Interlocked.Increment(ref _taken);
            var names = string.Join(", ", _pool.States.Select(state => state.Name));
            LogReloaded(_pool.States.Count, names);
            return true;
        }
    }

    public override void Dispose()
    {
        _pool.StandingChanged -= Note;
        _pool.RequestFailed -= NoteFailed;
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            // Otherwise it would end the process.
            signal.Cancel = true;
            TryReload();
        });
        await _watch.Run(stoppingToken);
    }

    // On a thread of the runtime's own, where a fault would end the process.
    private void TryReload()
    {
        try
        {
            Reload();
        }
        catch (Exception error)
        {
            Refuse(error.Message);
        }
    }

    private void Refuse(string faults)
    {
        Interlocked.Increment(ref _refused);
        LogRefused(faults);
    }

    private void NoteFailed(string? requestId, string cause) => LogFailed(requestId ?? "-", cause);

    private void Note(string name, bool isHealthy)
    {
        if (isHealthy)
        {
            LogHealthy(name);
        }
        else
        {
            LogUnhealthy(name);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The upstreams were read anew: {Count}, {Names}")]
    private partial void LogReloaded(int count, string names);

    [LoggerMessage(Level = LogLevel.Error, Message = "The upstreams were not read anew and stay as they were: {Faults}")]
    private partial void LogRefused(string faults);

    [LoggerMessage(Level = LogLevel.Information, Message = "The upstream {Name} is healthy")]
    private partial void LogHealthy(string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{RequestId} failed at an upstream. {Cause}")]
    private partial void LogFailed(string requestId, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The upstream {Name} failed; it rests, and others are asked where there are any")]
    private partial void LogUnhealthy(string name);
}
