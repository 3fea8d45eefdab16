namespace Tollgate.Server.ForwardAuth;

/// <summary>How the proxy that asks can be answered.</summary>
internal enum AuthorizeStyle
{
    /// <summary>The verdict in the status, the provider's own body with a refusal: the proxy hands both to the customer.</summary>
    Plain,

    /// <summary>
    /// For nginx, which takes 2xx, 401 and 403 alone: every other refusal is a 403 that says in a header what it would have been.
    /// </summary>
    Nginx,

    /// <summary>
    /// For a proxy that kept only the verdict of an earlier question and now wants its wording: never a 2xx, which the proxy would hand to
    /// the customer as if its request had been served.
    /// </summary>
    Refusal,
}

internal static class AuthorizeStyles
{
    /// <summary>
    /// Reads the query of the call. Anything else in it is a fault of the proxy's configuration: some proxies append the customer's own.
    /// </summary>
    public static bool TryRead(string? query, out AuthorizeStyle style)
    {
        style = query switch
        {
            "?style=nginx" => AuthorizeStyle.Nginx,
            "?style=refusal" => AuthorizeStyle.Refusal,
            _ => AuthorizeStyle.Plain,
        };
        return style != AuthorizeStyle.Plain || string.IsNullOrEmpty(query) || query == "?";
    }
}
