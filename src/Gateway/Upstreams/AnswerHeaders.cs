using System.Collections.Frozen;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// What of an upstream's head reaches the client: all but what is about the upstream's connection, host and account, and what the gate says
/// itself, such as limits, which at the upstream are the operator's own.
/// </summary>
internal static class AnswerHeaders
{
    private const string RequestId = "X-Request-Id";
    private const string UpstreamRequestId = "X-Upstream-Request-Id";
    private const string Length = "Content-Length";

    private static readonly FrozenSet<string> Stay = HopHeaders.Always.Concat(
    [
        Length, "Set-Cookie", "Set-Cookie2", "Server", "Date", "Alt-Svc", "Strict-Transport-Security", UpstreamRequestId,
        "OpenAI-Organization", "OpenAI-Project",
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] StayPrefixes = ["X-Tollgate-", "X-RateLimit-", "RateLimit", "Proxy-"];

    /// <param name="message">The upstream's answer.</param>
    /// <param name="response">Takes its status and headers.</param>
    /// <param name="keepsLength">Whether the body goes on as it comes, so that it has the length it came with.</param>
    public static void CopyTo(HttpResponseMessage message, HttpResponse response, bool keepsLength)
    {
        response.StatusCode = (int)message.StatusCode;
        var named = message.Headers.NonValidated.TryGetValues("Connection", out var connection)
            ? HopHeaders.Named(connection.ToString())
            : null;
        Copy(message.Headers.NonValidated, response.Headers, named);
        Copy(message.Content.Headers.NonValidated, response.Headers, named);
        // 204 has no body, and a length is refused with it.
        if (keepsLength && response.StatusCode != StatusCodes.Status204NoContent
            && message.Content.Headers.NonValidated.Contains(Length))
        {
            response.ContentLength = message.Content.Headers.ContentLength;
        }
    }

    private static void Copy(HttpHeadersNonValidated from, IHeaderDictionary to, HashSet<string>? named)
    {
        foreach (var (name, values) in from)
        {
            if (!Stays(name) && named?.Contains(name) != true && Plain(values) is { Count: > 0 } plain)
            {
                to[name.Equals(RequestId, StringComparison.OrdinalIgnoreCase) ? UpstreamRequestId : name] = plain;
            }
        }
    }

    private static bool Stays(string name)
    {
        if (Stay.Contains(name))
        {
            return true;
        }

        foreach (var prefix in StayPrefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    // The server refuses to send anything but ASCII in a header, and the answer is worth more than the header.
    private static StringValues Plain(HeaderStringValues values)
    {
        var plain = StringValues.Empty;
        foreach (var value in values)
        {
            if (!value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                plain = StringValues.Concat(plain, value);
            }
        }

        return plain;
    }
}
