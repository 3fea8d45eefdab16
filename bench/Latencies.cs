using System.Globalization;

namespace Tollgate.Bench;

/// <summary>Times in tens of microseconds up to a second, counted in a fixed row, for one thread.</summary>
internal sealed class Latencies
{
    private const int Micros = 10;

    private readonly int[] _counts = new int[100_001];
    private double _max;

    public int Count { get; private set; }

    public void Add(TimeSpan time)
    {
        _counts[(int)Math.Min(time.TotalMicroseconds / Micros, _counts.Length - 1)]++;
        _max = Math.Max(_max, time.TotalMilliseconds);
        Count++;
    }

    /// <summary>Milliseconds within which the share lies.</summary>
    public double Within(double share)
    {
        long wanted = (long)Math.Ceiling(Count * share);
        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                return (i + 1) * Micros / 1_000.0;
            }
        }

        return _max;
    }

    /// <summary>Three columns of a table.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Count:N0} | {Within(0.5):F2} | {Within(0.99):F2} | {_max:F1}");
}
