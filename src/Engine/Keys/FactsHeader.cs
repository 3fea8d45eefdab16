using System.Buffers.Binary;

namespace Tollgate.Engine.Keys;

/// <summary>
/// What stands before a key's facts in a <see cref="FactsArena"/>: its number in four bytes, then row version, expiry and two lengths in
/// seven bits a byte, lowest first, the high bit saying that more follows. Eight bytes for most keys.
/// </summary>
internal readonly struct FactsHeader
{
    private const int KeyNoBytes = 4;

    public required uint KeyNo { get; init; }

    public required long Version { get; init; }

    public required long ExpiresAtMs { get; init; }

    public required int AddressBytes { get; init; }

    public required int FactsBytes { get; init; }

    /// <summary>Of the header itself.</summary>
    public int Bytes => KeyNoBytes + LengthOf(unchecked((ulong)Version)) + LengthOf(ExpiryCode) + LengthOf((ulong)AddressBytes)
        + LengthOf((ulong)FactsBytes);

    // A key that never expires, as most do, takes the one byte 0. What ended before 1970 is told as 1970, which is as long ago.
    private ulong ExpiryCode => ExpiresAtMs == long.MaxValue ? 0 : (ulong)Math.Max(0, ExpiresAtMs) + 1;

    public static FactsHeader Read(ReadOnlySpan<byte> record, out int bytes)
    {
        bytes = KeyNoBytes;
        ulong version = Next(record, ref bytes);
        ulong expiry = Next(record, ref bytes);
        return new FactsHeader
        {
            KeyNo = BinaryPrimitives.ReadUInt32LittleEndian(record),
            Version = unchecked((long)version),
            ExpiresAtMs = expiry == 0 ? long.MaxValue : (long)(expiry - 1),
            AddressBytes = (int)Next(record, ref bytes),
            FactsBytes = (int)Next(record, ref bytes),
        };
    }

    public void Write(Span<byte> record)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record, KeyNo);
        int at = KeyNoBytes;
        Put(record, ref at, unchecked((ulong)Version));
        Put(record, ref at, ExpiryCode);
        Put(record, ref at, (ulong)AddressBytes);
        Put(record, ref at, (ulong)FactsBytes);
    }

    private static ulong Next(ReadOnlySpan<byte> record, ref int at)
    {
        ulong value = 0;
        int shift = 0;
        byte part;
        do
        {
            part = record[at++];
            value |= (part & 0x7FUL) << shift;
            shift += 7;
        }
        while (part >= 0x80);
        return value;
    }

    private static void Put(Span<byte> record, ref int at, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            record[at++] = (byte)(0x80 | (value & 0x7F));
        }

        record[at++] = (byte)value;
    }

    private static int LengthOf(ulong value)
    {
        int length = 1;
        for (; value >= 0x80; value >>= 7)
        {
            length++;
        }

        return length;
    }
}
