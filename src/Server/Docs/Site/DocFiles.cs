namespace Tollgate.Server.Docs.Site;

/// <summary>
/// The pages that come with the program, those of <c>docs</c> but for the decisions. Read once: no request names a file.
/// </summary>
internal sealed class DocFiles
{
    private const string Root = "docs";
    private const string End = DocPage.MarkdownEnd;

    private static readonly string[] Folders = ["guides", "reference", "operating", "errors"];

    private readonly Dictionary<string, DocPage> _pages;

    /// <param name="texts">By path in the repository, such as <c>docs/guides/usage.md</c>.</param>
    public DocFiles(IReadOnlyDictionary<string, string> texts) => _pages = texts.ToDictionary(
        file => "/" + file.Key[..^End.Length], file => Read(file.Key, file.Value, texts), StringComparer.Ordinal);

    public static DocFiles Shipped()
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var folder in Folders)
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, Root, folder), "*" + End))
            {
                texts.Add($"{Root}/{folder}/{Path.GetFileName(file)}", File.ReadAllText(file));
            }
        }

        return new DocFiles(texts);
    }

    public DocPage this[string name] => _pages[$"/{Root}/{name}"];

    /// <summary>Those of a folder, by their names.</summary>
    public IReadOnlyList<DocPage> In(string folder) =>
    [
        .. _pages.Values.Where(page => page.Path.StartsWith($"/{Root}/{folder}/", StringComparison.Ordinal))
            .OrderBy(page => page.Path, StringComparer.Ordinal),
    ];

    /// <summary>What a link of a file leads to, as a path of the repository.</summary>
    public static string Resolve(string file, string target)
    {
        var parts = file.Split('/')[..^1].ToList();
        foreach (var part in target.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("." or ".." or ""))
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    /// <summary>Links to what is not served become words: the name, and where it is in the source.</summary>
    private static DocPage Read(string file, string text, IReadOnlyDictionary<string, string> all)
    {
        var markdown = MarkdownPages.WithoutLinks(text, target =>
            Resolve(file, target.Split('#')[0]) is var path && (target.StartsWith('#') || all.ContainsKey(path)) ? null : path);
        return MarkdownPages.PageOf("/" + file[..^End.Length], markdown);
    }
}
