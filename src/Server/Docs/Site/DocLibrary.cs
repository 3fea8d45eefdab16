using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Docs.Site;

/// <summary>All pages there are, in the order in which they are read.</summary>
internal sealed class DocLibrary
{
    public const string Root = "/docs";

    /// <summary>Guides for customers; all others are for whom runs the gate, or the API behind it.</summary>
    private static readonly string[] ForCustomers = ["first-request", "console", "people", "teams", "usage", "wallet", "webhooks"];

    private readonly FrozenDictionary<string, DocPage> _pages;

    public DocLibrary(string company, DocFiles files, ApiPages api)
    {
        var (all, tags) = api.Make();
        var errors = files.In("errors");
        Groups =
        [
            new DocGroup("Guides", [.. ForCustomers.Select(name => files[$"guides/{name}"])]),
            new DocGroup("API reference", [all, .. tags]),
            new DocGroup("Errors", errors) { Index = ErrorIndex(errors) },
            new DocGroup("Running the gate", [.. files.In("guides").Where(IsForOperators), .. files.In("operating")])
            {
                IsForOperators = true,
            },
            new DocGroup("Reference", files.In("reference")) { IsForOperators = true },
        ];
        Home = IndexOf(company);
        _pages = Groups.SelectMany(group => group.Pages).Concat(Groups.Select(group => group.Index).OfType<DocPage>()).Append(Home)
            .ToFrozenDictionary(page => page.Path, StringComparer.Ordinal);
        Llms = LlmsOf(company);
    }

    public IReadOnlyList<DocGroup> Groups { get; }

    public DocPage Home { get; }

    /// <summary>What programs that read are told of all pages (llmstxt.org): what is under "Optional" can be left out.</summary>
    public string Llms { get; }

    public IEnumerable<DocPage> Pages => _pages.Values;

    public DocPage? Find(string path) => _pages.GetValueOrDefault(path);

    private static bool IsForOperators(DocPage page) => !ForCustomers.Contains(page.Path.Split('/')[^1]);

    private static DocPage ErrorIndex(IReadOnlyList<DocPage> errors)
    {
        var text = new StringBuilder(
            """
            # Errors

            Every refusal has a code that never changes, and a page that says what happened, why, and what to do.

            | code | HTTP | means |
            | --- | --- | --- |

            """);
        foreach (var code in ProblemCode.All.Where(code => errors.Any(page => page.Title == code.Code)).OrderBy(code => code.Code))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| [`{code.Code}`]({Root}/errors/{code.Code}.md) | {code.Status} | {ApiWords.Cell(code.Title)} |\n");
        }

        return MarkdownPages.PageOf($"{Root}/errors", text.ToString());
    }

    private DocPage IndexOf(string company)
    {
        var text = new StringBuilder($"# Documentation\n\n{Sentence(company)}\n\n");
        foreach (var group in Groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {group.Title}\n\n");
            text.AppendJoin("", Listed(group).Select(Line)).Append('\n');
        }

        return MarkdownPages.PageOf(Root, text.Append(ForPrograms).ToString());
    }

    private string LlmsOf(string company)
    {
        var text = new StringBuilder($"# {MarkdownPages.Plain(company)}\n\n> {Sentence(company)}\n\n");
        foreach (var group in Groups.Where(group => !group.IsForOperators))
        {
            text.Append(CultureInfo.InvariantCulture, $"## {group.Title}\n\n");
            var pages = group.Index is { } index ? group.Pages.Prepend(index) : group.Pages;
            text.AppendJoin("", pages.Select(Line)).Append('\n');
        }

        text.Append("## Optional\n\n- [openapi.json](/openapi.json): The whole API reference for programs, in one document.\n");
        return text.AppendJoin("", Groups.Where(group => group.IsForOperators).SelectMany(group => group.Pages).Select(Line)).ToString();
    }

    private const string ForPrograms =
        """
        ## For programs

        - Every page is there as Markdown too: put `.md` behind its address.
        - [llms.txt](/llms.txt) lists all pages.
        - [openapi.json](/openapi.json) and [openapi.yaml](/openapi.yaml) describe the API.

        """;

    private static string Sentence(string company) =>
        $"How to use {MarkdownPages.Plain(company)}'s API and its console: keys, limits, usage, money, teams, and what each error means.";

    private static IEnumerable<DocPage> Listed(DocGroup group) => group.Index is { } index ? [index] : group.Pages;

    private static string Line(DocPage page) => page.Summary.Length == 0
        ? $"- [{page.Title}]({page.MarkdownPath})\n"
        : $"- [{page.Title}]({page.MarkdownPath}): {Short(page.Summary)}\n";

    /// <summary>As many whole sentences as fit, at least one.</summary>
    private static string Short(string text)
    {
        const int charsMax = 160;
        if (text.Length <= charsMax)
        {
            return MarkdownPages.Plain(text);
        }

        var end = text.IndexOf(". ", StringComparison.Ordinal);
        for (var next = end; next >= 0 && next < charsMax; next = text.IndexOf(". ", next + 1, StringComparison.Ordinal))
        {
            end = next;
        }

        return MarkdownPages.Plain(end < 0 ? text : text[..(end + 1)]);
    }
}
