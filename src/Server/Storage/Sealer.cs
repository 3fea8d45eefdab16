using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Tollgate.Server.Storage;

/// <summary>
/// Keeps bytes unreadable in the database: AES-256-GCM under a key derived from the pepper for one purpose.
/// Layout: 1 byte version, 12 bytes random nonce, the ciphertext, 16 bytes tag.
/// </summary>
internal sealed class Sealer(Pepper pepper)
{
    private const byte Version = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int Overhead = 1 + NonceBytes + TagBytes;

    /// <param name="purpose">Names the key; bytes sealed for one purpose do not open for another.</param>
    /// <param name="plaintext">What to hide.</param>
    /// <param name="associatedData">What the bytes belong to, such as a row's id: opening needs the same, so rows cannot swap.</param>
    public byte[] Seal(string purpose, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData = default)
    {
        var box = new byte[plaintext.Length + Overhead];
        box[0] = Version;
        var nonce = box.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = Cipher(purpose);
        aes.Encrypt(nonce, plaintext, box.AsSpan(1 + NonceBytes, plaintext.Length), box.AsSpan(box.Length - TagBytes), associatedData);
        return box;
    }

    /// <inheritdoc cref="TryOpen(string, ReadOnlySpan{byte}, ReadOnlySpan{byte}, out byte[])"/>
    public bool TryOpen(string purpose, ReadOnlySpan<byte> box, [NotNullWhen(true)] out byte[]? plaintext) =>
        TryOpen(purpose, box, default, out plaintext);

    /// <summary>False when the bytes were sealed for another purpose, for other associated data, or were changed.</summary>
    public bool TryOpen(
        string purpose, ReadOnlySpan<byte> box, ReadOnlySpan<byte> associatedData, [NotNullWhen(true)] out byte[]? plaintext)
    {
        plaintext = null;
        if (box.Length < Overhead || box[0] != Version)
        {
            return false;
        }

        var opened = new byte[box.Length - Overhead];
        try
        {
            using var aes = Cipher(purpose);
            aes.Decrypt(box.Slice(1, NonceBytes), box[(1 + NonceBytes)..^TagBytes], box[^TagBytes..], opened, associatedData);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        plaintext = opened;
        return true;
    }

    private AesGcm Cipher(string purpose)
    {
        var key = pepper.DeriveKey("seal " + purpose);
        var aes = new AesGcm(key, TagBytes);
        CryptographicOperations.ZeroMemory(key);
        return aes;
    }
}
