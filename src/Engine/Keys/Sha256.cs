using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tollgate.Engine.Keys;

/// <summary>
/// SHA-256 of short inputs. The framework's way to libcrypto fetches an algorithm and makes a context per call, which costs
/// several times the compression of the one block that a key fills. Where libcrypto exports its block function, this calls it directly,
/// with padding of its own; at start it must agree with the framework on every length from 0 to 200, or it is not used.
/// <c>TOLLGATE_SHA256=bcl</c> in the environment forces the framework's.
/// </summary>
internal static unsafe class Sha256
{
    public const int Bytes = 32;

    /// <summary>The native call keeps the collector waiting, so it is for short inputs only: five blocks stay near a microsecond.</summary>
    public const int NativeBytesMax = 256;

    private static readonly delegate* unmanaged[Cdecl, SuppressGCTransition]<uint*, byte*, void> Transform = Load();

    public static bool IsNative => Transform != null;

    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (Transform != null && source.Length <= NativeBytesMax)
        {
            HashNative(Transform, source, destination);
        }
        else
        {
            SHA256.HashData(source, destination);
        }
    }

    [SkipLocalsInit]
    private static void HashNative(
        delegate* unmanaged[Cdecl, SuppressGCTransition]<uint*, byte*, void> transform, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        // SHA256_CTX begins with the eight state words; the block function touches nothing behind them, but the whole of it (112 bytes)
        // is there.
        uint* context = stackalloc uint[32];
        context[0] = 0x6A09E667;
        context[1] = 0xBB67AE85;
        context[2] = 0x3C6EF372;
        context[3] = 0xA54FF53A;
        context[4] = 0x510E527F;
        context[5] = 0x9B05688C;
        context[6] = 0x1F83D9AB;
        context[7] = 0x5BE0CD19;
        long bits = (long)source.Length * 8;
        byte* block = stackalloc byte[64];
        var padded = new Span<byte>(block, 64);
        while (source.Length >= 64)
        {
            source[..64].CopyTo(padded);
            transform(context, block);
            source = source[64..];
        }

        padded.Clear();
        source.CopyTo(padded);
        block[source.Length] = 0x80;
        if (source.Length >= 56)
        {
            transform(context, block);
            padded.Clear();
        }

        BinaryPrimitives.WriteInt64BigEndian(padded[56..], bits);
        transform(context, block);
        for (int i = 0; i < 8; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination[(i * 4)..], context[i]);
        }
    }

    private static delegate* unmanaged[Cdecl, SuppressGCTransition]<uint*, byte*, void> Load()
    {
        if (string.Equals(Environment.GetEnvironmentVariable("TOLLGATE_SHA256"), "bcl", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        foreach (string name in (ReadOnlySpan<string>)["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib"])
        {
            if (NativeLibrary.TryLoad(name, out nint library) && NativeLibrary.TryGetExport(library, "SHA256_Transform", out nint export))
            {
                var transform = (delegate* unmanaged[Cdecl, SuppressGCTransition]<uint*, byte*, void>)export;
                return AgreesWithFramework(transform) ? transform : null;
            }
        }

        return null;
    }

    private static bool AgreesWithFramework(delegate* unmanaged[Cdecl, SuppressGCTransition]<uint*, byte*, void> transform)
    {
        Span<byte> input = stackalloc byte[201];
        Span<byte> ours = stackalloc byte[Bytes];
        Span<byte> theirs = stackalloc byte[Bytes];
        for (int i = 0; i < input.Length; i++)
        {
            input[i] = (byte)((i * 131) & 0xFF);
        }

        for (int length = 0; length < input.Length; length++)
        {
            HashNative(transform, input[..length], ours);
            SHA256.HashData(input[..length], theirs);
            if (!ours.SequenceEqual(theirs))
            {
                return false;
            }
        }

        return true;
    }
}
