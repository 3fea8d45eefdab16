using System.Globalization;
using Spectre.Console;

namespace Tollgate.Cli.Import;

/// <summary>
/// Shows how far an import has come: a bar where a person looks on, elsewhere a line every ten thousand rows, and nothing with
/// <c>--json</c>.
/// </summary>
internal sealed class ImportMeter(Shell shell, Voice voice, FileStream file)
{
    private const int LineRows = 10_000;

    private ProgressTask? _bar;
    private long _told;

    /// <summary>Runs the work with a bar around it, if one is to be shown.</summary>
    public Task Around(Func<Task> work)
    {
        if (!shell.ErrorAtTerminal || voice.Json)
        {
            return work();
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(shell.Error),
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            ColorSystem = shell.Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        });
        console.Profile.Width = Math.Min(shell.Width, 120);
        return console.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn())
            .StartAsync(async progress =>
            {
                _bar = progress.AddTask("0 rows", maxValue: Math.Max(1, file.Length));
                await work();
            });
    }

    public void Show(ImportState state)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{state.Rows:N0} rows: {state.Created:N0} created, {state.Unchanged:N0} unchanged, {state.Refused:N0} refused");
        if (_bar is not null)
        {
            _bar.Value = file.Position;
            _bar.Description = text;
        }
        else if (!shell.ErrorAtTerminal && state.Rows - _told >= LineRows)
        {
            _told = state.Rows;
            voice.Say(text);
        }
    }
}
