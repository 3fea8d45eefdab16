using System.Diagnostics;

namespace Tollgate.Bench;

/// <summary>
/// Times several operations in turns, round after round, so that a noisy machine disturbs all of them alike. What counts is the ratio
/// to the first one within the same round; nanoseconds are this machine's own.
/// </summary>
internal static class Rounds
{
    /// <summary>Runs all operations once per round after four rounds of warming up.</summary>
    public static IReadOnlyList<Timing> Measure(int rounds, int iterations, params (string Name, Func<int, int> Run)[] operations)
    {
        var nanoseconds = new double[operations.Length][];
        var allocated = new long[operations.Length];
        for (int i = 0; i < operations.Length; i++)
        {
            nanoseconds[i] = new double[rounds];
        }

        for (int round = -4; round < rounds; round++)
        {
            for (int i = 0; i < operations.Length; i++)
            {
                long bytes = GC.GetAllocatedBytesForCurrentThread();
                long start = Stopwatch.GetTimestamp();
                Sink = operations[i].Run(iterations);
                double elapsed = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
                bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
                if (round >= 0)
                {
                    nanoseconds[i][round] = elapsed / iterations;
                    allocated[i] += bytes;
                }
            }
        }

        return [.. operations.Select((operation, i) => new Timing(
            operation.Name,
            Spread.Of(nanoseconds[i]),
            Spread.Of(nanoseconds[i].Zip(nanoseconds[0], (mine, first) => mine / first)),
            (double)allocated[i] / ((long)rounds * iterations)))];
    }

    /// <summary>Keeps results alive, so that nothing is optimized away.</summary>
    public static int Sink { get; private set; }
}

/// <summary>Over the rounds: time, ratio to the first operation, and the bytes allocated per operation.</summary>
internal sealed record Timing(string Name, Spread Nanoseconds, Spread Ratio, double Bytes);
