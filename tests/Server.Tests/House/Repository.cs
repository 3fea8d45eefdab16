using System.Runtime.CompilerServices;

namespace Tollgate.Server.Tests.House;

/// <summary>The files of the repository, as text, without what is built.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs = ["bin", "obj", ".git", "node_modules", "data", "artifacts", ".vs", ".idea", ".vscode"];

    public static string Root { get; } = FindRoot();

    /// <summary>Paths are relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<SourceFile> Files(string folder, params string[] extensions)
    {
        var from = Path.Combine(Root, folder);
        return Directory.Exists(from)
            ? [.. Walk(from).Where(path => extensions.Contains(Path.GetExtension(path))).Order(StringComparer.Ordinal).Select(Read)]
            : [];
    }

    public static IReadOnlyList<SourceFile> CSharp(string folder) => Files(folder, ".cs");

    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Exists(string path) => Path.Exists(Path.Combine(Root, path));

    private static IEnumerable<string> Walk(string folder) => Directory.EnumerateFiles(folder).Concat(
        Directory.EnumerateDirectories(folder).Where(inner => !NotOurs.Contains(Path.GetFileName(inner))).SelectMany(Walk));

    private static SourceFile Read(string path) => new(Path.GetRelativePath(Root, path).Replace('\\', '/'), File.ReadAllText(path));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        var at = new FileInfo(here).Directory;
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Tollgate.slnx")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new InvalidOperationException($"No Tollgate.slnx above {here}.");
    }
}

/// <summary>A file's path from the root, and its text.</summary>
internal sealed record SourceFile(string Path, string Text)
{
    public string[] Lines => Text.ReplaceLineEndings("\n").Split('\n');

    /// <summary>The folders on the way to it.</summary>
    public string[] Folders => Path.Split('/')[..^1];

    public int LineOf(int position) => Text.AsSpan(0, position).Count('\n') + 1;
}
