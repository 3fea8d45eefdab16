using System.Net;
using Microsoft.Extensions.Primitives;
using Tollgate.Engine.Keys;

namespace Tollgate.Server.Hosting;

/// <summary>
/// Who a request comes from when proxies stand in front: each adds the address it was called from to the end of <c>X-Forwarded-For</c>, so
/// the list is read from its end for as long as the one who wrote is trusted. What an untrusted peer sends there is not looked at.
/// </summary>
/// <remarks>
/// The framework's middleware reads loosely (<c>1</c> is an address to it), rewrites the headers, and at an entry it cannot read leaves the
/// proxy's own address in place, which keys may be allowed to be used from.
/// </remarks>
internal sealed class TrustedProxies
{
    public const string Header = "X-Forwarded-For";

    /// <summary>Proxies one behind another, at most; who stands behind more is not known.</summary>
    public const int HopsMax = 16;

    private readonly AddressRule? _networks;

    private TrustedProxies(AddressRule? networks) => _networks = networks;

    /// <summary>Without any, the header is not even looked for.</summary>
    public bool HasAny => _networks is not null;

    /// <summary>Reads addresses and networks, separated by commas or spaces. Null when one is none, or there are more than 64.</summary>
    public static TrustedProxies? From(string list)
    {
        var ranges = list.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return ranges.Length == 0 ? new TrustedProxies(null)
            : AddressRule.TryParse(ranges, out var networks, out _) ? new TrustedProxies(networks)
            : null;
    }

    /// <summary>
    /// The peer itself, or the last of those named that is no trusted proxy, or the first of all when each is one. Null, an address nobody
    /// knows, when a trusted proxy names something that is no address: a key that is bound to addresses is refused then.
    /// </summary>
    public IPAddress? ClientOf(IPAddress? peer, StringValues forwarded)
    {
        var client = peer;
        var hops = 0;
        for (var line = forwarded.Count - 1; line >= 0; line--)
        {
            var rest = forwarded[line].AsSpan();
            while (client is not null && IsTrusted(client))
            {
                var comma = rest.LastIndexOf(',');
                client = ++hops <= HopsMax ? AddressIn(rest[(comma + 1)..].Trim()) : null;
                if (comma < 0)
                {
                    break;
                }

                rest = rest[..comma];
            }
        }

        return client;
    }

    private bool IsTrusted(IPAddress address) => _networks?.Contains(address) == true;

    /// <summary>
    /// An address as proxies write it: IPv4 with or without a port, IPv6 bare or in brackets, then with or without a port. Nothing that
    /// another program may read as another address.
    /// </summary>
    private static IPAddress? AddressIn(ReadOnlySpan<char> text)
    {
        if (!text.IsEmpty && text[0] == '[')
        {
            var end = text.IndexOf(']');
            return end > 0 && IsPortOrNothing(text[(end + 1)..]) ? V6(text[1..end]) : null;
        }

        return text.Count(':') switch
        {
            0 => V4(text),
            1 => IsPortOrNothing(text[text.IndexOf(':')..]) ? V4(text[..text.IndexOf(':')]) : null,
            _ => V6(text),
        };
    }

    private static IPAddress? V4(ReadOnlySpan<char> text)
    {
        Span<char> canonical = stackalloc char[15];
        return IPAddress.TryParse(text, out var address)
            && address.TryFormat(canonical, out var length)
            && canonical[..length].SequenceEqual(text)
                ? address
                : null;
    }

    private static IPAddress? V6(ReadOnlySpan<char> text) =>
        text.Contains(':') && !text.ContainsAny('%', '[', '/') && IPAddress.TryParse(text, out var address)
            ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address
            : null;

    private static bool IsPortOrNothing(ReadOnlySpan<char> text) =>
        text.IsEmpty || (text[0] == ':' && text.Length is >= 2 and <= 6 && !text[1..].ContainsAnyExceptInRange('0', '9'));
}
