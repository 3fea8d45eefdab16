using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Console.Webhooks;

/// <summary>Webhooks, events and what became of deliveries, in words.</summary>
internal static class WebhookWords
{
    private const int NamesShown = 2;

    /// <summary>Of each event of the catalogue, when it is told.</summary>
    public static IReadOnlyDictionary<string, string> Events { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [WebhookEvents.KeyCreated] = "A key was made, or moved in from another system.",
        [WebhookEvents.KeyRotated] = "A key got a new secret.",
        [WebhookEvents.KeyDisabled] = "A key was stopped: by a person, by an empty wallet, or because its secret was found in public.",
        [WebhookEvents.KeyEnabled] = "A key that was stopped works again.",
        [WebhookEvents.KeyRevoked] = "A key has ended for good.",
        [WebhookEvents.KeyExpiring] = "A key ends in seven days or less.",
        [WebhookEvents.WalletLow] = "The balance has come down to where it counts as low.",
        [WebhookEvents.WalletEmpty] = "The balance is used up, and keys have stopped.",
        [WebhookEvents.WalletToppedUp] = "Money was put in.",
        [WebhookEvents.LimitSustained] = "A limit has refused a key's requests for a while.",
    };

    /// <summary>Whose keys it hears of.</summary>
    public static string OwnerOf(ConsolePlace place, Webhook webhook) => webhook.ProjectId is not { } id ? "all projects"
        : place.Projects.FirstOrDefault(project => project.Id.Text == id)?.Name ?? id;

    /// <summary>What it hears of, in a line.</summary>
    public static string InShort(Webhook webhook)
    {
        var names = webhook.EventNames;
        return names is [WebhookEvents.All] ? "all events"
            : names.Count <= NamesShown + 1 ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(NamesShown))} and {names.Count - NamesShown} more";
    }

    public static KeyStatus StatusOf(Webhook webhook) => webhook switch
    {
        { IsEnabled: false } => new KeyStatus("disabled", webhook.DisabledReason switch
        {
            DisabledReasons.Failing => "nothing arrived for five days",
            DisabledReasons.Gone => "its server answered 410: it wants nothing more",
            _ => "by a person",
        }, "held"),
        { Failures: > 0 } => new KeyStatus("failing", webhook.FailingSinceMs is { } since ? $"since {Shown.Exact(since)}" : null, "bad"),
        _ => new KeyStatus("enabled", null, "good"),
    };

    public static KeyStatus StatusOf(WebhookDelivery delivery) => delivery.State switch
    {
        WebhookDelivery.IsDelivered => new KeyStatus("delivered", null, "good"),
        WebhookDelivery.IsFailed => new KeyStatus("failed", "it is not tried again by itself", "bad"),
        _ => new KeyStatus("pending", delivery.Attempts == 0 ? "it is about to be sent" : "it failed, and is tried again", "held"),
    };

    /// <summary>What the last attempt came to; empty before the first.</summary>
    public static string AnswerOf(WebhookDelivery delivery) => delivery switch
    {
        { Error: AttemptErrors.Expired } => "waited too long",
        { AttemptedAtMs: null } => "",
        { ResponseStatus: { } status } => Shown.Number(status),
        { Error: { } error } => ErrorOf(error),
        _ => "",
    };

    /// <summary>When an attempt is due: one that is, or is within a minute, has not been just now.</summary>
    public static MomentFacts? SoonOf(long? dueMs, long nowMs) => MomentFacts.Of(dueMs, nowMs) is not { } moment ? null
        : dueMs - nowMs < 60_000 ? moment with { Ago = "in a moment" }
        : moment;

    public static string ErrorOf(string error) => error switch
    {
        AttemptErrors.Late => "no answer within 5 seconds",
        AttemptErrors.AddressRefused => "the address is not a public one",
        AttemptErrors.NameUnknown => "the host's name is not known",
        AttemptErrors.Tls => "no secure connection",
        AttemptErrors.Connect => "no connection",
        AttemptErrors.NoAnswer => "the connection broke off",
        AttemptErrors.Expired => "it waited until nobody would want it any more",
        AttemptErrors.Status => "the answer was not a 2xx",
        _ => error,
    };
}
