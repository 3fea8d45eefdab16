using System.Diagnostics;

namespace Tollgate.Server.Telemetry;

/// <summary>
/// How long something took, in buckets. For work of tens of microseconds and more, of which few run at once: its counts are plain atomics.
/// </summary>
internal sealed class DurationHistogram
{
    /// <summary>Upper bounds in seconds: a look-up in a local file takes the first, a database in trouble the last.</summary>
    public static readonly IReadOnlyList<double> BoundsSeconds =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

    private readonly long[] _buckets = new long[BoundsSeconds.Count + 1];
    private long _sumTicks;

    /// <summary>Is told each duration in seconds too; set before the first, where durations are exported.</summary>
    public Action<double>? Also { get; set; }

    /// <summary>Notes the time since a <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public void RecordSince(long timestamp) => Record(Stopwatch.GetElapsedTime(timestamp));

    public void Record(TimeSpan duration)
    {
        var seconds = duration.TotalSeconds;
        var bucket = 0;
        while (bucket < BoundsSeconds.Count && seconds > BoundsSeconds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _buckets[bucket]);
        Interlocked.Add(ref _sumTicks, duration.Ticks);
        Also?.Invoke(seconds);
    }

    /// <summary>The buckets, each with those below it, and the sum. A record that comes meanwhile may be in one of them only.</summary>
    public HistogramSample Read()
    {
        var cumulative = new long[_buckets.Length];
        var sum = 0L;
        for (var i = 0; i < _buckets.Length; i++)
        {
            sum += Volatile.Read(ref _buckets[i]);
            cumulative[i] = sum;
        }

        return new HistogramSample(cumulative, TimeSpan.FromTicks(Volatile.Read(ref _sumTicks)).TotalSeconds);
    }
}

/// <summary>A cumulative count per bound of <see cref="DurationHistogram.BoundsSeconds"/> and one for all, and the sum.</summary>
internal sealed record HistogramSample(IReadOnlyList<long> Cumulative, double SumSeconds);
