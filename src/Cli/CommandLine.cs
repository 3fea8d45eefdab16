using System.CommandLine;
using Tollgate.Cli.Import;
using Tollgate.Cli.Keys;
using Tollgate.Cli.Usage;
using Tollgate.Cli.Wallets;
using Tollgate.Cli.Webhooks;
using Tollgate.Client;

namespace Tollgate.Cli;

/// <summary>The command tree, and the one place where a failure becomes words and an exit code.</summary>
internal static class CommandLine
{
    // A value such as @name stays what it is: files are not read unasked.
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    // No key would help: the provider has no such operation.
    private const string OperationNotOffered = "operation_not_offered";

    private static readonly Problem NoAnswer = new()
    {
        Code = Problem.UnexpectedAnswer,
        Title = "The answer could not be read.",
        Detail = "Something is at the address and gave no whole HTTP answer: is this the address of a Tollgate?",
    };

    public static async Task<int> Run(string[] args, Shell shell, CancellationToken cancellationToken = default)
    {
        var parsed = Tree(shell).Parse(args, Parser);
        var voice = new Voice(shell, parsed.GetValue(CommonOptions.Json));
        try
        {
            if (parsed.Errors.Count > 0)
            {
                voice.Usage(Mistakes(parsed), CommandPath(parsed));
                return (int)ExitCode.Usage;
            }

            var invocation = new InvocationConfiguration
            {
                Output = shell.Out,
                Error = shell.Error,
                EnableDefaultExceptionHandler = false,
            };
            return await parsed.InvokeAsync(invocation, cancellationToken);
        }
        catch (UsageException e)
        {
            voice.Usage([e.Message], CommandPath(parsed));
            return (int)ExitCode.Usage;
        }
        catch (TollgateException e)
        {
            voice.Problem(e.Problem);
            return (int)CodeOf(e.Problem);
        }
        catch (HttpRequestException e) when (IsUnreachable(e))
        {
            voice.Problem(Unreachable(e.Message));
            return (int)ExitCode.Unreachable;
        }
        catch (HttpRequestException)
        {
            voice.Problem(NoAnswer);
            return (int)ExitCode.ServerError;
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException)
        {
            voice.Problem(Unreachable("It did not answer in time."));
            return (int)ExitCode.Unreachable;
        }
    }

    private static RootCommand Tree(Shell shell)
    {
        var root = new RootCommand("Runs a Tollgate, and asks one from the shell.");
        CommonOptions.AddTo(root);
        root.Subcommands.Add(KeyCommands.Build(shell));
        root.Subcommands.Add(VerifyCommand.Build(shell));
        root.Subcommands.Add(ImportCommand.Build(shell));
        root.Subcommands.Add(UsageCommand.Build(shell));
        root.Subcommands.Add(WalletCommands.Build(shell));
        root.Subcommands.Add(WebhookCommands.Build(shell));
        root.Subcommands.Add(PlansCommand.Build(shell));
        root.Subcommands.Add(OperatorCommands.Build(shell));
        root.Subcommands.Add(OfServer("serve", "Run the gate, as ./run does."));
        root.Subcommands.Add(OfServer("provider", "Look at provider files: provider list, provider check NAME or FILE."));
        root.Subcommands.Add(OfServer("backup", "Back up the data, also while the gate runs: backup --to FILE or DIR."));
        root.Subcommands.Add(OfServer("restore", "Put a backup in place, with a list of what that would undo: restore FILE."));
        root.Subcommands.Add(OfServer("doctor", "Look at everything a gate rests on, and say what to do: doctor [--json]."));
        root.Subcommands.Add(OfServer("migrate", "Bring the database to this version's schema: migrate [--check]."));
        return root;
    }

    /// <summary>A command that <c>./tollgate</c> hands to the server's executable. It is here to be listed.</summary>
    internal static Command OfServer(string name, string description, string? words = null)
    {
        words ??= name;
        var command = new Command(name, description) { TreatUnmatchedTokensAsErrors = false };
        command.SetAction(int (_) => throw new UsageException(
            $"\"{words}\" belongs to the server's executable: run ./tollgate {words}, with \"{words}\" as its first word."));
        return command;
    }

    /// <summary>What is wrong, in sentences. Of a word where a command should be only that is said.</summary>
    private static string[] Mistakes(ParseResult parsed)
    {
        var commands = parsed.CommandResult.Command.Subcommands;
        return commands.Count > 0 && parsed.UnmatchedTokens is [var word, ..]
            ? [$"\"{word}\" is not a command of {CommandPath(parsed)}: {string.Join(", ", commands.Select(command => command.Name))}."]
            : [.. parsed.Errors.Select(error => error.Message)];
    }

    internal static ExitCode CodeOf(Problem problem) => problem switch
    {
        { Code: Problem.UnexpectedAnswer, Status: < 400 } => ExitCode.ServerError,
        { Code: OperationNotOffered } => ExitCode.Conflict,
        { Status: 401 or 403 } => ExitCode.NotAuthorised,
        { Status: 404 } => ExitCode.NotFound,
        { Status: >= 400 and < 500 and not 408 and not 429 } => ExitCode.Conflict,
        _ => ExitCode.ServerError,
    };

    /// <summary>Nobody was reached. All other failures come after somebody took the connection.</summary>
    private static bool IsUnreachable(HttpRequestException e) => e.HttpRequestError is HttpRequestError.NameResolutionError
        or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;

    private static Problem Unreachable(string why) => new()
    {
        Code = "unreachable",
        Title = "The gate could not be reached.",
        Detail = $"The gate could not be reached. {why} Is it running, and is --url or TOLLGATE_URL right?",
    };

    private static string CommandPath(ParseResult parsed)
    {
        var names = new List<string>();
        for (var at = parsed.CommandResult; at.Parent is System.CommandLine.Parsing.CommandResult above; at = above)
        {
            names.Insert(0, at.Command.Name);
        }

        return string.Join(' ', ["tollgate", .. names]);
    }
}
