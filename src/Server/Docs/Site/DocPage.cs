namespace Tollgate.Server.Docs.Site;

/// <summary>A page of the documentation, as Markdown whose links work where it is served.</summary>
/// <param name="Path">Where it is read, such as <c>/docs/guides/usage</c>; with <c>.md</c> behind it, the Markdown itself.</param>
/// <param name="Title">Its first heading.</param>
/// <param name="Summary">Its first paragraph, without marks; empty where it begins otherwise.</param>
/// <param name="Markdown">All of it.</param>
internal sealed record DocPage(string Path, string Title, string Summary, string Markdown)
{
    public const string MarkdownEnd = ".md";

    public string MarkdownPath => Path + MarkdownEnd;
}

/// <summary>Pages that belong together.</summary>
/// <param name="Title">What they are about.</param>
/// <param name="Pages">In the order in which they are read.</param>
internal sealed record DocGroup(string Title, IReadOnlyList<DocPage> Pages)
{
    /// <summary>For whom runs the gate; customers need nothing of it.</summary>
    public bool IsForOperators { get; init; }

    /// <summary>The page that lists them, where they are too many for the contents of every page.</summary>
    public DocPage? Index { get; init; }
}
