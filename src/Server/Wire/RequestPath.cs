using Microsoft.AspNetCore.Http.Features;

namespace Tollgate.Server.Wire;

/// <summary>The path of a request as it was sent: undecoded, without its query. What is matched is what would be forwarded.</summary>
internal static class RequestPath
{
    public static string Of(HttpContext http)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var start = 0;
        if (!target.StartsWith('/'))
        {
            start = AfterAuthority(target);
        }

        if (start < 0)
        {
            return "";
        }

        var end = target.IndexOf('?', start);
        return start == 0 && end < 0 ? target : target[start..(end < 0 ? target.Length : end)];
    }

    /// <summary>
    /// Where the path begins in the absolute form, which proxies send; -1 when there is none. A slash inside the query begins nothing.
    /// </summary>
    private static int AfterAuthority(string target)
    {
        var slashes = IndexOfMark(target, 0);
        if (slashes < 1 || target[slashes - 1] != ':' || !target.AsSpan(slashes).StartsWith("//", StringComparison.Ordinal))
        {
            return -1;
        }

        var start = IndexOfMark(target, slashes + 2);
        return start >= 0 && target[start] == '/' ? start : -1;
    }

    /// <summary>The first mark that ends a scheme or an authority.</summary>
    private static int IndexOfMark(string target, int from)
    {
        var at = target.AsSpan(from).IndexOfAny('/', '?', '#');
        return at < 0 ? -1 : from + at;
    }
}
