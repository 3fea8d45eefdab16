using System.Text.RegularExpressions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Tests.House;

public sealed partial class DocsTests
{
    private const string Configuration = "docs/reference/configuration.md";

    [Fact]
    public void Every_link_leads_somewhere()
    {
        Assert.NotEmpty(Pages());
        Finding.None(Pages().SelectMany(page => DocsRules.Links(page, Repository.Exists)));
    }

    [Fact]
    public void Every_path_that_a_page_names_exists() =>
        Finding.None(Pages().SelectMany(page => DocsRules.Paths(page, Repository.Exists)));

    [Fact]
    public void Every_error_has_a_page_and_every_page_an_error() => Finding.None(
        DocsRules.ErrorPages(ProblemCode.All.Select(code => (code.Code, code.Status)), Repository.Files("docs/errors", ".md")));

    [Fact]
    public void Every_option_is_documented_and_every_documented_option_is_read()
    {
        var code = Repository.Text("src/Server/Hosting/GateOptions.cs");
        var names = OptionName().Matches(code).Select(name => name.Groups["name"].Value).ToList();
        Assert.NotEmpty(names);
        names.AddRange(Tollgate.Server.Hosting.OptionsReader.OtherVariables);
        Finding.None(DocsRules.Options(new(Configuration, Repository.Text(Configuration)), names));
    }

    [Fact]
    public void A_link_or_a_path_to_nothing_is_found()
    {
        SourceFile page = new(
            "docs/guides/a.md", "[x](../b.md#c) [y](https://example.test/z) [z](#here)\n`src/Gone` `./run` `other`\n[t](/top.md)");

        Assert.Empty(DocsRules.Links(page, path => path is "docs/b.md" or "top.md"));
        Assert.Equal(["docs/guides/a.md:1", "docs/guides/a.md:3"], DocsRules.Links(page, _ => false).Select(one => one.Place));
        Assert.Equal("docs/guides/a.md:2", Assert.Single(DocsRules.Paths(page, path => path == "run")).Place);
    }

    [Fact]
    public void A_code_without_a_page_a_page_without_a_code_and_a_page_without_its_parts_are_found()
    {
        var findings = DocsRules.ErrorPages(
            [("gone", 404), ("thin", 400)], [new("docs/errors/thin.md", "# thin\nHTTP 400"), new("docs/errors/other.md", "")]).ToList();

        Assert.Contains(findings, one => one.Place == "docs/errors/gone.md");
        Assert.Contains(findings, one => one.Place == "docs/errors/thin.md" && one.Rule.Contains("## Why", StringComparison.Ordinal));
        Assert.Contains(findings, one => one.Place == "docs/errors/other.md");
    }

    [Fact]
    public void An_option_that_is_missing_on_the_page_or_in_the_code_is_found()
    {
        SourceFile page = new(Configuration, "`data` `TOLLGATE_OLD`");

        Assert.Equal(2, DocsRules.Options(page, ["data", "urls"]).Count());
        Assert.Empty(DocsRules.Options(page, ["data", "TOLLGATE_OLD"]));
    }

    private static IEnumerable<SourceFile> Pages() => Repository.Files("", ".md");

    /// <summary>The key, the variable and the argument of an option, where it stands in the code.</summary>
    [GeneratedRegex(@"(?<=\[Option\([^\n]*)""(?<name>[\w.-]+)""")]
    private static partial Regex OptionName();
}
