using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Mail;

/// <summary>
/// The text of a kind of mail, from <c>Templates/NAME.txt</c>, whose first line is the subject, and <c>Templates/NAME.html</c>, which
/// stands inside <c>layout.html</c>. What people have written is made harmless: one line in the subject and the plain part, encoded in the
/// HTML part.
/// </summary>
internal sealed partial class MailTemplate
{
    public const int UrlCharsMax = 900;
    public const int ValueCharsMax = 200;

    private const string Company = "Company";
    private const string Name = "Name";
    private const string Url = "Url";
    private const string Greeting = "Hello";
    private const string SubjectMark = "Subject: ";

    private readonly string _subject;
    private readonly string _plain;
    private readonly string _html;

    private MailTemplate(string name, string text, string html)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n', 3);
        if (!lines[0].StartsWith(SubjectMark, StringComparison.Ordinal) || lines[1].Length > 0)
        {
            throw new InvalidOperationException($"The first line of the mail {name} is no subject.");
        }

        (Id, _subject, _plain, _html) = (name, lines[0][SubjectMark.Length..], lines[2].TrimEnd() + "\n", html);
        Needs = [.. Places().Matches(text + html).Select(place => place.Groups["name"].Value)
            .Where(value => value is not (Company or Greeting)).Distinct()];
    }

    /// <summary>All that there are, by name.</summary>
    public static FrozenDictionary<string, MailTemplate> All { get; } = Load();

    /// <summary>What a mail can be given.</summary>
    public static IReadOnlyList<string> ValueNames { get; } =
        [Company, Name, Url, "Device", "Address", "Organization", "Inviter", "Expires", "Change"];

    public string Id { get; }

    /// <summary>The values without which it cannot be written.</summary>
    public IReadOnlyList<string> Needs { get; }

    /// <summary>Bugs of callers throw here, inside their own write: a missing value, an unknown one, an address that is no link.</summary>
    public Letter Render(string to, string company, IReadOnlyDictionary<string, string> values)
    {
        if (values.Keys.FirstOrDefault(name => !ValueNames.Contains(name)) is { } stranger)
        {
            throw new ArgumentException($"{stranger} is no value of a mail.", nameof(values));
        }

        if (Needs.FirstOrDefault(name => !values.ContainsKey(name)) is { } missing)
        {
            throw new ArgumentException($"The mail {Id} needs {missing}.", nameof(values));
        }

        var clean = values.ToDictionary(
            pair => pair.Key, pair => pair.Key == Url ? Link(pair.Value) : OneLine(pair.Value), StringComparer.Ordinal);
        clean.TryAdd(Company, OneLine(company));
        clean[Greeting] = clean.GetValueOrDefault(Name) is { Length: > 0 } name ? $"Hello {name}," : "Hello,";
        return new Letter(
            to,
            Fill(_subject, clean, static text => text),
            Fill(_plain, clean, static text => text).ReplaceLineEndings("\r\n"),
            Fill(_html, clean, HtmlEncoder.Default.Encode).ReplaceLineEndings("\r\n"));
    }

    /// <summary>
    /// As it can stand in a header and in a line of its own: no line breaks, no other control characters, nothing that turns the direction
    /// of what follows, nothing that programs take for the beginning of a link, and not endless.
    /// </summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, ValueCharsMax));
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length >= ValueCharsMax)
            {
                line.Append('…');
                break;
            }

            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune))
            {
                line.Append(' ');
            }
            else if (rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not (
                UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator))
            {
                line.Append(rune);
            }
        }

        return Blanks().Replace(line.ToString(), " ").Trim().Replace("://", ": //", StringComparison.Ordinal);
    }

    private static string Link(string url) =>
        url.Length <= UrlCharsMax && !url.AsSpan().ContainsAnyExceptInRange('!', '~')
        && Uri.TryCreate(url, UriKind.Absolute, out var read) && read.Scheme is "https" or "http"
            ? url
            : throw new ArgumentException("The Url of a mail must be an absolute http(s) address of printable characters.");

    private static string Fill(string text, Dictionary<string, string> values, Func<string, string> encode) =>
        Places().Replace(text, place => encode(values[place.Groups["name"].Value]));

    private static FrozenDictionary<string, MailTemplate> Load()
    {
        const string prefix = "mails/";
        var layout = Read($"{prefix}layout.html");
        return Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && name.EndsWith(".txt", StringComparison.Ordinal))
            .Select(name => name[prefix.Length..^".txt".Length])
            .Select(name => new MailTemplate(
                name,
                Read($"{prefix}{name}.txt"),
                layout.Replace("{{Body}}", Read($"{prefix}{name}.html").TrimEnd(), StringComparison.Ordinal)))
            .ToFrozenDictionary(template => template.Id, StringComparer.Ordinal);
    }

    private static string Read(string resource)
    {
        using var reader = new StreamReader(
            Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
                ?? throw new InvalidOperationException($"{resource} is not among the files built in."),
            Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\{\{(?<name>[A-Za-z]+)\}\}")]
    private static partial Regex Places();

    [GeneratedRegex(" {2,}")]
    private static partial Regex Blanks();
}
