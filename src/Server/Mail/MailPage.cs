using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Mail;

/// <summary>
/// <c>/mail</c>: what is in the folder, so that somebody who tries the gate without a mail server can click its links. Whoever reads them
/// can be anybody, so it answers this machine alone, and nothing that came through a proxy; for all others there is nothing at this path.
/// </summary>
internal sealed partial class MailPage(MailFolder folder, MailOptions options)
{
    public const string Path = "/mail";

    /// <summary>The newest.</summary>
    public const int MailsMax = 100;

    private const string StylePath = Path + "/page.css";

    private const string Style =
        """
        :root { color-scheme: light dark; --hair: light-dark(#e0e3e7, #2b2f35); --faint: light-dark(#59616a, #a2aab3); }
        body {
          margin: 0 auto; max-width: 45rem; padding: 2rem 1rem 4rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
          background: light-dark(#f6f7f8, #0f1114); color: light-dark(#1b1f24, #e8eaed);
        }
        h1, h2 { font-weight: 600; }
        h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 2rem; }
        h2 { margin: 0; font-size: 1.125rem; line-height: 1.75rem; }
        article {
          margin: 1rem 0; padding: 1.5rem; background: light-dark(#fff, #17191d); border: 1px solid var(--hair); border-radius: .5rem;
        }
        pre { margin: 1rem 0 0; padding-top: 1rem; border-top: 1px solid var(--hair); font: inherit; white-space: pre-wrap; }
        a { color: light-dark(#2453c4, #93b2ff); }
        :focus-visible { outline: 3px solid; outline-offset: 2px; }
        .to { margin: 0; color: var(--faint); font-size: .875rem; }
        """;

    /// <summary>What proxies add. One that adds nothing at all is seen by the Host header, or by its old HTTP.</summary>
    private static readonly string[] ProxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"];

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext http, MailPage page) => page.Answer(http, page.Html, "text/html; charset=utf-8"))
            .Public().ExcludeFromDescription();
        app.MapGet(StylePath, (HttpContext http, MailPage page) => page.Answer(http, static () => Style, "text/css; charset=utf-8"))
            .Public().ExcludeFromDescription();
    }

    /// <summary>Whether the request came from this machine, to a name of this machine, and straight.</summary>
    public static bool IsLocal(HttpContext http) =>
        IsLoopback(http.Connection.RemoteIpAddress) && IsLoopback(http.Connection.LocalIpAddress)
        && IsLoopbackName(http.Request.Host.Host)
        && !HttpProtocol.IsHttp10(http.Request.Protocol)
        && !ProxyHeaders.Any(http.Request.Headers.ContainsKey);

    private static bool IsLoopback(IPAddress? address) =>
        address is not null && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IsLoopback(address));

    private async Task<IResult> Answer(HttpContext http, Func<string> body, string type)
    {
        if (options.Host is not null || !IsLocal(http))
        {
            return new ProblemResult(new Problem(ProblemCode.NotFound, "There is nothing at this path."));
        }

        var headers = http.Response.Headers;
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        // Reads files, which a thread that serves requests does not wait for.
        return Results.Text(await Task.Run(body), type);
    }

    private string Html()
    {
        var mails = folder.Newest(MailsMax).Select(EmlFile.Read).OfType<EmlFile>().ToList();
        var html = new StringBuilder(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Mail</title>
            <link rel="stylesheet" href="{StylePath}">
            </head>
            <body>
            <main>
            <h1>Mail</h1>
            <p>No mail server is set, so nothing is sent. The newest {MailsMax} mails are shown here, to this machine alone; as files
            they are in {Encoded(folder.Path)}.</p>

            """);
        if (mails.Count == 0)
        {
            html.Append("<p>There is none yet.</p>\n");
        }

        foreach (var mail in mails)
        {
            var at = mail.At?.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
            html.Append(CultureInfo.InvariantCulture, $"<article>\n<h2>{Encoded(mail.Subject)}</h2>\n");
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"to\">to {Encoded(mail.To)}, {at}</p>\n");
            html.Append(CultureInfo.InvariantCulture, $"<pre>{WithLinks(mail.Plain)}</pre>\n</article>\n");
        }

        return html.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static string WithLinks(string plain)
    {
        var (html, at) = (new StringBuilder(plain.Length + 256), 0);
        foreach (var link in Link().EnumerateMatches(plain))
        {
            var address = Encoded(plain.Substring(link.Index, link.Length));
            html.Append(Encoded(plain[at..link.Index]));
            html.Append(CultureInfo.InvariantCulture, $"<a href=\"{address}\" rel=\"noopener noreferrer\">{address}</a>");
            at = link.Index + link.Length;
        }

        return html.Append(Encoded(plain[at..])).ToString();
    }

    private static string Encoded(string text) => HtmlEncoder.Default.Encode(text);

    /// <summary>As our own templates write them: on a line of their own.</summary>
    [GeneratedRegex(@"(?<=^)https?://[!-~]+(?=\r?$)", RegexOptions.Multiline)]
    private static partial Regex Link();
}
