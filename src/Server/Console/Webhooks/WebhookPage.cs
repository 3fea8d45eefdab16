using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Webhooks;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Webhooks;

/// <summary>One webhook: did it arrive? Its deliveries, what it is, and what can be done to it.</summary>
internal static class WebhookPage
{
    private const int RowsMax = 50;

    /// <summary>As forms send it, with seconds where somebody typed them.</summary>
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd"];

    public static void MapWebhookPage(this IEndpointRouteBuilder webhooks)
    {
        webhooks.MapGet("/{webhook}", Show);
        webhooks.MapPost("/{webhook}/test", Test);
        webhooks.MapGet("/{webhook}/deliveries/{delivery}", ShowDelivery);
        webhooks.MapPost("/{webhook}/deliveries/{delivery}/again", Again);
        webhooks.MapGet("/{webhook}/{action}", Ask);
        webhooks.MapPost("/{webhook}/{action}", Do);
    }

    private static string HomeOf(HttpContext http, string webhook) => $"{WebhookPages.HomeOf(ConsolePlace.Of(http))}/{webhook}";

    private static Task<Outcome<Webhook>> Find(HttpContext http, WebhookRegister register, string id)
    {
        var place = ConsolePlace.Of(http);
        return register.Find(place.Caller, WebhookPages.OwnerOf(place), id, http.RequestAborted);
    }

