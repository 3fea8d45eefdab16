using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// Signs as Standard Webhooks says: HMAC-SHA256 over id, timestamp and body, joined by dots; one signature for each secret that is live.
/// </summary>
internal static class WebhookSigner
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    public static string Sign(string id, long timestamp, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> secrets)
    {
        var head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        var signatures = new List<string>(secrets.Count);
        foreach (var secret in secrets)
        {
            using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
            hmac.AppendData(head);
            hmac.AppendData(body);
            signatures.Add($"v1,{Convert.ToBase64String(hmac.GetHashAndReset())}");
        }

        return string.Join(' ', signatures);
    }
}

/// <summary>What a webhook's messages are signed with: 32 random bytes, kept sealed under the webhook's id, shown once.</summary>
internal static class WebhookSecret
{
    public const string Prefix = "whsec_";

    private const int Length = 32;
    private const string Purpose = "webhook secret";

    public static byte[] New() => RandomNumberGenerator.GetBytes(Length);

    public static string Text(byte[] secret) => Prefix + Convert.ToBase64String(secret);

    public static byte[] Seal(Sealer sealer, string webhookId, byte[] secret) =>
        sealer.Seal(Purpose, secret, Encoding.ASCII.GetBytes(webhookId));

    /// <summary>The secrets that sign now, the current one first.</summary>
    public static IReadOnlyList<byte[]> LiveOf(Sealer sealer, Webhook webhook, long nowMs)
    {
        var current = Open(sealer, webhook.Id, webhook.Secret);
        return webhook.HasOldSecretAt(nowMs) ? [current, Open(sealer, webhook.Id, webhook.OldSecret!)] : [current];
    }

    private static byte[] Open(Sealer sealer, string webhookId, byte[] box) =>
        sealer.TryOpen(Purpose, box, Encoding.ASCII.GetBytes(webhookId), out var secret)
            ? secret
            : throw new InvalidDataException($"The secret of webhook {webhookId} does not open with this pepper.");
}
