namespace Tollgate.Server.Docs.Site;

/// <summary>A page of the documentation as it is shown. Public, as a component's parameters must be.</summary>
/// <param name="Company">Whose API it is.</param>
/// <param name="Style">Where the style sheet is.</param>
/// <param name="Title">Of the page.</param>
/// <param name="Html">What follows the title, of our own Markdown.</param>
public sealed record DocView(string Company, string Style, string Title, string Html)
{
    /// <summary>The same as Markdown; null for what is no page.</summary>
    public string? MarkdownPath { get; init; }

    /// <summary>The headings of the page, where there are enough for a list.</summary>
    public IReadOnlyList<DocLink> Headings { get; init; } = [];

    /// <summary>All pages.</summary>
    public IReadOnlyList<DocLinks> Contents { get; init; } = [];
}

/// <summary>A group of the contents.</summary>
public sealed record DocLinks(string Title, IReadOnlyList<DocLink> Links);

/// <summary>A link of the contents.</summary>
public sealed record DocLink(string Title, string Href, bool IsHere);
