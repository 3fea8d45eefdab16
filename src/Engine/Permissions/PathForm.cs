using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Tollgate.Engine.Permissions;

/// <summary>
/// The one form in which a path is matched and forwarded. Whatever could mean one path to the gate and another to the server
/// behind it is refused rather than repaired: dot segments, empty segments, encoded slashes, backslashes and dots (also doubly
/// encoded), broken escapes, control characters, text that is not UTF-8.
/// </summary>
public static class PathForm
{
    /// <summary>Kestrel's own bound on a request line.</summary>
    public const int BytesMax = 8192;

    private const int OnStackMax = 512;
    private static readonly SearchValues<byte> Harmless =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_.~:@!$&'()*+,="u8);

    private static readonly bool[] HarmlessChars = [.. Enumerable.Range(0, 128).Select(c => Harmless.Contains((byte)c))];

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// Whether the path of this request target is canonical; <paramref name="pathLength"/> is where its query, if any, begins.
    /// <paramref name="encodedSlashes"/> lets <c>%2F</c> through for model ids such as <c>org%2Fmodel</c>: the
    /// <see cref="RouteTable"/> then takes it in a <c>{model}</c> segment only.
    /// </summary>
    public static bool IsCanonical(ReadOnlySpan<byte> target, bool encodedSlashes, out int pathLength)
    {
        var query = target.IndexOf((byte)'?');
        pathLength = query < 0 ? target.Length : query;
        var path = target[..pathLength];
        if (path.Length is 0 or > BytesMax || path[0] != '/')
        {
            return false;
        }

        // Nearly every path: nothing that could be read twice, in three vectorized passes.
        if (path.IndexOfAnyExcept(Harmless) < 0 && path.IndexOf("//"u8) < 0 && path.IndexOf("/."u8) < 0)
        {
            return true;
        }

        if (!IsPlain(path, encodedSlashes, out var escapes))
        {
            return false;
        }

        return HasNoDotSegments(path) && (escapes ? IsUtf8WhenDecoded(path) : Utf8.IsValid(path));
    }

    /// <inheritdoc cref="IsCanonical(ReadOnlySpan{byte}, bool, out int)"/>
    public static bool IsCanonical(ReadOnlySpan<char> target, bool encodedSlashes, out int pathLength)
    {
        var query = target.IndexOf('?');
        pathLength = query < 0 ? target.Length : query;
        var path = target[..pathLength];
        if (path.Length is 0 or > BytesMax)
        {
            return false;
        }

        if (IsHarmless(path))
        {
            return true;
        }

        var room = Strict.GetMaxByteCount(path.Length);
        var rented = room > OnStackMax ? ArrayPool<byte>.Shared.Rent(room) : null;
        try
        {
            var bytes = rented ?? stackalloc byte[OnStackMax];
            return Utf8.FromUtf16(path, bytes, out _, out var written, replaceInvalidSequences: false) == OperationStatus.Done
                && IsCanonical(bytes[..written], encodedSlashes, out _);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    // Nearly every path again, without turning it into bytes first. Every request meets it, so it is one plain pass: paths are short,
    // and three vectorized ones cost more to enter than to run.
    private static bool IsHarmless(ReadOnlySpan<char> path)
    {
        if (path[0] != '/')
        {
            return false;
        }

        var before = ' ';
        foreach (var c in path)
        {
            if (c >= HarmlessChars.Length || !HarmlessChars[c] || (before == '/' && (c is '/' or '.')))
            {
                return false;
            }

            before = c;
        }

        return true;
    }

    // One pass over the bytes: no control character, no backslash, no fragment, no empty segment, every escape whole and harmless.
    private static bool IsPlain(ReadOnlySpan<byte> path, bool encodedSlashes, out bool escapes)
    {
        escapes = false;
        for (var i = 0; i < path.Length; i++)
        {
            var b = path[i];
            if (b < 0x20 || b is 0x7F or (byte)'\\' or (byte)'#' || (b == '/' && i + 1 < path.Length && path[i + 1] == '/'))
            {
                return false;
            }

            if (b != '%')
            {
                continue;
            }

            escapes = true;
            if (!TryDecode(path, i, out var decoded) || decoded < 0x20 || decoded is 0x7F or (byte)'\\' or (byte)'.'
                || (decoded == '/' && !encodedSlashes) || (decoded == '%' && HidesASeparator(path[(i + 3)..])))
            {
                return false;
            }

            i += 2;
        }

        return true;
    }

    // "%252F", "%25252e": a server that decodes twice would see a slash or a dot.
    private static bool HidesASeparator(ReadOnlySpan<byte> afterPercent)
    {
        while (afterPercent.Length >= 2 && afterPercent[0] == '2' && afterPercent[1] == '5')
        {
            afterPercent = afterPercent[2..];
        }

        return afterPercent.Length >= 2 && TryHex(afterPercent[0], afterPercent[1], out var hidden)
            && hidden is (byte)'/' or (byte)'\\' or (byte)'.' or (byte)';';
    }

    // An encoded slash counts as a separator here, so that "..%2F.." and "%2F%2F" are refused too; so does ";",
    // encoded or not, because some servers cut a segment there and see ".." in "..;x".
    private static bool HasNoDotSegments(ReadOnlySpan<byte> path)
    {
        var start = 1;
        var afterEncoded = false;
        for (var i = 1; i <= path.Length; i++)
        {
            var slash = i == path.Length || path[i] == '/';
            var encoded = !slash && IsEncodedSlash(path, i);
            var semicolon = !slash && TryDecode(path, i, out var decoded) && decoded == ';';
            if (!slash && !encoded && !semicolon && path[i] != ';')
            {
                continue;
            }

            var segment = path[start..i];
            if (segment is [(byte)'.'] or [(byte)'.', (byte)'.'] || (segment.IsEmpty && (encoded || afterEncoded)))
            {
                return false;
            }

            i += encoded || semicolon ? 2 : 0;
            start = i + 1;
            afterEncoded = encoded;
        }

        return true;
    }

    internal static bool IsEncodedSlash(ReadOnlySpan<byte> path, int at) => TryDecode(path, at, out var decoded) && decoded == '/';

    private static bool IsUtf8WhenDecoded(ReadOnlySpan<byte> path)
    {
        var rented = path.Length > OnStackMax ? ArrayPool<byte>.Shared.Rent(path.Length) : null;
        try
        {
            var decoded = rented ?? stackalloc byte[OnStackMax];
            var length = 0;
            for (var i = 0; i < path.Length; i++)
            {
                if (TryDecode(path, i, out var b))
                {
                    decoded[length++] = b;
                    i += 2;
                }
                else
                {
                    decoded[length++] = path[i];
                }
            }

            return Utf8.IsValid(decoded[..length]);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private static bool TryDecode(ReadOnlySpan<byte> path, int at, out byte decoded)
    {
        decoded = 0;
        return path[at] == '%' && at + 2 < path.Length && TryHex(path[at + 1], path[at + 2], out decoded);
    }

    internal static bool TryHex(int high, int low, out byte value)
    {
        var (h, l) = (Digit(high), Digit(low));
        value = h < 0 || l < 0 ? (byte)0 : (byte)((h << 4) | l);
        return h >= 0 && l >= 0;
    }

    private static int Digit(int c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'A' and <= 'F' => c - 'A' + 10,
        >= 'a' and <= 'f' => c - 'a' + 10,
        _ => -1,
    };
}
