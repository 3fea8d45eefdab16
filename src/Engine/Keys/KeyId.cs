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
}
