using Microsoft.AspNetCore.Mvc;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Console.Usage;

/// <summary>Where requests, tokens and money went: by day, key, model or project, as a chart, a table and a file.</summary>
internal static class UsagePages
{
    private const int RowsShown = 100;
    private const int DaysUsual = 30;

    private static readonly string[] Groups = ["day", "key", "model", "project"];

    public static void MapUsagePages(this IEndpointRouteBuilder places)
    {
        places.MapGet("/usage", Explore);
        places.MapGet("/usage.csv", Export);
    }

    /// <summary>So many days up to the end of today.</summary>
    public static UsageRange LastDays(int days, long nowMs)
    {
        var end = nowMs - (nowMs % UsageRange.DayMs) + UsageRange.DayMs;
        return new UsageRange(end - (days * UsageRange.DayMs), end);
    }

    /// <summary>What is asked of the place where one is.</summary>
    public static UsageQuestion QuestionOf(ConsolePlace place, UsageRange range) => new()
    {
        Range = range, OrganizationId = place.Organization.Id.Text, ProjectId = place.Project?.Id.Text,
    };

    private static async Task<IResult> Explore(
        HttpContext http, FrameMaker pages, UsageReader reader, ProviderModel provider, TimeProvider time, [AsParameters] UsageForm form)
    {
        var (place, nowMs) = (ConsolePlace.Of(http), KeyPages.Now(time));
        if (!place.May(Act.ReadUsage))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.RoleMissing));
        }

        var usual = LastDays(DaysUsual, nowMs);
        var group = Groups.Contains(form.By) ? form.By! : "day";
        if (!Read(form, place, usual, nowMs).TryGet(out var asked, out var problem))
        {
            return Page(http, pages, place, form, usual, group, problem.Code.Status, KeyForm.Faults(http, problem));
        }

        if (!(await reader.Sums(place.Caller, asked, new UsageGroups { ByDay = true }, http.RequestAborted))
                .TryGet(out var days, out problem)
            || !(await reader.Sums(place.Caller, asked, GroupsOf(group), http.RequestAborted)).TryGet(out var rows, out problem))
        {
            return Page(http, pages, place, form, usual, group, problem.Code.Status, KeyForm.Faults(http, problem));
        }

        var currency = provider.Wallet?.Currency;
        var sorted = group == "day" ? rows : [.. rows.OrderByDescending(row => row.CostMicros).ThenByDescending(row => row.Requests)];
        return Page(
            http, pages, place, form, asked.Range, group, 200, [],
            ("Totals", UsageWords.Totals(UsageWords.Total(days), currency)),
            ("Days", UsageWords.Chart("Requests by day", days, asked.Range, nowMs)),
            ("ByDay", group == "day" ? [] : UsageWords.Lines(days.Take(RowsShown), UsageWords.DayOf, currency)),
            ("Lines", UsageWords.Lines(
                sorted.Take(RowsShown), row => NameOf(place, row, group), currency, row => HrefOf(place, row, group))),
            ("Rest", rows.Count > RowsShown
                ? $"The first {RowsShown} of {Shown.Number(rows.Count)}; ask for less, or take the file."
                : null));
    }

    private static IResult Page(
        HttpContext http, FrameMaker pages, ConsolePlace place, UsageForm form, UsageRange range, string group, int status,
        IReadOnlyList<PageFault> faults, params (string Name, object? Value)[] more)
    {
        var (from, to) = (Shown.Date(range.FromMs), Shown.Date(range.ToMs - UsageRange.DayMs));
        var (model, key) = (Uri.EscapeDataString(form.Model ?? ""), Uri.EscapeDataString(form.Key ?? ""));
        var asked = new UsageAsked(
            $"{place.Path}/usage", faults.Count > 0 ? form.From ?? from : from, faults.Count > 0 ? form.To ?? to : to, group)
        {
            Groups = [.. Groups.Where(one => one != "project" || place.Project is null)
                .Select(one => new FormChoice(one, $"by {one}", null, one == group))],
            Model = form.Model ?? "", KeyId = form.Key ?? "",
            Csv = $"{place.Path}/usage.csv?from={from}&to={to}&model={model}&key={key}",
        };
        return pages.Of<UsageExplorerPage>(http, status, [("Asked", asked), ("Faults", faults), .. more]);
    }

    /// <summary>Days that people name are whole: the last one is in it.</summary>
    private static Outcome<UsageQuestion> Read(UsageForm form, ConsolePlace place, UsageRange usual, long nowMs)
    {
        var from = form.From is { Length: > 0 } ? form.From : Shown.Date(usual.FromMs);
        if (!UsageRange.Read(from, form.To is { Length: > 0 } ? form.To : null, nowMs, UsageRange.DayMs)
            .TryGet(out var range, out var problem))
        {
            // A time of one day begins and ends on the same date.
            if (form.To != from || !UsageRange.Read(from, null, nowMs, UsageRange.DayMs).TryGet(out range, out problem))
            {
                return problem;
            }

            range = range with { ToMs = range.FromMs };
        }

        range = range with { ToMs = range.ToMs == long.MaxValue ? usual.ToMs : Math.Min(usual.ToMs, range.ToMs + UsageRange.DayMs) };
        return form is { Model: { Length: > 200 } } or { Key: { Length: > 200 } }
            ? Problem.Invalid("/model", "must have at most 200 characters.")
            : QuestionOf(place, range) with
            {
                Model = form.Model is { Length: > 0 } model && !model.Contains('\0', StringComparison.Ordinal) ? model : null,
                KeyId = form.Key is { Length: > 0 } key ? UsageTexts.Id(key) : null,
            };
    }

    private static UsageGroups GroupsOf(string group) =>
        new(ByKey: group == "key", ByModel: group == "model", ByDay: group == "day", ByProject: group == "project");

    private static string NameOf(ConsolePlace place, UsageSumRow row, string group) => group switch
    {
        "key" => row.KeyName ?? "none",
        "model" => row.Model ?? "no model",
        "project" => place.Projects.FirstOrDefault(project => project.Id.Text == row.ProjectId)?.Name ?? row.ProjectId ?? "none",
        _ => UsageWords.DayOf(row),
    };

    private static string? HrefOf(ConsolePlace place, UsageSumRow row, string group) => group switch
    {
        "key" when place.Project is not null && row.KeyId is not null && place.May(Act.SeeKeys) => $"{place.Path}/keys/{row.KeyId}",
        "project" when place.Projects.Any(project => project.Id.Text == row.ProjectId) => $"{ConsolePlace.Root}/{row.ProjectId}/usage",
        _ => null,
    };

    private static IResult Export(
        HttpContext http, FrameMaker pages, UsageReader reader, TimeProvider time, [AsParameters] UsageForm form)
    {
        var (place, nowMs) = (ConsolePlace.Of(http), KeyPages.Now(time));
        if (!place.May(Act.ReadUsage))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.RoleMissing));
        }

        if (!Read(form, place, LastDays(DaysUsual, nowMs), nowMs).TryGet(out var asked, out var problem))
        {
            return pages.Problem(http, problem, $"{place.Path}/usage");
        }

        http.Response.Headers.ContentDisposition = "attachment; filename=\"usage.csv\"";
        return new UsageExport(reader.Pages(place.Caller, asked, UsageExport.PageRows, http.RequestAborted), isCsv: true);
    }
}

/// <summary>The form of the explorer, in the page's address.</summary>
internal sealed record UsageForm
{
    [FromQuery(Name = "from")]
    public string? From { get; init; }

    [FromQuery(Name = "to")]
    public string? To { get; init; }

    [FromQuery(Name = "by")]
    public string? By { get; init; }

    [FromQuery(Name = "model")]
    public string? Model { get; init; }

    [FromQuery(Name = "key")]
    public string? Key { get; init; }
}
