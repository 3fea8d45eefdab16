using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Mvc;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Quotas;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Wallet;

/// <summary>What is left, how long it lasts, what moved it; and what the plan gives.</summary>
internal static class WalletPages
{
    private const int RowsMax = 50;

    /// <summary>Months in the filter; older ones are named in the page's address.</summary>
    private const int MonthsShown = 24;

    private const string MonthForm = "yyyy-MM";

    /// <summary>Every movement by itself. Usually what requests were billed is told by day.</summary>
    private const string Each = "all";

    /// <summary>Where no month was asked for.</summary>
    private const int DaysShown = 30;

    private const string Columns = "number,at,kind,amount,balance_after,requests,reason,external_id,by";

    public static void MapWalletPages(this IEndpointRouteBuilder places)
    {
        places.MapGet("/wallet", Show);
        places.MapGet("/wallet.csv", Export);
    }

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, ProviderModel provider, [AsParameters] StatementForm form)
    {
        var place = ConsolePlace.Of(http);
        if (!place.May(Act.ReadAccount))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.RoleMissing));
        }

        var plan = await PlanOf(http, place, provider);
        if (provider.Wallet is not { } rules)
        {
            return pages.Of<WalletPage>(http, 200, ("Plan", plan));
        }

        var read = Read(form);
        IReadOnlyList<PageFault> faults = [];
        if (!read.TryGet(out var filter, out var problem))
        {
            (filter, faults) = (new EntryFilter { IsWithoutUsage = true }, KeyForm.Faults(http, problem));
        }

        if (!(await StatementOf(http, place, form, filter)).TryGet(out var statement, out problem)
            || !(await WalletOf(http, place, rules)).TryGet(out var wallet, out problem))
        {
            return pages.Problem(http, problem, $"{place.Path}/wallet");
        }

        return pages.Of<WalletPage>(
            http, faults.Count == 0 ? 200 : 422, ("Wallet", wallet), ("Statement", statement),
            ("Plan", plan), ("Faults", faults));
    }

    private static async Task<Outcome<WalletFacts>> WalletOf(HttpContext http, ConsolePlace place, WalletRules rules)
    {
        var (services, cancel) = (http.RequestServices, http.RequestAborted);
        var ledger = services.GetRequiredService<WalletLedger>();
        var nowMs = KeyPages.Now(services.GetRequiredService<TimeProvider>());
        var range = UsagePages.LastDays(WalletWords.PaceDays, nowMs);
        if (!(await DaysOf(http, place, range)).TryGet(out var days, out var problem))
        {
            return problem;
        }

        var figures = ledger.FiguresOf(place.Organization.OrganizationNo);
        return new WalletFacts
        {
            Figures = WalletWords.Figures(
                figures, await ledger.GrantedOf(place.Organization.OrganizationNo, cancel), rules,
                WalletWords.Lasts(figures.Balance, rules, days, range, nowMs)),
            Warning = WalletWords.WarningOf(figures.Balance, rules, ""),
            Steps = WalletWords.Steps(rules),
            TopUpUrl = rules.TopUpUrl,
        };
    }

    /// <summary>
    /// What was used on each day. By the caller of the organization as a whole: all of it is paid from one wallet, also where one looks
    /// from a project.
    /// </summary>
    private static Task<Outcome<IReadOnlyList<UsageSumRow>>> DaysOf(HttpContext http, ConsolePlace place, UsageRange range) =>
        http.RequestServices.GetRequiredService<UsageReader>().Sums(
            place.CallerAbove, new UsageQuestion { Range = range, OrganizationId = place.Organization.Id.Text },
            new UsageGroups { ByDay = true }, http.RequestAborted);

    private static async Task<Outcome<StatementFacts>> StatementOf(
        HttpContext http, ConsolePlace place, StatementForm form, EntryFilter filter)
    {
        var (services, organization) = (http.RequestServices, place.Organization);
        if (!services.GetRequiredService<Pages>().Read(http, $"console entries {organization.Id} {filter}", RowsMax, form.Cursor)
            .TryGet(out var page, out var problem))
        {
            return problem;
        }

        var rows = await services.GetRequiredService<WalletLedger>().List(
            organization.OrganizationNo, filter, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, entry => entry.EntryNo);
        var names = await KeyPages.MakersOf(http, data.Select(entry => entry.Actor));
        var nowMs = KeyPages.Now(services.GetRequiredService<TimeProvider>());
        var query = $"kind={Uri.EscapeDataString(form.Kind ?? "")}&month={Uri.EscapeDataString(form.Month ?? "")}";
        var currency = services.GetRequiredService<ProviderModel>().Wallet?.Currency;
        IReadOnlyList<UsageSumRow>? days = null;
        if (filter.IsWithoutUsage && form.Cursor is null)
        {
            var range = filter is { FromMs: { } fromMs, ToMs: { } toMs }
                ? new UsageRange(fromMs, toMs)
                : UsagePages.LastDays(DaysShown, nowMs);
            if (!(await DaysOf(http, place, range)).TryGet(out days, out problem))
            {
                return problem;
            }
        }

        return new StatementFacts($"{place.Path}/wallet", $"{place.Path}/wallet.csv?{query}")
        {
            Currency = currency, IsByDay = filter.IsWithoutUsage,
            Days = days is null ? null : UsageWords.Lines(days, UsageWords.DayOf, currency),
            DaysTitle = filter.FromMs is null ? $"Requests by day, the last {DaysShown} days" : "Requests by day",
            Kinds =
            [
                new("", "by day", null, filter.IsWithoutUsage),
                new(Each, "each by itself", null, filter is { Kind: null, IsWithoutUsage: false }),
                .. WalletWords.Kinds.Select(kind => new FormChoice(
                    kind.Kind, kind.Title.ToLowerInvariant(), null, filter.Kind == kind.Kind)),
            ],
            Months = [.. Months(organization.CreatedAtMs, nowMs, form.Month)],
            Lines =
            [
                .. data.Select(entry => new StatementLine(
                    WalletWords.TitleOf(entry.Kind), WalletWords.Signed(entry.Amount), entry.Amount > Money.Zero,
                    Shown.Cost(entry.BalanceAfter.Micros, null), ReasonOf(entry),
                    entry.Kind == EntryKinds.Usage ? "" : names[entry.Actor])
                {
                    At = MomentFacts.Of(entry.CreatedAtMs, nowMs),
                }),
            ],
            Next = next is null ? null : $"{place.Path}/wallet?{query}&cursor={Uri.EscapeDataString(next)}",
            IsFiltered = filter != new EntryFilter { IsWithoutUsage = true } || form.Cursor is not null,
        };
    }

    private static string ReasonOf(WalletEntry entry)
    {
        if (entry.Requests is not { } requests)
        {
            return entry.Note ?? "";
        }

        var told = $"{Shown.Number(requests)} request{(requests == 1 ? "" : "s")}";
        return entry.Uncovered > Money.Zero ? $"{told}; {Shown.Cost(entry.Uncovered.Micros, null)} more was not there" : told;
    }

    private static IEnumerable<FormChoice> Months(long firstMs, long nowMs, string? asked)
    {
        var first = DateTimeOffset.FromUnixTimeMilliseconds(firstMs);
        var month = DateTimeOffset.FromUnixTimeMilliseconds(nowMs);
        var names = new List<string>();
        while (names.Count < MonthsShown && (month.Year, month.Month).CompareTo((first.Year, first.Month)) >= 0)
        {
            names.Add(month.ToString(MonthForm, CultureInfo.InvariantCulture));
            month = month.AddMonths(-1);
        }

        if (TryMonth(asked, out var from) && from.ToString(MonthForm, CultureInfo.InvariantCulture) is var own && !names.Contains(own))
        {
            names.Add(own);
        }

        return names.Select(name => new FormChoice(
            name, TryMonth(name, out var begin) ? begin.ToString("MMMM yyyy", CultureInfo.InvariantCulture) : name, null, name == asked))
            .Prepend(new FormChoice("", "every month", null, string.IsNullOrEmpty(asked)));
    }

    private static bool TryMonth(string? text, out DateTimeOffset month) => DateTimeOffset.TryParseExact(
        text, MonthForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out month)
        && month.Year is >= 2000 and < 9999;

    private static Outcome<EntryFilter> Read(StatementForm form)
    {
        var faults = new List<FieldError>();
        var filter = form.Kind switch
        {
            null or "" => new EntryFilter { IsWithoutUsage = true },
            Each => new EntryFilter(),
            var kind when WalletWords.Kinds.Any(one => one.Kind == kind) => new EntryFilter { Kind = kind },
            _ => null,
        };
        if (filter is null)
        {
            faults.Add(new FieldError("/kind", "must be one of the kinds that are shown."));
        }

        if (TryMonth(form.Month, out var month))
        {
            filter = filter is null ? null : filter with
            {
                FromMs = month.ToUnixTimeMilliseconds(), ToMs = month.AddMonths(1).ToUnixTimeMilliseconds(),
            };
        }
        else if (form.Month is { Length: > 0 })
        {
            faults.Add(new FieldError("/month", "must be a month such as 2026-11."));
        }

        return faults.Count > 0 ? Problem.Invalid(faults) : filter!;
    }

    private static IResult Export(HttpContext http, FrameMaker pages, ProviderModel provider, [AsParameters] StatementForm form)
    {
        var place = ConsolePlace.Of(http);
        return !place.May(Act.ReadAccount) ? pages.Problem(http, Problem.Of(ProblemCode.RoleMissing))
            : provider.Wallet is null ? pages.Problem(http, WalletLedger.NoWallet, $"{place.Path}/wallet")
            // A file that is not of one kind has them all.
            : Read(form.Kind is null or "" ? form with { Kind = Each } : form).TryGet(out var filter, out var problem)
                ? new CsvFile("statement.csv", Columns, Rows(http, place, filter, http.RequestAborted))
            : pages.Problem(http, problem, $"{place.Path}/wallet");
    }

    private static async IAsyncEnumerable<IReadOnlyList<string>> Rows(
        HttpContext http, ConsolePlace place, EntryFilter filter, [EnumeratorCancellation] CancellationToken cancel)
    {
        var ledger = http.RequestServices.GetRequiredService<WalletLedger>();
        for (var before = long.MaxValue; ;)
        {
            var rows = await ledger.List(place.Organization.OrganizationNo, filter, before, CsvFile.PageRows, cancel);
            if (rows.Count > 0)
            {
                var names = await KeyPages.MakersOf(http, rows.Select(entry => entry.Actor), isFile: true);
                yield return [.. rows.Select(entry => RowOf(entry, names[entry.Actor]))];
                before = rows[^1].EntryNo;
            }

            if (rows.Count < CsvFile.PageRows)
            {
                yield break;
            }
        }
    }

    private static string RowOf(WalletEntry entry, string by) => CsvFile.Row(
        CsvCell.OfNumber(entry.EntryNo.ToString(CultureInfo.InvariantCulture)),
        CsvCell.Of(Rfc3339Time.Format(DateTimeOffset.FromUnixTimeMilliseconds(entry.CreatedAtMs))), CsvCell.Of(entry.Kind),
        CsvCell.OfNumber(entry.Amount.ToString()), CsvCell.OfNumber(entry.BalanceAfter.ToString()),
        CsvCell.OfNumber(entry.Requests?.ToString(CultureInfo.InvariantCulture) ?? ""), CsvCell.Of(entry.Note),
        CsvCell.Of(entry.ExternalId), CsvCell.Of(entry.Kind == EntryKinds.Usage ? "" : by));

    private static async Task<PlanFacts> PlanOf(HttpContext http, ConsolePlace place, ProviderModel provider)
    {
        var services = http.RequestServices;
        var plan = services.GetRequiredService<PlanBook>().Of(place.Organization.Plan);
        var quotas = await services.GetRequiredService<QuotaKeeper>().List(
            place.CallerAbove, services.GetRequiredService<OrganizationRegister>(), place.Organization.Id.Text, http.RequestAborted);
        return new PlanFacts(plan.Name)
        {
            Limits =
            [
                .. provider.Limits.Select((limit, i) => new PlanLimitLine(
                    limit.Name, KeyForm.CountsOf(limit), plan.Limits[i] == 0 ? "none" : KeyForm.AmountOf(plan.Limits[i]))),
            ],
            Quotas = quotas.TryGet(out var list, out _) ? [.. list.Data.Select(LineOf)] : [],
        };
    }

    private static PlanQuotaLine LineOf(QuotaAnswer quota) => quota.Limit is not { } most
        ? new(quota.Name, Shown.Number(quota.Used), KeyForm.AmountOf(LimitPlan.Unlimited), "as many as you like", "good")
        : quota.Used >= most ? new(quota.Name, Shown.Number(quota.Used), Shown.Number(most), "full", "held")
        : new(quota.Name, Shown.Number(quota.Used), Shown.Number(most), $"{Shown.Number(most - quota.Used)} more", "good");
}

/// <summary>The filter of a statement, in the page's address.</summary>
internal sealed record StatementForm
{
    [FromQuery(Name = "kind")]
    public string? Kind { get; init; }

    [FromQuery(Name = "month")]
    public string? Month { get; init; }

    [FromQuery(Name = "cursor")]
    public string? Cursor { get; init; }
}
