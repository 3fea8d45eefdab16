using System.Security.Cryptography;
using System.Text;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Sessions;

/// <summary>
/// The cookie that stays when a session goes: by it a browser is known to the account on which somebody last signed in with it, and is
/// counted by itself where strangers may be guessing. It signs nobody in. Nothing is stored of it: it is a random name and what the pepper
/// makes of the name and the account.
/// </summary>
internal sealed class DeviceCookie(PeopleOptions options, Pepper pepper)
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(365);

    private readonly byte[] _key = pepper.DeriveKey("device cookies");

    public string Name => options.IsSecure ? "__Host-tollgate-device" : "tollgate-device";

    /// <summary>By which name the account (a canonical address) knows the browser; null when it does not.</summary>
    public string? Find(HttpContext http, string account) =>
        http.Request.Cookies[Name]?.Split('.') is [var name, var proof] && SecretText.IsOne(name)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(proof), Encoding.UTF8.GetBytes(ProofOf(name, account)))
            ? name
            : null;

    /// <summary>Somebody has signed in. A browser that is known keeps its name, and so what is counted of it.</summary>
    public void Set(HttpContext http, string account)
    {
        var name = Find(http, account) ?? SecretText.New();
        http.Response.Cookies.Append(Name, $"{name}.{ProofOf(name, account)}", CookieForm.Of(options, Life));
    }

    private string ProofOf(string name, string account) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{name} {account}")));
}
