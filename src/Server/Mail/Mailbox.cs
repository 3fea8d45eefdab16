using System.Globalization;
using System.Text;

namespace Tollgate.Server.Mail;

/// <summary>
/// Which addresses mail goes to: name@host, without display names, comments, quotes and lists, and so without anything that a header or a
/// command could take for more than one address.
/// </summary>
internal static class Mailbox
{
    public const int LengthMax = 254;

    private const int LocalMax = 64;
    private const int LabelMax = 63;
    private const string LocalMarks = "!#$%&'*+-/=?^_`{|}~.";

    public static bool IsGood(string address)
    {
        var at = address.LastIndexOf('@');
        return address.Length <= LengthMax && at is > 0 and <= LocalMax && IsLocal(address[..at]) && IsHost(address[(at + 1)..]);
    }

    /// <summary>Whether a server must know how to carry it (RFC 6531).</summary>
    public static bool HasForeignLocalPart(string address) => !address[..address.LastIndexOf('@')].All(char.IsAscii);

    private static bool IsLocal(string local) =>
        local[0] != '.' && local[^1] != '.' && !local.Contains("..", StringComparison.Ordinal)
        && IsWellFormed(local) && local.EnumerateRunes().All(rune => rune.IsAscii
            ? char.IsAsciiLetterOrDigit((char)rune.Value) || LocalMarks.Contains((char)rune.Value, StringComparison.Ordinal)
            : IsWritten(rune));

    private static bool IsHost(string host) =>
        IsWellFormed(host) && host.Split('.') is var labels && labels.All(label =>
            label.Length is > 0 and <= LabelMax && label[0] != '-' && label[^1] != '-'
            && label.EnumerateRunes().All(rune => rune.IsAscii
                ? char.IsAsciiLetterOrDigit((char)rune.Value) || rune.Value == '-'
                : Rune.IsLetterOrDigit(rune) || IsMark(rune)));

    /// <summary>No half of a pair stands alone.</summary>
    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsWritten(Rune rune) =>
        Rune.IsLetterOrDigit(rune) || Rune.IsSymbol(rune) || IsMark(rune);

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
