using System.Collections.Concurrent;
using Tollgate.Engine.Permissions;
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
    private static readonly Problem Gone = new(
        ProblemCode.IdempotencyExpired, "This request was booked before; its line is no longer kept, so its answer cannot be told again.");

    /// <summary>Reports being worked on, by what they are known by, so that the same one sent twice at a time is taken once.</summary>
    private readonly ConcurrentDictionary<string, bool> _underWay = new(StringComparer.Ordinal);

    /// <summary>Takes them in, in their order, and answers each once all of them are in the database.</summary>
    public async Task<IReadOnlyList<Outcome<UseReceipt>>> Take(Caller caller, IReadOnlyList<UseReport> reports)
    {
        var works = reports.Select(report => new ReportWork(report)).ToList();
        var entered = new List<string>();
        try
        {
            Judge(caller, works);
            await FindKeys(caller, works);
            Enter(works, entered);
            await claims.Claim([.. works.Where(work => work is { IsOpen: true, IsRecord: true })]);
            foreach (var work in works.Where(work => work.IsOpen))
            {
                await Act(caller, work);
            }

            var open = works.Where(work => work.IsOpen).ToList();
            await (open.Any(work => work.Receipt is null)
                ? fold.WaitAll()
                : fold.WaitFolded(open.Select(work => work.Sequence).DefaultIfEmpty(0).Max()));
            foreach (var work in open)
            {
                await Finish(caller, work);
            }

            await claims.MarkBooked([.. open.Where(work => work is { ClaimId: not null, Claim: not ClaimState.Booked, IsOpen: true })]);
            return [.. works.Select(OutcomeOf)];
        }
        finally
        {
            entered.ForEach(id => _underWay.TryRemove(id, out _));
        }
    }

    private static Outcome<UseReceipt> OutcomeOf(ReportWork work) => work.Problem is { } problem ? problem : work.Receipt!;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>What can be said of each without looking at anything.</summary>
    private void Judge(Caller caller, List<ReportWork> works)
    {
        var now = time.GetUtcNow();
        foreach (var work in works)
        {
            if (provider.Wallet is not null && !caller.OfOperator)
            {
                // Whoever pays does not say how much it was.
                work.Refuse(new Problem(
                    ProblemCode.OperatorOnly, "Requests are paid for: what they used is the operator's servers' to say."));
            }
            else if (!ReportTerms.Of(work.Report, now).TryGet(out var terms, out var problem))
            {
                work.Refuse(problem);
            }
            else
            {
                (work.RequestNo, work.MadeAtMs) = (terms.RequestNo ?? 0, terms.MadeAtMs);
            }
        }
    }

    private async Task FindKeys(Caller caller, List<ReportWork> works)
    {
        var records = works.Where(work => work is { IsOpen: true, IsRecord: true }).ToList();
        if (records.Count == 0)
        {
            return;
        }

        var keys = await usage.FindKeys([.. records.Select(work => work.Report.KeyId!).Distinct()]);
        foreach (var work in records)
        {
            work.Key = keys.GetValueOrDefault(work.Report.KeyId!);
            if (work.Key is null || !Covers(caller, work.Key.OrganizationId, work.Key.Environment))
            {
                work.Refuse(NoKey);
            }
        }
    }

    private void Enter(List<ReportWork> works, List<string> entered)
    {
        foreach (var work in works.Where(work => work is { IsOpen: true, IsRecord: true }))
        {
            work.ClaimId = ReportClaims.IdOf(work.Report);
            if (work.ClaimId is { } id && Convert.ToHexString(id) is var name)
            {
                if (_underWay.TryAdd(name, true))
                {
                    entered.Add(name);
                }
                else
                {
                    work.Refuse(Problem.Of(ProblemCode.IdempotencyInFlight));
                }
            }
        }
    }

    private Task Act(Caller caller, ReportWork work) =>
        work.IsRecord ? Record(work) : work.Report.InProgress == true ? Mark(caller, work) : Settle(caller, work);

    /// <summary>What was done before is answered as it was booked then.</summary>
    private async Task Finish(Caller caller, ReportWork work)
    {
        if (work.Receipt is not null)
        {
            return;
        }

        if (await usage.FindBooked(work.RequestNo) is { } row && Covers(caller, row.OrganizationId, row.Environment))
        {
            work.Receipt = ReceiptOf(row);
        }
        else
        {
            work.Refuse(work.IsRecord ? Gone : ReportTerms.NoReservation);
        }
    }

    private async Task Settle(Caller caller, ReportWork work)
    {
        if (!admission.Reservations.TryGet(work.RequestNo, out var open)
            || await Price(caller, work, open) is not { } priced)
        {
            return;
        }

        var report = work.Report;
        var settlement = new Settlement
        {
            InputTokens = (uint)report.InputTokens,
            OutputTokens = (uint)report.OutputTokens,
            CachedTokens = (uint)(report.CachedTokens ?? 0),
            ReasoningTokens = (uint)(report.ReasoningTokens ?? 0),
            Cost = priced.Cost ?? Money.Zero,
            Status = (ushort)(report.Status ?? 0),
            LatencyMs = (uint)(report.LatencyMs ?? 0),
            Flags = FlagsOf(report, priced.Cost),
            AtMs = NowMs,
            ClockMs = clock.NowMs,
        };
        Failpoint.Pass("report.unsettled");
        var result = admission.Settle(work.RequestNo, settlement, out var sequence);
        if (result == SettleResult.Full)
        {
            work.Refuse(Busy);
        }
        else if (result == SettleResult.Done)
        {
            work.Sequence = sequence;
            work.Receipt = ReceiptOf(work.RequestNo, "settled", priced.Model, report, Billed(open, priced.Cost));
        }
    }

    private async Task Mark(Caller caller, ReportWork work)
    {
        if (!admission.Reservations.TryGet(work.RequestNo, out var open)
            || await Price(caller, work, open) is not { } priced)
        {
            return;
        }

        var (report, cost) = (work.Report, Billed(open, priced.Cost));
        var result = admission.TryMark(
            work.RequestNo, (uint)report.InputTokens, (uint)report.OutputTokens, cost ?? Money.Zero, NowMs, clock.NowMs);
        if (result == SettleResult.Full)
        {
            work.Refuse(Busy);
        }
        else if (result == SettleResult.Done)
        {
            work.Receipt = ReceiptOf(work.RequestNo, "in_progress", priced.Model, report, cost);
        }
    }

    private async Task Record(ReportWork work)
    {
        if (work.Claim == ClaimState.Booked || (work.Claim == ClaimState.Known && await IsBooked(work.RequestNo)))
        {
            return;
        }

        var report = work.Report;
        if (!(await PriceNow(report)).TryGet(out var priced, out var problem)
            || !RequirementOf(report).TryGet(out var requirement, out problem))
        {
            work.Refuse(problem);
            return;
        }

        // What its lasting windows held before comes first: what is counted now must not stand in its place.
        var key = work.Key!;
        await remembrance.RestoreWindows(key.KeyNo);
        var use = new RecordedUse
        {
            RequestNo = work.RequestNo,
            KeyNo = checked((uint)key.KeyNo),
            OrganizationNo = checked((uint)key.OrganizationNo),
            Balance = provider.Wallet is null ? null : balances.Of(key.OrganizationNo),
            Requirement = requirement,
            Model = priced.Number,
            PriceVersion = priced.Version,
            InputTokens = (uint)report.InputTokens,
            OutputTokens = (uint)report.OutputTokens,
            CachedTokens = (uint)(report.CachedTokens ?? 0),
            ReasoningTokens = (uint)(report.ReasoningTokens ?? 0),
            Cost = priced.Cost,
            Status = (ushort)(report.Status ?? 0),
            LatencyMs = (uint)(report.LatencyMs ?? 0),
            Flags = report.Estimated == true ? UsageFlags.Estimated : UsageFlags.None,
            MadeAtMs = work.MadeAtMs,
            AtMs = NowMs,
            ClockMs = clock.NowMs,
        };
        if (admission.Record(use, out var billed, out var sequence) != SettleResult.Done)
        {
            work.Refuse(Busy);
            return;
        }

        work.Sequence = sequence;
        work.Receipt = ReceiptOf(work.RequestNo, "settled", report.Model, report, priced.Cost is null ? null : billed);
    }

    /// <summary>A process may have ended between the claim and the booking.</summary>
    private async Task<bool> IsBooked(long requestNo)
    {
        await fold.WaitAll();
        return await usage.FindBooked(requestNo) is not null;
    }

    /// <summary>
    /// By the prices that the request was admitted under; where one can no longer be found, all that was held. Whoever may not see the
    /// reservation finds none. Null where the report is refused.
    /// </summary>
    private async Task<ReportPrice?> Price(Caller caller, ReportWork work, Reservation open)
    {
        if (!caller.OfOperator
            && (await usage.FindKey(open.KeyNo) is not { } key || !Covers(caller, key.OrganizationId, key.Environment)))
        {
            work.Refuse(ReportTerms.NoReservation);
            return null;
        }

        var (report, name) = (work.Report, models.NameOf(open.Model));
        if (report.Model is { } told && told != name)
        {
            work.Refuse(Problem.Invalid(
                "/model", name is null ? "was not told when this was reserved." : "is not the one that was reserved."));
            return null;
        }

        if (open.PriceVersion == 0)
        {
            return new ReportPrice(name, open.Model, 0, null);
        }

        var price = name is null ? null : await prices.At(open.PriceVersion, name);
        return new ReportPrice(name, open.Model, open.PriceVersion, CostOf(price, report) ?? open.Held);
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
            model, number, priced.Price is null ? (ushort)0 : priced.Version, CostOf(priced.Price, report));
    }

    private static Money? CostOf(ModelPrice? price, UseReport report) =>
        price?.Cost(report.InputTokens, report.OutputTokens, report.CachedTokens ?? 0, report.ReasoningTokens ?? 0);

    private Outcome<Requirement> RequirementOf(UseReport report) =>
        report.Requires is not { } requires ? default(Requirement)
        : requires.Length <= ReportTerms.RequiresCharsMax && provider.Scopes.TryParseRequirement(requires, out var requirement)
            ? requirement
        : Problem.Invalid("/requires", "must be a declared scope, or scope:action.");

    /// <summary>The operator's servers report for everybody; a key of a customer for its own organization and environment.</summary>
    private static bool Covers(Caller caller, string? organizationId, string? environment) =>
        caller.OfOperator || (caller.OrganizationId == organizationId && caller.Environment == environment);

    private static Money? Billed(in Reservation open, Money? cost) =>
        cost is { } price && open.Balance is not null && price > open.Held ? open.Held : cost;

    private static UsageFlags FlagsOf(UseReport report, Money? cost) =>
        (report.Estimated == true ? UsageFlags.Estimated : UsageFlags.None) | (cost is null ? UsageFlags.None : UsageFlags.Priced);

    private static UseReceipt ReceiptOf(long requestNo, string state, string? model, UseReport report, Money? cost) => new()
    {
        RequestId = RequestId.Of(requestNo),
        State = state,
        Model = model,
        InputTokens = report.InputTokens,
        OutputTokens = report.OutputTokens,
        Cost = cost?.ToString(),
    };

    private static UseReceipt ReceiptOf(UsageLogRow row) => new()
    {
        RequestId = RequestId.Of(row.RequestNo),
        State = "settled",
        Model = row.Model,
        InputTokens = row.InputTokens,
        OutputTokens = row.OutputTokens,
        Cost = row.CostMicros is { } micros ? new Money(micros).ToString() : null,
    };
}
