using System.CommandLine;
using Tollgate.Cli.Keys;
using Tollgate.Client;

namespace Tollgate.Cli;

/// <summary>The command tree, and the one place where a failure becomes words and an exit code.</summary>
internal static class CommandLine
{
    // A value such as @name stays what it is: files are not read unasked.
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    public static async Task<int> Run(string[] args, Shell shell, CancellationToken cancellationToken = default)
    {
        var parsed = Tree(shell).Parse(args, Parser);
        var voice = new Voice(shell, parsed.GetValue(CommonOptions.Json));
        try
        {
            if (parsed.Errors.Count > 0)
            {
                voice.Usage([.. parsed.Errors.Select(error => error.Message)], CommandPath(parsed));
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
        catch (HttpRequestException e)
        {
            voice.Problem(Unreachable(e.Message));
            return (int)ExitCode.Unreachable;
        }
        catch (OperationCanceledException e) when (e.InnerException is TimeoutException)
        {
            voice.Problem(Unreachable("It did not answer in time."));
            return (int)ExitCode.Unreachable;
        }
    }

    private static RootCommand Tree(Shell shell)
    {
        var root = new RootCommand(
            "Asks a Tollgate from the shell. The gate itself runs by `tollgate serve`, and `tollgate provider check FILE|NAME` and "
            + "`tollgate provider list` look at provider files.");
        CommonOptions.AddTo(root);
        root.Subcommands.Add(KeyCommands.Build(shell));
        root.Subcommands.Add(VerifyCommand.Build(shell));
        return root;
    }

    internal static ExitCode CodeOf(Problem problem) => problem switch
    {
        { Code: Problem.UnexpectedAnswer, Status: < 400 } => ExitCode.ServerError,
        { Status: 401 or 403 } => ExitCode.NotAuthorised,
        { Status: 404 } => ExitCode.NotFound,
        { Status: >= 400 and < 500 and not 408 and not 429 } => ExitCode.Conflict,
        _ => ExitCode.ServerError,
    };

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