    private static IResult NotHere(HttpContext http, FrameMaker pages, Problem problem) =>
        pages.Problem(http, problem, WebhookPages.HomeOf(ConsolePlace.Of(http)));

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker pages, WebhookRegister register, Pages lists, TimeProvider time, string webhook, string? status,
        string? cursor, string? done, string? count)
    {
        var (states, nowMs) = (WebhookDelivery.States.ToList(), KeyPages.Now(time));
        var state = states.IndexOf(status ?? "");
        if (!(await Find(http, register, webhook)).TryGet(out var found, out var problem)
            || !lists.Read(http, $"console deliveries {found.Id} {state}", RowsMax, cursor).TryGet(out var page, out problem))
        {
            return NotHere(http, pages, problem);
        }

        var home = HomeOf(http, found.Id);
        var rows = await register.Deliveries(found, state < 0 ? null : state, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, row => row.DeliveryNo);
        return pages.Of<WebhookFactsPage>(
            http, 200, ("Webhook", FactsOf(ConsolePlace.Of(http), found, home, nowMs)),
            ("Notice", WebhookAction.Done(done, CountOf(count))),
            ("Deliveries", new DeliveryListFacts
            {
                Statuses =
                [
                    new("", "all", null, state < 0),
                    .. states.Select((name, i) => new FormChoice(name, name, null, i == state)),
                ],
                Lines = [.. data.Select(row => LineOf(row, home, nowMs))],
                IsFiltered = state >= 0 || cursor is not null,
                Next = next is null ? null : $"{home}?status={(state < 0 ? "" : states[state])}&cursor={Uri.EscapeDataString(next)}",
            }));
    }

    /// <summary>A number in an address, which anybody may have written there.</summary>
    private static int CountOf(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;

    private static DeliveryLine LineOf(WebhookDelivery row, string home, long nowMs) => new(
        $"{home}/deliveries/{row.Id}", row.Type, WebhookWords.StatusOf(row), Shown.Number(row.Attempts), WebhookWords.AnswerOf(row))
    {
        Made = MomentFacts.Of(row.CreatedAtMs, nowMs), Next = WebhookWords.SoonOf(row.DueAtMs, nowMs),
    };

    private static WebhookFacts FactsOf(ConsolePlace place, Webhook webhook, string home, long nowMs) => new(
        webhook.Url, home, WebhookWords.StatusOf(webhook))
    {
        Facts = [new KeyFact("Of", WebhookWords.OwnerOf(place, webhook)), .. Facts(webhook, nowMs)],
        Events =
        [
            .. webhook.EventNames is [WebhookEvents.All]
                ? [new FormChoice(WebhookEvents.All, "Every event", "Also those that there will be.", true)]
                : webhook.EventNames.Select(name => new FormChoice(name, name, WebhookWords.Events.GetValueOrDefault(name), true)),
        ],
        Actions = [.. WebhookAction.All.Where(action => action.IsOfferedFor(webhook)).Select(action => action.Link(home))],
        IsEnabled = webhook.IsEnabled,
    };

    private static IEnumerable<KeyFact> Facts(Webhook webhook, long nowMs)
    {
        if (webhook.Description is { } description)
        {
            yield return new KeyFact("Description", description);
        }

        yield return new KeyFact("Waiting", webhook.Pending == 0 ? "nothing"
            : $"{Shown.Number(webhook.Pending)} event{(webhook.Pending == 1 ? "" : "s")}");
        if (webhook.Dropped > 0)
        {
            yield return new KeyFact("Not kept", $"{Shown.Number(webhook.Dropped)} events, because too many waited");
        }

        if (webhook.HasOldSecretAt(nowMs))
        {
            yield return new KeyFact("Old secret", $"signs too, until {Shown.Exact(webhook.OldSecretEndsAtMs!.Value)}");
        }

        yield return new KeyFact("Made", "") { Moment = MomentFacts.Of(webhook.CreatedAtMs, nowMs) };
        yield return new KeyFact("Id", webhook.Id) { IsCode = true };
    }

    private static async Task<IResult> Test(
        HttpContext http, FrameMaker pages, PlaceBook book, WebhookRegister register, string webhook) =>
        (await WebhookPages.Write(http, book, (scope, owner) => register.Test(scope, owner, webhook))).TryGet(out _, out var problem)
            ? PageMaker.See(http, $"{HomeOf(http, webhook)}?done=test")
            : NotHere(http, pages, problem);

    private static async Task<IResult> ShowDelivery(
        HttpContext http, FrameMaker pages, WebhookRegister register, TimeProvider time, string webhook, string delivery, string? done)
    {
        if (!(await Find(http, register, webhook)).TryGet(out var found, out var problem)
            || !(await register.FindDelivery(found, delivery, http.RequestAborted)).TryGet(out var row, out problem))
        {
            return NotHere(http, pages, problem);
        }

        var home = HomeOf(http, found.Id);
        return pages.Of<DeliveryPage>(
            http, 200, ("Notice", row.State == WebhookDelivery.IsDelivered ? null : WebhookAction.Done(done, 0)),
            ("Delivery", new DeliveryFacts(row.Type, row.Id, WebhookWords.StatusOf(row), home, Indented(row.Body))
            {
                Facts = [.. Facts(found, row, KeyPages.Now(time))],
                MayReplay = found.IsEnabled, Action = $"{home}/deliveries/{row.Id}/again",
            }));
    }

    private static IEnumerable<KeyFact> Facts(Webhook webhook, WebhookDelivery row, long nowMs)
    {
        yield return new KeyFact("To", webhook.Url);
        yield return new KeyFact("Happened", "") { Moment = MomentFacts.Of(row.CreatedAtMs, nowMs) };
        yield return new KeyFact("Attempts", Shown.Number(row.Attempts));
        if (row.AttemptedAtMs is { } tried)
        {
            yield return new KeyFact("Last attempt", "") { Moment = MomentFacts.Of(tried, nowMs) };
            yield return new KeyFact("Last answer", WebhookWords.AnswerOf(row)
                + (row.DurationMs is { } took ? $", after {Shown.Number(took)} ms" : ""));
        }

        if (row.DueAtMs is { } due)
        {
            yield return new KeyFact("Next attempt", "") { Moment = WebhookWords.SoonOf(due, nowMs) };
        }

        yield return new KeyFact("webhook-id", row.MessageId) { IsCode = true };
    }

    /// <summary>What is sent, laid out for people; what is signed has no line ends.</summary>
    private static string Indented(byte[] body)
    {
        var text = new ArrayBufferWriter<byte>(body.Length * 2);
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true, Encoder = Json.Encoder }))
        {
            JsonElement.Parse(body).WriteTo(json);
        }

        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private static async Task<IResult> Again(
        HttpContext http, FrameMaker pages, PlaceBook book, WebhookRegister register, string webhook, string delivery) =>
        (await WebhookPages.Write(http, book, (scope, owner) => register.Replay(scope, owner, webhook, delivery)))
            .TryGet(out _, out var problem)
            ? PageMaker.See(http, $"{HomeOf(http, webhook)}/deliveries/{delivery}?done=again")
            : NotHere(http, pages, problem);

    private static async Task<Outcome<(Webhook Webhook, WebhookAction Action)>> Find(
        HttpContext http, WebhookRegister register, string id, string name)
    {
        if (!(await Find(http, register, id)).TryGet(out var webhook, out var problem))
        {
            return problem;
        }

        return WebhookAction.All.FirstOrDefault(action => action.Name == name) is not { } action
            ? new Problem(ProblemCode.NotFound, "There is nothing at this path.")
            : action.IsOfferedFor(webhook) ? (webhook, action)
            : new Problem(ProblemCode.Conflict, $"{action.Title} is not on offer for this webhook as it is now.");
    }

    private static async Task<IResult> Ask(
        HttpContext http, FrameMaker pages, WebhookRegister register, WebhookOptions options, TimeProvider time, string webhook,
        string action) =>
        (await Find(http, register, webhook, action)).TryGet(out var found, out var problem)
            ? Asked(http, pages, options, time, found, 200, [])
            : NotHere(http, pages, problem);

    private static IResult Asked(
        HttpContext http, FrameMaker pages, WebhookOptions options, TimeProvider time, (Webhook Webhook, WebhookAction Action) found,
        int status, IReadOnlyList<PageFault> faults)
    {
        var (home, nowMs) = (HomeOf(http, found.Webhook.Id), KeyPages.Now(time));
        var sent = faults.Count > 0 ? http.Request.Form : null;
        return found.Action.Name switch
        {
            WebhookAction.Change => WebhookPages.Form(http, pages, options, found.Webhook, status, sent, faults),
            WebhookAction.Rotate => pages.Of<WebhookAskPage>(
                http, status, ("Ask", WebhookAction.AskRotate(found.Webhook, home, sent?["grace_hours"], nowMs)), ("Faults", faults)),
            WebhookAction.Replay => pages.Of<WebhookAskPage>(
                http, status, ("Ask", WebhookAction.AskReplay(found.Webhook, home, sent?["since"], nowMs)), ("Faults", faults)),
            _ => pages.Of<Frame.AskPage>(http, status, ("Ask", found.Action.Ask(found.Webhook, home)), ("Faults", faults)),
        };
    }

    private static async Task<IResult> Do(
        HttpContext http, FrameMaker pages, PlaceBook book, WebhookRegister register, WebhookOptions options, TimeProvider time,
        string webhook, string action)
    {
        if (!(await Find(http, register, webhook, action)).TryGet(out var found, out var problem))
        {
            return NotHere(http, pages, problem);
        }

        if (action == WebhookAction.Rotate)
        {
            var how = new RotateWebhookSecret(
                GraceSeconds(SignInEndpoints.Field(http, "grace_hours")), SignInEndpoints.Field(http, "force") == "true");
            return (await WebhookPages.Write(http, book, (scope, owner) => register.Rotate(scope, owner, webhook, how)))
                .TryGet(out var rotated, out problem)
                ? WebhookPages.Secret(http, pages, rotated.Webhook, rotated.Secret, Rotated(rotated.Webhook))
                : Refused(http, pages, options, time, found, problem);
        }

        var done = await WebhookPages.Write(http, book, (scope, owner) => Change(http, scope, register, owner, found));
        if (!done.TryGet(out var count, out problem))
        {
            return Refused(http, pages, options, time, found, problem);
        }

        var home = action == WebhookAction.Delete ? WebhookPages.HomeOf(ConsolePlace.Of(http)) : HomeOf(http, webhook);
        return PageMaker.See(http, string.Create(
            CultureInfo.InvariantCulture, $"{home}?done={action}{(action == WebhookAction.Replay ? $"&count={count}" : "")}"));
    }

    private static string Rotated(Webhook webhook) => webhook.OldSecretEndsAtMs is { } ends
        ? $"The webhook has a new secret. The old one signs too, until {Shown.Exact(ends)}."
        : "The webhook has a new secret. The old one has stopped.";

    private static IResult Refused(
        HttpContext http, FrameMaker pages, WebhookOptions options, TimeProvider time, (Webhook Webhook, WebhookAction Action) found,
        Problem problem) => problem.Errors.Count == 0
            ? pages.Problem(http, problem, HomeOf(http, found.Webhook.Id))
            : Asked(http, pages, options, time, found, problem.Code.Status, found.Action.Name switch
            {
                WebhookAction.Rotate =>
                    [new PageFault("grace_hours", $"It must be a number of hours from 0 to {WebhookRegister.GraceSecondsMax / 3_600}.")],
                WebhookAction.Replay => [new PageFault("since", "It must be a day and a time, such as 2026-11-27T09:30.")],
                _ => WebhookForm.Faults(http, problem),
            });

    /// <summary>How many deliveries it sets going, where it does.</summary>
    private static async Task<Outcome<int>> Change(
        HttpContext http, WriteScope scope, WebhookRegister register, string owner, (Webhook Webhook, WebhookAction Action) found)
    {
        var id = found.Webhook.Id;
        if (found.Action.Name == WebhookAction.Replay)
        {
            var since = new ReplayWebhook(TimeOf(SignInEndpoints.Field(http, "since")));
            return (await register.ReplayFailed(scope, owner, id, since)).TryGet(out var replayed, out var fault)
                ? replayed.Replayed
                : fault;
        }

        var changed = found.Action.Name switch
        {
            WebhookAction.Change => await register.Change(scope, owner, id, WebhookForm.ReadChange(http.Request.Form)),
            WebhookAction.Disable => await register.Change(scope, owner, id, new ChangeWebhook { Enabled = false }),
            WebhookAction.Enable => await register.Change(scope, owner, id, new ChangeWebhook { Enabled = true }),
            WebhookAction.Delete => await register.Delete(scope, owner, id),
            _ => throw new InvalidOperationException($"Nothing does {found.Action.Name}."),
        };
        return changed.TryGet(out _, out var problem) ? 0 : problem;
    }

    private static DateTimeOffset? TimeOf(string text) => DateTimeOffset.TryParseExact(
        text.Trim(), TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
        out var time)
        ? time
        : null;

    /// <summary>What is no number of hours is refused by the door, as less than none.</summary>
    private static long? GraceSeconds(string text) => text.Length == 0 ? null
        : decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var hours) && hours <= 1_000_000
            ? (long)(hours * 3_600)
            : -1;
}
