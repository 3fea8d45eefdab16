using System.Text.RegularExpressions;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;

namespace Tollgate.Server.Console.SignIn;

/// <summary>
/// Remembers, for who has to sign in or sign up first, which page to come back to. It is an address that this browser has asked for anyway,
/// and it lets nobody in.
/// </summary>
internal sealed partial class BackCookie(PeopleOptions options)
{
    private const int LengthMax = 200;

    /// <summary>As long as the link of a sign-up is good, which may lie between.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromHours(24);

    private string Name => options.IsSecure ? "__Host-tollgate-back" : "tollgate-back";

    /// <summary>Null where there is none, or what is no page of ours.</summary>
    public string? Read(HttpContext http) => http.Request.Cookies[Name] is { } path && IsOurs(path) ? path : null;

    /// <summary>Remembers a page of ours; of anything else, nothing.</summary>
    public void Set(HttpContext http, string path)
    {
        if (IsOurs(path))
        {
            http.Response.Cookies.Append(Name, path, CookieForm.Of(options, Life));
        }
    }

    public void Clear(HttpContext http)
    {
        if (http.Request.Cookies.ContainsKey(Name))
        {
            http.Response.Cookies.Delete(Name, CookieForm.Of(options, null));
        }
    }

    private static bool IsOurs(string path) => path.Length <= LengthMax && Page().IsMatch(path);

    /// <summary>Whoever can set cookies for the host chooses among our own pages, and cannot lead away from them.</summary>
    [GeneratedRegex(@"^/(console|account|invitations)(/[A-Za-z0-9_-]+)*\z")]
    private static partial Regex Page();
}
