using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Keys;

/// <summary>What webhooks are told of keys.</summary>
internal static class KeyEvents
{
    /// <summary>The event that a change of a key is; null for one that is not told.</summary>
    /// <param name="action">As the audit log names it.</param>
    /// <param name="before">The key before it.</param>
    public static string? TypeOf(string action, Key? before) => action switch
    {
        "key.create" or "key.import" => WebhookEvents.KeyCreated,
        "key.rotate" or "key.regenerate" => WebhookEvents.KeyRotated,
        "key.disable" => WebhookEvents.KeyDisabled,
        "key.enable" => WebhookEvents.KeyEnabled,
        "key.revoke" => WebhookEvents.KeyRevoked,
        // A key that was revoked before ended then.
        "key.delete" when before?.RevokedAtMs is null => WebhookEvents.KeyRevoked,
        _ => null,
    };

    public static KeyEvent Of(Key key, long nowMs, string? reason = null) => new()
    {
        KeyId = key.Id.ToString(),
        Name = key.Name,
        Mask = key.Mask,
        Status = key.Status(nowMs),
        Holds = HoldNames.Of(key.Holds),
        Type = key.Type,
        Environment = key.Environment,
        ProjectId = key.ProjectId,
        OrganizationId = key.OrganizationId,
        CreatedAt = Time(key.CreatedAtMs),
        ExpiresAt = key.ExpiresAtMs is { } end ? Time(end) : null,
        Reason = reason,
    };

    public static KeyEvent OfRotated(Key key, long nowMs) => Of(key, nowMs) with
    {
        OldSecretEndsAt = key.Secrets is [_, { EndsAtMs: { } end }, ..] ? Time(end) : null,
    };

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}
