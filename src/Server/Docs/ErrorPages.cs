using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Tollgate.Server.Docs;

/// <summary>The pages behind the <c>type</c> of a problem, those of <c>docs/errors</c>. Read once: no request names a file.</summary>
internal sealed class ErrorPages
{
    private readonly FrozenDictionary<string, string> _pages;

    private ErrorPages(string folder) => _pages = Directory.EnumerateFiles(folder, "*.md")
        .ToFrozenDictionary(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText, StringComparer.Ordinal);

    /// <summary>Those that come with the program.</summary>
    public static ErrorPages Shipped { get; } = new(Path.Combine(AppContext.BaseDirectory, "docs", "errors"));

    public bool TryGet(string code, [NotNullWhen(true)] out string? page) => _pages.TryGetValue(code, out page);
}
