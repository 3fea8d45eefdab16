using System.Runtime.InteropServices;

namespace Tollgate.Engine.Verification;

/// <summary>
/// How many unknown keys a client network may have looked up: a minute's worth at once, then one by one as they come back. A fixed row of
/// buckets, found by a keyed hash of the network, so a spray from many networks takes no memory and cannot aim at another's bucket; two
/// networks that share one share its allowance. A bucket is one number, the moment at which it will be full again, and every step on it is
/// one compare-and-swap: nobody waits, and at no moment is more taken than there is.
/// </summary>
public sealed class MissLimiter
{
    public const int PerMinuteMin = 10;
    public const int PerMinuteMax = 1_000_000;
    public const int BucketCountUsual = 65_536;

    private const int RetrySecondsMax = 59;

    private readonly long[] _fullAt;
    private readonly long _ticksPerToken;
    private readonly long _ticksWhenEmpty;

    /// <param name="perMinute"><see cref="PerMinuteMin"/> to <see cref="PerMinuteMax"/>.</param>
    /// <param name="bucketCount">A power of two, 8 bytes each, taken at start.</param>
    public MissLimiter(int perMinute, int bucketCount = BucketCountUsual)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perMinute, PerMinuteMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(perMinute, PerMinuteMax);
        ArgumentOutOfRangeException.ThrowIfNotEqual(int.IsPow2(bucketCount), true, nameof(bucketCount));
        _fullAt = new long[bucketCount];
        _ticksPerToken = TimeSpan.TicksPerMinute / perMinute;
        _ticksWhenEmpty = _ticksPerToken * perMinute;
    }

    /// <summary>Buckets in all: what memory is bounded by.</summary>
    public int BucketCount => _fullAt.Length;

    /// <summary>Takes one. False when there is none left, with the whole seconds, 1 to 59, after which there is one again.</summary>
    /// <param name="network">Who asks; one that is not counted is never refused.</param>
    /// <param name="nowTicks">Monotonic time in ticks of 100 ns, since any moment but always the same one.</param>
    /// <param name="retryAfterSeconds">0 when taken.</param>
    public bool TryTake(in ClientNetwork network, long nowTicks, out int retryAfterSeconds)
    {
        retryAfterSeconds = 0;
        if (!network.IsCounted)
        {
            return true;
        }

        ref long fullAt = ref BucketOf(in network);
        long seen = Volatile.Read(ref fullAt);
        while (true)
        {
            long next = Math.Max(seen, nowTicks) + _ticksPerToken;
            long missing = next - nowTicks - _ticksWhenEmpty;
            if (missing > 0)
            {
                retryAfterSeconds = (int)Math.Min(((missing - 1) / TimeSpan.TicksPerSecond) + 1, RetrySecondsMax);
                return false;
            }

            long before = Interlocked.CompareExchange(ref fullAt, next, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }
    }

    /// <summary>
    /// Puts one back that was taken for a key that turned out to be known, or for a look-up that did not take place. A bucket that has
    /// become full meanwhile stays full: what lies in the past counts as now.
    /// </summary>
    public void GiveBack(in ClientNetwork network)
    {
        if (network.IsCounted)
        {
            Interlocked.Add(ref BucketOf(in network), -_ticksPerToken);
        }
    }

    // The framework's hash of a text is keyed anew in every process; a network is hashed as eight characters.
    private ref long BucketOf(in ClientNetwork network)
    {
        UInt128 bits = network.Bits;
        int hash = string.GetHashCode(MemoryMarshal.Cast<UInt128, char>(new ReadOnlySpan<UInt128>(in bits)));
        return ref _fullAt[hash & (_fullAt.Length - 1)];
    }
}
