using System.Runtime.CompilerServices;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Verification;

/// <summary>
/// Step 5 of the check: the key's limits, its organization's balance, and the note of what happened, all of them or none; and what becomes
/// of a request that was admitted to be settled later.
/// </summary>
/// <remarks>
/// A request is decided and counted under the lock of its key's limits, in this order: the limits count it → there is room for a
/// reservation → the money is held → the event is noted. Each step can refuse and undoes those before it, under the same lock, so nobody
/// sees them; after the last nothing can fail. Locks are taken in one order, limits before reservations; settling takes them one after
/// the other.
/// </remarks>
public sealed class Admission
{
    /// <summary>When asking again makes sense where only other requests' ends can help.</summary>
    private const long HoldsRetryMs = 1_000;

    private readonly int _refusalsMax;
    private long _unlogged;

    /// <param name="limits">Without it nothing is limited.</param>
    /// <param name="usage">Where everything that happens is noted; without it nothing is.</param>
    /// <param name="reservations">The open ones.</param>
    public Admission(LimitTable? limits = null, UsageBuffer? usage = null, ReservationTable? reservations = null)
    {
        Limits = limits ?? new LimitTable(limitsMax: LimitTable.LimitsMaxLeast);
        Reservations = reservations ?? new ReservationTable();
        Usage = usage;
        _refusalsMax = (usage?.Capacity ?? 0) / 2;
    }

    public LimitTable Limits { get; }

    public ReservationTable Reservations { get; }

    public UsageBuffer? Usage { get; }

    /// <summary>Refusals that were not noted, because half of the buffer was taken and the rest is for what must be.</summary>
    public long Unlogged => Volatile.Read(ref _unlogged);

    /// <summary>
    /// Notes how far an open reservation has come. What is noted never falls, in whatever order marks arrive.
    /// </summary>
    public SettleResult TryMark(long requestNo, uint inputTokens, uint outputTokens, Money cost, long atMs, long clockMs) =>
        TryExtend(requestNo, Money.Zero, inputTokens, outputTokens, cost, atMs, clockMs);

    /// <summary>
    /// The same, and sets aside more of the balance, until <paramref name="held"/> is held in all; or does neither. A hold never falls:
    /// where as much is held already, or there is no balance, this is a mark.
    /// </summary>
    public SettleResult TryExtend(
        long requestNo, Money held, uint inputTokens, uint outputTokens, Money cost, long atMs, long clockMs)
    {
        ReservationStripe stripe = Reservations.StripeOf(requestNo, out int bucket);
        stripe.Gate.Enter();
        try
        {
            int index = stripe.FindLocked(bucket, requestNo);
            if (index < 0)
            {
                return SettleResult.NotOpen;
            }

            ref Reservation open = ref stripe.ItemLocked(index);
            Money more = open.Balance is not null && held > open.Held ? held - open.Held : Money.Zero;
            if (more > Money.Zero && !open.Balance!.TryHold(more))
            {
                return SettleResult.Unpaid;
            }

            UsageEvent happened = AdmissionEvents.OfMark(in open, inputTokens, outputTokens, cost, atMs);
            if (more > Money.Zero)
            {
                AdmissionEvents.Extend(ref happened, held);
            }

            if (Usage is not null && !Usage.TryAppend(in happened, out _))
            {
                open.Balance?.Settle(more, Money.Zero);
                return SettleResult.Full;
            }

            open.Held += more;
            (open.MarkedInputTokens, open.MarkedOutputTokens) = (happened.InputTokens, happened.OutputTokens);
            (open.MarkedCost, open.IsMarked) = (AdmissionEvents.MarkedCost(in happened), true);
            open.TouchedMs = Math.Max(open.TouchedMs, clockMs);
            return SettleResult.Done;
        }
        finally
        {
            stripe.Gate.Exit();
        }
    }

