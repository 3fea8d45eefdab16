using System.Globalization;
using System.Text;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Tollgate.Server.Docs.Site;

/// <summary>A page as HTML: what follows its title, and its headings with their ids.</summary>
internal sealed record PageBody(string Html, IReadOnlyList<(string Id, string Title)> Headings);

/// <summary>Reads and draws Markdown. HTML within it stays text.</summary>
internal static class MarkdownPages
{
    /// <summary>Characters that begin something, other than at the start of a line.</summary>
    private const string Marks = "\\`*_{}[]<>#|!&~";

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).UsePreciseSourceLocation().DisableHtml().Build();

    public static DocPage PageOf(string path, string markdown)
    {
        var document = Markdown.Parse(markdown, Pipeline);
        var title = document.OfType<HeadingBlock>().FirstOrDefault(heading => heading.Level == 1)
            ?? throw new InvalidDataException($"The page {path} has no title.");
        var first = document.SkipWhile(block => block != title).Skip(1).FirstOrDefault() as ParagraphBlock;
        return new DocPage(path, TextOf(title.Inline), TextOf(first?.Inline), markdown);
    }

    /// <param name="markdown">All of the page.</param>
    /// <param name="file">What it is called where relative links begin.</param>
    public static PageBody Draw(string markdown, string file)
    {
        var document = Markdown.Parse(markdown, Pipeline);
        foreach (var link in document.Descendants<LinkInline>())
        {
            link.Url = AddressOf(link.Url ?? "", file);
        }

        if (document.OfType<HeadingBlock>().FirstOrDefault(heading => heading.Level == 1) is { } title)
        {
            document.Remove(title);
        }

        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var renderer = new HtmlRenderer(text);
        Pipeline.Setup(renderer);
        renderer.Render(document);
        return new PageBody(
            Fit(text.ToString()),
            [
                .. document.OfType<HeadingBlock>().Where(heading => heading.Level == 2)
                    .Select(heading => (heading.GetAttributes().Id ?? "", TextOf(heading.Inline))),
            ]);
    }

    /// <summary>The text with links replaced by what they say and where they lead, where <paramref name="nameOf"/> names that.</summary>
    public static string WithoutLinks(string markdown, Func<string, string?> nameOf)
    {
        var (text, at) = (new StringBuilder(), 0);
        foreach (var link in Markdown.Parse(markdown, Pipeline).Descendants<LinkInline>().OrderBy(link => link.Span.Start))
        {
            if (!IsRelative(link.Url ?? "") || nameOf(link.Url!) is not { } name || link.FirstChild is null || link.LastChild is null)
            {
                continue;
            }

            text.Append(markdown, at, link.Span.Start - at)
                .Append(markdown, link.FirstChild.Span.Start, link.LastChild.Span.End + 1 - link.FirstChild.Span.Start)
                .Append(CultureInfo.InvariantCulture, $" (`{name}`)");
            at = link.Span.End + 1;
        }

        return text.Append(markdown, at, markdown.Length - at).ToString();
    }

    /// <summary>Text that stays text, whatever is in it.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var character in text.ReplaceLineEndings(" "))
        {
            if (Marks.Contains(character, StringComparison.Ordinal))
            {
                plain.Append('\\');
            }

            plain.Append(character);
        }

        return plain.ToString();
    }

    private static string Numbered(string html)
    {
        var parts = html.Split("<table>");
        return string.Concat(parts.Select((part, i) => i == 0 ? part
            : $"<div class=\"table\" role=\"region\" aria-label=\"Table {i}\" tabindex=\"0\"><table>{part}"));
    }

    private static bool IsRelative(string url) => url.Length > 0 && !url.StartsWith('/') && !url.Contains(':', StringComparison.Ordinal);

    /// <summary>Pages lead to pages, and their Markdown to Markdown.</summary>
    private static string AddressOf(string url, string file)
    {
        if (url.StartsWith('#') || (!IsRelative(url) && !url.StartsWith('/')))
        {
            return url;
        }

        var (target, fragment) = url.Split('#') is [var path, var rest, ..] ? (path, "#" + rest) : (url, "");
        var address = target.StartsWith('/') ? target : "/" + DocFiles.Resolve(file, target);
        return address.EndsWith(DocPage.MarkdownEnd, StringComparison.Ordinal)
            ? address[..^DocPage.MarkdownEnd.Length] + fragment
            : address + fragment;
    }

    private static string TextOf(ContainerInline? inline) => inline is null ? ""
        : string.Concat(inline.Descendants().Select(one => one switch
        {
            LiteralInline literal => literal.Content.ToString(),
            CodeInline code => code.Content,
            LineBreakInline => " ",
            _ => "",
        }));

    /// <summary>
    /// What is wider than a telephone scrolls by itself, also by the keyboard; and no element has a style of its own. Text has no tags
    /// here: all of it is encoded.
    /// </summary>
    private static string Fit(string html) => Numbered(html)
        .Replace("</table>", "</table></div>", StringComparison.Ordinal)
        .Replace("<th>", "<th scope=\"col\">", StringComparison.Ordinal)
        .Replace(" style=\"text-align: right;\"", " class=\"number\"", StringComparison.Ordinal)
        .Replace("<pre>", "<pre tabindex=\"0\">", StringComparison.Ordinal);
}
