using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Tollgate.Cli.Keys;
using Tollgate.Client;

namespace Tollgate.Cli.Wallets;

/// <summary><c>tollgate wallet …</c>; <c>wallet check</c> is the server's, which reads the data itself.</summary>
internal static class WalletCommands
{
    private const int ListRows = 100;
    private const int ListRowsMax = 1_000_000;

    private static readonly Argument<string> Organization = new("organization") { Description = "The organization's id: org_…" };

    private static readonly Argument<string> Amount = new("amount") { Description = "How much, such as 50.00; at most 6 decimals." };

    private static readonly Option<string?> ExternalId = new("--external-id")
    {
        Description = "What the payment is called elsewhere. The same again puts nothing in. Else one is made up and said.",
    };

    private static readonly Option<string?> Note = new("--note") { Description = "For people." };

    private static readonly Option<int?> Limit = new("--limit")
    {
        Description = $"At most so many rows. Else {ListRows}, or all with --json.",
    };

    public static Command Build(Shell shell) => new("wallet", "Look at an organization's money, and put some in.")
    {
        Make("show", "Show a wallet.", [Organization], shell, Show),
        Make("topup", "Put money into a wallet.", [Organization, Amount, ExternalId, Note], shell, TopUp),
        Make("entries", "List the entries of a wallet, newest first.", [Organization, Limit], shell, List),
        CommandLine.OfServer("check", "Add up every wallet again and name what differs: run ./tollgate wallet check.", "wallet check"),
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

    private static async Task<ExitCode> Show(Ask ask)
    {
        var wallet = await ask.Client.Wallets.GetAsync(ask.OrganizationId(Organization), ask.Cancel);
        if (ask.Voice.Json)
        {
            ask.Voice.Result(wallet, TollgateJson.Default.Wallet);
            return ExitCode.Ok;
        }

        var table = Tables.Facts();
        table.Fact("balance", $"{WireMoney.Text(wallet.Balance)} {wallet.Currency}");
        table.Fact("held", WireMoney.Text(wallet.Held));
        table.Fact("available", WireMoney.Text(wallet.Available));
        ask.Voice.Table(table);
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> TopUp(Ask ask)
    {
        var typed = ask.Parsed.GetValue(Amount)!;
        if (!decimal.TryParse(typed, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
        {
            throw new UsageException($"\"{typed}\" is not an amount such as 50.00.");
        }

        var externalId = ask.Parsed.GetValue(ExternalId) ?? "cli-" + RandomNumberGenerator.GetHexString(24, lowercase: true);
        var entry = await ask.Client.Wallets.EnterAsync(
            ask.OrganizationId(Organization),
            new NewWalletEntry("top_up", amount, externalId, ask.Parsed.GetValue(Note)),
            null,
            ask.Cancel);
        if (ask.Voice.Json)
        {
            ask.Voice.Result(entry, TollgateJson.Default.WalletEntry);
            return ExitCode.Ok;
        }

        ask.Voice.Say($"{WireMoney.Text(entry.Amount)} put in under {entry.ExternalId} at {When.Text(entry.CreatedAt)}. The balance then:");
        ask.Voice.Result(WireMoney.Text(entry.BalanceAfter));
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> List(Ask ask)
    {
        var rowsMax = ask.Parsed.GetValue(Limit) ?? (ask.Voice.Json ? ListRowsMax : ListRows);
        if (rowsMax is < 1 or > ListRowsMax)
        {
            throw new UsageException($"--limit: a number from 1 to {ListRowsMax}.");
        }

        var (entries, more) = (new List<WalletEntry>(), false);
        await foreach (var entry in ask.Client.Wallets.ListAsync(ask.OrganizationId(Organization), ask.Cancel))
        {
            if (entries.Count == rowsMax)
            {
                more = true;
                break;
            }

            entries.Add(entry);
        }

        Tell(ask.Voice, entries);
        if (more)
        {
            ask.Voice.Say($"There are more than {rowsMax}: --limit shows more.");
        }

        return ExitCode.Ok;
    }

    private static void Tell(Voice voice, List<WalletEntry> entries)
    {
        if (voice.Json)
        {
            voice.Result(new Page<WalletEntry>(entries, null), TollgateJson.Default.WalletEntryPage);
            return;
        }

        if (entries.Count == 0)
        {
            voice.Say("No entries.");
            return;
        }

        var table = Tables.List("number", "at", "kind", "amount", "balance", "external id", "note");
        foreach (var entry in entries)
        {
            table.Line(
                entry.Number.ToString(CultureInfo.InvariantCulture), When.Text(entry.CreatedAt), entry.Kind, WireMoney.Text(entry.Amount),
                WireMoney.Text(entry.BalanceAfter), entry.ExternalId, entry.Note);
        }

        voice.Table(table);
    }
}