    /// <summary>
    /// Ends an open reservation: bills it, at most what was held, notes it, and makes what its limits counted what it really took.
    /// </summary>
    /// <param name="requestNo">The number of the request that made it.</param>
    /// <param name="settlement">What it took.</param>
    /// <param name="sequence">The event's place in the usage buffer: whoever must not lose it waits until that is in the database.</param>
    public SettleResult Settle(long requestNo, in Settlement settlement, out long sequence)
    {
        sequence = 0;
        Reservation settled;
        Money billed;
        ReservationStripe stripe = Reservations.StripeOf(requestNo, out int bucket);
        stripe.Gate.Enter();
        try
        {
            int index = stripe.FindLocked(bucket, requestNo);
            if (index < 0)
            {
                return SettleResult.NotOpen;
            }

            settled = stripe.ItemLocked(index);
            billed = settled.Balance is null || settlement.Cost < settled.Held ? settlement.Cost : settled.Held;
            UsageEvent happened = AdmissionEvents.OfSettlement(in settled, in settlement, billed);
            if (Usage is not null && !Usage.TryAppend(in happened, out sequence))
            {
                return SettleResult.Full;
            }

            stripe.RemoveLocked(bucket, index);
        }
        finally
        {
            stripe.Gate.Exit();
        }

        settled.Balance?.Settle(settled.Held, billed);
        Limits.Settle(in settled, settlement.InputTokens, settlement.OutputTokens, settlement.ClockMs);
        return SettleResult.Done;
    }

    /// <summary>
    /// Notes a request that nobody asked about beforehand. It is counted in its key's limits, whether they have room or not, and billed as
    /// far as the balance goes.
    /// </summary>
    /// <param name="use">What was used.</param>
    /// <param name="billed">What the organization paid of it.</param>
    /// <param name="sequence">As with <see cref="Settle"/>.</param>
    public SettleResult Record(in RecordedUse use, out Money billed, out long sequence)
    {
        Money cost = use.Cost ?? Money.Zero;
        billed = use.Balance?.TakeUpTo(cost) ?? cost;
        UsageEvent happened = AdmissionEvents.OfRecord(in use, billed);
        (happened.Limits, happened.LastingLimits) = Limits.Counting(use.Requirement);
        sequence = 0;
        if (Usage is not null && !Usage.TryAppend(in happened, out sequence))
        {
            use.Balance?.Add(billed);
            billed = Money.Zero;
            return SettleResult.Full;
        }

        Limits.CountUse(use.KeyNo, happened.Limits, use.InputTokens, use.OutputTokens, use.ClockMs);
        return SettleResult.Done;
    }

    /// <summary>
    /// At start: takes up a reservation that was open when the last process ended. Its money is held in the balance already. Put back the
    /// lasting windows of its key first, for they contain it; shorter ones begin anew, and what is under way counts again.
    /// </summary>
    /// <returns>False where there is no room, or it is open already.</returns>
    public bool TryRestore(in Reservation reservation, long clockMs)
    {
        Reservation open = reservation;
        open.Booked = default;
        // Who was down could not be told: it rests anew.
        open.TouchedMs = clockMs;
        for (byte limit = 0; limit < Limits.Catalogue.Limits.Count; limit++)
        {
            LimitCounts counts = Limits.Catalogue.Limits[limit].Counts;
            int counted = counts == LimitCounts.ConcurrentRequests ? open.Limits : open.LastingLimits;
            if ((counted >> limit & 1) != 0 && open.Booked.Count < LimitStates.Max)
            {
                open.Booked.Add(limit, (uint)Math.Min(uint.MaxValue, LimitTable.Counted(counts, 1, open.InputTokens, open.OutputTokens)));
            }
        }

        ReservationStripe stripe = Reservations.StripeOf(open.RequestNo, out int bucket);
        stripe.Gate.Enter();
        bool isRestored = stripe.FindLocked(bucket, open.RequestNo) < 0 && stripe.HasRoomLocked();
        if (isRestored)
        {
            ref Reservation place = ref stripe.AddLocked(bucket);
            int next = place.Next;
            place = open;
            place.Next = next;
        }

        stripe.Gate.Exit();
        if (isRestored)
        {
            Limits.RestoreConcurrent(in open, clockMs);
        }

        return isRestored;
    }

    /// <summary>The step itself, for a request that passed all others; fills the verdict, its code included.</summary>
    [SkipLocalsInit]
    internal void Decide(in CheckRequest request, ProjectEntry project, ref Verdict verdict)
    {
        KeyProfile profile = verdict.KeyToFill.Profile;
        if (profile.HasLimits)
        {
            DecideLowered(in request, project, profile, ref verdict);
            return;
        }

        Unsafe.SkipInit(out TakenAmounts taken);
        Decide(in request, Limits.Catalogue.Of(project.Plan), new Intake(project, ref taken, ref verdict));
    }

