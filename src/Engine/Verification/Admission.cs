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
/// A request is decided and counted under the lock of its key's limits, in this order: do the limits have room → is there room for a
/// reservation → is the money held → is the event noted → the limits are booked and the reservation stands. Each step before the last
/// can refuse, and gives back what those before it took: money alone. Locks are taken in one order, limits before reservations; settling
/// takes them one after the other.
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
    public SettleResult TryMark(long requestNo, uint inputTokens, uint outputTokens, Money cost, long atMs)
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
            UsageEvent happened = EventOf(in open, UsageKind.Marked, atMs);
            happened.InputTokens = Math.Max(open.MarkedInputTokens, inputTokens);
            happened.OutputTokens = Math.Max(open.MarkedOutputTokens, outputTokens);
            happened.CostMicros = Math.Max(open.MarkedCost.Micros, cost.Micros);
            if (Usage is not null && !Usage.TryAppend(in happened, out _))
            {
                return SettleResult.Full;
            }

            (open.MarkedInputTokens, open.MarkedOutputTokens) = (happened.InputTokens, happened.OutputTokens);
            (open.MarkedCost, open.IsMarked) = (new Money(happened.CostMicros), true);
            open.TouchedAtMs = Math.Max(open.TouchedAtMs, atMs);
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
            UsageEvent happened = EventOf(in settled, in settlement, billed);
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
    /// At start: takes up a reservation that was open when the last process ended. Its money is held in the balance already. Put back the
    /// lasting windows of its key first, for they contain it; shorter ones begin anew, and what is under way counts again.
    /// </summary>
    /// <returns>False where there is no room, or it is open already.</returns>
    public bool TryRestore(in Reservation reservation, long clockMs)
    {
        Reservation open = reservation;
        open.Booked = default;
        for (byte limit = 0; limit < Limits.Catalogue.Limits.Count; limit++)
        {
            LimitCounts counts = Limits.Catalogue.Limits[limit].Counts;
            int counted = counts == LimitCounts.ConcurrentRequests ? open.Limits : open.LastingLimits;
            if ((counted >> limit & 1) != 0 && open.Booked.Count < LimitStates.Max)
            {
                open.Booked.Add(limit, (uint)LimitClaims.EstimateOf(counts, open.InputTokens, open.OutputTokens));
            }
        }

        ReservationStripe stripe = Reservations.StripeOf(open.RequestNo, out int bucket);
        stripe.Gate.Enter();
        bool isRestored = stripe.FindLocked(bucket, open.RequestNo) < 0 && stripe.HasRoomLocked();
        if (isRestored)
        {
            stripe.AddLocked(bucket, in open);
        }

        stripe.Gate.Exit();
        if (isRestored)
        {
            Limits.RestoreConcurrent(in open, clockMs);
        }

        return isRestored;
    }

    /// <summary>The step itself, for a request that passed all others; fills the verdict, its code included.</summary>
    internal void Decide(in CheckRequest request, ProjectEntry project, ref Verdict verdict)
    {
        LimitClaims claims = default;
        if (!claims.TryCollect(Limits.Catalogue.Of(project.Plan), in request, verdict.Key.Profile))
        {
            verdict.Code = VerdictCode.Busy;
            return;
        }

        if (claims.Count == 0)
        {
            verdict.Code = Pay(in request, project, in claims, request.ClockMs, ref verdict);
            return;
        }

        bool takes = request.Taking == Taking.Take;
        LimitPlace place = Limits.PlaceOf(verdict.Key.KeyNo, request.ClockMs);
        place.Enter();
        try
        {
            VerdictCode code = LimitTable.DecideLocked(in place, ref claims, opens: takes);
            if (code == VerdictCode.Allowed)
            {
                code = Pay(in request, project, in claims, place.ClockMs, ref verdict);
            }
            else if (code != VerdictCode.Busy)
            {
                ref LimitClaim refusing = ref claims[claims.Refusing];
                verdict.RefuseFor(refusing.Limit, Limits.Catalogue.Limits[refusing.Limit].WindowMs, refusing.RetryMs);
            }

            verdict.Code = code;
            if (takes && code == VerdictCode.Allowed)
            {
                LimitTable.BookLocked(in place, ref claims, ref verdict.LimitsToFill);
            }
            else if (code != VerdictCode.Busy)
            {
                LimitTable.TellLocked(in place, ref claims, ref verdict.LimitsToFill);
            }
        }
        finally
        {
            place.Exit();
        }
    }

    /// <summary>Notes that a known key was refused, while there is room for such notes.</summary>
    internal void NoteRefusal(in CheckRequest request, in Verdict verdict)
    {
        if (Usage is null)
        {
            return;
        }

        UsageEvent happened = EventOf(in request, UsageKind.Refused, verdict.Key.KeyNo, verdict.Project!);
        happened.Code = verdict.Code.NumberOf();
        if (verdict.RefusingLimit >= 0)
        {
            LimitState state = verdict.RefusedBy;
            happened.Limit = (byte)(state.Limit + 1);
            (happened.LimitAmount, happened.LimitRemaining) = (state.Amount, state.Remaining);
        }

        happened.RetryAtMs = verdict.RetryAfterMs > 0 ? request.NowMs + verdict.RetryAfterMs : 0;
        if (!Usage.TryAppend(in happened, _refusalsMax, out _))
        {
            Interlocked.Increment(ref _unlogged);
        }
    }

    // Everything but the limits: the money, the reservation, the event.
    private VerdictCode Pay(
        in CheckRequest request, ProjectEntry project, in LimitClaims claims, long clockMs, ref Verdict verdict)
    {
        if (request.Taking == Taking.Take)
        {
            return request.Reserves
                ? Reserve(in request, project, in claims, clockMs, ref verdict)
                : PayAtOnce(in request, project, in claims, clockMs, ref verdict);
        }

        return project.Balance is not { } balance || CanPay(balance, request.Hold) ? VerdictCode.Allowed
            : Unpaid(balance, request.Hold, ref verdict);
    }

    private VerdictCode PayAtOnce(
        in CheckRequest request, ProjectEntry project, in LimitClaims claims, long clockMs, ref Verdict verdict)
    {
        Balance? balance = project.Balance;
        Money price = balance is null ? Money.Zero : request.Hold ?? Money.Zero;
        if (balance is not null && !(request.Hold is null ? CanPay(balance, null) : balance.TryTake(price)))
        {
            return Unpaid(balance, request.Hold, ref verdict);
        }

        if (Usage is not null)
        {
            UsageEvent happened = AdmittedEventOf(in request, UsageKind.Passed, in verdict, project, in claims, clockMs);
            happened.CostMicros = price.Micros;
            if (!Usage.TryAppend(in happened, out _))
            {
                balance?.Add(price);
                return VerdictCode.Busy;
            }
        }

        verdict.Held = price;
        return VerdictCode.Allowed;
    }

    private VerdictCode Reserve(
        in CheckRequest request, ProjectEntry project, in LimitClaims claims, long clockMs, ref Verdict verdict)
    {
        ReservationStripe stripe = Reservations.StripeOf(request.RequestNo, out int bucket);
        stripe.Gate.Enter();
        try
        {
            return stripe.HasRoomLocked()
                ? ReserveLocked(stripe, bucket, in request, project, in claims, clockMs, ref verdict)
                : VerdictCode.Busy;
        }
        finally
        {
            stripe.Gate.Exit();
        }
    }

    private VerdictCode ReserveLocked(
        ReservationStripe stripe, int bucket, in CheckRequest request, ProjectEntry project, in LimitClaims claims, long clockMs,
        ref Verdict verdict)
    {
        Balance? balance = project.Balance;
        Money hold = balance is null ? Money.Zero : request.Hold ?? Money.Zero;
        if (balance is not null && !(request.Hold is null ? CanPay(balance, null) : balance.TryHold(hold)))
        {
            return Unpaid(balance, request.Hold, ref verdict);
        }

        if (Usage is not null)
        {
            UsageEvent happened = AdmittedEventOf(in request, UsageKind.Reserved, in verdict, project, in claims, clockMs);
            happened.CostMicros = hold.Micros;
            if (!Usage.TryAppend(in happened, out _))
            {
                balance?.Settle(hold, Money.Zero);
                return VerdictCode.Busy;
            }
        }

        verdict.Held = hold;
        ref Reservation open = ref stripe.AddLocked(bucket, new Reservation
        {
            RequestNo = request.RequestNo,
            KeyNo = verdict.Key.KeyNo,
            OrganizationNo = (uint)project.OrganizationNo,
            AdmittedAtMs = request.NowMs,
            TouchedAtMs = request.NowMs,
            ClockMs = clockMs,
            Model = request.Model,
            PriceVersion = request.PriceVersion,
            InputTokens = (uint)request.InputTokens,
            OutputTokens = (uint)request.OutputTokens,
            MarkedInputTokens = (uint)request.InputTokens,
            Held = hold,
            Balance = balance,
            Limits = claims.Limits,
            LastingLimits = claims.Lasting,
        });
        claims.CopyTo(ref open.Booked);
        return VerdictCode.Allowed;
    }

    private static bool CanPay(Balance balance, Money? hold) =>
        hold is { } amount ? balance.Available >= amount : balance.Available > Money.Zero;

    // Not enough is available. Whether it would be if nothing were held decides between waiting and paying.
    private static VerdictCode Unpaid(Balance balance, Money? hold, ref Verdict verdict)
    {
        Money held = balance.Held;
        Money most = balance.Available + held;
        if (held > Money.Zero && (hold is { } amount ? most >= amount : most > Money.Zero))
        {
            verdict.RetryIn(HoldsRetryMs, windowMs: 0);
            return VerdictCode.InFlightHolds;
        }

        return VerdictCode.WalletEmpty;
    }

    private static UsageEvent EventOf(in CheckRequest request, UsageKind kind, uint keyNo, ProjectEntry project) => new()
    {
        RequestNo = request.RequestNo,
        AtMs = request.NowMs,
        AdmittedAtMs = request.NowMs,
        ClockMs = request.ClockMs,
        KeyNo = keyNo,
        OrganizationNo = (uint)project.OrganizationNo,
        InputTokens = (uint)request.InputTokens,
        OutputTokens = (uint)request.OutputTokens,
        Model = request.Model,
        PriceVersion = request.PriceVersion,
        Kind = kind,
    };

    private static UsageEvent AdmittedEventOf(
        in CheckRequest request, UsageKind kind, in Verdict verdict, ProjectEntry project, in LimitClaims claims, long clockMs)
    {
        UsageEvent happened = EventOf(in request, kind, verdict.Key.KeyNo, project);
        happened.ClockMs = clockMs;
        happened.Limits = claims.Limits;
        happened.LastingLimits = claims.Lasting;
        happened.Flags = request.Hold is null ? UsageFlags.None : UsageFlags.Priced;
        return happened;
    }

    private static UsageEvent EventOf(in Reservation open, UsageKind kind, long atMs) => new()
    {
        RequestNo = open.RequestNo,
        AtMs = atMs,
        AdmittedAtMs = open.AdmittedAtMs,
        ClockMs = open.ClockMs,
        KeyNo = open.KeyNo,
        OrganizationNo = open.OrganizationNo,
        Model = open.Model,
        PriceVersion = open.PriceVersion,
        Limits = open.Limits,
        LastingLimits = open.LastingLimits,
        Kind = kind,
    };

    private static UsageEvent EventOf(in Reservation settled, in Settlement settlement, Money billed)
    {
        UsageEvent happened = EventOf(in settled, UsageKind.Settled, settlement.AtMs);
        happened.CostMicros = billed.Micros;
        happened.LossMicros = (settlement.Cost - billed).Micros;
        (happened.InputTokens, happened.OutputTokens) = (settlement.InputTokens, settlement.OutputTokens);
        (happened.Status, happened.LatencyMs, happened.Flags) = (settlement.Status, settlement.LatencyMs, settlement.Flags);
        return happened;
    }
}
