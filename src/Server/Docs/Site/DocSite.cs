using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Net.Http.Headers;
using Tollgate.Server.Access;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Docs.Site;

/// <summary>
/// Serves the documentation: public, without cookies or script, the same for everybody, so that anybody may keep it for a while. A page is
/// drawn when it is first asked for and kept; there are as many as the library has.
/// </summary>
internal sealed class DocSite(
    ApiDocument api, ProviderModel provider, PeopleOptions options, IServiceProvider services, ILoggerFactory loggers)
{
    public const string LlmsPath = "/llms.txt";

    private const string Policy =
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>A list of headings helps where a page has more than fit a screen.</summary>
    private const int HeadingsMin = 5;

    private const string Html = "text/html; charset=utf-8";
    private const string Markdown = "text/markdown; charset=utf-8";

    private readonly ConcurrentDictionary<string, byte[]> _drawn = new(StringComparer.Ordinal);

    // Nothing of the gate's state is in it: what fails once would fail again.
    private readonly Lazy<Task<DocLibrary>> _library = new(async () => new DocLibrary(
        provider.DisplayName, DocFiles.Shipped(),
        new ApiPages(JsonNode.Parse((await api.Get(Form.Json)).At("http://localhost").Span)!)));

    public void Map(IEndpointRouteBuilder app)
    {
        foreach (var path in new[] { DocLibrary.Root, DocLibrary.Root + DocPage.MarkdownEnd, DocLibrary.Root + "/{**page}" })
        {
            app.MapGet(path, (Delegate)Show).Public().ExcludeFromDescription();
        }

        app.MapGet(LlmsPath, (Delegate)Llms).Public().ExcludeFromDescription();
    }

    public Task<DocLibrary> Library => _library.Value;

    private async Task<IResult> Llms(HttpContext http) =>
        Answer(http, Encoding.UTF8.GetBytes((await _library.Value).Llms), "text/plain; charset=utf-8");

    private async Task<IResult> Show(HttpContext http)
    {
        var (library, path) = (await _library.Value, http.Request.Path.Value ?? "");
        if (library.Find(path) is { } page)
        {
            if (!_drawn.TryGetValue(path, out var html))
            {
                _drawn[path] = html = await Draw(library, page);
            }

            return Answer(http, html, Html);
        }

        if (path.EndsWith(DocPage.MarkdownEnd, StringComparison.Ordinal)
            && library.Find(path[..^DocPage.MarkdownEnd.Length]) is { } source)
        {
            return Answer(http, Encoding.UTF8.GetBytes(source.Markdown), Markdown);
        }

        http.Response.StatusCode = StatusCodes.Status404NotFound;
        Dress(http);
        http.Response.Headers.CacheControl = "no-store";
        return Results.Bytes(await DrawMissing(library), Html);
    }

    private IResult Answer(HttpContext http, byte[] bytes, string type)
    {
        Dress(http);
        http.Response.Headers.CacheControl = "public, max-age=300";
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes)[..12])}\"");
        return Results.Bytes(bytes, type, entityTag: tag);
    }

    private void Dress(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (options.IsSecure)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }
    }

    private Task<byte[]> Draw(DocLibrary library, DocPage page)
    {
        var body = MarkdownPages.Draw(page.Markdown, page.MarkdownPath.TrimStart('/'));
        return Draw(new DocView(provider.DisplayName, PageFile.ConsoleStyle.Address, page.Title, body.Html)
        {
            MarkdownPath = page.MarkdownPath,
            Headings = body.Headings.Count < HeadingsMin || page == library.Home ? []
                : [.. body.Headings.Select(heading => new DocLink(heading.Title, $"#{heading.Id}", false))],
            Contents = Contents(library, page.Path),
        });
    }

    private Task<byte[]> DrawMissing(DocLibrary library) => Draw(new DocView(
        provider.DisplayName, PageFile.ConsoleStyle.Address, "There is no such page",
        "<p>It may have moved: the contents list every page there is.</p>")
    {
        Contents = Contents(library, ""),
    });

    private static DocLinks[] Contents(DocLibrary library, string here) =>
    [
        new DocLinks("Documentation", [new DocLink("Contents", DocLibrary.Root, here == DocLibrary.Root)]),
        .. library.Groups.Select(group => new DocLinks(group.Title, [.. LinksOf(group, here)])),
    ];

    private static IEnumerable<DocLink> LinksOf(DocGroup group, string here) => group.Index is { } index
        ? [new DocLink("All errors", index.Path, here == index.Path || here.StartsWith(index.Path + "/", StringComparison.Ordinal))]
        : group.Pages.Select(page => new DocLink(page.Title.Split(": ")[0], page.Path, here == page.Path));

    private async Task<byte[]> Draw(DocView view)
    {
        await using var renderer = new HtmlRenderer(services, loggers);
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = ParameterView.FromDictionary(new Dictionary<string, object?> { [nameof(DocViewPage.View)] = view });
            return (await renderer.RenderComponentAsync<DocViewPage>(parameters)).ToHtmlString();
        });
        return Encoding.UTF8.GetBytes(html);
    }
}