    // On its own, because a method with memory of a size that varies on its stack takes longer to enter and to leave.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DecideLowered(in CheckRequest request, ProjectEntry project, KeyProfile profile, ref Verdict verdict)
    {
        Unsafe.SkipInit(out TakenAmounts taken);
        Span<CountedLimit> lowered = stackalloc CountedLimit[LimitCatalogue.LimitsMax];
        Decide(in request, Limits.Catalogue.Of(project.Plan, profile, lowered), new Intake(project, ref taken, ref verdict));
    }

    private void Decide(in CheckRequest request, ReadOnlySpan<CountedLimit> limits, in Intake intake)
    {
        LimitPlace place = Limits.PlaceOf(intake.Verdict.KeyNo, request.ClockMs);
        place.Enter();
        try
        {
            intake.Verdict.Code = request.Taking == Taking.Take
                ? TakeLocked(in request, limits, in intake, in place)
                : LookLocked(in request, limits, in intake, in place);
        }
        finally
        {
            place.Exit();
        }
    }

    // On its own, because what stands within a try block is kept in memory rather than in registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private VerdictCode TakeLocked(in CheckRequest request, ReadOnlySpan<CountedLimit> limits, in Intake intake, in LimitPlace place)
    {
        ref Verdict verdict = ref intake.Verdict;
        if (!LimitTable.TryTakeLocked(limits, in place, in request, ref intake.Taken, ref verdict.LimitsToFill))
        {
            VerdictCode refused = LimitTable.TellLocked(limits, in place, in request, ref verdict);
            return refused == VerdictCode.Allowed ? VerdictCode.Busy : refused;
        }

        VerdictCode code = request.Reserves
            ? Reserve(in request, in intake, place.ClockMs)
            : PayAtOnce(in request, in intake, place.ClockMs);
        if (code != VerdictCode.Allowed)
        {
            LimitTable.GiveBackLocked(in place, intake.Taken.Count, ref intake.Taken, ref verdict.LimitsToFill);
            LimitTable.TellLocked(limits, in place, in request, ref verdict);
        }

        return code;
    }

    private static VerdictCode LookLocked(
        in CheckRequest request, ReadOnlySpan<CountedLimit> limits, in Intake intake, in LimitPlace place)
    {
        VerdictCode code = LimitTable.TellLocked(limits, in place, in request, ref intake.Verdict);
        return code == VerdictCode.Allowed && intake.Project.Balance is { } balance && balance.Available < LeastOf(in request)
            ? Unpaid(balance, in request, in intake)
            : code;
    }

