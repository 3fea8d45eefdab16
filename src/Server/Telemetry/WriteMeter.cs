using System.Diagnostics;

namespace Tollgate.Server.Telemetry;

/// <summary>How transactions that write ended, and how long they and their commits took. They run one after another.</summary>
internal sealed class WriteMeter
{
    private static readonly string[] Outcomes = ["committed", "refused", "failed", "turned_away"];

    private readonly long[] _ended = new long[Outcomes.Length];

    /// <summary>From the turn to write until the commit is through and memory knows of it; the wait for the turn is not in it.</summary>
    public DurationHistogram Durations { get; } = new();

    /// <summary>The commit alone: what the disk, or the database server's, takes.</summary>
    public DurationHistogram Commits { get; } = new();

    /// <summary>Too many were waiting, or the wait was too long.</summary>
    public void TurnedAway() => Interlocked.Increment(ref _ended[3]);

    /// <summary>To be disposed when the write has ended; one that never said how has failed.</summary>
    public Write Begin() => new(this);

    public IEnumerable<MetricSample> Samples() =>
        Outcomes.Select((outcome, i) => new MetricSample(Volatile.Read(ref _ended[i]), ("outcome", outcome)));

    internal sealed class Write(WriteMeter meter) : IDisposable
    {
        private readonly long _began = Stopwatch.GetTimestamp();
        private readonly Activity? _span = Traces.StartWrite();
        private int _outcome = 2;

        public void Ended(bool isCommitted) => _outcome = isCommitted ? 0 : 1;

        public void Dispose()
        {
            Interlocked.Increment(ref meter._ended[_outcome]);
            meter.Durations.RecordSince(_began);
            _span?.SetTag("tollgate.write.outcome", Outcomes[_outcome]);
            _span?.SetStatus(_outcome == 2 ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
            _span?.Dispose();
        }
    }
}
