using System.Security.Cryptography;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Verification;

/// <summary>
/// The operator's key, kept as a peppered hash. The plain hash is remembered once it has been seen, so that only a first use and a
/// stranger's
/// attempt pay for the pepper.
/// </summary>
internal sealed class RootKey(Pepper pepper)
{
    /// <summary>The least an operator's own choice may have.</summary>
    public const int LengthMin = 32;

    public const string Prefix = "tollgate_root_";
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private byte[] _peppered = [];

    /// <summary>Written once a caller proved the key; read on every management call.</summary>
    private volatile StrongHash? _seen;

    public static string New() => Prefix + RandomNumberGenerator.GetString(Alphabet, 43);

    public static bool IsAcceptable(string text) =>
        text.Length is >= LengthMin and <= Credential.SecretBytesMax && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    public byte[] HashOf(string text) => pepper.HashSecret(KeyHash.Of(Encoding.ASCII.GetBytes(text)).ToBytes());

    /// <summary>Sets what <see cref="Matches"/> compares with; at start.</summary>
    public void Set(byte[] peppered) => (_peppered, _seen) = (peppered, null);

    public bool Matches(ReadOnlySpan<byte> secret)
    {
        if (secret.Length < LengthMin)
        {
            return false;
        }

        var hash = KeyHash.Of(secret);
        if (_seen is { } seen)
        {
            return seen.Hash == hash;
        }

        if (!CryptographicOperations.FixedTimeEquals(pepper.HashSecret(hash.ToBytes()), _peppered))
        {
            return false;
        }

        _seen = new StrongHash(hash);
        return true;
    }

    private sealed record StrongHash(KeyHash Hash);
}