    /// <summary>Notes that a known key was refused, while there is room for such notes.</summary>
    internal void NoteRefusal(in CheckRequest request, in Verdict verdict)
    {
        if (Usage is null)
        {
            return;
        }

        ref UsageEvent place = ref Usage.TryClaim(_refusalsMax, out long sequence);
        if (Unsafe.IsNullRef(ref place))
        {
            Interlocked.Increment(ref _unlogged);
            return;
        }

        Fill(ref place, in request, UsageKind.Refused, in verdict, request.ClockMs);
        place.Code = (verdict.IsUnfunded ? VerdictCode.WalletEmpty : verdict.Code).NumberOf();
        if (verdict.RefusingLimit >= 0)
        {
            LimitState state = verdict.RefusedBy;
            place.Limit = (byte)(state.Limit + 1);
            (place.LimitAmount, place.LimitRemaining) = (state.Amount, state.Remaining);
        }

        place.RetryAtMs = verdict.RetryAfterMs > 0 ? request.NowMs + verdict.RetryAfterMs : 0;
        UsageBuffer.Publish(ref place, sequence);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private VerdictCode PayAtOnce(in CheckRequest request, in Intake intake, long clockMs)
    {
        VerdictCode code = HoldAndNote(in request, in intake, UsageKind.Passed, clockMs);
        Money paid = intake.Verdict.Held;
        if (paid > Money.Zero)
        {
            // Nobody will settle it.
            intake.Project.Balance?.Settle(paid, paid);
        }

        return code;
    }

    private VerdictCode Reserve(in CheckRequest request, in Intake intake, long clockMs)
    {
        ReservationStripe stripe = Reservations.StripeOf(request.RequestNo, out int bucket);
        stripe.Gate.Enter();
        try
        {
            if (!stripe.HasRoomLocked())
            {
                return VerdictCode.Busy;
            }

            VerdictCode code = HoldAndNote(in request, in intake, UsageKind.Reserved, clockMs);
            if (code == VerdictCode.Allowed)
            {
                intake.Fill(ref stripe.AddLocked(bucket), in request, clockMs, Limits.Catalogue.LastingBits);
            }

            return code;
        }
        finally
        {
            stripe.Gate.Exit();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private VerdictCode HoldAndNote(in CheckRequest request, in Intake intake, UsageKind kind, long clockMs)
    {
        Balance? balance = intake.Project.Balance;
        if (balance is not null)
        {
            if (!(request.IsPriced ? balance.TryHold(request.HoldOrZero) : balance.Available >= LeastOf(in request)))
            {
                return Unpaid(balance, in request, in intake);
            }

            intake.Verdict.Held = request.HoldOrZero;
        }

        if (!TryNote(in request, in intake, kind, clockMs))
        {
            balance?.Settle(intake.Verdict.Held, Money.Zero);
            intake.Verdict.Held = Money.Zero;
            return VerdictCode.Busy;
        }

        return VerdictCode.Allowed;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryNote(in CheckRequest request, in Intake intake, UsageKind kind, long clockMs)
    {
        if (Usage is null)
        {
            return true;
        }

        ref UsageEvent place = ref Usage.TryClaim(Usage.Capacity, out long sequence);
        if (Unsafe.IsNullRef(ref place))
        {
            return false;
        }

        Fill(ref place, in request, kind, in intake.Verdict, clockMs);
        (long costMicros, int limits) = (intake.Verdict.Held.Micros, intake.Taken.Bits);
        int lasting = limits & Limits.Catalogue.LastingBits;
        UsageFlags flags = request.IsPriced ? UsageFlags.Priced : UsageFlags.None;
        if (intake.Verdict.Key.EndsBeforeExpiry)
        {
            flags |= UsageFlags.OldSecret;
        }

        place.CostMicros = costMicros;
        (place.Limits, place.LastingLimits, place.Flags) = ((ushort)limits, (ushort)lasting, flags);
        var sum = new UsageChecksum(sequence);
        sum.AddRequest(request.RequestNo, request.NowMs, clockMs, intake.Verdict.KeyNo, (uint)intake.Project.OrganizationNo);
        sum.AddUse(costMicros, (uint)request.InputTokens, (uint)request.OutputTokens, request.Model, request.PriceVersion);
        sum.AddKind(kind, flags, (ushort)limits, (ushort)lasting);
        UsageBuffer.Publish(ref place, sequence, in sum);
        return true;
    }

    // Without a price something must be left.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Money LeastOf(in CheckRequest request) => request.IsPriced ? request.HoldOrZero : Money.Least;

    // Not enough is available. Whether it would be if nothing were held decides between waiting and paying.
    private static VerdictCode Unpaid(Balance balance, in CheckRequest request, in Intake intake)
    {
        Money held = balance.Held;
        if (held > Money.Zero && balance.Available + held >= LeastOf(in request))
        {
            intake.Verdict.RetryIn(HoldsRetryMs, windowMs: 0);
            return VerdictCode.InFlightHolds;
        }

        return VerdictCode.WalletEmpty;
    }

    // Each field on its own, in the place where it stays: a copy would wait for the fields to have arrived.
    private static void Fill(ref UsageEvent place, in CheckRequest request, UsageKind kind, in Verdict verdict, long clockMs)
    {
        place = default;
        place.RequestNo = request.RequestNo;
        place.AtMs = request.NowMs;
        place.AdmittedAtMs = request.NowMs;
        place.ClockMs = clockMs;
        place.KeyNo = verdict.KeyNo;
        place.OrganizationNo = (uint)verdict.Project!.OrganizationNo;
        place.InputTokens = (uint)request.InputTokens;
        place.OutputTokens = (uint)request.OutputTokens;
        place.Model = request.Model;
        place.PriceVersion = request.PriceVersion;
        place.Kind = kind;
    }
}
