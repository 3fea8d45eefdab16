using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Webhooks;

internal sealed record CreateWebhook(string? Url, IReadOnlyList<string>? Events, string? Description);

/// <summary>
/// Changes to a webhook. An absent member stays as it is; <c>null</c> clears <c>description</c> and is refused elsewhere.
/// </summary>
internal sealed class ChangeWebhook
{
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);
    private string? _url, _description;
    private IReadOnlyList<string>? _events;
    private bool? _enabled;

    public string? Url
    {
        get => _url;
        set => (_url, _) = (value, _given.Add("/url"));
    }

    public IReadOnlyList<string>? Events
    {
        get => _events;
        set => (_events, _) = (value, _given.Add("/events"));
    }

    public string? Description
    {
        get => _description;
        set => (_description, _) = (value, _given.Add("/description"));
    }

    public bool? Enabled
    {
        get => _enabled;
        set => (_enabled, _) = (value, _given.Add("/enabled"));
    }

    public bool Has(string pointer) => _given.Contains(pointer);
}

internal sealed record RotateWebhookSecret(long? GraceSeconds, bool? Force);

internal sealed record ReplayWebhook(DateTimeOffset? Since);

/// <summary>A webhook as the management API shows it; <see cref="Secret"/> only in the answer that makes it.</summary>
internal sealed record WebhookAnswer
{
    public required string Id { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }

    public required string OrganizationId { get; init; }

    public required string? ProjectId { get; init; }

    public required string Url { get; init; }

    public required IReadOnlyList<string> Events { get; init; }

    public required string? Description { get; init; }

    public required bool Enabled { get; init; }

    public required string? DisabledReason { get; init; }

    public required DateTimeOffset? DisabledAt { get; init; }

    public required long Pending { get; init; }

    public required long Dropped { get; init; }

    public required DateTimeOffset? FailingSince { get; init; }

    public required DateTimeOffset? OldSecretEndsAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public static WebhookAnswer Of(Webhook webhook, string? secret = null) => new()
    {
        Id = webhook.Id,
        Secret = secret,
        OrganizationId = webhook.OrganizationId,
        ProjectId = webhook.ProjectId,
        Url = webhook.Url,
        Events = webhook.EventNames,
        Description = webhook.Description,
        Enabled = webhook.IsEnabled,
        DisabledReason = webhook.DisabledReason,
        DisabledAt = WebhookWire.Time(webhook.DisabledAtMs),
        Pending = webhook.Pending,
        Dropped = webhook.Dropped,
        FailingSince = WebhookWire.Time(webhook.FailingSinceMs),
        OldSecretEndsAt = WebhookWire.Time(webhook.OldSecretEndsAtMs),
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(webhook.CreatedAtMs),
    };

    public override string ToString() => Id;
}

/// <summary>All webhooks of an organization or a project; there are few.</summary>
internal sealed record WebhookList(IReadOnlyList<WebhookAnswer> Data);

internal sealed record WebhookDeliveryAnswer
{
    public required string Id { get; init; }

    public required string WebhookId { get; init; }

    public required string MessageId { get; init; }

    public required string Type { get; init; }

    public required string Status { get; init; }

    public required long Attempts { get; init; }

    public required DateTimeOffset? NextAttemptAt { get; init; }

    public required DateTimeOffset? LastAttemptAt { get; init; }

    public required long? ResponseStatus { get; init; }

    public required string? Error { get; init; }

    public required long? DurationMs { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset? FinishedAt { get; init; }

    public required JsonElement Body { get; init; }

    public static WebhookDeliveryAnswer Of(Webhook webhook, WebhookDelivery delivery) => new()
    {
        Id = delivery.Id,
        WebhookId = webhook.Id,
        MessageId = delivery.MessageId,
        Type = delivery.Type,
        Status = delivery.StateName,
        Attempts = delivery.Attempts,
        NextAttemptAt = WebhookWire.Time(delivery.DueAtMs),
        LastAttemptAt = WebhookWire.Time(delivery.AttemptedAtMs),
        ResponseStatus = delivery.ResponseStatus,
        Error = delivery.Error,
        DurationMs = delivery.DurationMs,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(delivery.CreatedAtMs),
        FinishedAt = WebhookWire.Time(delivery.FinishedAtMs),
        Body = JsonElement.Parse(delivery.Body),
    };
}

internal sealed record WebhookDeliveryList(IReadOnlyList<WebhookDeliveryAnswer> Data, string? NextCursor);

internal sealed record ReplayAnswer(int Replayed, bool HasMore);

internal sealed record DeletedWebhook(string Id, bool Deleted);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(CreateWebhook))]
[JsonSerializable(typeof(ChangeWebhook))]
[JsonSerializable(typeof(RotateWebhookSecret))]
[JsonSerializable(typeof(ReplayWebhook))]
[JsonSerializable(typeof(WebhookAnswer))]
[JsonSerializable(typeof(WebhookList))]
[JsonSerializable(typeof(WebhookDeliveryAnswer))]
[JsonSerializable(typeof(WebhookDeliveryList))]
[JsonSerializable(typeof(ReplayAnswer))]
[JsonSerializable(typeof(DeletedWebhook))]
internal sealed partial class WebhookWire : JsonSerializerContext
{
    /// <summary>The webhook as the audit log keeps it: no secret has a place in it.</summary>
    public static string Json(Webhook webhook) => JsonSerializer.Serialize(Webhooks.WebhookAnswer.Of(webhook), Default.WebhookAnswer);

    public static DateTimeOffset? Time(long? ms) => ms is { } value ? System.DateTimeOffset.FromUnixTimeMilliseconds(value) : null;
}
