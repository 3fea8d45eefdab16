using System.Buffers;
using System.Globalization;

namespace Tollgate.Engine.Keys;

/// <summary>
/// How a provider's secrets look, as its file says. <see cref="Validate"/> tells everything that is wrong with it at once.
/// </summary>
public sealed record KeyFormatOptions
{
    public const int EnvironmentsMax = 8;
    public const int AcceptsMax = 16;
    public const int PrefixMax = 32;
    public const int LengthMax = 200;

    /// <summary>What must stay unknown of a secret whose mask is known.</summary>
    public const int HiddenBitsMin = 128;

    internal const int ChecksumLength = 6;

    /// <summary>
    /// What may stand in an Authorization header after the scheme (token68 of RFC 9110): all that a foreign key may hold.
    /// </summary>
    internal static readonly SearchValues<byte> HeaderCharacters = SearchValues.Create(
        [.. "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~+/="u8]);

    /// <summary>1–8, each with a prefix of its own; one may be empty.</summary>
    public required IReadOnlyList<KeyEnvironment> Environments { get; init; }

    /// <summary>Characters after the prefix, the checksum included: at most 200, and enough to hide 128 bits behind the mask.</summary>
    public required int Length { get; init; }

    public KeyAlphabet Alphabet { get; init; } = KeyAlphabet.Base62;

    /// <summary>
    /// The last six characters are the CRC-32 of all before them in base62, zero-padded: junk is refused without a look-up.
    /// </summary>
    public bool Crc32Checksum { get; init; }

    /// <summary>Foreign shapes that imported keys may have, at most 16.</summary>
    public IReadOnlyList<ForeignFormat> Accepts { get; init; } = [];

    /// <summary>How many characters of the secret, prefix included, the mask shows at its start.</summary>
    public int MaskHead { get; init; }

    /// <summary>How many characters the mask shows at its end.</summary>
    public int MaskTail { get; init; }

    /// <summary>Every mistake, as a sentence; empty when a <see cref="KeyFormat"/> can be made.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (Environments.Count is < 1 or > EnvironmentsMax)
        {
            errors.Add(Invariant($"keys need 1 to {EnvironmentsMax} environments; there are {Environments.Count}"));
        }

        if (Accepts.Count > AcceptsMax)
        {
            errors.Add(Invariant($"at most {AcceptsMax} foreign formats are accepted; there are {Accepts.Count}"));
        }

        if (Alphabet != KeyAlphabet.Base62)
        {
            errors.Add(Invariant($"alphabet {(int)Alphabet} is not known"));
        }

        if (MaskHead < 0 || MaskTail < 0)
        {
            errors.Add("a mask cannot show fewer than 0 characters");
        }

        foreach (KeyEnvironment environment in Environments)
        {
            string what = Invariant($"environment \"{environment.Name}\"");
            CheckShape(errors, what, environment.Prefix, Length, Crc32Checksum ? Length - ChecksumLength : Length);
        }

        foreach (ForeignFormat foreign in Accepts)
        {
            // Made elsewhere, they are what they are: a mask shows less of them instead.
            CheckText(errors, Invariant($"accepted format \"{foreign.Prefix}\""), foreign.Prefix, foreign.Length);
        }

        CheckTwins(errors);
        return errors;
    }

    private static bool CheckText(List<string> errors, string what, string prefix, int length)
    {
        if (prefix.Length > PrefixMax || !IsHeaderText(prefix))
        {
            errors.Add(Invariant($"{what}: a prefix has at most {PrefixMax} characters out of A-Z a-z 0-9 - . _ ~ + / ="));
        }

        if (length is < 1 or > LengthMax)
        {
            errors.Add(Invariant($"{what}: the length after the prefix is 1 to {LengthMax}, not {length}"));
            return false;
        }

        return true;
    }

    private void CheckShape(List<string> errors, string what, string prefix, int length, int random)
    {
        if (!CheckText(errors, what, prefix, length))
        {
            return;
        }

        // A shown checksum character tells as much about the rest as a shown random one would.
        int shown = Math.Max(0, Math.Max(0, MaskHead) - prefix.Length) + Math.Max(0, MaskTail);
        int hidden = (int)Math.Floor(Base62.BitsPerCharacter * Math.Max(0, random - shown));
        if (hidden < HiddenBitsMin)
        {
            errors.Add(Invariant($"{what}: only {hidden} random bits stay hidden behind the mask; at least {HiddenBitsMin} must"));
        }
    }

    private void CheckTwins(List<string> errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var prefixes = new HashSet<string>(StringComparer.Ordinal);
        foreach (KeyEnvironment environment in Environments)
        {
            if (environment.Name.Length == 0 || !names.Add(environment.Name))
            {
                errors.Add(Invariant($"environment \"{environment.Name}\": names are not empty and differ"));
            }

            if (!prefixes.Add(environment.Prefix))
            {
                errors.Add(Invariant($"environment \"{environment.Name}\": prefix \"{environment.Prefix}\" is another environment's too"));
            }
        }

        // The same prefix at another length can be told apart; the same shape twice cannot, and would void the checksum of our own.
        var shapes = Environments.Select(environment => (environment.Prefix, Length)).ToHashSet();
        foreach (ForeignFormat foreign in Accepts)
        {
            if (!shapes.Add((foreign.Prefix, foreign.Length)))
            {
                string what = Invariant($"accepted format \"{foreign.Prefix}\" of length {foreign.Length}");
                errors.Add($"{what} is there twice or is the provider's own");
            }
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static bool IsHeaderText(string text)
    {
        foreach (char c in text)
        {
            if (c > 127 || !HeaderCharacters.Contains((byte)c))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>A world of keys, such as live and test, told apart by the prefix.</summary>
public sealed record KeyEnvironment(string Name, string Prefix);

/// <summary>The shape of keys that come from elsewhere; they have no checksum. Length counts the characters after the prefix.</summary>
public sealed record ForeignFormat(string Prefix, int Length);

/// <summary>The characters of a secret's random part.</summary>
public enum KeyAlphabet
{
    Base62,
}
