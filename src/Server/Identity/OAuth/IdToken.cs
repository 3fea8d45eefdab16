using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Tollgate.Server.Identity.OAuth;

/// <summary>
/// Reads the id token that came from a provider's token endpoint. It was fetched from there by us over TLS, which OpenID Connect (Core,
/// 3.1.3.7) lets stand in place of the signature; everything else that it asks for is looked at here.
/// </summary>
internal static class IdToken
{
    /// <summary>Clocks differ.</summary>
    private const long LeewaySeconds = 60;

    /// <summary>What the token says of the person.</summary>
    /// <param name="token">Header, payload and signature.</param>
    /// <param name="config">Whose it must be, and for whom.</param>
    /// <param name="nonce">What this very sign-in was begun with.</param>
    /// <param name="now">The time.</param>
    /// <param name="fault">What is wrong, for the log; null for nothing.</param>
    public static ConnectionProof? Read(string? token, ConnectionConfig config, string nonce, DateTimeOffset now, out string? fault)
    {
        fault = "it is no token";
        if (token?.Split('.') is not [_, var payload, _] || Payload(payload) is not { ValueKind: JsonValueKind.Object } claims)
        {
            return null;
        }

        fault = !IsIssuer(Text(claims, "iss"), config.Issuer!) ? "its issuer is another"
            : !IsFor(claims, config.ClientId) ? "it is for another client"
            : !IsSame(Text(claims, "nonce"), nonce) ? "its nonce is not of this sign-in"
            : !IsCurrent(claims, now) ? "it has expired"
            : string.IsNullOrEmpty(Text(claims, "sub")) ? "it names nobody"
            : null;
        return fault is null
            ? new ConnectionProof(config.Kind, Text(claims, "sub")!, Text(claims, "email"), IsTrue(claims, "email_verified"),
                Text(claims, "name"))
            : null;
    }

    /// <summary>Google writes its own name with and without the scheme.</summary>
    public static bool IsIssuer(string? told, string issuer) =>
        told == issuer || (issuer == "https://accounts.google.com" && told == "accounts.google.com");

    private static JsonElement? Payload(string part)
    {
        try
        {
            return JsonElement.Parse(Base64Url.DecodeFromChars(part));
        }
        catch (Exception fault) when (fault is FormatException or JsonException)
        {
            return null;
        }
    }

    /// <summary>For us, and for us alone: another party's token could have been made for that party.</summary>
    private static bool IsFor(JsonElement claims, string client) =>
        claims.TryGetProperty("aud", out var audience) && audience.ValueKind switch
        {
            JsonValueKind.String => audience.GetString() == client,
            JsonValueKind.Array => audience.GetArrayLength() == 1 && audience[0].ValueKind == JsonValueKind.String
                && audience[0].GetString() == client,
            _ => false,
        }
        && Text(claims, "azp") is var party && (party is null || party == client);

    private static bool IsCurrent(JsonElement claims, DateTimeOffset now) =>
        claims.TryGetProperty("exp", out var end) && end.ValueKind == JsonValueKind.Number && end.TryGetInt64(out var seconds)
        && seconds > now.ToUnixTimeSeconds() - LeewaySeconds;

    private static bool IsSame(string? told, string nonce) => told is not null
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(told), Encoding.UTF8.GetBytes(nonce));

    /// <summary>Some write it as a text.</summary>
    private static bool IsTrue(JsonElement claims, string name) => claims.TryGetProperty(name, out var value)
        && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && value.GetString() == "true"));

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
