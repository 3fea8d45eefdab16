using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tollgate.Engine.Keys;

/// <summary>
/// The SHA-256 of a secret: what the key table is keyed by, and all that memory ever holds of a secret. The default is the hash of nothing
/// known and equals no key's. Equality takes the same time wherever two hashes differ.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct KeyHash : IEquatable<KeyHash>
{
    public const int Bytes = Sha256.Bytes;

    // The 32 bytes as the machine reads them; CopyTo writes them back the same way, so text and storage do not depend on byte order.
    internal readonly ulong A;
    internal readonly ulong B;
    internal readonly ulong C;
    internal readonly ulong D;

    /// <summary>Which SHA-256 this process uses: <c>libcrypto</c> (direct) or <c>bcl</c>.</summary>
    public static string Provider => Sha256.IsNative ? "libcrypto" : "bcl";

    public static bool operator ==(in KeyHash left, in KeyHash right) => left.EqualsInConstantTime(in right);

    public static bool operator !=(in KeyHash left, in KeyHash right) => !left.EqualsInConstantTime(in right);

    [SkipLocalsInit]
    public static KeyHash Of(ReadOnlySpan<byte> secret)
    {
        Unsafe.SkipInit(out KeyHash hash);
        Sha256.Hash(secret, MemoryMarshal.AsBytes(new Span<KeyHash>(ref hash)));
        return hash;
    }

    /// <summary>The same by the framework alone, whatever this process uses: the other side of tests and benchmarks.</summary>
    internal static KeyHash OfByFramework(ReadOnlySpan<byte> secret)
    {
        KeyHash hash = default;
        SHA256.HashData(secret, MemoryMarshal.AsBytes(new Span<KeyHash>(ref hash)));
        return hash;
    }

    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static KeyHash FromBytes(ReadOnlySpan<byte> bytes)
        => TryFromBytes(bytes, out KeyHash hash) ? hash : throw new ArgumentException("A SHA-256 has 32 bytes.", nameof(bytes));

    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, out KeyHash hash)
    {
        hash = default;
        return bytes.Length == Bytes && MemoryMarshal.TryRead(bytes, out hash);
    }

    /// <summary>Reads 64 hexadecimal digits in either case.</summary>
    public static bool TryFromHex(ReadOnlySpan<char> hex, out KeyHash hash)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        hash = default;
        return hex.Length == 2 * Bytes
            && Convert.FromHexString(hex, bytes, out _, out _) == System.Buffers.OperationStatus.Done
            && TryFromBytes(bytes, out hash);
    }

    public void CopyTo(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        CopyTo(bytes);
        return bytes;
    }

    public bool Equals(KeyHash other) => EqualsInConstantTime(in other);

    public override bool Equals(object? obj) => obj is KeyHash other && EqualsInConstantTime(in other);

    public override int GetHashCode() => A.GetHashCode();

    /// <summary>Redacted: a hash confirms a guessed secret, so it does not belong in a log.</summary>
    public override string ToString() => "sha256:…";

    private bool EqualsInConstantTime(in KeyHash other) => ((A ^ other.A) | (B ^ other.B) | (C ^ other.C) | (D ^ other.D)) == 0;
}
