using System.Net;
using System.Net.Sockets;
using Tollgate.Engine.Keys;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// Which addresses a customer's URL may lead to: public ones, and what the operator lists besides. Anything else would let whoever writes
/// the URL talk to what only the gate can reach. What is not known to be public is refused.
/// </summary>
internal sealed class AddressGuard(AddressRule? alsoAllowed)
{
    /// <summary>
    /// By the registries of special-purpose addresses; the last is a public address under which a cloud's machines find its own services.
    /// </summary>
    private static readonly AddressRule NotPublicV4 = Rule(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16");

    /// <summary>All that is given out for use between networks; what lies outside is local, reserved or not given out.</summary>
    private static readonly AddressRule GlobalV6 = Rule("2000::/3");

    /// <summary>Of these: protocol assignments with Teredo among them, and documentation.</summary>
    private static readonly AddressRule NotPublicV6 = Rule("2001::/23", "2001:db8::/32", "3fff::/20");

    /// <summary>Addresses that stand for an IPv4 address, by the place at which they hold it.</summary>
    private static readonly (AddressRule Form, int At)[] Holders = [(Rule("64:ff9b::/96"), 12), (Rule("2002::/16"), 2)];

    public bool Permits(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (alsoAllowed?.Contains(plain) == true)
        {
            return true;
        }

        if (plain.AddressFamily == AddressFamily.InterNetwork)
        {
            return !NotPublicV4.Contains(plain);
        }

        if (plain.AddressFamily != AddressFamily.InterNetworkV6 || plain.ScopeId != 0)
        {
            return false;
        }

        foreach (var (form, at) in Holders)
        {
            if (form.Contains(plain))
            {
                return Permits(new IPAddress(plain.GetAddressBytes().AsSpan(at, 4)));
            }
        }

        return GlobalV6.Contains(plain) && !NotPublicV6.Contains(plain);
    }

    private static AddressRule Rule(params string[] ranges) =>
        AddressRule.TryParse(ranges, out var rule, out var errors) ? rule : throw new InvalidOperationException(string.Join(", ", errors));
}
