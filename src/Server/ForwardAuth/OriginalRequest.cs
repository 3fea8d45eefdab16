using Microsoft.Extensions.Primitives;
using Tollgate.Server.Problems;

namespace Tollgate.Server.ForwardAuth;

/// <summary>
/// The customer's request that a proxy asks about. Proxies tell it in one of three ways: in two headers of either name, or by the method
/// and path of their question. It is taken only where exactly one of them tells it once: a customer could have added the other.
/// </summary>
/// <param name="Method">As sent; what is no method is refused by the routes.</param>
/// <param name="Target">The path and, where it came in a header, the query: undecoded.</param>
/// <param name="PathLength">Where the query begins, or the end.</param>
internal readonly record struct OriginalRequest(string Method, string Target, int PathLength)
{
    public const string ForwardedMethod = "X-Forwarded-Method";
    public const string ForwardedUri = "X-Forwarded-Uri";
    public const string OriginalMethod = "X-Original-Method";
    public const string OriginalUri = "X-Original-URI";

    public ReadOnlySpan<char> Path => Target.AsSpan(0, PathLength);

    /// <summary>Without its question mark.</summary>
    public ReadOnlySpan<char> Query => PathLength < Target.Length ? Target.AsSpan(PathLength + 1) : default;

    /// <param name="http">The proxy's question.</param>
    /// <param name="rest">What follows the path of the call: the customer's own path where the proxy appends it, else empty.</param>
    public static Outcome<OriginalRequest> Read(HttpContext http, ReadOnlySpan<char> rest)
    {
        var headers = http.Request.Headers;
        var (method, uri) = (headers[ForwardedMethod], headers[ForwardedUri]);
        var (otherMethod, otherUri) = (headers[OriginalMethod], headers[OriginalUri]);
        var isForwarded = method.Count + uri.Count > 0;
        var isOriginal = otherMethod.Count + otherUri.Count > 0;
        if (rest.IsEmpty)
        {
            return isForwarded && isOriginal ? Ambiguous
                : isOriginal ? Of(otherMethod, otherUri)
                : Of(method, uri);
        }

        return isForwarded || isOriginal ? Ambiguous : new OriginalRequest(http.Request.Method, rest.ToString(), rest.Length);
    }

    private static Outcome<OriginalRequest> Of(StringValues method, StringValues uri)
    {
        if (method.Count > 1 || uri.Count > 1)
        {
            return Ambiguous;
        }

        var (name, target) = ((string?)method, (string?)uri);
        if (string.IsNullOrEmpty(name) || string.IsNullOrEmpty(target))
        {
            return new Problem(
                ProblemCode.OriginalRequestMissing,
                $"The proxy did not say which request it asks about: {ForwardedMethod} and {ForwardedUri}, or {OriginalMethod} and "
                + $"{OriginalUri}, are both needed.");
        }

        var query = target.IndexOf('?', StringComparison.Ordinal);
        return new OriginalRequest(name, target, query < 0 ? target.Length : query);
    }

    private static Problem Ambiguous => new(
        ProblemCode.OriginalRequestAmbiguous,
        "The proxy's question tells its customer's request more than once. The proxy has to remove what the customer sent of "
        + $"{ForwardedMethod}, {ForwardedUri}, {OriginalMethod} and {OriginalUri}.");
}
