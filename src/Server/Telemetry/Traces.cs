using System.Diagnostics;

namespace Tollgate.Server.Telemetry;

/// <summary>
/// The spans the gate makes: a request, the read of a key, a write. None holds anything a caller sent: names are route patterns, and tags
/// have their values from lists of our own.
/// </summary>
internal static class Traces
{
    public const string SourceName = "Tollgate";

    /// <summary>One a process, as listeners expect it. Without a listener, starting a span costs a test of a field.</summary>
    public static ActivitySource Source { get; } = new(SourceName);

    /// <summary>Reads of keys that belong to no traced request, at most so many a second: a spray of unknown keys is no news.</summary>
    private static readonly SecondBound LoneLoads = new(20);

    /// <summary>A part of the trace of the request that writes; null where that is not traced.</summary>
    public static Activity? StartWrite() => Activity.Current is null ? null : Source.StartActivity("tollgate.write");

    /// <summary>A part of the request's trace; for a request that is not traced, a trace of its own, within a bound.</summary>
    public static Activity? StartLoad() =>
        Source.HasListeners() && (Activity.Current is not null || LoneLoads.TryTake()) ? Source.StartActivity("tollgate.load") : null;
}

/// <summary>Draws which requests are traced though nobody asked for it: a given part of them, without a pattern.</summary>
internal sealed class TraceLot(double ratio)
{
    private long _drawn;

    public bool Draw()
    {
        if (ratio <= 0)
        {
            return false;
        }

        // The finalizer of SplitMix64: it turns a count into what looks like chance.
        unchecked
        {
            var bits = (ulong)Interlocked.Increment(ref _drawn) * 0x9E3779B97F4A7C15;
            bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
            bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
            return ((bits ^ (bits >> 31)) >> 11) * (1.0 / (1UL << 53)) < ratio;
        }
    }
}

/// <summary>Lets so many pass in each second of the process's own clock.</summary>
internal sealed class SecondBound(int perSecond)
{
    private const int CountBits = 20;

    // The second in the upper bits, how many passed in it in the lower.
    private long _state;

    public bool TryTake() => TryTake(Environment.TickCount64 / 1_000);

    public bool TryTake(long second)
    {
        while (true)
        {
            var seen = Volatile.Read(ref _state);
            var taken = seen >> CountBits == second ? seen & ((1 << CountBits) - 1) : 0;
            if (taken >= perSecond)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _state, (second << CountBits) | (taken + 1), seen) == seen)
            {
                return true;
            }
        }
    }
}
