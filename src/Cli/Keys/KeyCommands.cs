using System.CommandLine;
using System.CommandLine.Parsing;
using Tollgate.Client;

namespace Tollgate.Cli.Keys;

/// <summary><c>tollgate keys …</c>.</summary>
internal static class KeyCommands
{
    /// <summary>The rows <c>list</c> shows a person unless told otherwise; a program gets all, up to the bound.</summary>
    private const int ListRows = 1_000;

    private const int ListRowsMax = 1_000_000;

    private static readonly Argument<string> Id = new("id") { Description = "The key's id: key_…" };

    private static readonly Option<string?> Project = new("--project") { Description = "Else TOLLGATE_PROJECT, else the gate's first." };

    private static readonly string[] Statuses = ["active", "disabled", "expired", "revoked", "deleted"];

    private static readonly Option<string?> Status = new("--status")
    {
        Description = "Only keys that are active, disabled, expired, revoked or deleted.",
        HelpName = string.Join('|', Statuses),
        Validators = { StatusIsKnown },
        CompletionSources = { Statuses },
    };

    private static readonly Option<int?> Limit = new("--limit")
    {
        Description = $"At most so many rows. Else {ListRows}, or all with --json.",
    };

    private static readonly Option<bool> Yes = new("--yes") { Description = "Delete without asking for the name." };

    private static readonly Option<bool> Compromised = new("--compromised")
    {
        Description = "Others may have the secret: cut the requests that are under way with it, too.",
    };

    private static readonly Option<string?> Grace = new("--grace")
    {
        Description = "How long the old secret goes on working: 0, 15m, 24h, 7d. Else what the provider file says.",
    };

    private static readonly Option<bool> Force = new("--force")
    {
        Description = "Rotate although the last rotation's grace is running: the oldest secret stops now.",
    };

    private static readonly Option<string?> Expires = new("--expires")
    {
        Description = "A new expiry, taken only for a key that has expired: 30d, 2027-01-31, 2027-01-31T12:00:00Z.",
    };

    public static Command Build(Shell shell)
    {
        return new Command("keys", "Create, list and change API keys.")
        {
            CreateCommand.Build(shell),
            Make("list", "List the keys of a project.", [Project, Status, Limit], shell, List),
            Make("show", "Show a key.", [Id], shell, async (ask) =>
                await Show(ask, ask.Client.Keys.GetAsync(ask.KeyId(Id), ask.Cancel), null)),
            Make("disable", "Stop a key until it is enabled: its next request is refused.", [Id], shell, async (ask) =>
                await Show(ask, ask.Client.Keys.DisableAsync(ask.KeyId(Id), null, ask.Cancel), "disabled")),
            Make("enable", "Let a disabled key work again.", [Id], shell, async (ask) =>
                await Show(ask, ask.Client.Keys.EnableAsync(ask.KeyId(Id), null, ask.Cancel), "enabled")),
            Make("rotate", "Give a key a new secret; the old one works on for the grace.", [Id, Grace, Force, Expires], shell, Rotate),
            Make("regenerate", "Give a key a new secret; the old one stops at once.", [Id], shell, Regenerate),
            Make("revoke", "Stop a key for good: its next request is refused.", [Id, Compromised], shell, async (ask) =>
                await Show(ask, ask.Parsed.GetValue(Compromised)
                    ? ask.Client.Keys.RevokeCompromisedAsync(ask.KeyId(Id), null, ask.Cancel)
                    : ask.Client.Keys.RevokeAsync(ask.KeyId(Id), null, ask.Cancel), "revoked")),
            Make("delete", "Delete a key for good. Asks for its name.", [Id, Yes], shell, Delete),
        };
    }

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
        var rowsMax = ask.Parsed.GetValue(Limit) ?? (ask.Voice.Json ? ListRowsMax : ListRows);
        if (rowsMax is < 1 or > ListRowsMax)
        {
            throw new UsageException($"--limit: a number from 1 to {ListRowsMax}.");
        }

        KeyStatus? status = ask.Parsed.GetValue(Status) is { } word ? Enum.Parse<KeyStatus>(word, ignoreCase: true) : null;
        var project = await ask.ProjectId(Project);
        var keys = new List<Key>();
        var more = false;
        await foreach (var key in ask.Client.Keys.ListAsync(project, status, ask.Cancel))
        {
            if (keys.Count == rowsMax)
            {
                more = true;
                break;
            }

            keys.Add(key);
        }

        KeyTables.List(ask.Voice, keys);
        if (more)
        {
            ask.Voice.Say($"There are more than {rowsMax}: --limit shows more, --status narrows.");
        }

        return ExitCode.Ok;
    }

    private static void StatusIsKnown(OptionResult given)
    {
        if (given.Tokens is [var word, ..] && !Statuses.Contains(word.Value))
        {
            given.AddError($"--status: \"{word.Value}\" is not one of {string.Join(", ", Statuses)}.");
        }
    }

    private static async Task<ExitCode> Rotate(Ask ask)
    {
        var rotation = new Rotation
        {
            GraceSeconds = ask.Parsed.GetValue(Grace) is { } grace ? (long)When.Duration("--grace", grace).TotalSeconds : null,
            Force = ask.Parsed.GetValue(Force) ? true : null,
            ExpiresAt = ask.Parsed.GetValue(Expires) is { } expires ? When.Instant("--expires", expires, ask.Shell.Time) : null,
        };
        var issued = await ask.Client.Keys.RotateAsync(ask.KeyId(Id), rotation, null, ask.Cancel);
        KeyTables.Issued(ask.Voice, issued, "rotated");
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> Regenerate(Ask ask)
    {
        var issued = await ask.Client.Keys.RegenerateAsync(ask.KeyId(Id), null, ask.Cancel);
        KeyTables.Issued(ask.Voice, issued, "regenerated; the old secret is refused now");
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> Delete(Ask ask)
    {
        var id = ask.KeyId(Id);
        if (!ask.Parsed.GetValue(Yes))
        {
            if (ask.Voice.Json)
            {
                throw new UsageException("With --json nobody is asked: say --yes.");
            }

            var key = await ask.Client.Keys.GetAsync(id, ask.Cancel);
            ask.Voice.Say($"This deletes {key.Id} for good, and apps using it stop at once. Type its name, {key.Name}, to go on:");
            if (await ask.Shell.In.ReadLineAsync(ask.Cancel) is not { } typed || typed.Trim() != key.Name.Trim())
            {
                ask.Voice.Say("Not deleted: the name differs.");
                return ExitCode.Refused;
            }
        }

        return await Show(ask, ask.Client.Keys.DeleteAsync(id, null, ask.Cancel), "deleted");
    }

    private static async Task<ExitCode> Show(Ask ask, Task<Key> call, string? done)
    {
        var key = await call;
        if (done is not null)
        {
            ask.Voice.Say($"{key.Id} \"{key.Name}\" is {done}.");
        }

        KeyTables.Show(ask.Voice, key);
        return ExitCode.Ok;
    }
}
