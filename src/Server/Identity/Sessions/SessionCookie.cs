namespace Tollgate.Server.Identity.Sessions;

/// <summary>
/// The cookie that carries a session. Over https it is bound to the very host and to https (<c>__Host-</c>); a browser takes no such cookie
/// over plain http, which is for the machine itself alone.
/// </summary>
internal sealed class SessionCookie(PeopleOptions options)
{
    public string Name => options.IsSecure ? "__Host-tollgate" : "tollgate";

    public string? Read(HttpContext http) => http.Request.Cookies[Name];

    public void Set(HttpContext http, string secret) =>
        http.Response.Cookies.Append(Name, secret, CookieForm.Of(options, options.SessionMost));

    public void Clear(HttpContext http) => http.Response.Cookies.Delete(Name, CookieForm.Of(options, null));
}
