using System.Text;

namespace Tollgate.Bench;

/// <summary>The page that a run leaves behind: the question, the machine, the command, the figures.</summary>
internal sealed class ResultPage(string name, string title)
{
    private readonly StringBuilder _lines = new();
    private readonly string _loadBefore = Machine.Load();

    public void Add(string line)
    {
        Console.WriteLine(line);
        _lines.Append(line).Append('\n');
    }

    /// <summary>Writes <c>NAME.md</c> into the folder; without one, what was printed is all there is.</summary>
    public void Save(string? folder)
    {
        if (folder is not null)
        {
            File.WriteAllText(
                Path.Combine(folder, name + ".md"),
                $"""
                # {title}

                `./bench/run {name}` on {Machine.Facts()}; load average {_loadBefore} at the start, {Machine.Load()} at the end.
                Only the ratios and the allocated bytes carry over to another machine.

                {_lines.ToString().TrimEnd()}

                """);
        }
    }
}
