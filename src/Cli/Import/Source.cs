using System.Text.Json.Nodes;
using Tollgate.Client;

namespace Tollgate.Cli.Import;

/// <summary>The formats that can be read, each as a stream of rows: a file of any size is never held whole.</summary>
internal static class Source
{
    public static readonly string[] Formats = ["ndjson", "csv", "unkey", "litellm"];

    /// <summary>The columns of our own CSV: the members of a row.</summary>
    private static readonly string[] Texts = ["external_id", "project_id", "name", "secret", "secret_sha256", "start", "end", "environment",
        "type", "description"];

    private static readonly string[] Lists = ["permissions", "scopes", "rights", "allowed_addresses", "models"];

    private static readonly string[] Times = ["expires_at", "created_at"];

    private static readonly string[] Columns = [.. Texts, .. Lists, .. Times, "disabled", "metadata"];

    /// <summary>What a file's name says of its format; null when nothing.</summary>
    public static string? FormatOf(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".NDJSON" or ".JSONL" => "ndjson",
        ".CSV" => "csv",
        _ => null,
    };

    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="file">From its beginning.</param>
    /// <param name="defaults">Members for rows that have none of them; not for lines that are sent as they are.</param>
    /// <param name="cancel">Ends the reading.</param>
    public static IAsyncEnumerable<SourceRow> Read(string format, FileStream file, JsonObject defaults, CancellationToken cancel) =>
        format switch
        {
            "ndjson" => Lines(file, cancel),
            "csv" => TableFile.Csv(file, Columns).Select(row => OfCsv(row, defaults)),
            "unkey" => TableFile.Read(file, cancel).Select(row => UnkeyShape.Shape.Read(row, defaults)),
            "litellm" => TableFile.Read(file, cancel).Select(row => LiteLlmShape.Shape.Read(row, defaults)),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };

    private static IAsyncEnumerable<SourceRow> Lines(FileStream file, CancellationToken cancel) =>
        FileLines.Read(file, ImportCalls.RowBytesMax, cancel)
            .Where(line => line.Bytes is not { IsEmpty: true })
            .Select(line => new SourceRow
            {
                Line = line.Number,
                Json = line.Bytes ?? default,
                Fault = line.Bytes is null ? $"A line may have at most {ImportCalls.RowBytesMax} bytes." : null,
            });

    private static SourceRow OfCsv(TableRow row, JsonObject defaults)
    {
        if (row.Fault is not null)
        {
            return new SourceRow { Line = row.Line, Fault = $"The row {row.Fault}" };
        }

        var members = new JsonObject();
        foreach (var (name, cell) in row.Cells)
        {
            members[name] = Texts.Contains(name) ? Cell.Text(cell)
                : Lists.Contains(name) ? Cell.List(cell)
                : Times.Contains(name) ? Cell.Time(cell)
                : name == "disabled" ? Cell.Flag(cell)
                : Cell.Json(cell);
        }

        return ExportShape.Of(row.Line, members, defaults);
    }
}
