using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Mail;

/// <summary>A mail of the folder as the page shows it: read from the form that <see cref="LetterForm"/> gives it, and no other.</summary>
internal sealed partial record EmlFile(DateTimeOffset? At, string To, string Subject, string Plain)
{
    /// <summary>More is not read of one.</summary>
    public const int BytesMax = 65_536;

    private const string TimeForm = "yyyyMMdd-HHmmss";

    /// <summary>Null where the file has another form, or has gone.</summary>
    public static EmlFile? Read(string path)
    {
        string text;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[Math.Min(file.Length, BytesMax)];
            file.ReadExactly(bytes);
            text = Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\n");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        var parts = text.Split("\n\n", 2);
        var boundary = Boundary().Match(parts[0]);
        if (parts.Length < 2 || !boundary.Success)
        {
            return null;
        }

        // Unfolded: a line that begins with a blank goes on the one before.
        var head = Fold().Replace(parts[0], " ");
        var plain = parts[1].Split("--" + boundary.Groups["text"].Value)
            .FirstOrDefault(part => part.Contains("text/plain", StringComparison.Ordinal))?.Split("\n\n", 2);
        return plain is [_, var body]
            ? new EmlFile(TimeOf(path), Header(head, "To"), Decoded(Header(head, "Subject")), body.Trim('\n'))
            : null;
    }

    /// <summary>Words of RFC 2047 as text. What stands between two of them is none of it.</summary>
    public static string Decoded(string header) => Word().Replace(WordGap().Replace(header, "?="), word =>
    {
        var text = word.Groups["text"].Value;
        try
        {
            return Encoding.UTF8.GetString(word.Groups["form"].Value is "B" or "b"
                ? Convert.FromBase64String(text)
                : Unquoted(text));
        }
        catch (FormatException)
        {
            return word.Value;
        }
    });

    private static byte[] Unquoted(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '=' && i + 2 < text.Length)
            {
                bytes.Add(byte.Parse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 2;
            }
            else
            {
                bytes.Add((byte)(text[i] == '_' ? ' ' : text[i]));
            }
        }

        return [.. bytes];
    }

    private static string Header(string head, string name) => head.Split('\n')
        .FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..].Trim() ?? "";

    private static DateTimeOffset? TimeOf(string path) =>
        Path.GetFileName(path) is { Length: > 15 } name && DateTimeOffset.TryParseExact(
            name.AsSpan(0, TimeForm.Length), TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : null;

    [GeneratedRegex(@"\n[ \t]+")]
    private static partial Regex Fold();

    [GeneratedRegex("boundary=\"?(?<text>[^\"\\s;]+)")]
    private static partial Regex Boundary();

    [GeneratedRegex(@"\?=\s+(?==\?)")]
    private static partial Regex WordGap();

    [GeneratedRegex(@"=\?utf-8\?(?<form>[BbQq])\?(?<text>[^?]*)\?=", RegexOptions.IgnoreCase)]
    private static partial Regex Word();
}
