using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Tollgate.Engine.Keys;

/// <summary>
/// The networks a key may be used from, 1–64 of them. Kept as bytes, 17 a range (bits of prefix, then the address as IPv6), so that the key
/// table can hold them beside the key's facts; IPv4 lives at ::ffff:0:0/96, which is also where an IPv4 client of a dual-stack socket
/// appears.
/// </summary>
public sealed class AddressRule
{
    public const int RangesMax = 64;
    internal const int RangeBytes = 17;
    internal const int EncodedBytesMax = RangesMax * RangeBytes;
    private const int MappedBits = 96;

    private readonly byte[] _encoded;

    private AddressRule(byte[] encoded) => _encoded = encoded;

    internal ReadOnlySpan<byte> Encoded => _encoded;

    /// <summary>Reads ranges such as <c>10.0.0.0/8</c>, <c>2001:db8::/32</c> or a single address. Every error is told.</summary>
    public static bool TryParse(IReadOnlyList<string> ranges, [NotNullWhen(true)] out AddressRule? rule, out IReadOnlyList<string> errors)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        var found = new List<string>();
        errors = found;
        rule = null;
        if (ranges.Count is < 1 or > RangesMax)
        {
            found.Add(string.Create(CultureInfo.InvariantCulture, $"an address rule has 1 to {RangesMax} ranges, not {ranges.Count}"));
            return false;
        }

        var encoded = new byte[ranges.Count * RangeBytes];
        for (int i = 0; i < ranges.Count; i++)
        {
            if (ErrorIn(ranges[i], encoded.AsSpan(i * RangeBytes, RangeBytes)) is { } error)
            {
                found.Add(error);
            }
        }

        rule = found.Count == 0 ? new AddressRule(encoded) : null;
        return rule is not null;
    }

    public bool Contains(IPAddress address) => Contains(_encoded, address);

    /// <summary>Whether every range of <paramref name="other"/> lies within one of these.</summary>
    public bool Covers(AddressRule other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (ReadOnlySpan<byte> inner = other._encoded; !inner.IsEmpty; inner = inner[RangeBytes..])
        {
            bool isCovered = false;
            for (ReadOnlySpan<byte> outer = _encoded; !outer.IsEmpty && !isCovered; outer = outer[RangeBytes..])
            {
                isCovered = IsWithin(inner[..RangeBytes], outer[..RangeBytes]);
            }

            if (!isCovered)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsWithin(ReadOnlySpan<byte> inner, ReadOnlySpan<byte> outer)
    {
        UInt128 network = BinaryPrimitives.ReadUInt128BigEndian(inner[1..]);
        bool sameFamily = !IsMapped(network) || inner[0] < MappedBits || outer[0] >= MappedBits;
        UInt128 difference = network ^ BinaryPrimitives.ReadUInt128BigEndian(outer[1..]);
        return inner[0] >= outer[0] && sameFamily && (difference & MaskOf(outer[0])) == 0;
    }

    internal static bool Contains(ReadOnlySpan<byte> encoded, IPAddress address)
    {
        UInt128 bits = BitsOf(address);
        bool isV4 = IsMapped(bits);
        for (; encoded.Length >= RangeBytes; encoded = encoded[RangeBytes..])
        {
            int prefix = encoded[0];

            // A range wide enough to swallow the mapped block (such as ::/0) means IPv6 clients, not everybody.
            bool sameFamily = !isV4 || prefix >= MappedBits;
            UInt128 network = BinaryPrimitives.ReadUInt128BigEndian(encoded[1..]);
            if (sameFamily && ((bits ^ network) & MaskOf(prefix)) == 0)
            {
                return true;
            }
        }

        return false;
    }

    private static string? ErrorIn(string range, Span<byte> encoded)
    {
        int slash = range.IndexOf('/', StringComparison.Ordinal);
        string host = slash < 0 ? range : range[..slash];
        if (!IPAddress.TryParse(host, out IPAddress? address) || !IsPlain(host, address))
        {
            return $"\"{range}\" is not an IPv4 or IPv6 range such as 10.0.0.0/8 or 2001:db8::/32";
        }

        int width = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        int prefix = width;
        ReadOnlySpan<char> bitsText = range.AsSpan(slash + 1);
        if (slash >= 0 && (!int.TryParse(bitsText, NumberStyles.None, CultureInfo.InvariantCulture, out prefix) || prefix > width))
        {
            return string.Create(CultureInfo.InvariantCulture, $"\"{range}\": the prefix is 0 to {width} bits");
        }

        UInt128 bits = BitsOf(address);
        int total = prefix + (128 - width);
        if ((bits & ~MaskOf(total)) != 0)
        {
            return $"\"{range}\" has bits set behind its prefix; write the network's own address";
        }

        encoded[0] = (byte)total;
        BinaryPrimitives.WriteUInt128BigEndian(encoded[1..], bits);
        return null;
    }

    // The framework also reads 1.2, 0x7f.1 and 010.0.0.1 (octal): texts that people and programs read differently.
    private static bool IsPlain(string text, IPAddress address)
        => address.AddressFamily == AddressFamily.InterNetwork
            ? string.Equals(address.ToString(), text, StringComparison.Ordinal)
            : !text.Contains('%', StringComparison.Ordinal) && !text.StartsWith('[');

    private static UInt128 MaskOf(int prefix) => prefix == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - prefix);

    internal static bool IsMapped(UInt128 bits) => (bits >> 32) == 0xFFFF;

    internal static UInt128 BitsOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            bytes[10] = 0xFF;
            bytes[11] = 0xFF;
            address.TryWriteBytes(bytes[12..], out _);
        }
        else
        {
            address.TryWriteBytes(bytes, out _);
        }

        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
