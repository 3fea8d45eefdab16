using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Mail;

/// <summary>What became of mails, for the metrics.</summary>
internal sealed class MailMeter
{
    private long _waiting;
    private long _oldestAtMs;

    public MailCount Sent { get; } = new();

    public MailCount Retried { get; } = new();

    public MailCount GivenUp { get; } = new();

    public MailCount Dropped { get; } = new();

    /// <summary>As the courier last saw it.</summary>
    public long Waiting => Volatile.Read(ref _waiting);

    /// <summary>How long the oldest of them has waited.</summary>
    public double OldestSeconds(long nowMs) =>
        Volatile.Read(ref _oldestAtMs) is > 0 and var at ? Math.Max(0, nowMs - at) / 1_000.0 : 0;

    public void See(OutboxState state)
    {
        Volatile.Write(ref _waiting, state.Waiting);
        Volatile.Write(ref _oldestAtMs, state.OldestAtMs ?? 0);
    }

    public IEnumerable<MetricSample> Samples() =>
    [
        new(Sent.Read, ("outcome", "sent")), new(Retried.Read, ("outcome", "retried")), new(GivenUp.Read, ("outcome", "given_up")),
        new(Dropped.Read, ("outcome", "dropped")),
    ];
}

/// <summary>Rises by one at a time, from any thread.</summary>
internal sealed class MailCount
{
    private long _count;

    public long Read => Volatile.Read(ref _count);

    public void Add() => Interlocked.Increment(ref _count);
}
