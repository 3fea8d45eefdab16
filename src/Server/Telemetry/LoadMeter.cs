using System.Diagnostics;

namespace Tollgate.Server.Telemetry;

/// <summary>How reads of a key from the database ended and how long they took. Each is a span of its own where traces are made.</summary>
internal sealed class LoadMeter
{
    private static readonly string[] Outcomes = ["found", "unknown", "failed"];

    private readonly long[] _ended = new long[Outcomes.Length];

    public DurationHistogram Durations { get; } = new();

    /// <summary>Secrets that the database did not know.</summary>
    public long Unknown => Volatile.Read(ref _ended[1]);

    /// <summary>To be disposed when the load has ended; one that never said how has failed.</summary>
    public Load Begin() => new(this);

    public IEnumerable<MetricSample> Samples() =>
        Outcomes.Select((outcome, i) => new MetricSample(Volatile.Read(ref _ended[i]), ("outcome", outcome)));

    internal sealed class Load(LoadMeter meter) : IDisposable
    {
        private readonly long _began = Stopwatch.GetTimestamp();
        private readonly Activity? _span = Traces.StartLoad();
        private int _outcome = 2;

        public void Ended(bool isFound) => _outcome = isFound ? 0 : 1;

        public void Dispose()
        {
            Interlocked.Increment(ref meter._ended[_outcome]);
            meter.Durations.RecordSince(_began);
            _span?.SetTag("tollgate.load.outcome", Outcomes[_outcome]);
            _span?.SetStatus(_outcome == 2 ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
            _span?.Dispose();
        }
    }
}
