using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Operator;

/// <summary>Is the gate well? And does its provider file hold, example by example.</summary>
internal static class GatePages
{
    public const string Examples = OperatorPages.Root + "/examples";

    /// <summary>Of an answer on the page; most are shorter.</summary>
    private const int AnswerCharsMax = 1_000;

    public static void MapGatePages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("", Show);
        pages.MapGet("/examples", ShowExamples);
        pages.MapPost("/examples", Run);
    }

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker pages, GateReport report, ExampleBook book, ProviderModel provider) =>
        pages.Of<GatePage>(
            http, 200, ("Gate", await report.Make(http.RequestAborted)), ("ExampleCount", provider.Examples.Count),
            ("LastRun", book.Last?.Sentence));

    private static IResult ShowExamples(
        HttpContext http, FrameMaker pages, ExampleBook book, ProviderModel provider, TimeProvider time, string? done) =>
        pages.Of<ExamplesPage>(
            http, 200, ("Count", provider.Examples.Count), ("Sentence", book.Last?.Sentence),
            ("HasFailed", book.Last?.Failed > 0),
            ("At", MomentFacts.Of(book.Last?.AtMs, KeyPages.Now(time))),
            ("Lines", Lines(book.Last)), ("Notice", done == "run" && book.Last is { } last
                ? last.Failed == 0 ? "The examples were run, and all is as written." : "The examples were run, and some failed."
                : null));

    private static async Task<IResult> Run(HttpContext http, FrameMaker pages, ExampleBook book) =>
        (await book.Run()).TryGet(out _, out var problem)
            ? PageMaker.See(http, $"{Examples}?done=run")
            : pages.Problem(http, problem, Examples);

    /// <summary>Those that failed first, each group as in the file.</summary>
    private static IReadOnlyList<ExampleLine> Lines(ExampleRound? round) => round is null ? [] :
    [
        .. round.Outcomes.OrderBy(outcome => outcome.Fault is null).Select(outcome => new ExampleLine(
            outcome.Example.Name, AskedOf(outcome.Example), outcome.Status == 0 ? "nothing" : $"{outcome.Status}", outcome.Fault)
        {
            Body = Cut(outcome.Example.Body), Answer = Cut(outcome.Answer),
        }),
    ];

    private static string AskedOf(ProviderExample example) =>
        $"{example.Method.ToString().ToUpperInvariant()} {example.Path}, {KeyOf(example.Key)}"
        + (example.Times > 1 ? $", {example.Times} times" : "");

    private static string KeyOf(ExampleKey key) => key.Kind switch
    {
        ExampleKeyKind.None => "without a key",
        ExampleKeyKind.Root => "with the root key",
        ExampleKeyKind.Unknown => "with a key that nobody has",
        ExampleKeyKind.Malformed => "with what is no key",
        ExampleKeyKind.Good => "with a key" + Details(key),
        var kind => $"with a key that is {kind.ToString().ToLowerInvariant()}" + Details(key),
    };

    private static string Details(ExampleKey key)
    {
        string[] parts =
        [
            .. key.Type is { } type ? [$"type {type}"] : Array.Empty<string>(),
            .. key.Permissions is { Count: > 0 } may ? [$"may {string.Join(", ", may)}"] : Array.Empty<string>(),
            .. key.Scopes is { Count: > 0 } scopes ? [$"scopes {string.Join(", ", scopes)}"] : Array.Empty<string>(),
            .. key.Environment is { } environment ? [$"environment {environment}"] : Array.Empty<string>(),
        ];
        return parts.Length == 0 ? "" : $" ({string.Join("; ", parts)})";
    }

    private static string? Cut(string? text) => text is { Length: > AnswerCharsMax } ? text[..AnswerCharsMax] + " …" : text;
}
