using System.Text.Json.Serialization;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Webhooks;

/// <summary>The catalogue of what webhooks tell: the names of events, which a webhook chooses from.</summary>
internal static class WebhookEvents
{
    public const string KeyCreated = "key.created";
    public const string KeyRotated = "key.rotated";
    public const string KeyDisabled = "key.disabled";
    public const string KeyEnabled = "key.enabled";
    public const string KeyRevoked = "key.revoked";
    public const string KeyExpiring = "key.expiring";
    public const string WalletLow = "wallet.low";
    public const string WalletEmpty = "wallet.empty";
    public const string WalletToppedUp = "wallet.topped_up";
    public const string LimitSustained = "limit.sustained";

    /// <summary>Sent on demand to one webhook, whatever it chose; not to be chosen.</summary>
    public const string Test = "webhook.test";

    /// <summary>Chooses every event there is or will be.</summary>
    public const string All = "*";

    public static IReadOnlyList<string> Names { get; } =
    [
        KeyCreated, KeyRotated, KeyDisabled, KeyEnabled, KeyRevoked, KeyExpiring, WalletLow, WalletEmpty, WalletToppedUp, LimitSustained,
    ];

    /// <summary>Money is the organization's: webhooks of its projects do not hear of it.</summary>
    public static IReadOnlyList<string> OfProjects { get; } =
        [.. Names.Where(name => !name.StartsWith("wallet.", StringComparison.Ordinal))];
}

/// <summary>What <c>key.*</c> tells: the key as it is after the change, without any secret.</summary>
internal sealed record KeyEvent
{
    public required string KeyId { get; init; }

    public required string Name { get; init; }

    public required string Mask { get; init; }

    public required string Status { get; init; }

    public required IReadOnlyList<string> Holds { get; init; }

    public required string Type { get; init; }

    public required string Environment { get; init; }

    public required string ProjectId { get; init; }

    public required string OrganizationId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Of <c>key.created</c>: whether the key was made elsewhere and moved in.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Imported { get; init; }

    /// <summary>Of <c>key.rotated</c>: when the secret before the new one stops.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? OldSecretEndsAt { get; init; }

    /// <summary>Of <c>key.disabled</c> and <c>key.revoked</c>: why, where somebody said so.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }
}

/// <summary>What <c>wallet.*</c> tells.</summary>
/// <param name="OrganizationId">Whose wallet.</param>
/// <param name="Balance">After the change, a signed decimal such as <c>4.20</c>.</param>
/// <param name="Currency">Such as <c>USD</c>.</param>
/// <param name="Amount">Of <c>wallet.topped_up</c>: how much was added.</param>
/// <param name="Threshold">Of <c>wallet.low</c>: the balance below which it is told.</param>
internal sealed record WalletEvent(
    string OrganizationId,
    string Balance,
    string Currency,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Amount = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Threshold = null);

/// <summary>What <c>limit.sustained</c> tells: a key has been refused by one limit for a while.</summary>
/// <param name="KeyId">The key.</param>
/// <param name="Limit">The limit's name in the plan.</param>
/// <param name="Refused">Requests refused since.</param>
/// <param name="Since">When the refusals began.</param>
internal sealed record LimitEvent(string KeyId, string Limit, long Refused, DateTimeOffset Since);

/// <summary>What <c>webhook.test</c> tells.</summary>
internal sealed record TestEvent(string WebhookId);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(WebhookMessage<KeyEvent>), TypeInfoPropertyName = "KeyMessage")]
[JsonSerializable(typeof(WebhookMessage<WalletEvent>), TypeInfoPropertyName = "WalletMessage")]
[JsonSerializable(typeof(WebhookMessage<LimitEvent>), TypeInfoPropertyName = "LimitMessage")]
[JsonSerializable(typeof(WebhookMessage<TestEvent>), TypeInfoPropertyName = "TestMessage")]
internal sealed partial class WebhookMessages : JsonSerializerContext;

/// <summary>A body as Standard Webhooks proposes it.</summary>
internal sealed record WebhookMessage<T>(string Type, DateTimeOffset Timestamp, T Data);
