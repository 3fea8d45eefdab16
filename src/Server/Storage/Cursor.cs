using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Server.Storage;

/// <summary>
/// Where a list goes on, as 32 opaque characters. Signed for one list, with its filter, and one caller: shown to another, or
/// with another filter, it is no cursor. It names a number and not a row, so it outlives its row.
/// </summary>
internal sealed class Cursor(Pepper pepper)
{
    private const int NumberBytes = 8;
    private const int TagBytes = 16;
    private const int CursorBytes = NumberBytes + TagBytes;
    private const int Characters = CursorBytes * 4 / 3;

    private readonly byte[] _key = pepper.DeriveKey("list cursors");

    /// <param name="filter">The list's name and everything that selects or orders its rows.</param>
    /// <param name="principal">Who lists.</param>
    /// <param name="number">The last row's number.</param>
    public string Encode(string filter, string principal, long number)
    {
        Span<byte> bytes = stackalloc byte[CursorBytes];
        Write(filter, principal, number, bytes);
        return Base64Url.EncodeToString(bytes);
    }

    public bool TryDecode(string cursor, string filter, string principal, out long number)
    {
        number = 0;
        Span<byte> given = stackalloc byte[CursorBytes];
        if (cursor.Length != Characters || !Base64Url.IsValid(cursor) || !Base64Url.TryDecodeFromChars(cursor, given, out _))
        {
            return false;
        }

        var claimed = BinaryPrimitives.ReadInt64BigEndian(given);
        Span<byte> expected = stackalloc byte[CursorBytes];
        Write(filter, principal, claimed, expected);
        if (!CryptographicOperations.FixedTimeEquals(given, expected))
        {
            return false;
        }

        number = claimed;
        return true;
    }

    private void Write(string filter, string principal, long number, Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, number);
        // The length in front keeps "ab" + "c" apart from "a" + "bc".
        var signed = Encoding.UTF8.GetBytes($"{number}|{filter.Length}|{filter}|{principal}");
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, signed, tag);
        tag[..TagBytes].CopyTo(destination[NumberBytes..]);
    }
}
