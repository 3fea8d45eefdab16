using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Problems;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Console.Webhooks;

/// <summary>The form that makes or changes a webhook: what was typed into it, and what it asks for.</summary>
/// <param name="options">Which URLs are taken.</param>
/// <param name="isOfProject">Whether it hears of one project's keys alone, and so never of money.</param>
internal sealed class WebhookForm(WebhookOptions options, bool isOfProject)
{
    private static readonly PageFault NoEvents = new("events", "Choose at least one event.");

    /// <summary>The form as it is shown, with what was sent in it, or else what the webhook has; empty when both are null.</summary>
    public WebhookFormFacts Show(string home, Webhook? webhook, IFormCollection? sent)
    {
        var chosen = sent is not null ? Many(sent, "events") : webhook?.EventNames ?? [];
        return new WebhookFormFacts(
            webhook is null ? $"{home}/new" : $"{home}/{webhook.Id}/change", webhook is null ? home : $"{home}/{webhook.Id}",
            webhook is null ? "Make a webhook" : "Change the webhook", webhook is null ? "Make the webhook" : "Save")
        {
            Url = sent is not null ? Text(sent, "url") : webhook?.Url ?? "",
            Description = sent is not null ? Text(sent, "description") : webhook?.Description ?? "",
            DescriptionMax = WebhookRegister.DescriptionMax,
            UrlHint = options.AllowsHttp
                ? "Where events are sent, such as https://example.com/tollgate."
                : "Where events are sent, such as https://example.com/tollgate. It begins with https:// and leads to a public address.",
            Events =
            [
                new(
                    WebhookEvents.All, "Every event", isOfProject
                        ? "All that happens to keys of this project; also what there will be."
                        : "Of the organization and all its projects; also what there will be.",
                    chosen.Contains(WebhookEvents.All) || (sent is null && webhook is null)),
                .. (isOfProject ? WebhookEvents.OfProjects : WebhookEvents.Names).Select(name => new FormChoice(
                    name, name, WebhookWords.Events.GetValueOrDefault(name), chosen.Contains(name))),
            ],
        };
    }

    public static CreateWebhook ReadNew(IFormCollection sent) => new(Text(sent, "url").Trim(), EventsOf(sent), Text(sent, "description"));

    public static ChangeWebhook ReadChange(IFormCollection sent) => new()
    {
        Url = Text(sent, "url").Trim(), Events = EventsOf(sent), Description = Text(sent, "description"),
    };

    /// <summary>A problem as faults of the fields that they stand beside.</summary>
    public static IReadOnlyList<PageFault> Faults(HttpContext http, Problem problem) =>
        [.. KeyForm.Faults(http, problem).Select(fault => fault.Field == NoEvents.Field ? NoEvents : fault)];

    /// <summary>Every event takes in all others that are chosen beside it.</summary>
    private static string[] EventsOf(IFormCollection sent) =>
        Many(sent, "events") is var names && names.Contains(WebhookEvents.All) ? [WebhookEvents.All] : names;

    private static string Text(IFormCollection sent, string name) => sent[name] is [{ } text] ? text : "";

    private static string[] Many(IFormCollection sent, string name) => [.. sent[name].OfType<string>()];
}
