using Spectre.Console;

namespace Tollgate.Cli;

/// <summary>The surroundings of a command: streams, environment variables, clock. Tests hand in their own.</summary>
internal sealed record Shell
{
    public required TextReader In { get; init; }

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    public required Func<string, string?> Variable { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Whether a person sits at the keyboard.</summary>
    public bool AtTerminal { get; init; }

    /// <summary>Whether what is said on standard error is seen on a terminal.</summary>
    public bool ErrorAtTerminal { get; init; }

    /// <summary>Columns of the terminal; wide where the output goes to a file or a program, so that nothing is folded.</summary>
    public int Width { get; init; } = 240;

    public bool Color { get; init; }

    public static Shell OfProcess() => new()
    {
        In = Console.In,
        Out = Console.Out,
        Error = Console.Error,
        Variable = name => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null,
        Time = TimeProvider.System,
        AtTerminal = !Console.IsInputRedirected,
        ErrorAtTerminal = !Console.IsErrorRedirected,
        Width = Console.IsOutputRedirected || Console.WindowWidth < 40 ? 240 : Console.WindowWidth,
        Color = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "",
    };

    /// <summary>Prints it with no spaces at the ends of its lines.</summary>
    public void Print(Table table)
    {
        var styled = Color && Render(Out, AnsiSupport.Detect).Profile.Capabilities.Ansi;
        using var text = new StringWriter();
        Render(text, styled ? AnsiSupport.Yes : AnsiSupport.No).Write(table);
        foreach (var line in text.ToString().TrimEnd().Split('\n'))
        {
            Out.WriteLine(line.TrimEnd());
        }
    }

    /// <summary>Tables have weight and no colors.</summary>
    private IAnsiConsole Render(TextWriter to, AnsiSupport ansi)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(to),
            Ansi = ansi,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = Width;
        return console;
    }
}
