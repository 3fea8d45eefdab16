using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Reach;

/// <summary>
/// What a program in a page sends beside the session's cookie when it changes something: another site can make a browser send the cookie,
/// and cannot read this. It follows from the session's secret under a key of our own, so that one session's is no other's.
/// </summary>
internal sealed class ApiToken(Pepper pepper)
{
    public const string Header = "X-CSRF-Token";

    private readonly byte[] _key = pepper.DeriveKey("tokens of sessions");

    /// <param name="session">The secret in the cookie.</param>
    public string Of(string session) => Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(session)));

    /// <summary>Whether the request sent the one that belongs to its session, once.</summary>
    public bool IsSent(HttpContext http, string session) =>
        http.Request.Headers[Header] is [{ } sent]
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), Encoding.UTF8.GetBytes(Of(session)));
}
