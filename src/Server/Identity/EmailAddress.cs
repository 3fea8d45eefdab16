namespace Tollgate.Server.Identity;

/// <summary>
/// An e-mail address in two forms: as it was typed, and the canonical one by which it is compared. In ASCII alone: letters that look alike
/// are then no two accounts, and a domain in other letters has its <c>xn--</c> form.
/// </summary>
/// <param name="Text">To write to. The domain is in small letters.</param>
/// <param name="Key">All in small letters.</param>
internal readonly record struct EmailAddress(string Text, string Key)
{
    public const int LengthMax = 254;

    private const int LocalLengthMax = 64;
    private const int LabelLengthMax = 63;

    private const string LocalMarks = "!#$%&'*+-/=?^_`{|}~.";

    public static string Expected =>
        $"must be an e-mail address such as name@example.com, of at most {LengthMax} characters, without accents and letters other than "
        + "a to z. Write a domain that has such letters in its xn-- form.";

    public static bool TryRead(string? text, out EmailAddress email)
    {
        email = default;
        var plain = (text ?? "").Trim();
        var at = plain.LastIndexOf('@');
        if (plain.Length > LengthMax || at is < 1 or > LocalLengthMax || !IsLocal(plain[..at]) || !IsDomain(plain[(at + 1)..]))
        {
            return false;
        }

        var key = plain.ToLowerInvariant();
        email = new EmailAddress(plain[..at] + key[at..], key);
        return true;
    }

    public override string ToString() => Text ?? "";

    /// <summary>Written plainly: no quotes, no spaces, nothing that hides or turns what follows.</summary>
    private static bool IsLocal(string text) =>
        text[0] != '.' && text[^1] != '.' && !text.Contains("..", StringComparison.Ordinal)
        && text.All(one => char.IsAsciiLetterOrDigit(one) || LocalMarks.Contains(one, StringComparison.Ordinal));

    /// <summary>A name of hosts.</summary>
    private static bool IsDomain(string text) =>
        text.Split('.').All(label => label.Length is > 0 and <= LabelLengthMax && label[0] != '-' && label[^1] != '-'
            && label.All(one => char.IsAsciiLetterOrDigit(one) || one == '-'));
}
