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

    /// <summary>A fresh secret, or an imported hash of one when <paramref name="sha256"/> is given (the operator's to do).</summary>
    public Outcome<MadeSecret> Make(string? sha256, string environment, Caller caller)
    {
        if (sha256 is null)
        {
            var rules = provider.Keys;
            var text = rules.Format.Mint(rules.EnvironmentIndex(environment));
            var bytes = Encoding.ASCII.GetBytes(text);
            var made = KeyHash.Of(bytes);
            var hash = pepper.HashSecret(made.ToBytes());
            return new MadeSecret(text, made, hash, rules.Revealable ? sealer.Seal(Purpose, bytes, hash) : null, rules.Format.Mask(text));
        }

        if (!caller.IsRoot)
        {
            return new Problem(ProblemCode.OperatorOnly, "Importing a secret by its hash is the operator's to do.");
        }

        return KeyHash.TryFromHex(sha256, out var imported)
            ? new MadeSecret(null, imported, pepper.HashSecret(imported.ToBytes()), null, ImportedMask)
            : Problem.Invalid("/secret_sha256", "must be 64 hexadecimal digits.");
    }

    /// <summary>The text sealed by <see cref="Make"/>, or null when there is none or it does not open.</summary>
    public string? Open(SealedRow kept) =>
        kept.Sealed is not null && sealer.TryOpen(Purpose, kept.Sealed, kept.Hash, out var text) ? Encoding.ASCII.GetString(text) : null;
}

/// <summary>A secret on its way to its holder and what stays here of it.</summary>
internal sealed record MadeSecret(string? Text, KeyHash Sha256, byte[] Hash, byte[]? Sealed, string Mask)
{
    public override string ToString() => Mask;
}
