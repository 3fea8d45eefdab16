using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// Makes secrets and what is kept of them: a peppered hash, a mask, and the sealed text where the provider file says revealable.
/// </summary>
internal sealed class SecretMint(ProviderModel provider, Pepper pepper, Sealer sealer)
{
    private const string Purpose = "key secrets";

    /// <summary>The mask of an imported hash, of whose secret nothing is known.</summary>
    private const string ImportedMask = "(imported)";

    /// <summary>Of what is told of a secret's start or end; far more than any mask shows.</summary>
    public const int EndCharsMax = 64;

    private const int Base64Chars = 44;
    private const string HashExpected = "must be 64 hexadecimal digits, or 44 characters of base64.";

    /// <summary>A fresh secret, or an imported hash of one when <paramref name="sha256"/> is given (the operator's to do).</summary>
    public Outcome<MadeSecret> Make(string? sha256, string environment, Caller caller)
    {
        var rules = provider.Keys;
        if (sha256 is null)
        {
            return Of(rules.Format.Mint(rules.EnvironmentIndex(environment)), environment);
        }

        if (!caller.IsRoot)
        {
            return new Problem(ProblemCode.OperatorOnly, "Importing a secret by its hash is the operator's to do.");
        }

        return TryReadHash(sha256, out var imported)
            ? Of(imported, ImportedMask)
            : Problem.Invalid("/secret_sha256", HashExpected);
    }

    /// <summary>
    /// A secret made elsewhere: its text, of a shape the provider file knows, or its hash and what is known of its ends. Null with the
    /// faults when it cannot be taken in.
    /// </summary>
    public MadeSecret? TakeIn(string? text, string? sha256, string? start, string? end, List<FieldError> faults)
    {
        if ((text is null) == (sha256 is null))
        {
            faults.Add(new("/secret", "either this or secret_sha256 is needed, and not both."));
            return null;
        }

        if (text is null)
        {
            return TakeInHash(sha256!, start, end, faults);
        }

        if (start is not null || end is not null)
        {
            faults.Add(new(start is null ? "/end" : "/start", "is taken only together with secret_sha256."));
        }

        var format = provider.Keys.Format;
        if (text.Length > format.LengthMax || !Ascii.IsValid(text) || !format.TryParse(Encoding.ASCII.GetBytes(text), out var shape))
        {
            faults.Add(new("/secret", "has no shape that the provider file knows: declare it under keys.secret.accepts."));
            return null;
        }

        return Of(text, shape.IsForeign ? null : format.Environments[shape.Index].Name);
    }

    private MadeSecret? TakeInHash(string sha256, string? start, string? end, List<FieldError> faults)
    {
        if (!TryReadHash(sha256, out var hash))
        {
            faults.Add(new("/secret_sha256", HashExpected));
            return null;
        }

        foreach (var (pointer, known) in new[] { ("/start", start), ("/end", end) })
        {
            if (known is not null && (known.Length is 0 or > EndCharsMax || known.Any(c => c is <= ' ' or > '~')))
            {
                faults.Add(new(pointer, $"must have 1 to {EndCharsMax} visible ASCII characters."));
                return null;
            }
        }

        if (start is null && end is null)
        {
            return Of(hash, ImportedMask);
        }

        if (provider.Keys.Format.TryMask(start ?? "", end ?? "", out var mask))
        {
            return Of(hash, mask);
        }

        faults.Add(new("/start", "begins no shape that the provider file knows: declare it under keys.secret.accepts."));
        return null;
    }

    /// <summary>64 hexadecimal digits in either case, or 44 characters of padded base64: their lengths tell them apart.</summary>
    private static bool TryReadHash(string text, out KeyHash hash)
    {
        Span<byte> bytes = stackalloc byte[KeyHash.Bytes];
        hash = default;
        return KeyHash.TryFromHex(text, out hash)
            || (text.Length == Base64Chars
                && Convert.TryFromBase64String(text, bytes, out var written)
                && written == KeyHash.Bytes
                && Convert.ToBase64String(bytes) == text
                && KeyHash.TryFromBytes(bytes, out hash));
    }

    private MadeSecret Of(string text, string? environment)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var made = KeyHash.Of(bytes);
        var hash = pepper.HashSecret(made.ToBytes());
        return new MadeSecret(
            text, made, hash, provider.Keys.Revealable ? sealer.Seal(Purpose, bytes, hash) : null, provider.Keys.Format.Mask(text))
        {
            Environment = environment,
        };
    }

    private MadeSecret Of(in KeyHash imported, string mask) => new(null, imported, pepper.HashSecret(imported.ToBytes()), null, mask);

    /// <summary>The text sealed by <see cref="Make"/>, or null when there is none or it does not open.</summary>
    public string? Open(SealedRow kept) =>
        kept.Sealed is not null && sealer.TryOpen(Purpose, kept.Sealed, kept.Hash, out var text) ? Encoding.ASCII.GetString(text) : null;
}

/// <summary>A secret on its way to its holder and what stays here of it.</summary>
internal sealed record MadeSecret(string? Text, KeyHash Sha256, byte[] Hash, byte[]? Sealed, string Mask)
{
    /// <summary>The environment that the text itself names; null for one made elsewhere, and for a hash.</summary>
    public string? Environment { get; init; }

    public override string ToString() => Mask;
}
