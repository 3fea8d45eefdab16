using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tollgate.Server.Problems;

/// <summary>A <see cref="Problem"/> as the management API tells it: RFC 9457, never cached.</summary>
internal sealed class ProblemResult(Problem problem) : IResult
{
    /// <summary>What clients that repeat calls by themselves look at before the status.</summary>
    public const string ShouldRetryHeader = "x-should-retry";

    private const string MediaType = "application/problem+json";

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Problem Problem { get; } = problem;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (httpContext.Features.Get<ProblemWording>() is { } wording)
        {
            await wording(httpContext, Problem);
            return;
        }

        var response = httpContext.Response;
        var body = Render(Problem, httpContext.TraceIdentifier);
        response.StatusCode = Problem.Code.Status;
        response.ContentType = MediaType;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        if (Problem.Code.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        if (Problem.ForbidsRetry)
        {
            response.Headers[ShouldRetryHeader] = "false";
        }

        if (Problem.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }

    internal static ReadOnlyMemory<byte> Render(Problem problem, string requestId)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Writing);
        json.WriteStartObject();
        json.WriteString("type"u8, $"/docs/errors/{problem.Code.Code}");
        json.WriteString("title"u8, problem.Code.Title);
        json.WriteNumber("status"u8, problem.Code.Status);
        json.WriteString("detail"u8, problem.Detail);
        json.WriteString("code"u8, problem.Code.Code);
        json.WriteString("request_id"u8, requestId);
        if (problem.RequiredPermission is { } permission)
        {
            json.WriteString("required_permission"u8, permission);
        }

        if (problem.TopUpUrl is { } topUpUrl)
        {
            json.WriteString("top_up_url"u8, topUpUrl);
        }

        if (problem.Limit is { } limit)
        {
            json.WriteStartObject("limit"u8);
            json.WriteString("name"u8, limit.Name);
            json.WriteNumber("amount"u8, limit.Amount);
            json.WriteNumber("remaining"u8, limit.Remaining);
            json.WriteNumber("retry_after"u8, limit.RetrySeconds);
            json.WriteEndObject();
        }

        if (problem.PlanLimit is { } most)
        {
            json.WriteNumber("plan_limit"u8, most);
        }

        if (problem.Errors.Count > 0)
        {
            json.WriteStartArray("errors"u8);
            foreach (var error in problem.Errors)
            {
                json.WriteStartObject();
                json.WriteString("pointer"u8, error.Pointer);
                json.WriteString("expected"u8, error.Expected);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}

/// <summary>Another wording than ours, set on a request to a provider's own path: its errors read as the provider documents them.</summary>
internal delegate Task ProblemWording(HttpContext http, Problem problem);
