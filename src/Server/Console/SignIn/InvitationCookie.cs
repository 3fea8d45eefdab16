using Tollgate.Server.Identity;

namespace Tollgate.Server.Console.SignIn;

/// <summary>
/// Remembers, for who has to sign in or sign up first, which invitation to come back to. It is the link that this browser has opened
/// anyway, and it lets nobody in: an invitation is for its address.
/// </summary>
internal sealed class InvitationCookie(PeopleOptions options)
{
    /// <summary>As long as the link of a sign-up is good, which may lie between.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromHours(24);

    private string Name => options.IsSecure ? "__Host-tollgate-invitation" : "tollgate-invitation";

    /// <summary>Null where there is none, or nothing that could be one.</summary>
    public string? Read(HttpContext http) => http.Request.Cookies[Name] is { } secret && SecretText.IsOne(secret) ? secret : null;

    public void Set(HttpContext http, string secret) => http.Response.Cookies.Append(Name, secret, Form(Life));

    public void Clear(HttpContext http)
    {
        if (http.Request.Cookies.ContainsKey(Name))
        {
            http.Response.Cookies.Delete(Name, Form(null));
        }
    }

    private CookieOptions Form(TimeSpan? life) => new()
    {
        HttpOnly = true, Secure = options.IsSecure, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = life, IsEssential = true,
    };
}
