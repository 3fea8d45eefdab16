namespace Tollgate.Server.Webhooks;

/// <summary>An address of an organization that is told of what happens, as its row is: integers as long on both databases.</summary>
internal sealed record Webhook
{
    public long WebhookNo { get; init; }

    public string Id { get; init; } = "";

    public long OrganizationNo { get; init; }

    public string OrganizationId { get; init; } = "";

    /// <summary>The one project whose keys it hears of; null for all of the organization.</summary>
    public string? ProjectId { get; init; }

    public string Url { get; init; } = "";

    public string? Description { get; init; }

    /// <summary>Names with a space around each, so that one is found whole; <c>" * "</c> for all.</summary>
    public string Events { get; init; } = "";

    public long Enabled { get; init; } = 1;

    /// <summary>One of <see cref="DisabledReasons"/>; null while it is enabled.</summary>
    public string? DisabledReason { get; init; }

    public long? DisabledAtMs { get; init; }

    /// <summary>Sealed; see <see cref="WebhookSecret"/>.</summary>
    public byte[] Secret { get; init; } = [];

    /// <summary>The one before it, which signs too until its end.</summary>
    public byte[]? OldSecret { get; init; }

    public long? OldSecretEndsAtMs { get; init; }

    /// <summary>Deliveries not finished yet.</summary>
    public long Pending { get; init; }

    /// <summary>Events that found <see cref="WebhookOutbox.PendingMax"/> pending and were not kept.</summary>
    public long Dropped { get; init; }

    /// <summary>Attempts that failed since the last one that did not.</summary>
    public long Failures { get; init; }

    /// <summary>When the first of these was.</summary>
    public long? FailingSinceMs { get; init; }

    /// <summary>Nothing is sent before.</summary>
    public long? RestUntilMs { get; init; }

    /// <summary>The earliest due of its deliveries, but not before its rest is over; null when none is pending.</summary>
    public long? DueAtMs { get; init; }

    public long CreatedAtMs { get; init; }

    public long RowVersion { get; init; }

    public bool IsEnabled => Enabled != 0;

    public IReadOnlyList<string> EventNames => Events.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public bool WantsAny(string type) => Wants(WebhookEvents.All) || Wants(type);

    public bool HasOldSecretAt(long nowMs) => OldSecret is not null && OldSecretEndsAtMs > nowMs;

    /// <summary>As a row keeps them.</summary>
    public static string Joined(IEnumerable<string> names) => $" {string.Join(' ', names)} ";

    public override string ToString() => Id;

    private bool Wants(string name) => Events.Contains($" {name} ", StringComparison.Ordinal);
}

/// <summary>When something sent to a webhook last arrived, and when an attempt last failed; null for not lately.</summary>
internal sealed record WebhookPulse
{
    public long? ArrivedAtMs { get; init; }

    public long? FailedAtMs { get; init; }
}

/// <summary>Why a webhook is not sent to.</summary>
internal static class DisabledReasons
{
    /// <summary>Somebody said so.</summary>
    public const string Person = "person";

    /// <summary>Every attempt has failed for days.</summary>
    public const string Failing = "failing";

    /// <summary>The receiver answered 410.</summary>
    public const string Gone = "gone";
}

/// <summary>One event on its way to one webhook.</summary>
internal sealed record WebhookDelivery
{
    public const long IsPending = 0;
    public const long IsDelivered = 1;
    public const long IsFailed = 2;

    private static readonly string[] Names = ["pending", "delivered", "failed"];

    public static IReadOnlyList<string> States => Names;

    public long DeliveryNo { get; init; }

    public string Id { get; init; } = "";

    public long WebhookNo { get; init; }

    /// <summary>The <c>webhook-id</c>: the same for every webhook and attempt, so that a receiver knows what it has seen.</summary>
    public string MessageId { get; init; } = "";

    public string Type { get; init; } = "";

    public byte[] Body { get; init; } = [];

    public long State { get; init; }

    /// <summary>Since it was made or last replayed.</summary>
    public long Attempts { get; init; }

    /// <summary>When the next attempt is; null when it is finished.</summary>
    public long? DueAtMs { get; init; }

    public long? AttemptedAtMs { get; init; }

    /// <summary>What the receiver answered to the last attempt; null when it did not.</summary>
    public long? ResponseStatus { get; init; }

    /// <summary>One of <see cref="AttemptErrors"/>, of the last attempt, when it failed.</summary>
    public string? Error { get; init; }

    public long? DurationMs { get; init; }

    public long CreatedAtMs { get; init; }

    public long? FinishedAtMs { get; init; }

    public string StateName => Names[State];
}
