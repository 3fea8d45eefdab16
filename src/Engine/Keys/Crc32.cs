using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tollgate.Engine.Keys;

/// <summary>
/// CRC-32 as in zip and PNG (polynomial 0x04C11DB7, reflected), eight bytes a step. The shared framework has none:
/// its intrinsics compute CRC-32C, which is another polynomial.
/// </summary>
internal static class Crc32
{
    private const uint Polynomial = 0xEDB88320;

    // Eight tables of 256, one behind another: table n answers for a byte that n more bytes follow.
    private static readonly uint[] Tables = MakeTables();

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        ref uint tables = ref MemoryMarshal.GetArrayDataReference(Tables);
        uint crc = uint.MaxValue;
        while (bytes.Length >= 8)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ crc;
            crc = Unsafe.Add(ref tables, (nuint)(0x700 | (word & 0xFF)))
                ^ Unsafe.Add(ref tables, (nuint)(0x600 | ((word >> 8) & 0xFF)))
                ^ Unsafe.Add(ref tables, (nuint)(0x500 | ((word >> 16) & 0xFF)))
                ^ Unsafe.Add(ref tables, (nuint)(0x400 | ((word >> 24) & 0xFF)))
                ^ Unsafe.Add(ref tables, (nuint)(0x300 | ((word >> 32) & 0xFF)))
                ^ Unsafe.Add(ref tables, (nuint)(0x200 | ((word >> 40) & 0xFF)))
                ^ Unsafe.Add(ref tables, (nuint)(0x100 | ((word >> 48) & 0xFF)))
                ^ Unsafe.Add(ref tables, (nuint)(word >> 56));
            bytes = bytes[8..];
        }

        foreach (byte b in bytes)
        {
            crc = (crc >> 8) ^ Unsafe.Add(ref tables, (nuint)((crc ^ b) & 0xFF));
        }

        return ~crc;
    }

    private static uint[] MakeTables()
    {
        var tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ Polynomial;
            }

            tables[i] = crc;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            uint before = tables[i - 256];
            tables[i] = (before >> 8) ^ tables[before & 0xFF];
        }

        return tables;
    }
}
