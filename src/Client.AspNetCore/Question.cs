using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Client.AspNetCore;

/// <summary>May this key do that? What is needed is a scope, or the request itself, or nothing but a good key.</summary>
internal sealed record Question(string Secret, string? Scope, string? Method, string? Path, string? Address)
{
    public Check ToCheck() => Check.Of(Secret) with { Requires = Scope, Method = Method, Path = Path, Address = Address };

    /// <summary>Of the whole question. The secret cannot be had from it, and no two questions share it.</summary>
    public QuestionHash Hash()
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in (ReadOnlySpan<string?>)[Secret, Scope, Method, Path, Address])
        {
            // Each part behind its length, an absent one behind -1: nothing can be moved from one part into the next.
            var bytes = part is null ? [] : Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, part is null ? -1 : bytes.Length);
            sha.AppendData(length);
            sha.AppendData(bytes);
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        sha.GetHashAndReset(hash);
        return new QuestionHash(BinaryPrimitives.ReadUInt128LittleEndian(hash), BinaryPrimitives.ReadUInt128LittleEndian(hash[16..]));
    }

    /// <summary>Never prints the secret.</summary>
    public override string ToString() => $"{Scope ?? Method} {Path}";
}

/// <summary>A SHA-256; the default is of no question.</summary>
internal readonly record struct QuestionHash(UInt128 Low, UInt128 High);
