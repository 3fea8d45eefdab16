using System.Numerics;
using System.Runtime.CompilerServices;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;

namespace Tollgate.Engine.Limits;

/// <summary>
/// What the keys in use have taken of their limits. State exists only while something counts: a key that rests for the length of its
/// windows takes no memory. The table is in 256 stripes by key number; all limits of a key lie in one of them, so that a request is
/// counted by all or none under one short lock.
/// </summary>
public sealed class LimitTable
{
    /// <summary>Active limits: about 160 MB when all of them are in use.</summary>
    public const int LimitsMaxDefault = 1 << 20;

    /// <summary>Nobody knows when a concurrent request ends; asking again after this is as good as any other time.</summary>
    internal const long ConcurrentRetryMs = 1_000;

    internal const int LimitsMaxLeast = 8 * StripeCount;

    private const int StripeBits = 8;
    private const int StripeCount = 1 << StripeBits;

    // Of the stripes a call of Sweep goes through.
    private const int SweptShare = 16;

    private readonly LimitStripe[] _stripes;
    private readonly int _bucketShift;
    private int _hand;

    /// <param name="catalogue">What is counted, and how much each plan allows; without it nothing is.</param>
    /// <param name="limitsMax">
    /// Limits of keys that may be counted at a time, 2,048 to 67,108,864. A stripe that has its share of them refuses the next key as
    /// busy.
    /// </param>
    public LimitTable(LimitCatalogue? catalogue = null, int limitsMax = LimitsMaxDefault)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limitsMax, LimitsMaxLeast);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limitsMax, 1 << 26);
        Catalogue = catalogue ?? LimitCatalogue.Empty;
        int each = ((limitsMax - 1) / StripeCount) + 1;
        int buckets = (int)BitOperations.RoundUpToPowerOf2((uint)(each / 2));
        _bucketShift = 64 - BitOperations.Log2((uint)buckets);
        _stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new LimitStripe(Catalogue, each, buckets))];
    }

    public LimitCatalogue Catalogue { get; }

    /// <summary>Limits of keys that are being counted.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Count);

    /// <summary>Limits of keys there is memory for at this time.</summary>
    internal int Room => _stripes.Sum(stripe => stripe.Room);

    /// <summary>
    /// Frees what no longer counts. Each call goes on where the last one stopped, through a sixteenth of the table: call it some times a
    /// minute.
    /// </summary>
    /// <returns>How many limits of keys were freed.</returns>
    public int Sweep(long clockMs)
    {
        int freed = 0;
        for (int i = 0; i < StripeCount / SweptShare; i++)
        {
            LimitStripe stripe = _stripes[_hand];
            _hand = (_hand + 1) % StripeCount;
            for (int buckets = 0; buckets < stripe.Buckets; buckets += LimitStripe.BucketsForRoom)
            {
                stripe.Enter(clockMs);
                freed += stripe.SweepLocked(Math.Min(LimitStripe.BucketsForRoom, stripe.Buckets - buckets));
                stripe.Exit();
            }
        }

        return freed;
    }

    /// <summary>Whether anything of a key's limit is counted.</summary>
    public bool Has(uint keyNo, int limit)
    {
        LimitPlace place = PlaceOf(keyNo, 0);
        place.Enter();
        int link = place.Stripe.FirstLocked(place.Bucket);
        bool has = place.Stripe.FindLocked(ref link, RollingWindow.OwnerOf(keyNo, (byte)limit)) >= 0;
        place.Exit();
        return has;
    }

    /// <summary>
    /// Puts back what a key had taken of a lasting limit before a restart. Nothing happens where the limit is counted already: what memory
    /// knows is newer. Do it before the key's first check.
    /// </summary>
    /// <param name="keyNo">The number of the key.</param>
    /// <param name="limit">The number of the limit.</param>
    /// <param name="slots">What was taken in which slot, in any order; those that have left the window count for nothing.</param>
    /// <param name="clockMs">The clock of the checks, in which the slots' beginnings are told too.</param>
    /// <returns>False where nothing was done, or there is no room.</returns>
    public bool TryRestore(uint keyNo, int limit, ReadOnlySpan<SlotCount> slots, long clockMs)
    {
        long slotMs = Catalogue.Limits[limit].SlotMs;
        ulong owner = RollingWindow.OwnerOf(keyNo, (byte)limit);
        LimitPlace place = PlaceOf(keyNo, clockMs);
        place.Enter();
        try
        {
            LimitStripe stripe = place.Stripe;
            int link = stripe.FirstLocked(place.Bucket);
            if (stripe.FindLocked(ref link, owner) >= 0
                || !stripe.TryOpenLocked(place.Bucket, owner, ref link, out int window))
            {
                return false;
            }

            foreach (SlotCount slot in slots)
            {
                stripe.WindowLocked(window).Adjust(slot.StartMs, slot.Amount, slotMs, stripe.EarlierLocked(window));
            }

            return true;
        }
        finally
        {
            place.Exit();
        }
    }

    /// <summary>
    /// Decides whether every limit that counts a request has room for it. Nothing is taken. The place is entered.
    /// </summary>
    /// <param name="limits">Those that bound the key.</param>
    /// <param name="place">Where its windows are.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="claims">Told what would be taken from which limit; nothing when busy.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static VerdictCode DecideLocked(
        ReadOnlySpan<CountedLimit> limits, in LimitPlace place, in CheckRequest request, ref LimitClaims claims)
    {
        VerdictCode code = VerdictCode.Allowed;
        LimitStripe stripe = place.Stripe;
        (int count, int bits, int lastingBits) = (0, 0, 0);
        int link = stripe.FirstLocked(place.Bucket);
        int next = Math.Max(0, link - 1);
        for (int i = 0; i < limits.Length; i++)
        {
            ref readonly CountedLimit limit = ref limits[i];
            if (!limit.Applies(in request))
            {
                continue;
            }

            ulong owner = RollingWindow.OwnerOf(place.KeyNo, limit.Number);
            int window = stripe.FindLocked(ref link, owner, next);
            if (count == LimitStates.Max || (window < 0 && request.Taking == Taking.Take
                && !stripe.TryOpenLocked(place.Bucket, owner, ref link, out window)))
            {
                (claims.Count, claims.Bits, claims.LastingBits) = (0, 0, 0);
                return VerdictCode.Busy;
            }

            next = window + 1;
            bits |= limit.Bit;
            lastingBits |= limit.LastingBit;
            long sum = window < 0 ? 0 : stripe.SumLocked(window, place.ClockMs, limit.SlotMs);
            long estimate = limit.EstimateOf((uint)request.InputTokens, (uint)request.OutputTokens);
            long need = Math.Min(estimate, limit.Amount);
            ref LimitClaim claim = ref claims.At(count++);
            claim.Index = i;
            claim.Window = window;
            claim.Amount = (uint)limit.Amount;
            claim.Need = (uint)need;
            if (estimate > limit.Amount && limit.LeastOf((uint)request.InputTokens) > limit.Amount)
            {
                code = VerdictCode.ExceedsLimit;
            }
            else if (sum + need > CapacityOf(limit.Amount) && code == VerdictCode.Allowed)
            {
                code = VerdictCode.RateLimited;
            }
        }

        (claims.Count, claims.Bits, claims.LastingBits) = (count, (ushort)bits, (ushort)lastingBits);
        return code;
    }

    /// <summary>Takes what was decided, and tells how each limit stands after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void BookLocked(
        ReadOnlySpan<CountedLimit> limits, in LimitPlace place, in LimitClaims claims, ref LimitStates states)
    {
        for (int i = 0; i < claims.Count; i++)
        {
            ref readonly LimitClaim claim = ref claims[i];
            ref readonly CountedLimit limit = ref limits[claim.Index];
            ref RollingWindow window = ref place.Stripe.WindowLocked(claim.Window);
            if (limit.SlotMs == 0)
            {
                window.BookConcurrent(1);
            }
            else
            {
                window.Book(claim.Need);
            }

            long resetMs = limit.SlotMs > 0 && window.IsFresh
                ? window.SlotEndMs + limit.ReachMs - place.AskedMs
                : ResetMsLocked(in place, in claim, in limit);
            states.Add(limit.Number, claim.Amount, CapacityOf(claim.Amount) - window.Sum, resetMs, retryMs: 0);
        }
    }

    /// <summary>
    /// Tells how each limit stands, with nothing taken, and, of a refusal, which limit it is by: where one is too small for the request
    /// that one, else the one that frees last.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void TellLocked(
        ReadOnlySpan<CountedLimit> limits, in LimitPlace place, in CheckRequest request, in LimitClaims claims, ref Verdict verdict)
    {
        int refusing = -1;
        long latestMs = 0;
        for (int i = 0; i < claims.Count; i++)
        {
            ref readonly LimitClaim claim = ref claims[i];
            ref readonly CountedLimit limit = ref limits[claim.Index];
            bool fits = limit.LeastOf((uint)request.InputTokens) <= claim.Amount;
            long sum = claim.Window < 0 ? 0 : place.Stripe.WindowLocked(claim.Window).Sum;
            long retryMs = fits ? RetryMsLocked(in place, in claim, in limit, sum + claim.Need - CapacityOf(claim.Amount)) : 0;
            long resetMs = ResetMsLocked(in place, in claim, in limit);
            verdict.LimitsToFill.Add(limit.Number, claim.Amount, Math.Max(0, CapacityOf(claim.Amount) - sum), resetMs, retryMs);
            if (verdict.Code == VerdictCode.ExceedsLimit ? !fits && refusing < 0 : retryMs > latestMs)
            {
                (refusing, latestMs) = (claim.Index, retryMs);
            }
        }

        if (verdict.Code is VerdictCode.ExceedsLimit or VerdictCode.RateLimited)
        {
            verdict.RefuseFor(limits[refusing].Number, limits[refusing].WindowMs, latestMs);
        }
    }

    /// <summary>
    /// Makes what was booked for a request what it really took, in the slots in which it was booked, and ends its being under way.
    /// </summary>
    internal void Settle(in Reservation reservation, uint inputTokens, uint outputTokens, long clockMs)
    {
        if (reservation.Booked.Count == 0)
        {
            return;
        }

        LimitPlace place = PlaceOf(reservation.KeyNo, clockMs);
        place.Enter();
        try
        {
            for (int i = 0; i < reservation.Booked.Count; i++)
            {
                (byte limit, uint booked) = reservation.Booked[i];
                AdjustLocked(in place, limit, reservation.ClockMs, Counted(limit, booked, inputTokens, outputTokens) - booked);
            }
        }
        finally
        {
            place.Exit();
        }
    }

    /// <summary>
    /// The limits that count any request at all, whatever it needs, and those of them that outlast a restart: a bit each.
    /// </summary>
    internal (ushort Limits, ushort Lasting) CountingAnything()
    {
        (int all, int lasting) = (0, 0);
        for (int limit = 0; limit < Catalogue.Limits.Count; limit++)
        {
            Limit rule = Catalogue.Limits[limit];
            int bit = rule is { Actions: 0, Scopes: 0, ExceptScopes: 0, WindowMs: > 0 } ? 1 << limit : 0;
            all |= bit;
            lasting |= rule.Lasts ? bit : 0;
        }

        return ((ushort)all, (ushort)lasting);
    }

    /// <summary>Counts in those limits what was used already, whether they have room or not.</summary>
    internal void CountUse(uint keyNo, uint inputTokens, uint outputTokens, long clockMs)
    {
        int counting = CountingAnything().Limits;
        LimitPlace place = PlaceOf(keyNo, clockMs);
        place.Enter();
        try
        {
            for (byte limit = 0; limit < Catalogue.Limits.Count; limit++)
            {
                if ((counting >> limit & 1) != 0)
                {
                    AdjustLocked(in place, limit, place.ClockMs, Counted(limit, 1, inputTokens, outputTokens));
                }
            }
        }
        finally
        {
            place.Exit();
        }
    }

    /// <summary>Counts a request that was under way before a restart as under way.</summary>
    internal void RestoreConcurrent(in Reservation reservation, long clockMs)
    {
        LimitPlace place = PlaceOf(reservation.KeyNo, clockMs);
        place.Enter();
        try
        {
            for (int i = 0; i < reservation.Booked.Count; i++)
            {
                (byte limit, _) = reservation.Booked[i];
                if (Catalogue.Limits[limit].Counts == LimitCounts.ConcurrentRequests)
                {
                    AdjustLocked(in place, limit, clockMs, 1);
                }
            }
        }
        finally
        {
            place.Exit();
        }
    }

    internal LimitPlace PlaceOf(uint keyNo, long clockMs)
    {
        // Numbers come in sequence; Fibonacci's multiplier spreads them. The stripe is chosen by the first bits, the bucket by the next.
        ulong hash = unchecked(keyNo * 0x9E37_79B9_7F4A_7C15UL);
        return new LimitPlace(
            _stripes[hash >> (64 - StripeBits)], (int)((hash << StripeBits) >> _bucketShift), keyNo, clockMs);
    }

    /// <summary>
    /// How much of a limit this process may give away. It is all of it, because one process serves the database. Where several do, each
    /// takes slices of the window's amount from the database beforehand, and here stands what it has of them: the decision, what remains
    /// and when it frees all follow from this number.
    /// </summary>
    private static long CapacityOf(long amount) => amount;

    private static long RetryMsLocked(in LimitPlace place, in LimitClaim claim, in CountedLimit limit, long excess)
    {
        if (excess <= 0)
        {
            return 0;
        }

        return limit.SlotMs == 0
            ? ConcurrentRetryMs
            : place.Stripe.WindowLocked(claim.Window).FreesAt(excess, limit.SlotMs, place.Stripe.EarlierLocked(claim.Window))
                - place.AskedMs;
    }

    private static long ResetMsLocked(in LimitPlace place, in LimitClaim claim, in CountedLimit limit)
    {
        if (claim.Window < 0 || place.Stripe.WindowLocked(claim.Window).Sum == 0)
        {
            return 0;
        }

        return limit.SlotMs == 0
            ? ConcurrentRetryMs
            : place.Stripe.WindowLocked(claim.Window).EmptyAt(limit.SlotMs, place.Stripe.EarlierLocked(claim.Window)) - place.AskedMs;
    }

    private long Counted(byte limit, uint booked, uint inputTokens, uint outputTokens) => Catalogue.Limits[limit].Counts switch
    {
        LimitCounts.Tokens => (long)inputTokens + outputTokens,
        LimitCounts.InputTokens => inputTokens,
        LimitCounts.OutputTokens => outputTokens,
        LimitCounts.ConcurrentRequests => 0,
        _ => booked,
    };

    // What was booked as nothing has no window to be found; where there is no room for one now, what came late is not counted.
    private void AdjustLocked(in LimitPlace place, byte limit, long bookedClockMs, long change)
    {
        LimitStripe stripe = place.Stripe;
        int link = stripe.FirstLocked(place.Bucket);
        ulong owner = RollingWindow.OwnerOf(place.KeyNo, limit);
        int index = change == 0 ? -1 : stripe.FindLocked(ref link, owner);
        if (index < 0 && (change <= 0 || !stripe.TryOpenLocked(place.Bucket, owner, ref link, out index)))
        {
            return;
        }

        long slotMs = Catalogue.Limits[limit].SlotMs;
        stripe.SumLocked(index, place.ClockMs, slotMs);
        ref RollingWindow window = ref stripe.WindowLocked(index);
        if (slotMs == 0)
        {
            window.BookConcurrent((int)change);
        }
        else
        {
            window.Adjust(bookedClockMs, change, slotMs, stripe.EarlierLocked(index));
        }
    }
}

/// <summary>Where a key's windows are, and when it is there: the clock that was read, and, once entered, the stripe's.</summary>
internal struct LimitPlace(LimitStripe stripe, int bucket, uint keyNo, long askedMs)
{
    public readonly LimitStripe Stripe = stripe;
    public readonly int Bucket = bucket;
    public readonly uint KeyNo = keyNo;
    public readonly long AskedMs = askedMs;

    public long ClockMs { get; private set; }

    public void Enter() => ClockMs = Stripe.Enter(AskedMs);

    public readonly void Exit() => Stripe.Exit();
}

/// <summary>What was taken of a limit in the slot that begins then; see <see cref="Limit.SlotMs"/>.</summary>
public readonly record struct SlotCount(long StartMs, long Amount);
