using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Docs.Site;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.House;

namespace Tollgate.Server.Tests.Docs;

/// <summary>The documentation inside, over HTTP: every page, every link.</summary>
public sealed partial class DocSiteTests
{
    private const int PageBytesMax = 150_000;

    [Fact]
    public async Task Every_page_of_the_repository_is_served_as_HTML_and_as_Markdown_but_for_the_decisions_TX15()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var files = Repository.Files("docs", ".md").Select(file => file.Path).ToList();
        Assert.Contains("docs/decisions/README.md", files);
        foreach (var file in files)
        {
            var path = "/" + file[..^".md".Length];
            var (page, source) = (await gate.Send("GET", path, null), await gate.Send("GET", path + ".md", null));

            var status = file.StartsWith("docs/decisions/", StringComparison.Ordinal) ? HttpStatusCode.NotFound : HttpStatusCode.OK;
            Assert.Equal((path, status, status), (path, page.Status, source.Status));
            Assert.Equal("text/html; charset=utf-8", page.Headers["Content-Type"]);
            if (status == HttpStatusCode.OK)
            {
                Assert.Equal("text/markdown; charset=utf-8", source.Headers["Content-Type"]);
                Assert.Equal(File.ReadLines(Path.Combine(Repository.Root, file)).First(), source.Text.Split('\n')[0]);
                Assert.Contains($"href=\"{path}.md\"", page.Text, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("default")]
    [InlineData("tensoras")]
    [InlineData("tensorlake")]
    [InlineData("tensorone")]
    [InlineData("tensorpool")]
    [InlineData("tensorx")]
    public async Task No_link_of_any_page_is_dead(string provider)
    {
        await using var gate = await RunningGate.Start(provider);
        var (known, waiting) = (new Dictionary<string, Answer>(), new Queue<string>(["/docs", "/llms.txt"]));
        var links = new List<(string From, string To)>();
        while (waiting.TryDequeue(out var path))
        {
            var answer = known[path] = await gate.Send("GET", path, null);
            var isPage = path == "/llms.txt" || path.StartsWith("/docs", StringComparison.Ordinal);
            var targets = !isPage ? [] : answer.Headers["Content-Type"].StartsWith("text/html", StringComparison.Ordinal)
                ? Href().Matches(answer.Text).Select(link => WebUtility.HtmlDecode(link.Groups["to"].Value))
                : WrittenLink().Matches(Fenced().Replace(answer.Text, "")).Select(link => link.Groups["to"].Value);
            foreach (var target in targets.Where(target => !target.StartsWith("https://", StringComparison.Ordinal)))
            {
                var to = new Uri(new Uri("http://gate" + path), target);
                links.Add((path, to.AbsolutePath + to.Fragment));
                if (!known.ContainsKey(to.AbsolutePath) && !waiting.Contains(to.AbsolutePath))
                {
                    waiting.Enqueue(to.AbsolutePath);
                }
            }
        }

        Assert.True(known.Count > 200, $"{known.Count} pages");
        Assert.DoesNotContain(links, link => known[link.To.Split('#')[0]] is var page && page.Status != HttpStatusCode.OK
            && !(link.To == "/console" && page.Status == HttpStatusCode.SeeOther));
        Assert.DoesNotContain(links, link => link.To.Split('#') is [var path, var id] && !path.EndsWith(".md", StringComparison.Ordinal)
            && !known[path].Text.Contains($"id=\"{id}\"", StringComparison.Ordinal));
        var library = await gate.Services.GetRequiredService<DocSite>().Library;
        Assert.Empty(library.Pages.SelectMany(page => new[] { page.Path, page.MarkdownPath }).Except(known.Keys));
    }

    [Fact]
    public async Task Programs_find_every_page_by_llms_txt_with_what_operators_need_under_Optional_TX15()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var library = await gate.Services.GetRequiredService<DocSite>().Library;

        var answer = await gate.Send("GET", "/llms.txt", null);

        Assert.Equal((HttpStatusCode.OK, "text/plain; charset=utf-8"), (answer.Status, answer.Headers["Content-Type"]));
        var lines = answer.Text.Split('\n');
        Assert.Equal("# TensorX", lines[0]);
        Assert.StartsWith("> ", lines[2], StringComparison.Ordinal);
        Assert.Equal(
            ["## Guides", "## API reference", "## Errors", "## Optional"],
            lines.Where(line => line.StartsWith("## ", StringComparison.Ordinal)));
        var (needed, optional) = (answer.Text.Split("## Optional")[0], answer.Text.Split("## Optional")[1]);
        foreach (var page in library.Pages.Where(page => page != library.Home))
        {
            var isForOperators = library.Groups.Any(group => group.IsForOperators && group.Pages.Contains(page));
            Assert.Contains($"]({page.MarkdownPath})", isForOperators ? optional : needed, StringComparison.Ordinal);
        }

        Assert.Contains("](/docs/operating/deploy.md)", optional, StringComparison.Ordinal);
        Assert.All(
            lines.Where(line => line.StartsWith("- ", StringComparison.Ordinal)),
            line => Assert.Matches(@"^- \[.+\]\(/\S+\)(: .+)?$", line));
    }

    [Fact]
    public async Task Pages_run_no_script_set_no_cookie_and_may_be_kept_by_anybody()
    {
        await using var gate = await RunningGate.Start("default");
        foreach (var path in new[] { "/docs", "/docs/guides/usage", "/docs/api/keys", "/docs/errors/conflict", "/docs.md", "/llms.txt" })
        {
            var page = await gate.Send("GET", path, null);

            Assert.Equal(HttpStatusCode.OK, page.Status);
            Assert.StartsWith("default-src 'none'; style-src 'self'", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.DoesNotContain("script-src", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.DoesNotContain("<script", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(" style=", page.Text, StringComparison.Ordinal);
            Assert.False(page.Headers.ContainsKey("Set-Cookie"));
            Assert.Equal("public, max-age=300", page.Headers["Cache-Control"]);
            Assert.Equal("nosniff", page.Headers["X-Content-Type-Options"]);
            var again = await gate.Send("GET", path, null, null, ("If-None-Match", page.Headers["ETag"]));
            Assert.Equal((HttpStatusCode.NotModified, ""), (again.Status, again.Text));
        }
    }

    [Fact]
    public async Task A_page_that_is_not_there_is_told_as_a_page_that_nobody_keeps()
    {
        await using var gate = await RunningGate.Start("default");

        var page = await gate.Send("GET", "/docs/guides/no-such-page", null);

        Assert.Equal(HttpStatusCode.NotFound, page.Status);
        Assert.Contains("There is no such page", page.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"/docs/guides/usage\"", page.Text, StringComparison.Ordinal);
        Assert.Equal("no-store", page.Headers["Cache-Control"]);
    }

    [Theory]
    [InlineData("default")]
    [InlineData("tensorlake")]
    [InlineData("tensorx")]
    public async Task The_reference_has_every_call_of_the_document_with_a_line_to_paste_on_pages_that_are_not_too_large(string provider)
    {
        await using var gate = await RunningGate.Start(provider);
        var document = JsonNode.Parse((await gate.Send("GET", "/openapi.json", null)).Text)!;
        var overview = (await gate.Send("GET", "/docs/api", null)).Text;
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                var tag = operation!["tags"]![0]!.GetValue<string>().ToLowerInvariant();
                var (page, source) = (
                    await gate.Send("GET", $"/docs/api/{tag}", null), await gate.Send("GET", $"/docs/api/{tag}.md", null));
                Assert.True(page.Text.Length < PageBytesMax, $"{tag} has {page.Text.Length}");
                var section = source.Text.Split("\n## ")
                    .Single(part => part.Contains($"`{method.ToUpperInvariant()} {path}`", StringComparison.Ordinal));
                Assert.StartsWith(operation["summary"]!.GetValue<string>(), section, StringComparison.Ordinal);
                Assert.Contains(operation["description"]!.GetValue<string>(), section, StringComparison.Ordinal);
                Assert.Contains($"\"$TOLLGATE_URL{path}\"", section, StringComparison.Ordinal);
                Assert.Contains("**Answer** `2", section, StringComparison.Ordinal);
                Assert.All(
                    operation["requestBody"]?["content"]?["application/json"]?["schema"]?["properties"]?.AsObject() ?? [],
                    member => Assert.Contains($"| `{member.Key}` |", section, StringComparison.Ordinal));
                Assert.Contains(WebUtility.HtmlEncode($"{method.ToUpperInvariant()} {path}"), overview, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void HTML_in_Markdown_stays_text_and_hostile_names_run_nothing()
    {
        var body = MarkdownPages.Draw("# A\n\n<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n<b>x</b>", "docs.md");

        Assert.DoesNotContain("<script", body.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", body.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", body.Html, StringComparison.Ordinal);
        const string hostile = "<script>alert(1)</script> [x](http://x) `y` **z** # \"q\" \U0001F600 \u202Eabc";
        var page = MarkdownPages.Draw($"# A\n\n{MarkdownPages.Plain(hostile)}", "docs.md");
        Assert.Equal($"<p>{WebUtility.HtmlEncode(hostile)}</p>\n", page.Html.Replace("\U0001F600", "&#128512;", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_not_served_becomes_words_that_name_it_and_what_is_served_stays_a_link()
    {
        var files = new DocFiles(new Dictionary<string, string>
        {
            ["docs/guides/a.md"] =
                "# A\n\nSee [the `unit`](../../deploy/x.service), [B](b.md#c), [D](../errors/d.md), [E](../decisions/e.md), [F](#a).\n",
            ["docs/guides/b.md"] = "# B\n",
            ["docs/errors/d.md"] = "# D\n",
        });

        var page = files["guides/a"];

        Assert.Equal(
            "# A\n\nSee the `unit` (`deploy/x.service`), [B](b.md#c), [D](../errors/d.md), E (`docs/decisions/e.md`), [F](#a).\n",
            page.Markdown);
        Assert.Equal(
            ["/docs/guides/b#c", "/docs/errors/d", "#a"],
            Href().Matches(MarkdownPages.Draw(page.Markdown, "docs/guides/a.md").Html).Select(link => link.Groups["to"].Value));
    }

    [Fact]
    public void No_provider_serves_anything_where_the_documentation_is()
    {
        foreach (var name in new[] { "default", "openai", "tensoras", "tensorlake", "tensorone", "tensorpool", "tensorx" })
        {
            var provider = ProviderFiles.Shipped.Load(name).Model!;
            foreach (var path in new[] { "/docs", "/docs.md", "/docs/guides/usage", "/llms.txt" })
            {
                Assert.True(Front.IsOurs(path));
                Assert.All(MethodNames.All, method =>
                {
                    Assert.Equal(RouteMatchKind.NotFound, provider.Routes.Match(method, path).Kind);
                    Assert.Equal(RouteMatchKind.NotFound, provider.Surface.Match(method, path, out _, out _));
                });
            }
        }
    }

    [GeneratedRegex("(?:href|src)=\"(?<to>[^\"]*)\"")]
    private static partial Regex Href();

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)")]
    private static partial Regex WrittenLink();

    [GeneratedRegex("```.*?```|`[^`\n]*`", RegexOptions.Singleline)]
    private static partial Regex Fenced();
}
