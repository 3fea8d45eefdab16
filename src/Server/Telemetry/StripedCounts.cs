using System.Numerics;

namespace Tollgate.Server.Telemetry;

/// <summary>
/// A fixed number of counts that many threads raise at once. Each processor has cells of its own, on cache lines of its own, so that two
/// requests do not wait for one another's line; whoever reads adds them up. Exact: a thread that is moved between finding its cells and
/// raising one still raises it atomically.
/// </summary>
internal sealed class StripedCounts
{
    /// <summary>Two cache lines: processors fetch them in pairs.</summary>
    private const int LineLongs = 16;

    private readonly long[] _cells;
    private readonly int _stride;
    private readonly int _mask;

    public StripedCounts(int count)
    {
        var stripes = (int)BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount);
        _mask = stripes - 1;
        // One line more than is needed: the array itself begins anywhere.
        _stride = ((count + LineLongs - 1) / LineLongs * LineLongs) + LineLongs;
        _cells = new long[stripes * _stride];
        Count = count;
    }

    public int Count { get; }

    public void Increment(int index) =>
        Interlocked.Increment(ref _cells[((Thread.GetCurrentProcessorId() & _mask) * _stride) + index]);

    public long Read(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
        var sum = 0L;
        for (var cell = index; cell < _cells.Length; cell += _stride)
        {
            sum += Volatile.Read(ref _cells[cell]);
        }

        return sum;
    }
}
