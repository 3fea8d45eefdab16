using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// What of a client's headers reaches an upstream: all but what is about the client's connection, what holds or may hold a credential,
/// what only a proxy that is trusted may say, and what would make another request of it than the gate has judged.
/// </summary>
internal static class RequestHeaders
{
    private const string RequestId = "X-Request-Id";
    private const string AcceptEncoding = "Accept-Encoding";

    private static readonly FrozenSet<string> Stay = HopHeaders.Always.Concat(
    [
        "Host", "Expect", "Content-Length", "Authorization", "Cookie", "Cookie2", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Forwarded",
        "X-Real-IP", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL",
        "OpenAI-Organization", "OpenAI-Project",
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] StayPrefixes = ["X-Tollgate-", "X-Forwarded-", "Proxy-", ":"];

    public static void Copy(UpstreamRequest request, HttpRequestMessage message, string? authorization)
    {
        var named = request.Headers.TryGetValue("Connection", out var connection) ? HopHeaders.Named(connection) : null;
        foreach (var (name, values) in request.Headers)
        {
            if (Passes(name, request) && named?.Contains(name) != true)
            {
                Add(message, name, values);
            }
        }

        if (request.RequestId is { } id)
        {
            message.Headers.TryAddWithoutValidation(RequestId, id);
        }

        if (request.ReadsAnswer)
        {
            // Without a word on it, any encoding would be welcome (RFC 9110, 12.5.3).
            message.Headers.TryAddWithoutValidation(AcceptEncoding, "identity");
        }

        if (authorization is not null)
        {
            message.Headers.TryAddWithoutValidation("Authorization", authorization);
        }
    }

    private static bool Passes(string name, UpstreamRequest request)
    {
        if (Stay.Contains(name))
        {
            return false;
        }

        foreach (var prefix in StayPrefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return !(request.ReadsAnswer && name.Equals(AcceptEncoding, StringComparison.OrdinalIgnoreCase))
            && !(request.RequestId is not null && name.Equals(RequestId, StringComparison.OrdinalIgnoreCase));
    }

    // What describes a body stays behind with it.
    private static void Add(HttpRequestMessage message, string name, StringValues values)
    {
        if (values.Count == 1)
        {
            _ = message.Headers.TryAddWithoutValidation(name, values[0])
                || message.Content?.Headers.TryAddWithoutValidation(name, values[0]) == true;
            return;
        }

        var all = (IEnumerable<string?>)values;
        _ = message.Headers.TryAddWithoutValidation(name, all) || message.Content?.Headers.TryAddWithoutValidation(name, all) == true;
    }
}
