using System.Numerics;

namespace Tollgate.Engine.Usage;

/// <summary>
/// The open reservations, by the number of their request, in stripes of which each has a lock of its own. What is opened, marked and
/// settled goes through <see cref="Verification.Admission"/>, which also tells the usage log.
/// </summary>
public sealed class ReservationTable
{
    /// <summary>Open at a time: about 45 MB when all of them are.</summary>
    public const int ReservationsMaxDefault = 1 << 18;

    public const long RestMsDefault = 600_000;

    private const int StripeBits = 6;
    private const int StripeCount = 1 << StripeBits;

    private readonly ReservationStripe[] _stripes;
    private readonly int _bucketShift;

    /// <param name="most">
    /// How many may be open at a time, 64 to 16,777,216. A stripe that has its share of them refuses the next request as busy.
    /// </param>
    /// <param name="restMs">How long one may rest after its admission or its last mark before <see cref="Expired"/> tells of it.</param>
    public ReservationTable(int most = ReservationsMaxDefault, long restMs = RestMsDefault)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, StripeCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, 1 << 24);
        ArgumentOutOfRangeException.ThrowIfLessThan(restMs, 1);
        RestMs = restMs;
        int each = ((most - 1) / StripeCount) + 1;
        int buckets = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, each / 2));
        _bucketShift = 64 - BitOperations.Log2((uint)buckets);
        _stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new ReservationStripe(each, buckets))];
    }

    public long RestMs { get; }

    /// <summary>How many are open.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Count);

    /// <summary>Tells of an open reservation.</summary>
    public bool TryGet(long requestNo, out Reservation reservation)
    {
        ReservationStripe stripe = StripeOf(requestNo, out int bucket);
        stripe.Gate.Enter();
        int index = stripe.FindLocked(bucket, requestNo);
        reservation = index >= 0 ? stripe.ItemLocked(index) : default;
        stripe.Gate.Exit();
        return index >= 0;
    }

    /// <summary>
    /// Copies reservations that nobody has settled or marked for as long as one may rest, and tells how many. They stay open: settle each,
    /// and ask again while the span comes back full.
    /// </summary>
    public int Expired(long clockMs, Span<Reservation> into)
    {
        int count = 0;
        foreach (ReservationStripe stripe in _stripes)
        {
            for (int chunk = 0; chunk < stripe.Chunks && count < into.Length; chunk++)
            {
                stripe.Gate.Enter();
                count += stripe.CollectLocked(chunk, clockMs - RestMs, into[count..]);
                stripe.Gate.Exit();
            }
        }

        return count;
    }

    internal ReservationStripe StripeOf(long requestNo, out int bucket)
    {
        // Fibonacci's multiplier spreads numbers that come in sequence over the stripes, and within one over the buckets.
        ulong hash = unchecked((ulong)requestNo * 0x9E37_79B9_7F4A_7C15UL);
        bucket = (int)((hash << StripeBits) >> _bucketShift);
        return _stripes[hash >> (64 - StripeBits)];
    }
}
