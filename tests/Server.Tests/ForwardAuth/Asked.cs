using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.ForwardAuth;

/// <summary>The question of a proxy, in each of the ways in which proxies put it.</summary>
internal static class Asked
{
    /// <summary>As Caddy, Traefik and the script for HAProxy do.</summary>
    public static Task<Answer> Forwarded(
        this RunningGate gate, string? key, string uri, string method = "GET", string style = "", string asking = "GET") => gate.Send(
            asking, AuthorizeDoor.Path + style, key, body: null,
            (OriginalRequest.ForwardedMethod, method), (OriginalRequest.ForwardedUri, uri));

    /// <summary>As nginx does.</summary>
    public static Task<Answer> Nginx(
        this RunningGate gate, string? key, string uri, string method = "GET", string style = "?style=nginx") => gate.Send(
            "GET", AuthorizeDoor.Path + style, key, body: null,
            (OriginalRequest.OriginalMethod, method), (OriginalRequest.OriginalUri, uri));

    /// <summary>As Envoy does.</summary>
    public static Task<Answer> Appended(this RunningGate gate, string? key, string uri, string method = "GET") =>
        gate.Send(method, AuthorizeDoor.Path + uri, key);

    public static string Header(this Answer answer, string name) =>
        answer.Headers.TryGetValue(name, out var value) ? value : $"no {name}: {answer}";
}
