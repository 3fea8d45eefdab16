using System.Net;
using System.Text.RegularExpressions;

namespace Tollgate.Server.Docs;

/// <summary>Where the caller reached the gate, for texts that repeat it. A Host that is no name and port is not repeated.</summary>
internal static partial class PublicAddress
{
    /// <summary>Such as <c>http://127.0.0.1:8700</c>, without a slash at the end; of characters that need no escape in JSON.</summary>
    public static string Of(HttpContext http)
    {
        var host = http.Request.Host.Value;
        if (host is null || !Host().IsMatch(host))
        {
            var at = http.Connection;
            host = new IPEndPoint(at.LocalIpAddress ?? IPAddress.Loopback, at.LocalPort).ToString();
        }

        return $"{(http.Request.IsHttps ? "https" : "http")}://{host}";
    }

    [GeneratedRegex(@"\A(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\z")]
    private static partial Regex Host();
}
