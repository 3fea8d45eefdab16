using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Cli.Keys;
using Tollgate.Client;

namespace Tollgate.Cli.Webhooks;

/// <summary><c>tollgate webhooks …</c>.</summary>
internal static class WebhookCommands
{
    private const int RowsDefault = 100;
    private const int RowsMax = 100_000;

    private static readonly string[] Statuses = ["pending", "delivered", "failed"];

    private static readonly Argument<string> Id = new("id") { Description = "The webhook's id: whk_…" };

    private static readonly Argument<string> Url = new("url") { Description = "Where to send: https://…" };

    private static readonly Argument<string?> Delivery = new("delivery")
    {
        Description = "A delivery's id: dlv_… Else --since.", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Organization = new("--organization") { Description = "Else that of the project." };

    private static readonly Option<string?> Project = new("--project") { Description = "Else TOLLGATE_PROJECT, else the gate's first." };

    private static readonly Option<string> Events = new("--events")
    {
        Description = "Names of events, separated by commas. Else all.", DefaultValueFactory = _ => "*",
    };

    private static readonly Option<string?> Description = new("--description") { Description = "What it is for." };

    private static readonly Option<string?> Status = new("--status")
    {
        Description = "Only deliveries that are pending, delivered or failed.", HelpName = string.Join('|', Statuses),
    };

    private static readonly Option<int> Limit = new("--limit")
    {
        Description = $"At most so many rows; else {RowsDefault}.", DefaultValueFactory = _ => RowsDefault,
    };

    private static readonly Option<string?> Since = new("--since")
    {
        Description = "Deliver once more all that failed since: 24h, 2027-01-31, 2027-01-31T12:00:00Z.",
    };

    public static Command Build(Shell shell) => new("webhooks", "List, add and remove webhooks, and see what they delivered.")
    {
        Make("list", "List the webhooks of an organization.", [Organization, Project], shell, List),
        Make("add", "Add a webhook; its signing secret is shown once.", [Url, Events, Description, Organization, Project], shell, Add),
        Make("remove", "Remove a webhook.", [Id, Organization, Project], shell, Remove),
        Make("deliveries", "List what a webhook delivered or is to deliver, newest first.",
            [Id, Status, Limit, Organization, Project], shell, Deliveries),
        Make("replay", "Deliver once more: one delivery, or all that failed since a time.",
            [Id, Delivery, Since, Organization, Project], shell, Replay),
    };

    private static Command Make(string name, string description, Symbol[] symbols, Shell shell, Func<Ask, Task<ExitCode>> run)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Arguments.Add(argument);
            }
            else
            {
                command.Options.Add((Option)symbol);
            }
        }

        command.SetAction(async (parsed, cancel) =>
        {
            using var ask = new Ask(parsed, shell, cancel);
            return (int)await run(ask);
        });
        return command;
    }

    private static async Task<ExitCode> List(Ask ask)
    {
        var webhooks = await ask.Client.Webhooks.ListAsync(await OrganizationOf(ask), ask.Cancel);
        if (ask.Voice.Json)
        {
            ask.Voice.Result(new Page<Webhook>(webhooks), TollgateJson.Default.WebhookPage);
            return ExitCode.Ok;
        }

        if (webhooks.Count == 0)
        {
            ask.Voice.Say("No webhooks.");
            return ExitCode.Ok;
        }

        var table = Tables.List("id", "status", "url", "events", "pending", "description");
        foreach (var one in webhooks)
        {
            table.Line(one.Id, StatusOf(one), one.Url, string.Join(',', one.Events), $"{one.Pending}", one.Description);
        }

        ask.Voice.Table(table);
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> Add(Ask ask)
    {
        var asked = new NewWebhook
        {
            Url = ask.Parsed.GetValue(Url)!,
            Events = ask.Parsed.GetValue(Events)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Description = ask.Parsed.GetValue(Description),
        };
        var issued = await ask.Client.Webhooks.CreateAsync(await OrganizationOf(ask), asked, null, ask.Cancel);
        if (ask.Voice.Json)
        {
            var node = (JsonObject)JsonSerializer.SerializeToNode(issued.Webhook, TollgateJson.Default.Webhook)!;
            node["secret"] = issued.Secret?.Reveal();
            ask.Voice.Result(node);
            return ExitCode.Ok;
        }

        ask.Voice.Say($"{issued.Webhook.Id} is added. Its signing secret follows. You will not see it again: store it now.");
        ask.Voice.Secret(issued.Secret!);
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> Remove(Ask ask)
    {
        var id = IdOf(ask.Parsed.GetValue(Id)!);
        await ask.Client.Webhooks.DeleteAsync(await OrganizationOf(ask), id, null, ask.Cancel);
        ask.Voice.Say($"{id} is removed.");
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> Deliveries(Ask ask)
    {
        var (status, limit) = (ask.Parsed.GetValue(Status), ask.Parsed.GetValue(Limit));
        if (status is not null && !Statuses.Contains(status))
        {
            throw new UsageException($"--status: \"{status}\" is not one of {string.Join(", ", Statuses)}.");
        }

        if (limit is < 1 or > RowsMax)
        {
            throw new UsageException($"--limit: a number from 1 to {RowsMax}.");
        }

        var found = new List<WebhookDelivery>();
        var id = IdOf(ask.Parsed.GetValue(Id)!);
        await foreach (var one in ask.Client.Webhooks.DeliveriesAsync(await OrganizationOf(ask), id, status, ask.Cancel))
        {
            found.Add(one);
            if (found.Count == limit)
            {
                break;
            }
        }

        if (ask.Voice.Json)
        {
            ask.Voice.Result(new Page<WebhookDelivery>(found), TollgateJson.Default.WebhookDeliveryPage);
            return ExitCode.Ok;
        }

        var table = Tables.List("id", "event", "status", "attempts", "answer", "took", "created", "next attempt");
        foreach (var one in found)
        {
            var answer = one.ResponseStatus is { } answered ? $"{answered}" : one.Error;
            var took = one.DurationMs is { } ms ? $"{ms} ms" : null;
            var next = one.NextAttemptAt is { } at ? When.Text(at) : null;
            table.Line(one.Id, one.Type, one.Status, $"{one.Attempts}", answer, took, When.Text(one.CreatedAt), next);
        }

        ask.Voice.Table(table);
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> Replay(Ask ask)
    {
        var id = IdOf(ask.Parsed.GetValue(Id)!);
        switch (ask.Parsed.GetValue(Delivery), ask.Parsed.GetValue(Since))
        {
            case ({ } delivery, null):
                var again = await ask.Client.Webhooks.ReplayAsync(
                    await OrganizationOf(ask), id, IdOf(delivery), null, ask.Cancel);
                ask.Voice.Say($"{again.Id} ({again.Type}) is delivered once more.");
                return ExitCode.Ok;
            case (null, { } since):
                var from = When.Past("--since", since, ask.Shell.Time);
                var replay = await ask.Client.Webhooks.ReplayFailedAsync(await OrganizationOf(ask), id, from, null, ask.Cancel);
                ask.Voice.Say($"{replay.Replayed} are delivered once more.{(replay.HasMore ? " There are more: say it again." : "")}");
                return ExitCode.Ok;
            default:
                throw new UsageException("Name one delivery, or --since for all that failed since.");
        }
    }

    private static async Task<string> OrganizationOf(Ask ask) => ask.Parsed.GetValue(Organization) is { } named
        ? IdOf(named)
        : (await ask.Client.Projects.GetAsync(await ask.ProjectId(Project), ask.Cancel)).OrganizationId;

    private static string IdOf(string text) => Ask.Segment(text, "an id");

    private static string StatusOf(Webhook webhook) =>
        webhook.Enabled ? webhook.FailingSince is null ? "enabled" : "failing" : $"disabled ({webhook.DisabledReason})";
}
