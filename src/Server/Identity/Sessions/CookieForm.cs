namespace Tollgate.Server.Identity.Sessions;

/// <summary>What every cookie of ours is like.</summary>
internal static class CookieForm
{
    /// <summary>Lax, so that a link in a mail finds its reader signed in; what changes something asks for more than the cookie.</summary>
    public static CookieOptions Of(PeopleOptions options, TimeSpan? life) => new()
    {
        HttpOnly = true, Secure = options.IsSecure, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = life, IsEssential = true,
    };
}
