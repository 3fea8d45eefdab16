using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Tollgate.Server.Identity;

/// <summary>
/// Where people reach the console: what links in mails begin with. It comes from the option, or from where the gate listens, and never from
/// what a request says of itself, which anybody can write.
/// </summary>
internal sealed class PublicUrl(PeopleOptions options, IServer server)
{
    /// <summary>Without a slash at the end. Known from when the gate listens.</summary>
    public string Text => options.PublicUrl ?? Listening();

    /// <summary>Cookies are for https only, and bound to this host.</summary>
    public bool IsSecure => options.IsSecure;

    public string To(string path) => Text + path;

    /// <summary>
    /// Over plain http people sign in on the machine itself alone: on a network, whoever listens would have their session.
    /// </summary>
    public bool MayServe(HostString host) => IsSecure || IsLoopback(host.Host);

    private static bool IsLoopback(string host) => string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.AsSpan().Trim("[]"), out var address) && IPAddress.IsLoopback(address));

    /// <summary>
    /// By the name localhost where it listens there: browsers make passkeys for names only, and cookies of 127.0.0.1 are not localhost's.
    /// </summary>
    private string Listening()
    {
        var first = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new InvalidOperationException("The gate does not listen yet, so nobody can be told where.");
        var address = BindingAddress.Parse(first);
        var isHere = address.Host is "*" or "+" || IsLoopback(address.Host)
            || (IPAddress.TryParse(address.Host.AsSpan().Trim("[]"), out var any)
                && (any.Equals(IPAddress.Any) || any.Equals(IPAddress.IPv6Any)));
        return $"http://{(isHere ? "localhost" : address.Host)}:{address.Port}";
    }
}
