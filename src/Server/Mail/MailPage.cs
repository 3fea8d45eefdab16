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
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { margin: 0 auto; max-width: 48rem; padding: 2rem 1rem; }
        article { border: 1px solid #8886; border-radius: 8px; margin: 1rem 0; padding: 0 1rem; }
        h2 { font-size: 1.1rem; margin: 1rem 0 0; overflow-wrap: anywhere; }
        pre { font: inherit; overflow-wrap: anywhere; white-space: pre-wrap; }
        .to { color: #777; margin: 0; overflow-wrap: anywhere; }
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
