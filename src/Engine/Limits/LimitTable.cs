using System.Numerics;
using System.Runtime.CompilerServices;
using Tollgate.Engine.Permissions;
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

    /// <summary>What a key has taken of a limit within its window, as far as this process knows.</summary>
    /// <param name="keyNo">The number of the key.</param>
    /// <param name="limit">The number of the limit.</param>
    /// <param name="clockMs">The clock of the checks.</param>
    public long TakenOf(uint keyNo, int limit, long clockMs)
    {
        LimitPlace place = PlaceOf(keyNo, clockMs);
        place.Enter();
        int link = place.Stripe.FirstLocked(place.Bucket);
        int index = place.Stripe.FindLocked(ref link, RollingWindow.OwnerOf(keyNo, (byte)limit));
        long taken = index < 0 ? 0 : place.Stripe.ReachLocked(index, place.ClockMs, Catalogue.Limits[limit].SlotMs).Sum;
        place.Exit();
        return taken;
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
    /// Takes a request from every limit that counts it, or from none: false where one has no room for it, or the table none for one more
    /// limit. The place is entered; what is taken is seen by nobody until it is left, and <see cref="GiveBackLocked"/> undoes it.
    /// </summary>
    /// <param name="limits">Those that bound the key.</param>
    /// <param name="place">Where its windows are.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="taken">Told what was taken from where.</param>
    /// <param name="states">Told how each limit stands after it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryTakeLocked(
        ReadOnlySpan<CountedLimit> limits, in LimitPlace place, in CheckRequest request, ref TakenAmounts taken, ref LimitStates states)
    {
        LimitStripe stripe = place.Stripe;
        int link = stripe.FirstLocked(place.Bucket);
        int index = Math.Max(0, link - 1);
        ref RollingWindow window = ref stripe.GuessLocked(index);
        (int count, int bits) = (0, 0);
        foreach (ref readonly CountedLimit limit in limits)
        {
            if (!limit.Applies(in request))
            {
                continue;
            }

            if (window.Owner != RollingWindow.OwnerOf(place.KeyNo, limit.Number) || count == LimitStates.Max)
            {
                if (count == LimitStates.Max || !stripe.TryFindOrOpenLocked(in place, limit.Number, ref link, out index))
                {
                    GiveBackLocked(in place, count, ref taken, ref states);
                    return false;
                }

                window = ref stripe.WindowLocked(index);
            }

            if (limit.SlotMs > 0 && window.IsPast(place.ClockMs))
            {
                window.Turn(place.ClockMs, limit.SlotMs, stripe.EarlierLocked(index));
            }

            long estimate = limit.EstimateOf((uint)request.InputTokens, (uint)request.OutputTokens);
            long need = Math.Min(estimate, limit.Amount);
            long left = CapacityOf(limit.Amount) - window.Sum - need;
            if (left < 0 || (estimate > need && !limit.CanFit(in request)))
            {
                GiveBackLocked(in place, count, ref taken, ref states);
                return false;
            }

            window.Book((uint)need);
            ref TakenAmount amount = ref taken[count];
            (amount.Window, amount.Amount, amount.Limit) = (index, (uint)need, limit.Number);
            bits |= 1 << limit.Number;
            long resetMs = window.IsFresh && limit.SlotMs > 0
                ? window.SlotEndMs + limit.ReachMs - place.AskedMs
                : ResetMsLocked(in place, index, in limit);
            states.Set(count++, limit.Number, limit.Amount, left, resetMs, retryMs: 0);
            window = ref stripe.NextLocked(ref window, ++index);
        }

        (taken.Count, taken.Bits) = (count, bits);
        states.Count = count;
        return true;
    }

    /// <summary>Undoes what <see cref="TryTakeLocked"/> took, in the same stay.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void GiveBackLocked(in LimitPlace place, int count, ref TakenAmounts taken, ref LimitStates states)
    {
        for (int i = 0; i < count; i++)
        {
            place.Stripe.WindowLocked(taken[i].Window).GiveBack(taken[i].Amount);
        }

        taken.Count = 0;
        states = default;
    }

    /// <summary>
    /// Tells how each limit that counts a request stands, with nothing taken, and whether it fits. Of a refusal the verdict learns which
    /// limit it is by: where one is too small for the request that one, else the one that frees last.
    /// </summary>
    internal static VerdictCode TellLocked(
        ReadOnlySpan<CountedLimit> limits, in LimitPlace place, in CheckRequest request, ref Verdict verdict)
    {
        (int tooSmall, int last, long latestMs) = (-1, -1, 0);
        for (int i = 0; i < limits.Length; i++)
        {
            ref readonly CountedLimit limit = ref limits[i];
            if (!limit.Applies(in request))
            {
                continue;
            }

            if (verdict.Limits.Count == LimitStates.Max)
            {
                return VerdictCode.Busy;
            }

            int link = place.Stripe.FirstLocked(place.Bucket);
            int index = place.Stripe.FindLocked(ref link, RollingWindow.OwnerOf(place.KeyNo, limit.Number));
            long sum = index < 0 ? 0 : place.Stripe.ReachLocked(index, place.ClockMs, limit.SlotMs).Sum;
            long left = CapacityOf(limit.Amount) - sum;
            bool canFit = limit.CanFit(in request);
            long retryMs = canFit ? RetryMsLocked(in place, index, in limit, limit.NeedOf(in request) - left) : 0;
            verdict.LimitsToFill.Add(limit.Number, limit.Amount, Math.Max(0, left), ResetMsLocked(in place, index, in limit), retryMs);
            tooSmall = canFit || tooSmall >= 0 ? tooSmall : i;
            (last, latestMs) = retryMs > latestMs ? (i, retryMs) : (last, latestMs);
        }

        int refusing = tooSmall >= 0 ? tooSmall : last;
        if (refusing < 0)
        {
            return VerdictCode.Allowed;
        }

        verdict.RefuseFor(limits[refusing].Number, limits[refusing].WindowMs, tooSmall >= 0 ? 0 : latestMs);
        return tooSmall >= 0 ? VerdictCode.ExceedsLimit : VerdictCode.RateLimited;
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
                LimitCounts counts = Catalogue.Limits[limit].Counts;
                long real = counts == LimitCounts.ConcurrentRequests ? 0 : Counted(counts, booked, inputTokens, outputTokens);
                AdjustLocked(in place, limit, reservation.ClockMs, real - booked);
            }
        }
        finally
        {
            place.Exit();
        }
    }

    /// <summary>The limits with a window that count a request of this need, and those of them that outlast a restart: a bit each.</summary>
    internal (ushort Limits, ushort Lasting) Counting(Requirement requirement)
    {
        (int all, int lasting) = (0, 0);
        ulong scopes = requirement.AnyScope | requirement.ConditionalScopes;
        for (int limit = 0; limit < Catalogue.Limits.Count; limit++)
        {
            Limit rule = Catalogue.Limits[limit];
            bool counts = rule.WindowMs > 0 && (rule.Actions == 0 || (rule.Actions & requirement.Actions) != 0)
                && (rule.Scopes == 0 || (rule.Scopes & scopes) != 0) && (rule.ExceptScopes & scopes) == 0;
            int bit = counts ? 1 << limit : 0;
            all |= bit;
            lasting |= rule.Lasts ? bit : 0;
        }

        return ((ushort)all, (ushort)lasting);
    }

    /// <summary>Counts in these limits what was used already, whether they have room or not.</summary>
    internal void CountUse(uint keyNo, ushort limits, uint inputTokens, uint outputTokens, long clockMs)
    {
        LimitPlace place = PlaceOf(keyNo, clockMs);
        place.Enter();
        try
        {
            for (byte limit = 0; limit < Catalogue.Limits.Count; limit++)
            {
                if ((limits >> limit & 1) != 0)
                {
                    AdjustLocked(
                        in place, limit, place.ClockMs, Counted(Catalogue.Limits[limit].Counts, 1, inputTokens, outputTokens));
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

    /// <summary>What a request counts for in a limit: itself, or its tokens.</summary>
    internal static long Counted(LimitCounts counts, uint itself, uint inputTokens, uint outputTokens) => counts switch
    {
        LimitCounts.Tokens => (long)inputTokens + outputTokens,
        LimitCounts.InputTokens => inputTokens,
        LimitCounts.OutputTokens => outputTokens,
        _ => itself,
    };

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

    private static long RetryMsLocked(in LimitPlace place, int index, in CountedLimit limit, long excess)
    {
        if (excess <= 0)
        {
            return 0;
        }

        return limit.SlotMs == 0
            ? ConcurrentRetryMs
            : place.Stripe.WindowLocked(index).FreesAt(excess, limit.SlotMs, place.Stripe.EarlierLocked(index)) - place.AskedMs;
    }

    private static long ResetMsLocked(in LimitPlace place, int index, in CountedLimit limit)
    {
        if (index < 0 || place.Stripe.WindowLocked(index).Sum == 0)
        {
            return 0;
        }

        return limit.SlotMs == 0
            ? ConcurrentRetryMs
            : place.Stripe.WindowLocked(index).EmptyAt(limit.SlotMs, place.Stripe.EarlierLocked(index)) - place.AskedMs;
    }

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
        ref RollingWindow window = ref stripe.ReachLocked(index, place.ClockMs, slotMs);
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
