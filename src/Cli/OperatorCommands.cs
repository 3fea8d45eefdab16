using System.CommandLine;
using Tollgate.Cli.Keys;
using Tollgate.Client;

namespace Tollgate.Cli;

/// <summary><c>tollgate operator link</c>: a way into the console for who has the root key.</summary>
internal static class OperatorCommands
{
    public static Command Build(Shell shell)
    {
        var command = new Command("operator", "What the operator does about itself.");
        command.Subcommands.Add(Link(shell));
        return command;
    }

    private static Command Link(Shell shell)
    {
        var command = new Command("link", "Make a link that signs the operator in to the console, once.");
        command.SetAction(async (parsed, cancel) =>
        {
            using var ask = new Ask(parsed, shell, cancel);
            var link = await ask.Client.Operator.CreateLinkAsync(cancellationToken: cancel);
            if (ask.Voice.Json)
            {
                ask.Voice.Result(link, TollgateJson.Default.OperatorLink);
                return (int)ExitCode.Ok;
            }

            ask.Voice.Say($"Open it in a browser before {link.ExpiresAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC; it works once:");
            ask.Voice.Result(link.Url);
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
