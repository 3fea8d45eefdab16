using System.Text.RegularExpressions;

namespace Tollgate.Server.Tests.House;

/// <summary>What the pages say is there: links, paths, error codes and options.</summary>
internal static partial class DocsRules
{
    /// <summary>Links to files, seen from the page they stand on.</summary>
    public static IEnumerable<Finding> Links(SourceFile page, Func<string, bool> exists)
    {
        foreach (Match link in Link().Matches(page.Text))
        {
            var target = link.Groups["target"].Value.Split('#')[0];
            if (target.Length == 0 || target.Contains(':', StringComparison.Ordinal))
            {
                continue;
            }

            var path = Resolve(target.StartsWith('/') ? "" : string.Join('/', page.Folders), target.TrimStart('/'));
            if (!exists(path))
            {
                yield return new Finding($"the link {target} leads nowhere", $"{page.Path}:{page.LineOf(link.Index)}", "Mend or remove it");
            }
        }
    }

    /// <summary>Paths in backquotes, seen from the root.</summary>
    public static IEnumerable<Finding> Paths(SourceFile page, Func<string, bool> exists) => Named().Matches(page.Text)
        .Where(path => !exists(path.Groups["path"].Value.TrimEnd('/')))
        .Select(path => new Finding(
            $"there is no {path.Groups["path"].Value}", $"{page.Path}:{page.LineOf(path.Index)}", "Name what is there"));

    /// <summary>A page per code, a code per page, each page with its parts.</summary>
    public static IEnumerable<Finding> ErrorPages(IEnumerable<(string Code, int Status)> codes, IEnumerable<SourceFile> pages)
    {
        var pageOf = pages.ToDictionary(page => Path.GetFileNameWithoutExtension(page.Path));
        foreach (var (code, status) in codes)
        {
            if (!pageOf.Remove(code, out var page))
            {
                yield return new Finding(
                    $"the error {code} has no page", $"docs/errors/{code}.md", "Write what happened, why, and what to do");
                continue;
            }

            string[] parts =
            [
                $"# {code}\n", $"HTTP {status}", "## What happened", "## Why", "## What to do", "## Example", $"\"status\": {status}",
                $"\"code\": \"{code}\"",
            ];
            foreach (var part in parts.Where(part => !page.Text.Contains(part, StringComparison.Ordinal)))
            {
                yield return new Finding($"the page lacks \"{part.Trim()}\"", page.Path, "Add it");
            }
        }

        foreach (var page in pageOf.Values)
        {
            yield return new Finding(
                "the page is about a code that does not exist", page.Path, "Remove it, or add the code to ProblemCode");
        }
    }

    /// <summary>Every option with its names on the page, and no name on the page that nothing reads.</summary>
    public static IEnumerable<Finding> Options(SourceFile page, IReadOnlyCollection<string> names)
    {
        var written = Code().Matches(page.Text).Select(name => name.Groups["name"].Value).ToHashSet();
        return names.Where(name => !written.Contains(name))
            .Select(name => new Finding($"the option {name} is not documented", page.Path, "Add it with its default and its range"))
            .Concat(written.Where(name => name.StartsWith("TOLLGATE_", StringComparison.Ordinal) && !names.Contains(name))
                .Select(name => new Finding($"nothing reads {name}", page.Path, "Remove it")));
    }

    private static string Resolve(string folder, string target)
    {
        var parts = new List<string>(folder.Split('/', StringSplitOptions.RemoveEmptyEntries));
        foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(?:\./)?(?<path>(?:src|tests|docs|providers|bench|deploy|sdks|\.ci)/[\w./-]*\w/?|run|test|tollgate)`")]
    private static partial Regex Named();

    [GeneratedRegex("`(?<name>[A-Za-z0-9_.-]+)`")]
    private static partial Regex Code();
}
