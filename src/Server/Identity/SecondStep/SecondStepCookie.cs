using Tollgate.Server.Identity.Sessions;

using Tollgate.Server.Identity.Links;

namespace Tollgate.Server.Identity.SecondStep;

/// <summary>The cookie that carries a sign-in between its two steps. It signs nobody in.</summary>
internal sealed class SecondStepCookie(PeopleOptions options)
{
    public string Name => options.IsSecure ? "__Host-tollgate-second" : "tollgate-second";

    public string? Read(HttpContext http) => http.Request.Cookies[Name];

    public void Set(HttpContext http, string secret) =>
        http.Response.Cookies.Append(Name, secret, CookieForm.Of(options, LinkKind.Second.Life));

    public void Clear(HttpContext http)
    {
        if (Read(http) is not null)
        {
            http.Response.Cookies.Delete(Name, CookieForm.Of(options, null));
        }
    }
}
