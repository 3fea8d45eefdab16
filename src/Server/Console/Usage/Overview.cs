using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Profile;
using Tollgate.Server.Console.Try;
using Tollgate.Server.Keys;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Console.Usage;

/// <summary>Is all well? And before the first request has passed: what to do for it to.</summary>
internal static class Overview
{
    private const int LinesShown = 5;

    public static void MapOverview(this IEndpointRouteBuilder places)
    {
        places.MapGet("", (HttpContext http, FrameMaker pages) => ConsolePlace.Of(http) switch
        {
            { Project: not null } => Show(http, pages),
            { Projects: [var first, ..] } => Task.FromResult(SignIn.PageMaker.See(http, $"{ConsolePlace.Root}/{first.Id.Text}")),
            var place when place.May(Act.ReadUsage) => Task.FromResult(SignIn.PageMaker.See(http, $"{place.Path}/all")),
            _ => Task.FromResult(pages.Of<NoProjectPage>(http, 200)),
        });
        places.MapGet("/all", Show);
    }

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages)
    {
        var (place, services, cancel) = (ConsolePlace.Of(http), http.RequestServices, http.RequestAborted);
        if (!place.May(Act.ReadUsage))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.RoleMissing), ConsolePlace.Root);
        }

        var (reader, provider) = (services.GetRequiredService<UsageReader>(), services.GetRequiredService<ProviderModel>());
        var nowMs = KeyPages.Now(services.GetRequiredService<TimeProvider>());
        var days = http.Request.Query["days"] is ["1"] ? 1 : http.Request.Query["days"] is ["30"] ? 30 : 7;
        var asked = UsagePages.QuestionOf(place, UsagePages.LastDays(days, nowMs));
        if (!(await reader.Sums(place.Caller, asked, new UsageGroups { ByDay = true }, cancel)).TryGet(out var byDay, out var problem))
        {
            return pages.Problem(http, problem);
        }

        var byKey = await reader.Dearest(place.Caller, asked, new UsageGroups { ByKey = true }, LinesShown, cancel);
        // One more: what names no model is not shown.
        var byModel = await reader.Dearest(place.Caller, asked, new UsageGroups { ByModel = true }, LinesShown + 1, cancel);
        // They lead to pages of a project.
        var refused = place.Project is null ? [] : await reader.Log(
            place.Caller, asked with { Outcome = "refused" }, long.MaxValue, LinesShown, cancel);
        var currency = provider.Wallet?.Currency;
        return pages.Of<OverviewPage>(
            http, 200, ("Home", http.Request.Path.Value), ("Place", place.Path), ("DayCount", days),
            ("TokenHref", ProfilePages.HrefIn(place, provider)),
            ("First", place.Project is null ? null : await FirstRunOf(http, place, nowMs)),
            ("Totals", UsageWords.Totals(UsageWords.Total(byDay), currency)),
            ("Chart", days == 1 ? null : UsageWords.Chart($"Requests by day, the last {days} days", byDay, asked.Range, nowMs)),
            ("ByDay", UsageWords.Lines(byDay, UsageWords.DayOf, currency)),
            ("Keys", UsageWords.Lines(
                byKey, row => row.KeyName ?? "none", currency,
                row => place.Project is null || !place.May(Act.SeeKeys) ? null : $"{place.Path}/keys/{row.KeyId}")),
            ("ByModel", UsageWords.Lines(
                byModel.Where(row => row.Model is not null).Take(LinesShown), row => row.Model!, currency)),
            ("Refusals", RefusalWords.Lines(refused, place.Path, nowMs)));
    }

    /// <summary>Null once a request has passed before today's page was looked at: then nobody needs the steps any more.</summary>
    private static async Task<FirstRun?> FirstRunOf(HttpContext http, ConsolePlace place, long nowMs)
    {
        var (services, cancel) = (http.RequestServices, http.RequestAborted);
        var reader = services.GetRequiredService<UsageReader>();
        var all = await reader.Sums(place.Caller, UsagePages.QuestionOf(place, UsageRange.All), default, cancel);
        var passed = all is { IsOk: true, Value: [{ Requests: > 0 } row] } ? row.Requests : 0;
        var isAsked = http.Request.Query["first"] is ["true"];
        if ((passed > 0 && !isAsked) || !place.May(Act.SeeKeys))
        {
            return null;
        }

        var keys = await services.GetRequiredService<KeyRing>().List(
            place.Caller, place.Id, "active", long.MaxValue, 1, nowMs, cancel);
        var key = keys is { IsOk: true, Value: [var newest, ..] } ? newest : null;
        var question = UsagePages.QuestionOf(place, UsageRange.All);
        var last = passed > 0 ? await reader.Log(place.Caller, question with { Outcome = "passed" }, long.MaxValue, 1, cancel) : [];
        var refused = passed > 0 ? [] : await reader.Log(place.Caller, question with { Outcome = "refused" }, long.MaxValue, 1, cancel);
        return new FirstRun(place.May(Act.MakeKeys) ? $"{place.Path}/keys/new" : null, key is not null || passed > 0, passed == 0 ? null
            : last is [{ KeyName: { } name }, ..] ? name : "a key")
        {
            TryHref = TryPages.HrefIn(place, services.GetRequiredService<SnippetMaker>()),
            Snippets = key is null ? [] : services.GetRequiredService<SnippetMaker>().Of(key, "YOUR_KEY"),
            Refused = RefusalWords.Lines(refused, place.Path, nowMs) is [var line, ..] ? line : null,
        };
    }
}
