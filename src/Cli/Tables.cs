using Spectre.Console;

namespace Tollgate.Cli;

/// <summary>Tables as a terminal shows them: no frames, so that a line can be copied.</summary>
internal static class Tables
{
    public static Table List(params ReadOnlySpan<string> columns)
    {
        var table = new Table().NoBorder();
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column.ToUpperInvariant(), new Style(decoration: Decoration.Dim))).PadRight(2));
        }

        return table;
    }

    public static void Line(this Table table, params ReadOnlySpan<string?> cells)
    {
        var row = new List<Text>();
        foreach (var cell in cells)
        {
            row.Add(Cell(cell));
        }

        table.AddRow(row);
    }

    /// <summary>A table of names and values.</summary>
    public static Table Facts() => new Table().NoBorder().HideHeaders().AddColumn(new TableColumn("").PadRight(2)).AddColumn("");

    /// <summary>A line of it; nothing when there is nothing to say.</summary>
    public static void Fact(this Table table, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            table.AddRow(new Text(name, new Style(decoration: Decoration.Dim)), Cell(value));
        }
    }

    public static void Fact(this Table table, string name, IReadOnlyList<string> values) => table.Fact(name, string.Join(", ", values));

    private static Text Cell(string? text) => new(Voice.Plain(text ?? ""));
}
