using System.Text.Json.Nodes;

namespace Tollgate.Client;

/// <summary>An address that an organization is told at of what happens.</summary>
public sealed record Webhook
{
    /// <summary><c>whk_…</c></summary>
    public required string Id { get; init; }

    public required string OrganizationId { get; init; }

    public required string Url { get; init; }

    /// <summary>Names such as <c>key.created</c>, or <c>*</c> alone for all.</summary>
    public IReadOnlyList<string> Events { get; init => field = value ?? []; } = [];

    public string? Description { get; init; }

    public bool Enabled { get; init; }

    /// <summary><c>person</c>, <c>failing</c> or <c>gone</c>; null while it is enabled.</summary>
    public string? DisabledReason { get; init; }

    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>Events still to be delivered.</summary>
    public long Pending { get; init; }

    /// <summary>Events that found too many pending and were not kept.</summary>
    public long Dropped { get; init; }

    /// <summary>When the attempts that have failed since the last success began.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Until then the secret before the last rotation signs too.</summary>
    public DateTimeOffset? OldSecretEndsAt { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A webhook and the secret its messages are signed with, which is shown once.</summary>
public sealed record IssuedWebhook(Webhook Webhook, Secret? Secret);

/// <summary>What a new webhook is to be.</summary>
public sealed record NewWebhook
{
    public required string Url { get; init; }

    public required IReadOnlyList<string> Events { get; init; }

    public string? Description { get; init; }
}

/// <summary>Changes to a webhook; what is null stays.</summary>
public sealed record WebhookChange
{
    public string? Url { get; init; }

    public IReadOnlyList<string>? Events { get; init; }

    public string? Description { get; init; }

    public bool? Enabled { get; init; }
}

/// <summary>One event on its way to one webhook.</summary>
public sealed record WebhookDelivery
{
    /// <summary><c>dlv_…</c></summary>
    public required string Id { get; init; }

    public required string WebhookId { get; init; }

    /// <summary>What receivers know the event by: the header <c>webhook-id</c>.</summary>
    public required string MessageId { get; init; }

    public required string Type { get; init; }

    /// <summary><c>pending</c>, <c>delivered</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    public long Attempts { get; init; }

    public DateTimeOffset? NextAttemptAt { get; init; }

    public DateTimeOffset? LastAttemptAt { get; init; }

    public long? ResponseStatus { get; init; }

    /// <summary>Why the last attempt failed, such as <c>timeout</c>.</summary>
    public string? Error { get; init; }

    public long? DurationMs { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>What is sent.</summary>
    public JsonObject? Body { get; init; }
}

/// <summary>How many deliveries begin anew, and whether more are there to replay.</summary>
public sealed record Replay(int Replayed, bool HasMore);
