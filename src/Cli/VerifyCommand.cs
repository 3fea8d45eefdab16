using System.CommandLine;
using Spectre.Console;
using Tollgate.Client;

namespace Tollgate.Cli;

/// <summary><c>tollgate verify</c>: asks whether a key may do something. Exit code 0 = valid, 1 = not.</summary>
internal static class VerifyCommand
{
    // As long as the longest header a server would take; what is longer is no key.
    private const int KeyCharsMax = 65_536;

    private static readonly Argument<string?> From = new("dash")
    {
        Description = "A dash (-): read the key from standard input, where no other user can see it.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> KeyToCheck = new("--key-to-check")
    {
        Description = "The key. Other users can read a command line.",
    };

    private static readonly Option<string?> Requires = new("--requires") { Description = "What it must hold, such as endpoints:write." };

    private static readonly Option<string?> Method = new("--method") { Description = "The request's method; with --path." };

    private static readonly Option<string?> Path = new("--path") { Description = "The request's path; with --method." };

    private static readonly Option<string?> Project = new("--project") { Description = "The project the request is about." };

    private static readonly Option<string?> Address = new("--address") { Description = "The address the request came from." };

    private static readonly Option<bool> Explain = new("--explain") { Description = "Show the decision step by step." };

    public static Command Build(Shell shell)
    {
        var command = new Command("verify", "Ask whether a key is valid, and whether it may do something.")
        {
            From, KeyToCheck, Requires, Method, Path, Project, Address, Explain,
        };
        command.SetAction((parsed, cancel) => Run(parsed, shell, cancel));
        return command;
    }

    private static async Task<int> Run(ParseResult parsed, Shell shell, CancellationToken cancel)
    {
        var voice = new Voice(shell, parsed.GetValue(CommonOptions.Json));
        var (requires, method, path) = (parsed.GetValue(Requires), parsed.GetValue(Method), parsed.GetValue(Path));
        if ((method is null) != (path is null) || (requires is not null && method is not null))
        {
            throw new UsageException("Give --requires, or --method together with --path, or none of them.");
        }

        var check = Check.Of(ReadKey(parsed, shell)) with
        {
            Requires = requires,
            Method = method,
            Path = path,
            Project = parsed.GetValue(Project),
            Address = parsed.GetValue(Address),
        };
        using var client = CommonOptions.Connect(parsed, shell);
        if (parsed.GetValue(Explain))
        {
            var explanation = await client.Verify.ExplainAsync(check, cancel);
            Show(explanation, voice);
            return (int)(explanation.Valid ? ExitCode.Ok : ExitCode.Refused);
        }

        var verdict = await client.Verify.CheckAsync(check, cancel);
        Show(verdict, voice);
        return (int)(verdict.Valid ? ExitCode.Ok : ExitCode.Refused);
    }

    private static string ReadKey(ParseResult parsed, Shell shell)
    {
        var (from, given) = (parsed.GetValue(From), parsed.GetValue(KeyToCheck));
        if (from is not null and not "-")
        {
            throw new UsageException("Write the key to standard input and put a dash here (verify -), or use --key-to-check.");
        }

        if (from is not null && given is not null)
        {
            throw new UsageException("Give the key on standard input or as --key-to-check, not both.");
        }

        if (given is null && from is null && shell.AtTerminal)
        {
            throw new UsageException("Which key? Write it to standard input (verify - < FILE), or use --key-to-check.");
        }

        return given ?? FirstLine(shell.In);
    }

    private static string FirstLine(TextReader input)
    {
        var text = new char[KeyCharsMax];
        var length = input.ReadBlock(text);
        var line = text.AsSpan(0, length);
        var end = line.IndexOf('\n');
        line = (end < 0 ? line : line[..end]).Trim();
        if (end < 0 && length == KeyCharsMax)
        {
            throw new UsageException($"The first line of standard input is longer than {KeyCharsMax - 1:N0} characters.");
        }

        return line.IsEmpty ? throw new UsageException("Standard input is empty: the key is its first line.") : line.ToString();
    }

    private static void Show(Verdict verdict, Voice voice)
    {
        if (voice.Json)
        {
            voice.Result(verdict, TollgateJson.Default.Verdict);
            return;
        }

        voice.Result(verdict.Valid ? "valid" : $"not valid: {verdict.Reason ?? verdict.Code} ({verdict.Code})");
        if (verdict.RequiredPermission is { } needed)
        {
            voice.Result($"needed: {needed}");
        }

        if (verdict.Key is not { } key)
        {
            return;
        }

        var table = Tables.Facts();
        table.Fact("key", key.Id);
        table.Fact("name", key.Name);
        table.Fact("project", key.ProjectId);
        table.Fact("organization", key.OrganizationId);
        table.Fact("environment", key.Environment);
        table.Fact("type", key.Type);
        table.Fact("permissions", key.Permissions);
        table.Fact("scopes", key.Scopes);
        table.Fact("rights", key.Rights);
        table.Fact("expires", When.Text(key.ExpiresAt));
        voice.Table(table);
    }

    private static void Show(Explanation explanation, Voice voice)
    {
        if (voice.Json)
        {
            voice.Result(explanation, TollgateJson.Default.Explanation);
            return;
        }

        voice.Result(explanation.Valid ? "valid" : $"not valid ({explanation.Code})");
        var table = Tables.List("step", "outcome", "detail");
        foreach (var step in explanation.Steps)
        {
            table.Line(step.Step, OpenEnum<StepOutcome>.Word(step.Outcome).Replace('_', ' '), step.Detail);
        }

        voice.Table(table);
    }
}
