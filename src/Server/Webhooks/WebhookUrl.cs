using System.Net;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// What a URL must be to be kept. Where its name leads is judged when something is sent, each time, by the same guard; here only what
/// can be seen without asking anybody.
/// </summary>
internal sealed class WebhookUrl(WebhookOptions options, AddressGuard guard)
{
    public const int CharsMax = 2_048;

    private const int PortMin = 1_024;

    /// <summary>
    /// Ports above <see cref="PortMin"/> on which services listen that a request could confuse; browsers refuse them too.
    /// </summary>
    private static readonly int[] PortsRefused =
    [
        1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211,
    ];

    /// <summary>The URL in the form it is sent to, or why it is refused.</summary>
    public Outcome<string> Read(string? text)
    {
        if (text is null || text.Length is 0 or > CharsMax || text.AsSpan().ContainsAnyExceptInRange('!', '~')
            || !Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            return Refused($"must be an address such as https://example.com/hooks, of at most {CharsMax} characters of ASCII.");
        }

        if (url.Scheme != Uri.UriSchemeHttps && (url.Scheme != Uri.UriSchemeHttp || !options.AllowsHttp))
        {
            return Refused(options.AllowsHttp ? "must begin with https:// or http://." : "must begin with https://.");
        }

        return Fault(text, url) is { } fault ? Refused(fault) : url.AbsoluteUri;
    }

    private string? Fault(string text, Uri url)
    {
        if (url.UserInfo.Length > 0 || text.AsSpan(0, EndOfHost(text)).Contains('@'))
        {
            return "must not hold a name or password.";
        }

        if (url.Fragment.Length > 0 || text.Contains('\\', StringComparison.Ordinal))
        {
            return "must not hold a fragment or a backslash.";
        }

        if (url.Port is not (80 or 443) && (url.Port < PortMin || PortsRefused.Contains(url.Port)))
        {
            return $"must have port 443, 80, or one from {PortMin} on on which no other service is known to listen.";
        }

        var host = url.IdnHost.TrimEnd('.');
        if (host.Length == 0 || host.Contains('%', StringComparison.Ordinal))
        {
            return "must name a host.";
        }

        var isLocal = host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
        var address = IPAddress.TryParse(host, out var literal) ? literal : isLocal ? IPAddress.Loopback : null;
        return address is null || guard.Permits(address) ? null : "must lead to a public address.";
    }

    private static int EndOfHost(string text)
    {
        var from = text.IndexOf("//", StringComparison.Ordinal) + 2;
        var end = text.AsSpan(from).IndexOfAny('/', '?', '#');
        return end < 0 ? text.Length : from + end;
    }

    private static Problem Refused(string expected) =>
        new(ProblemCode.WebhookUrlRefused, $"url: {expected}") { Errors = [new FieldError("/url", expected)] };
}
