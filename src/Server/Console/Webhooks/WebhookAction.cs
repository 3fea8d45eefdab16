using System.Globalization;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Console.Webhooks;

/// <summary>What can be done to a webhook, each behind a page that says what happens.</summary>
internal sealed record WebhookAction(string Name, string Title, string Short)
{
    public const string Change = "change";
    public const string Replay = "replay";
    public const string Rotate = "rotate";
    public const string Disable = "disable";
    public const string Enable = "enable";
    public const string Delete = "delete";

    private const long HourMs = 3_600_000;

    public static IReadOnlyList<WebhookAction> All { get; } =
    [
        new(Change, "Change", "Its URL, what it hears of, its description."),
        new(Replay, "Send again", "All that failed since a time."),
        new(Disable, "Disable", "Send nothing until it is enabled again."),
        new(Enable, "Enable", "Send again, what has waited first."),
        new(Rotate, "New secret", "The old one signs too for a while."),
        new(Delete, "Delete", "End it for good, with its deliveries."),
    ];

    public bool IsDanger => Name is Delete;

    public bool IsOfferedFor(Webhook webhook) => Name switch
    {
        Disable or Replay => webhook.IsEnabled,
        Enable => !webhook.IsEnabled,
        _ => true,
    };

    public KeyActionLink Link(string home) => new(Title, $"{home}/{Name}", Short, IsDanger);

    /// <summary>What the line on top of the next page says.</summary>
    public static string? Done(string? word, int count) => word switch
    {
        Change => "The webhook is changed.",
        Disable => "The webhook is disabled: nothing is sent to it from now on.",
        Enable => "The webhook is enabled: what has waited is sent now.",
        Delete => "The webhook is deleted.",
        "test" => "A test event is on its way. Load this page again to see whether it arrived.",
        "again" => "The event is on its way again. Load this page again to see whether it arrived.",
        Replay when count == 0 => "Nothing had failed since then.",
        Replay when count >= WebhookRegister.ReplayMax =>
            $"The oldest {Shown.Number(count)} are on their way again. There are more: send them when these have arrived.",
        Replay => $"{Shown.Number(count)} event{(count == 1 ? " is" : "s are")} on the way again.",
        _ => null,
    };

    /// <summary>The page that stands before it, where a button is all it asks.</summary>
    public AskFacts Ask(Webhook webhook, string home) => new(
        $"{Title} the webhook", Name == Delete ? "Delete this webhook" : $"{Title} this webhook", $"{home}/{Name}", home, IsDanger)
    {
        Sentences = [$"It is {webhook.Url}.", .. Name switch
        {
            Disable => new[]
            {
                "Nothing is sent to it from now on. Events of the time in which it is disabled are not kept for it.",
                "What waits for it already goes on when it is enabled again, for 30 days.",
            },
            Enable =>
            [
                webhook.Pending == 0
                    ? "Events are sent to it again from now on."
                    : $"Events are sent to it again from now on, first the {Shown.Number(webhook.Pending)} that have waited.",
            ],
            _ =>
            [
                "Nothing is sent to it from now on, for good. Its deliveries go with it, also those that wait.", "This cannot be undone.",
            ],
        }],
    };

    public static WebhookAskFacts AskRotate(Webhook webhook, string home, string? typed, long nowMs)
    {
        var isRunning = webhook.HasOldSecretAt(nowMs);
        return new WebhookAskFacts(
            "A new secret for the webhook", "Make a new secret", $"{home}/{Rotate}", home, "grace_hours",
            "Hours that the old secret signs too", typed ?? Hours(WebhookRegister.GraceSecondsDefault))
        {
            Sentences =
            [
                $"The webhook {webhook.Url} gets a new secret, which is shown on the next page.",
                "For the hours below each message carries two signatures, one by each secret. "
                + "Put the new one into your server in that time.",
                .. isRunning
                    ? [$"The secret before this one still signs, until {Shown.Exact(webhook.OldSecretEndsAtMs!.Value)}. It ends now."]
                    : Array.Empty<string>(),
            ],
            Hint = $"0 to {Hours(WebhookRegister.GraceSecondsMax)}. With 0 the old one stops at once.", IsNumber = true,
            IsForced = isRunning,
        };
    }

    public static WebhookAskFacts AskReplay(Webhook webhook, string home, string? typed, long nowMs) => new(
        "Send failed ones again", "Send them again", $"{home}/{Replay}", home, "since", "Since (UTC)",
        typed ?? DateTimeOffset.FromUnixTimeMilliseconds(nowMs - (24 * HourMs))
            .ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture))
    {
        Sentences =
        [
            $"All events for {webhook.Url} that were made since then and have failed are sent again, the oldest first, "
            + $"{Shown.Number(WebhookRegister.ReplayMax)} at most.",
            "Each has the webhook-id that it had: a server that keeps those of the last days takes nothing twice.",
        ],
        Hint = "A day and a time, such as 2026-11-27T09:30.", Type = "datetime-local",
    };

    private static string Hours(long seconds) => (seconds / 3_600).ToString(CultureInfo.InvariantCulture);
}
