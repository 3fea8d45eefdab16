using Tollgate.Engine.Verification;
using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Usage;

/// <summary>Why was I refused? A request by its id, and its decision step by step.</summary>
internal static class RefusalPages
{
    private const int LinesShown = 20;
    private const int DaysShown = 30;

    private const string NotOne = "It is no request id. One looks like req_ and 13 characters; answers have it in X-Request-Id.";

    private const string NotHere =
        "There is no such request in this project, or it is no longer kept. Requests without a good key are nobody's.";

    public static void MapRefusalPages(this IEndpointRouteBuilder places) => places.MapGet("/refusals", Show);

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, UsageReader reader, TimeProvider time, string? request)
    {
        var (place, nowMs) = (ConsolePlace.Of(http), KeyPages.Now(time));
        if (place.Project is null || !place.May(Act.ReadUsage))
        {
            return pages.Problem(http, place.Project is null
                ? new Problem(ProblemCode.NotFound, "Requests belong to a project: choose one.")
                : Problem.Of(ProblemCode.RoleMissing));
        }

        var asked = request?.Trim() ?? "";
        var recent = await reader.Log(
            place.Caller,
            UsagePages.QuestionOf(place, UsagePages.LastDays(DaysShown, nowMs)) with { Outcome = "refused" }, long.MaxValue, LinesShown,
            http.RequestAborted);
        DecisionFacts? decision = null;
        IReadOnlyList<PageFault> faults = [];
        if (asked.Length > 0)
        {
            if (!RequestId.TryParse(asked, out var number))
            {
                faults = [new PageFault("request", NotOne)];
            }
            else if ((await reader.Find(place.Caller, number, http.RequestAborted)).TryGet(out var row, out _)
                && row.ProjectId == place.Id)
            {
                decision = Decision(row, http, nowMs);
            }
            else
            {
                faults = [new PageFault("request", NotHere)];
            }
        }

        return pages.Of<RefusalPage>(
            http, faults.Count == 0 ? 200 : 404, ("Home", $"{place.Path}/refusals"),
            ("Asked", asked.Length > 100 ? asked[..100] : asked),
            ("Decision", decision),
            ("IsUnknown", faults is [{ Sentence: NotHere }]),
            ("Lines", RefusalWords.Lines(recent, place.Path, nowMs)), ("Faults", faults));
    }

    private static DecisionFacts Decision(UsageLogRow row, HttpContext http, long nowMs)
    {
        var (code, place) = (UsageLineAnswer.CodeOf(row), ConsolePlace.Of(http));
        var outcome = UsageLineAnswer.OutcomeOf(row);
        var currency = http.RequestServices.GetRequiredService<ProviderModel>().Wallet?.Currency;
        return new DecisionFacts(RequestId.Of(row.RequestNo), outcome, outcome switch
        {
            "passed" => "It passed.",
            "open" => "It passed the check and is under way.",
            _ => RefusalWords.CauseOf(row),
        }, outcome == "refused" ? RefusalWords.CureOf(code) : null)
        {
            Facts = [.. FactsOf(row, currency, nowMs)],
            Steps =
            [
                .. Explanation.Of(code).Select(step => new DecisionStep(RefusalWords.TitleOf(step.Step), step.Outcome switch
                {
                    StepOutcome.Passed => "yes",
                    StepOutcome.Failed => "no",
                    _ => "not asked any more",
                }, step.Outcome switch { StepOutcome.Passed => "good", StepOutcome.Failed => "bad", _ => "ended" })),
            ],
        };
    }

    private static IEnumerable<KeyFact> FactsOf(UsageLogRow row, string? currency, long nowMs)
    {
        yield return new KeyFact("When", "") { Moment = MomentFacts.Of(row.AtMs, nowMs) };
        yield return new KeyFact("Key", row.KeyName ?? "none");
        if (row.Model is { } model)
        {
            yield return new KeyFact("Model", model);
        }

        if (row.RetryAtMs > 0)
        {
            yield return new KeyFact("Fits again", "") { Moment = MomentFacts.Of(row.RetryAtMs, nowMs) };
        }

        if (row.Code == -1)
        {
            yield return new KeyFact("Tokens", $"{Shown.Number(row.InputTokens)} in, {Shown.Number(row.OutputTokens)} out");
            yield return new KeyFact("Cost", row.CostMicros is { } micros ? Shown.Cost(micros, currency) : "no price");
            if (row.Status != 0)
            {
                yield return new KeyFact("Status", Shown.Number(row.Status));
            }
        }
    }
}
