using System.Runtime.InteropServices;

namespace Tollgate.Engine.Keys;

/// <summary>Digits, capitals, small letters: the alphabet of secrets, ids and checksums, in ASCII order.</summary>
internal static class Base62
{
    public const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>What one random character is worth: log2(62).</summary>
    public const double BitsPerCharacter = 5.954196310386875;

    private static readonly byte[] Values = MakeValues();

    /// <summary>Reads at most ten digits; the caller has checked that they are digits.</summary>
    public static ulong Read(ReadOnlySpan<byte> digits)
    {
        ref byte values = ref MemoryMarshal.GetArrayDataReference(Values);
        ulong number = 0;
        foreach (byte digit in digits)
        {
            number = (number * 62) + System.Runtime.CompilerServices.Unsafe.Add(ref values, digit);
        }

        return number;
    }

    /// <summary>Writes a number in as many digits as fit, padded with zeros on the left.</summary>
    public static void Write(uint number, Span<char> digits)
    {
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = Digits[(int)(number % 62)];
            number /= 62;
        }
    }

    private static byte[] MakeValues()
    {
        var values = new byte[256];
        for (int i = 0; i < Digits.Length; i++)
        {
            values[Digits[i]] = (byte)i;
        }

        return values;
    }
}
