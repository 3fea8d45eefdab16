using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// Why a request is refused, in words that its caller may read: every key that does not work reads the same, whatever the gate knows of it.
/// </summary>
public sealed record TollgateRefusal
{
    /// <summary>The gate's code of its limit on unknown keys, and ours.</summary>
    internal const string LimitCode = "too_many_unknown_keys";

    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(1);

    internal TollgateRefusal(int status, string code, string title) => (Status, Code, Title) = (status, code, title);

    /// <summary>The HTTP status.</summary>
    public int Status { get; }

    /// <summary>Stable, for programs: <c>key_missing</c>, <c>invalid_key</c>, <c>scope_missing</c>, <c>permission_missing</c> …</summary>
    public string Code { get; }

    /// <summary>A sentence, for people.</summary>
    public string Title { get; }

    /// <summary>What the key would have needed, such as <c>endpoints:write</c>.</summary>
    public string? RequiredPermission { get; internal init; }

    /// <summary>When the same request makes sense again, as the header <c>Retry-After</c> tells; null when it never does.</summary>
    public TimeSpan? RetryAfter { get; internal init; }

    internal static TollgateRefusal KeyMissing { get; } = new(401, "key_missing", "No API key was sent.");

    internal static TollgateRefusal KeyAmbiguous { get; } =
        new(400, "authorization_ambiguous", "More than one Authorization header was sent.");

    internal static TollgateRefusal InvalidKey { get; } = new(401, "invalid_key", "The API key is not valid.");

    internal static TollgateRefusal Unavailable { get; } =
        new(503, "unavailable", "The API key cannot be checked right now.") { RetryAfter = SoonAgain };

    internal static TollgateRefusal Limited { get; } =
        new(429, LimitCode, "Too many unknown API keys came from this address.") { RetryAfter = SoonAgain };

    internal static TollgateRefusal PathRefused { get; } = new(400, "path_refused", "The path is not in its canonical form.");

    internal static TollgateRefusal Forbidden { get; } = new(403, "forbidden", "The API key may not make this request.");

    /// <summary>What a caller is told of an answer that lets nothing pass.</summary>
    internal static TollgateRefusal Of(in GateAnswer answer) => answer switch
    {
        { Fault: GateFault.RequestRefused } => PathRefused,
        { Fault: GateFault.Limited } => Limited with { RetryAfter = answer.RetryAfter ?? SoonAgain },
        { Verdict: { } verdict } => Of(verdict),
        _ => Unavailable,
    };

    internal Task Write(HttpContext http, TollgateOptions options)
    {
        var response = http.Response;
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        if (RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return options.WriteRefusal is { } write ? write(http, this) : WriteProblem(http);
    }

    private static TollgateRefusal Of(Verdict verdict) => verdict.Code switch
    {
        "key_missing" => KeyMissing,
        "key_malformed" or "key_unknown" or "key_deleted" or "key_revoked" or "key_retired" or "key_expired" or "key_disabled"
            or "key_archived" or "organization_suspended" or "project_mismatch" => InvalidKey,
        "address_refused" => new(403, "address_refused", "The API key may not be used from this address."),
        "action_missing" => Lacking(verdict, "permission_missing", "The API key lacks a required permission."),
        "scope_missing" => Lacking(verdict, "scope_missing", "The API key lacks a required scope."),
        "body_condition" => Lacking(verdict, "body_condition", "The API key may make this call only with certain members in the body."),
        "model_refused" => new(403, "model_refused", "The API key may not be used for this model."),
        "route_unknown" => new(404, "route_unknown", "No route has this path."),
        "rate_limited" => new(429, "rate_limited", "A limit of this API key is used up for now.") { RetryAfter = Wait(verdict) },
        "exceeds_limit" => new(413, "exceeds_limit", "The request is larger than a limit of this API key."),
        "wallet_empty" => new(402, "wallet_empty", "The balance does not pay for this request."),
        "in_flight_holds" =>
            new(402, "in_flight_holds", "The rest of the balance is held for requests that are under way.") { RetryAfter = Wait(verdict) },
        "not_loaded" or "busy" => Unavailable,
        // A code of a newer gate. Refused it is, and more is not known.
        _ => Forbidden with { RequiredPermission = verdict.RequiredPermission },
    };

    private static TimeSpan Wait(Verdict verdict) =>
        verdict.RetryAfterMs is { } wait ? TimeSpan.FromMilliseconds(wait) : SoonAgain;

    private static TollgateRefusal Lacking(Verdict verdict, string code, string title) =>
        new(403, code, title) { RequiredPermission = verdict.RequiredPermission };

    private async Task WriteProblem(HttpContext http)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "about:blank"u8);
            json.WriteString("title"u8, Title);
            json.WriteNumber("status"u8, Status);
            json.WriteString("code"u8, Code);
            json.WriteString("request_id"u8, http.TraceIdentifier);
            if (RequiredPermission is not null)
            {
                json.WriteString("required_permission"u8, RequiredPermission);
            }

            json.WriteEndObject();
        }

        http.Response.ContentType = "application/problem+json";
        http.Response.ContentLength = body.WrittenCount;
        await http.Response.Body.WriteAsync(body.WrittenMemory, http.RequestAborted).ConfigureAwait(false);
    }
}
