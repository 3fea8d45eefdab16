using System.Net;
using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Verification;

/// <summary>
/// Whom unknown keys are counted against: an IPv4 address, or the /64 of an IPv6 address, which is the least that one subscriber gets. The
/// default counts against nobody, for a caller that asks on behalf of clients it does not name.
/// </summary>
public readonly record struct ClientNetwork
{
    private static readonly UInt128 InterfaceBits = ulong.MaxValue;
    private static readonly UInt128 SiteBits = (UInt128.One << 80) - 1;

    private ClientNetwork(UInt128 bits) => (IsCounted, Bits) = (true, bits);

    public bool IsCounted { get; }

    internal UInt128 Bits { get; }

    /// <summary>All that one customer of a provider may have: 48 bits of IPv6. Of IPv4 the address itself.</summary>
    public ClientNetwork Site =>
        !IsCounted || AddressRule.IsMapped(Bits) || Bits == UInt128.MaxValue ? this : new ClientNetwork(Bits & ~SiteBits);

    /// <summary>The network of an address. Clients whose address nobody could tell share one network.</summary>
    public static ClientNetwork Of(IPAddress? address)
    {
        if (address is null)
        {
            return new ClientNetwork(UInt128.MaxValue);
        }

        UInt128 bits = AddressRule.BitsOf(address);
        return new ClientNetwork(AddressRule.IsMapped(bits) ? bits : bits & ~InterfaceBits);
    }
}
