using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Tollgate.Cli.Keys;
using Tollgate.Client;

namespace Tollgate.Cli.Import;

/// <summary><c>tollgate import FILE</c>: other systems' keys move in. Exit code 1 when rows were refused.</summary>
internal static class ImportCommand
{
    /// <summary>Patience for a gate that restarts or is busy: some forty seconds.</summary>
    private const int Retries = 10;

    private static readonly Argument<string> FileName = new("file") { Description = "The file to read; see docs/guides/import.md." };

    private static readonly Option<string?> Format = new("--format")
    {
        Description = $"{string.Join(", ", Source.Formats)}. Else by the file's ending: .ndjson, .jsonl, .csv.",
        HelpName = string.Join('|', Source.Formats),
        CompletionSources = { Source.Formats },
    };

    private static readonly Option<string?> Project = new("--project")
    {
        Description = "Where rows go that name no project. Else TOLLGATE_PROJECT, else the gate's first.",
    };

    private static readonly Option<int> Batch = new("--batch")
    {
        Description = $"Rows a call, 1 to {ImportCalls.RowsMax}.",
        DefaultValueFactory = _ => ImportCalls.RowsMax,
    };

    private static readonly Option<bool> Trial = new("--dry-run") { Description = "Say what would become of each row; store nothing." };

    private static readonly Option<bool> Resume = new("--resume") { Description = "Go on where an earlier run stopped." };

    private static readonly Option<string?> Environment = new("--environment")
    {
        Description = "For rows without one, such as live or test. Not with ndjson.",
    };

    private static readonly Option<string?> Type = new("--type") { Description = "A key type, for rows without one. Not with ndjson." };

    private static readonly Option<string?> Scopes = new("--scopes")
    {
        Description = "What keys may reach, for rows that do not say. Several: separated by commas. Not with ndjson.",
    };

    public static Command Build(Shell shell)
    {
        var command = new Command("import", "Take in the keys of another system from a file.")
        {
            FileName, Format, Project, Batch, Trial, Resume, Environment, Type, Scopes,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            using var ask = new Ask(parsed, shell, cancel, Retries);
            return (int)await Run(ask);
        });
        return command;
    }

    private static async Task<ExitCode> Run(Ask ask)
    {
        var (parsed, path) = (ask.Parsed, ask.Parsed.GetValue(FileName)!);
        var format = ReadFormat(parsed, path);
        var defaults = ReadDefaults(parsed, format);
        if (parsed.GetValue(Batch) is < 1 or > ImportCalls.RowsMax)
        {
            throw new UsageException($"--batch: a number from 1 to {ImportCalls.RowsMax}.");
        }

        using var file = Open(path);
        var plan = new ImportPlan
        {
            File = path,
            Format = format,
            ProjectId = await ask.ProjectId(Project),
            Batch = parsed.GetValue(Batch),
            IsTrial = parsed.GetValue(Trial),
        };
        var state = StateOf(ask, plan, file, defaults);
        using (var refused = new RefusedFile(plan.RefusedPath, state.RefusedBytes))
        {
            var meter = new ImportMeter(ask.Shell, ask.Voice, file);
            var run = new ImportRun(ask.Client.Import, plan, state, refused, meter);
            try
            {
                await meter.Around(() => run.Send(Source.Read(format, file, defaults, ask.Cancel), ask.Cancel));
            }
            catch (OperationCanceledException) when (ask.Cancel.IsCancellationRequested)
            {
                Stopped(ask.Voice, plan, state);
                return ExitCode.Interrupted;
            }
            catch (Exception e) when (e is TollgateException or HttpRequestException or OperationCanceledException or UsageException)
            {
                Stopped(ask.Voice, plan, state);
                throw;
            }
        }

        File.Delete(plan.StateFile);
        ImportTable.Show(ask.Voice, plan, state);
        return state.Refused > 0 ? ExitCode.Refused : ExitCode.Ok;
    }

    private static void Stopped(Voice voice, ImportPlan plan, ImportState state)
    {
        var rows = state.Rows.ToString("N0", CultureInfo.InvariantCulture);
        voice.Say(plan.IsTrial || state.Rows == 0
            ? $"Stopped after {rows} rows."
            : $"Stopped after {rows} rows, which are done. The same command with --resume goes on from there.");
    }

    private static string ReadFormat(ParseResult parsed, string path)
    {
        var format = parsed.GetValue(Format) ?? Source.FormatOf(path)
            ?? throw new UsageException($"--format: say which of {string.Join(", ", Source.Formats)} the file is.");
        return Source.Formats.Contains(format)
            ? format
            : throw new UsageException($"--format: \"{format}\" is not one of {string.Join(", ", Source.Formats)}.");
    }

    private static JsonObject ReadDefaults(ParseResult parsed, string format)
    {
        var defaults = new JsonObject();
        if (parsed.GetValue(Environment) is { } environment)
        {
            defaults["environment"] = environment;
        }

        if (parsed.GetValue(Type) is { } type)
        {
            defaults["type"] = type;
        }

        if (parsed.GetValue(Scopes) is { } scopes)
        {
            var names = scopes.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            defaults["scopes"] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
        }

        return format == "ndjson" && defaults.Count > 0
            ? throw new UsageException("--environment, --type and --scopes are not for ndjson, whose lines are sent as they are.")
            : defaults;
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1_024, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The file cannot be read: {e.Message}");
        }
    }

    /// <summary>Where an earlier run stopped, when this one is to go on; else the beginning.</summary>
    private static ImportState StateOf(Ask ask, ImportPlan plan, FileStream file, JsonObject defaults)
    {
        var changed = File.GetLastWriteTimeUtc(file.SafeFileHandle).Ticks;
        var run = string.Create(
            CultureInfo.InvariantCulture, $"{plan.Format} {plan.ProjectId} {file.Length} {changed} {defaults.ToJsonString()}");
        var earlier = plan.IsTrial ? null : ImportState.Read(plan.StateFile);
        if (!ask.Parsed.GetValue(Resume))
        {
            if (earlier is not null)
            {
                ask.Voice.Say("An earlier run stopped on the way; this one begins anew. What is in already stays unchanged.");
            }

            return new ImportState { Run = run };
        }

        if (plan.IsTrial)
        {
            throw new UsageException("--resume and --dry-run do not go together: a dry run keeps nothing.");
        }

        if (earlier is null)
        {
            ask.Voice.Say("There is no earlier run to resume: this one begins with the first row.");
            return new ImportState { Run = run };
        }

        return earlier.Run == run
            ? earlier
            : throw new UsageException(
                "The file, its format, its project or its defaults are not those of the run that stopped. "
                + "Without --resume it begins anew; what is in already stays unchanged.");
    }
}
