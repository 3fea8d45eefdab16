using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Client;

/// <summary>
/// For receivers of webhooks: whether a message comes from the gate, unchanged and now. The form is that of Standard Webhooks, version 1.
/// </summary>
/// <example>
/// <code>
/// var check = WebhookSignature.Verify(name => request.Headers[name], body, [secret], DateTimeOffset.UtcNow);
/// if (check != WebhookCheck.Valid) return Results.Unauthorized();
/// </code>
/// </example>
public static class WebhookSignature
{
    /// <summary>The same for every attempt at the same event: keep it to know what was seen before.</summary>
    public const string IdHeader = "webhook-id";

    public const string TimestampHeader = "webhook-timestamp";

    public const string SignatureHeader = "webhook-signature";

    private const string SecretPrefix = "whsec_";
    private const string Version = "v1,";
    private const int HeaderCharsMax = 4_096;

    /// <summary>How far the clocks of sender and receiver may differ, and how late a message may be.</summary>
    public static TimeSpan Tolerance { get; } = TimeSpan.FromMinutes(5);

    /// <param name="header">The value of a header by its name; null or empty when it was not sent.</param>
    /// <param name="body">The body's bytes as they came, before anything has read them as JSON.</param>
    /// <param name="secrets">One, or during a rotation both, as the gate showed them: <c>whsec_…</c>.</param>
    /// <param name="now">The time at which it is judged.</param>
    /// <exception cref="FormatException">A secret is not what the gate shows.</exception>
    public static WebhookCheck Verify(
        Func<string, string?> header, ReadOnlySpan<byte> body, IEnumerable<string> secrets, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(secrets);
        var (id, timestamp, signatures) = (header(IdHeader), header(TimestampHeader), header(SignatureHeader));
        if (id is not { Length: > 0 and <= HeaderCharsMax } || signatures is not { Length: > 0 and <= HeaderCharsMax }
            || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return WebhookCheck.HeadersMissing;
        }

        // Compared by seconds that may be any number: no time of this calendar need stand for them.
        var age = now.ToUnixTimeSeconds() - seconds;
        if (Math.Abs(age) > (long)Tolerance.TotalSeconds)
        {
            return age > 0 ? WebhookCheck.TooOld : WebhookCheck.TooNew;
        }

        var matches = false;
        foreach (var secret in secrets)
        {
            var expected = Sign(id, timestamp!, body, KeyOf(secret));
            foreach (var signature in signatures.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                // All are compared, each in the same time: how long it takes says nothing of which matched, or how far.
                matches |= CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(signature));
            }
        }

        return matches ? WebhookCheck.Valid : WebhookCheck.NoMatch;
    }

    private static byte[] Sign(string id, string timestamp, ReadOnlySpan<byte> body, byte[] key)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hmac.AppendData(body);
        return Encoding.ASCII.GetBytes(Version + Convert.ToBase64String(hmac.GetHashAndReset()));
    }

    private static byte[] KeyOf(string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        return Convert.FromBase64String(secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? secret[SecretPrefix.Length..] : secret);
    }
}

/// <summary>What a receiver finds. Only <see cref="Valid"/> is to be acted upon.</summary>
public enum WebhookCheck
{
    /// <summary>No signature is of any of these secrets and this body.</summary>
    NoMatch,

    /// <summary>From the gate, unchanged and recent.</summary>
    Valid,

    /// <summary>A header is missing or cannot be read.</summary>
    HeadersMissing,

    /// <summary>Sent more than five minutes ago: late, or a copy that somebody sends again.</summary>
    TooOld,

    /// <summary>Sent more than five minutes ahead of this clock.</summary>
    TooNew,
}
