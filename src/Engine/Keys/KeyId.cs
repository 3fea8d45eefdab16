using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Tollgate.Engine.Keys;

/// <summary>
/// The public name of a key: <c>key_</c> and 22 base62 characters (131 bits), so that it can be told to anyone and guessed by nobody.
/// It is not the secret. The default has the empty text and names no key.
/// </summary>
public readonly record struct KeyId
{
    public const string Prefix = "key_";
    public const int Length = 26;
    public const int PackedBytes = 17;

    private static readonly SearchValues<char> Alphabet = SearchValues.Create(Base62.Digits);
    private readonly string? _text;

    private KeyId(string text) => _text = text;

    public string Text => _text ?? "";

    public static KeyId New() => new(Prefix + RandomNumberGenerator.GetString(Base62.Digits, Length - Prefix.Length));

    public static bool TryParse([NotNullWhen(true)] string? text, out KeyId id)
    {
        bool good = text is { Length: Length } && text.StartsWith(Prefix, StringComparison.Ordinal)
            && !text.AsSpan(Prefix.Length).ContainsAnyExcept(Alphabet);
        id = good ? new KeyId(text!) : default;
        return good;
    }

    public override string ToString() => Text;

    /// <summary>Writes the 22 characters in six bits each, four of them into three bytes: as memory keeps them.</summary>
    public void Pack(Span<byte> packed)
    {
        ReadOnlySpan<char> digits = Text.AsSpan(Prefix.Length);
        for (int at = 0; !digits.IsEmpty; at += 3)
        {
            int group = 0;
            int count = Math.Min(4, digits.Length);
            for (int i = 0; i < count; i++)
            {
                group |= Base62.Digits.IndexOf(digits[i], StringComparison.Ordinal) << (6 * i);
            }

            for (int i = 0; i < 3 && at + i < PackedBytes; i++)
            {
                packed[at + i] = (byte)((group >> (8 * i)) & 0xFF);
            }

            digits = digits[count..];
        }
    }

    /// <summary>Writes the whole id, <see cref="Length"/> bytes of text, from what <see cref="Pack"/> made.</summary>
    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> text)
    {
        ReadOnlySpan<byte> digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8;
        packed = packed[..PackedBytes];
        text = text[..Length];
        "key_"u8.CopyTo(text);
        for (int at = 0, to = Prefix.Length; to < Length; at += 3, to += 4)
        {
            int group = packed[at] | (packed[at + 1] << 8) | (at + 2 < PackedBytes ? packed[at + 2] << 16 : 0);
            for (int i = 0; i < 4 && to + i < Length; i++)
            {
                text[to + i] = digits[(group >> (6 * i)) & 0x3F];
            }
        }
    }
}
