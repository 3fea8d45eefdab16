using System.Collections.Concurrent;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Journal;

/// <summary>
/// The door for API servers that say what requests have used: reserved ones are settled, others recorded. What is answered is in the
/// database. However often a report is repeated, it is booked once, and answered the same.
/// </summary>
internal sealed class Reports(
    ProviderModel provider, Admission admission, Fold fold, PriceBook prices, ModelNames models, UsageReader usage, ReportClaims claims,
    Remembrance remembrance, BalanceTable balances, WindowClock clock, TimeProvider time)
{
    private static readonly Problem Busy = new(ProblemCode.Unavailable, "There is no room to note usage right now; try again in a moment.");
    private static readonly Problem NoKey = new(ProblemCode.NotFound, "There is no such key.");

    /// <summary>Recorded requests whose report is being worked on, so that the same one sent twice at a time is taken once.</summary>
    private readonly ConcurrentDictionary<long, bool> _underWay = new();

    /// <summary>Takes them in, in their order, and answers each once all of them are in the database.</summary>
    public async Task<IReadOnlyList<Outcome<UseReceipt>>> Take(Caller caller, IReadOnlyList<UseReport> reports)
    {
        var now = time.GetUtcNow();
        var begun = new Outcome<BegunReport>[reports.Count];
        Array.Fill(begun, Busy);
        try
        {
            for (var i = 0; i < begun.Length; i++)
            {
                begun[i] = ReportTerms.Of(reports[i], now).TryGet(out var terms, out var fault) ? await Begin(caller, terms) : fault;
            }

            var last = begun.Where(report => report.IsOk).Select(report => report.Value.Sequence).DefaultIfEmpty(0).Max();
            await (begun.Any(report => report.IsOk && report.Value.Answer is null) ? fold.WaitAll() : fold.WaitFolded(last));
            var answers = new List<Outcome<UseReceipt>>(begun.Length);
            foreach (var report in begun)
            {
                answers.Add(report.TryGet(out var known, out var problem) ? await Finish(caller, known) : problem);
            }

            return answers;
        }
        finally
        {
            foreach (var report in begun.Where(report => report.IsOk && report.Value.IsRecorded))
            {
                _underWay.TryRemove(report.Value.RequestNo, out _);
            }
        }
    }

    private Task<Outcome<BegunReport>> Begin(Caller caller, ReportTerms terms) => terms switch
    {
        { RequestNo: null } => Record(caller, terms),
        { Report.InProgress: true } => Mark(caller, terms, terms.RequestNo.Value),
        _ => Settle(caller, terms, terms.RequestNo.Value),
    };

    /// <summary>What was done before is answered as it was booked then.</summary>
    private async Task<Outcome<UseReceipt>> Finish(Caller caller, BegunReport report) =>
        report.Answer is { } answer ? answer
        : await usage.FindBooked(report.RequestNo) is { } row && Covers(caller, row.OrganizationId, row.Environment) ? AnswerOf(row)
        : ReportTerms.NoReservation;

    private async Task<Outcome<BegunReport>> Settle(Caller caller, ReportTerms terms, long requestNo)
    {
        if (!admission.Reservations.TryGet(requestNo, out var open))
        {
            return new BegunReport(requestNo);
        }

        if (!(await Price(caller, terms.Report, open)).TryGet(out var priced, out var problem))
        {
            return problem;
        }

        var report = terms.Report;
        var settlement = new Settlement
        {
            InputTokens = (uint)report.InputTokens,
            OutputTokens = (uint)report.OutputTokens,
            Cost = priced.Cost ?? Money.Zero,
            Status = (ushort)(report.Status ?? 0),
            LatencyMs = (uint)(report.LatencyMs ?? 0),
            Flags = FlagsOf(report, priced.Cost),
            AtMs = NowMs,
            ClockMs = clock.NowMs,
        };
        Failpoint.Pass("report.unsettled");
        return admission.Settle(requestNo, settlement, out var sequence) switch
        {
            SettleResult.Done => new BegunReport(requestNo)
            {
                Sequence = sequence,
                Answer = AnswerOf(requestNo, "settled", priced.Model, report, Billed(open, priced.Cost)),
            },
            SettleResult.Full => Busy,
            _ => new BegunReport(requestNo),
        };
    }

    private async Task<Outcome<BegunReport>> Mark(Caller caller, ReportTerms terms, long requestNo)
    {
        var report = terms.Report;
        if (!admission.Reservations.TryGet(requestNo, out var open))
        {
            return new BegunReport(requestNo);
        }

        if (!(await Price(caller, report, open)).TryGet(out var priced, out var problem))
        {
            return problem;
        }

        var cost = Billed(open, priced.Cost);
        return admission.TryMark(
            requestNo, (uint)report.InputTokens, (uint)report.OutputTokens, cost ?? Money.Zero, NowMs) switch
        {
            SettleResult.Done => new BegunReport(requestNo) { Answer = AnswerOf(requestNo, "in_progress", priced.Model, report, cost) },
            SettleResult.Full => Busy,
            _ => new BegunReport(requestNo),
        };
    }

    private async Task<Outcome<BegunReport>> Record(Caller caller, ReportTerms terms)
    {
        var report = terms.Report;
        if (await usage.FindKey(report.KeyId!) is not { } key || !Covers(caller, key.OrganizationId, key.Environment))
        {
            return NoKey;
        }

        if (!(await PriceNow(report)).TryGet(out var priced, out var problem)
            || !(await claims.Claim(key, report)).TryGet(out var claim, out problem))
        {
            return problem;
        }

        if (!_underWay.TryAdd(claim.RequestNo, true))
        {
            return Problem.Of(ProblemCode.IdempotencyInFlight);
        }

        var begun = new BegunReport(claim.RequestNo) { IsRecorded = true };
        if (claim.IsKnown && await IsBooked(claim.RequestNo))
        {
            return begun;
        }

        // What its lasting windows held before comes first: what is counted now must not stand in its place.
        await remembrance.RestoreWindows(key.KeyNo);
        var use = UseOf(key, terms, priced, claim.RequestNo);
        if (admission.Record(use, out var billed, out var sequence) != SettleResult.Done)
        {
            _underWay.TryRemove(claim.RequestNo, out _);
            return Busy;
        }

        return begun with
        {
            Sequence = sequence,
            Answer = AnswerOf(claim.RequestNo, "settled", report.Model, report, priced.Cost is null ? null : billed),
        };
    }

    /// <summary>A process may have ended between the claim and the booking.</summary>
    private async Task<bool> IsBooked(long requestNo)
    {
        await fold.WaitAll();
        return await usage.FindBooked(requestNo) is not null;
    }

    private RecordedUse UseOf(UsedKey key, ReportTerms terms, ReportPrice priced, long requestNo) => new()
    {
        RequestNo = requestNo,
        KeyNo = checked((uint)key.KeyNo),
        OrganizationNo = checked((uint)key.OrganizationNo),
        Balance = provider.Wallet is null ? null : balances.Of(key.OrganizationNo),
        Model = priced.Number,
        PriceVersion = priced.Version,
        InputTokens = (uint)terms.Report.InputTokens,
        OutputTokens = (uint)terms.Report.OutputTokens,
        Cost = priced.Cost,
        Status = (ushort)(terms.Report.Status ?? 0),
        LatencyMs = (uint)(terms.Report.LatencyMs ?? 0),
        Flags = terms.Report.Estimated == true ? UsageFlags.Estimated : UsageFlags.None,
        MadeAtMs = terms.MadeAtMs,
        AtMs = NowMs,
        ClockMs = clock.NowMs,
    };

    /// <summary>By the prices that the request was admitted under; whoever may not see it finds none.</summary>
    private async Task<Outcome<ReportPrice>> Price(Caller caller, UseReport report, Reservation open)
    {
        if (!caller.OfOperator
            && (await usage.FindKey(open.KeyNo) is not { } key || !Covers(caller, key.OrganizationId, key.Environment)))
        {
            return ReportTerms.NoReservation;
        }

        var name = models.NameOf(open.Model);
        if (report.Model is { } told && told != name)
        {
            return Problem.Invalid("/model", name is null ? "was not told when this was reserved." : "is not the one that was reserved.");
        }

        var price = open.PriceVersion > 0 && name is not null ? await prices.At(open.PriceVersion, name) : null;
        return new ReportPrice(name, open.Model, open.PriceVersion, price?.Cost(report.InputTokens, report.OutputTokens));
    }

    private async Task<Outcome<ReportPrice>> PriceNow(UseReport report)
    {
        if (report.Model is not { } model)
        {
            return provider.Wallet is null
                ? default(ReportPrice)
                : Problem.Invalid("/model", "is needed: requests are paid for by model.");
        }

        if (!prices.Find(model).TryGet(out var priced, out var problem)
            || !(await models.Learn(model)).TryGet(out var number, out problem))
        {
            return problem;
        }

        return new ReportPrice(
            model, number, priced.Price is null ? (ushort)0 : priced.Version,
            priced.Price?.Cost(report.InputTokens, report.OutputTokens));
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The operator's servers report for everybody; a key of a customer for its own organization and environment.</summary>
    private static bool Covers(Caller caller, string? organizationId, string? environment) =>
        caller.OfOperator || (caller.OrganizationId == organizationId && caller.Environment == environment);

    private static Money? Billed(in Reservation open, Money? cost) =>
        cost is { } price && open.Balance is not null && price > open.Held ? open.Held : cost;

    private static UsageFlags FlagsOf(UseReport report, Money? cost) =>
        (report.Estimated == true ? UsageFlags.Estimated : UsageFlags.None) | (cost is null ? UsageFlags.None : UsageFlags.Priced);

    private static UseReceipt AnswerOf(long requestNo, string state, string? model, UseReport report, Money? cost) => new()
    {
        RequestId = RequestId.Of(requestNo),
        State = state,
        Model = model,
        InputTokens = report.InputTokens,
        OutputTokens = report.OutputTokens,
        Cost = cost?.ToString(),
    };

    private static UseReceipt AnswerOf(UsageLogRow row) => new()
    {
        RequestId = RequestId.Of(row.RequestNo),
        State = "settled",
        Model = row.Model,
        InputTokens = row.InputTokens,
        OutputTokens = row.OutputTokens,
        Cost = row.CostMicros is { } micros ? new Money(micros).ToString() : null,
    };
}

/// <summary>A report that was acted on, or that finds that it was before: then what is booked is the answer.</summary>
internal sealed record BegunReport(long RequestNo)
{
    /// <summary>The event to wait for.</summary>
    public long Sequence { get; init; }

    public bool IsRecorded { get; init; }

    public UseReceipt? Answer { get; init; }
}

/// <summary>A model by name and number, and what a report costs by a version of the price list; null where no price is known.</summary>
internal readonly record struct ReportPrice(string? Model, ushort Number, ushort Version, Money? Cost);
