using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;

namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Remembers in which place a browser was last, so that pages of no place, such as one's own account, lead back to it. It lets nobody in:
/// whose it is not begins where anybody does.
/// </summary>
internal sealed class PlaceCookie(PeopleOptions options)
{
    private const int LengthMax = 64;
    private static readonly TimeSpan Life = TimeSpan.FromDays(90);

    private string Name => options.IsSecure ? "__Host-tollgate-place" : "tollgate-place";

    /// <summary>Null where there is none, or what can be no id.</summary>
    public string? Read(HttpContext http) => http.Request.Cookies[Name] is { Length: <= LengthMax } id
        && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_') ? id : null;

    /// <summary>Remembers the place of a page that somebody looks at; one that the browser only fetches ahead says nothing yet.</summary>
    public void Note(HttpContext http, string id)
    {
        if (HttpMethods.IsGet(http.Request.Method) && Read(http) != id && !IsAhead(http))
        {
            http.Response.Cookies.Append(Name, id, CookieForm.Of(options, Life));
        }
    }

    /// <summary>Who signs out leaves nothing behind.</summary>
    public void Clear(HttpContext http)
    {
        if (http.Request.Cookies.ContainsKey(Name))
        {
            http.Response.Cookies.Delete(Name, CookieForm.Of(options, null));
        }
    }

    /// <summary>Whether the browser fetches a page that nobody has asked for yet.</summary>
    public static bool IsAhead(HttpContext http) =>
        http.Request.Headers["Sec-Purpose"].ToString().Contains("prefetch", StringComparison.Ordinal);
}
