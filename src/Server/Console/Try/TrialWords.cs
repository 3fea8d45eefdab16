using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Usage;
using Tollgate.Server.Problems;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Try;

/// <summary>What a trial sends, and how what came of it reads.</summary>
internal static class TrialWords
{
    private static readonly JsonSerializerOptions Writing = new() { Encoder = Json.Encoder };

    /// <summary>What a program would send.</summary>
    public static byte[] Body(string model, string message, int? tokensMax, bool streams)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = message }),
        };
        if (tokensMax is { } most)
        {
            body["max_tokens"] = most;
        }

        if (streams)
        {
            (body["stream"], body["stream_options"]) = (true, new JsonObject { ["include_usage"] = true });
        }

        return JsonSerializer.SerializeToUtf8Bytes(body, Writing);
    }

    /// <summary>The headers that say something of the request: its id, limits, when to try again.</summary>
    public static IEnumerable<TrialHeader> Headers(IHeaderDictionary headers) => headers
        .Where(header => header.Key.StartsWith("X-", StringComparison.OrdinalIgnoreCase)
            || header.Key.StartsWith("RateLimit", StringComparison.OrdinalIgnoreCase)
            || header.Key.Equals("Retry-After", StringComparison.OrdinalIgnoreCase))
        .Select(header => new TrialHeader(header.Key, header.Value.ToString()))
        .OrderBy(header => header.Name, StringComparer.OrdinalIgnoreCase);

    /// <param name="answer">What came back.</param>
    /// <param name="row">What the log has of it; null where it was refused before it was anybody's.</param>
    /// <param name="http">The page's request.</param>
    /// <param name="currency">Of costs.</param>
    public static TrialFacts Of(TrialAnswer answer, UsageLogRow? row, HttpContext http, string? currency)
    {
        var raw = Encoding.UTF8.GetString(answer.Body.Span);
        return new TrialFacts
        {
            Text = answer.Problem is null && !answer.IsBroken ? TextOf(answer.Body) : null,
            Refusal = RefusalOf(answer, row, http),
            Facts = row is null ? [] : [.. Facts(row, currency)],
            Headers = [.. Headers(answer.Headers)],
            Raw = raw.Length > 0 ? raw : null,
        };
    }

    /// <summary>What the log tells of a request.</summary>
    public static IEnumerable<KeyFact> Facts(UsageLogRow row, string? currency)
    {
        yield return new KeyFact("Request", RequestId.Of(row.RequestNo)) { IsCode = true };
        yield return new KeyFact("Key", row.KeyName ?? "none");
        if (row.Model is { } model)
        {
            yield return new KeyFact("Model", model);
        }

        if (row.Code == -1)
        {
            yield return new KeyFact("Tokens", $"{Shown.Number(row.InputTokens)} in, {Shown.Number(row.OutputTokens)} out");
            yield return new KeyFact("Cost", row.CostMicros is { } micros ? Shown.Cost(micros, currency) : "no price");
            yield return new KeyFact("Time", $"{Shown.Number(row.LatencyMs)} ms");
            yield return new KeyFact("Status", row.Status.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static TrialRefusal? RefusalOf(TrialAnswer answer, UsageLogRow? row, HttpContext http)
    {
        if (answer.IsBroken)
        {
            return new TrialRefusal(
                ProblemCode.UpstreamBroken.Code,
                answer.IsTooLong ? "The answer is longer than this page shows." : "The answer broke off before its end.",
                answer.IsTooLong ? "Ask for fewer tokens, under More." : "Send it again in a moment.", null);
        }

        if (answer.Problem is { } problem)
        {
            return row is not null && UsageLineAnswer.OutcomeOf(row) == "refused"
                ? new TrialRefusal(
                    problem.Code.Code, RefusalWords.CauseOf(row), RefusalWords.CureOf(UsageLineAnswer.CodeOf(row)),
                    $"{ConsolePlace.Of(http).Path}/refusals?request={http.TraceIdentifier}")
                : new TrialRefusal(problem.Code.Code, string.Join(' ', [problem.Detail, .. problem.Errors.Select(
                    error => $"{error.Pointer.TrimStart('/')} {error.Expected}")]), null, null);
        }

        return answer.Status >= StatusCodes.Status400BadRequest
            ? new TrialRefusal(
                "", $"The gate let it pass; the model's server refused it with status {answer.Status}.",
                "What it said is below, under what a program gets.", null)
            : null;
    }

    /// <summary>The first choice's text.</summary>
    private static string? TextOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
        }
        catch (Exception fault) when (
            fault is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
