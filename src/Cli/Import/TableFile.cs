using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Client;

namespace Tollgate.Cli.Import;

/// <summary>
/// A table that another system's database wrote into a file: CSV with a header, a JSON array of objects, or an object on each line. Which
/// it is shows in its first character.
/// </summary>
internal static class TableFile
{
    private const int RowBytesMax = CsvReader.RecordCharsMax;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static IAsyncEnumerable<TableRow> Read(FileStream file, CancellationToken cancel) => FirstByte(file) switch
    {
        (byte)'[' => Array(file, cancel),
        (byte)'{' => Lines(file, cancel),
        _ => Csv(file),
    };

    /// <param name="file">Read from its beginning.</param>
    /// <param name="known">The only columns there may be; null for any.</param>
    public static async IAsyncEnumerable<TableRow> Csv(FileStream file, IReadOnlyCollection<string>? known = null)
    {
        using var text = new StreamReader(file, Strict, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        if (text.Peek() == 0xFEFF)
        {
            text.Read();
        }

        var csv = new CsvReader(text);
        if (csv.Read() is not { } header)
        {
            yield break;
        }

        string[] names = [.. header.Select(name => name?.Trim() ?? "")];
        Check(names, known);
        while (csv.Read() is { } record)
        {
            if (record.Count != names.Length)
            {
                yield return new TableRow(csv.Line, [], $"has {record.Count} fields where the header has {names.Length}.");
                continue;
            }

            yield return new TableRow(
                csv.Line, names.Zip(record).ToDictionary(cell => cell.First, cell => (JsonNode?)cell.Second, StringComparer.Ordinal), null);
        }

        await Task.CompletedTask;
    }

    private static void Check(string[] names, IReadOnlyCollection<string>? known)
    {
        if (names.FirstOrDefault(name => name.Length == 0 || names.Count(other => other == name) > 1) is { } twice)
        {
            throw new UsageException($"The first line names the columns: \"{twice}\" is empty or there twice.");
        }

        if (known is not null && names.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw new UsageException($"The column \"{unknown}\" is not known: there are {string.Join(", ", known)}.");
        }
    }

    private static async IAsyncEnumerable<TableRow> Array(FileStream file, [EnumeratorCancellation] CancellationToken cancel)
    {
        var number = 0L;
        var rows = JsonSerializer.DeserializeAsyncEnumerable(file, TollgateJson.Default.JsonObject, cancel).GetAsyncEnumerator(cancel);
        await using var end = rows.ConfigureAwait(false);
        while (await Next())
        {
            yield return rows.Current is { } members ? RowOf(++number, members) : new TableRow(++number, [], "is null.");
        }

        async Task<bool> Next()
        {
            try
            {
                return await rows.MoveNextAsync();
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw new UsageException($"The file is not a JSON array of objects; it can be read up to element {number}.");
            }
        }
    }

    private static async IAsyncEnumerable<TableRow> Lines(FileStream file, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var line in FileLines.Read(file, RowBytesMax, cancel))
        {
            if (line.Bytes is not { } bytes)
            {
                yield return new TableRow(line.Number, [], $"is longer than {RowBytesMax} bytes.");
            }
            else if (!bytes.IsEmpty)
            {
                yield return Parse(bytes) is { } members
                    ? RowOf(line.Number, members)
                    : new TableRow(line.Number, [], "is not a JSON object.");
            }
        }
    }

    internal static JsonObject? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json.Span, TollgateJson.Default.JsonObject);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static TableRow RowOf(long line, JsonObject members)
    {
        try
        {
            return new TableRow(line, members.ToDictionary(member => member.Key, member => member.Value, StringComparer.Ordinal), null);
        }
        catch (ArgumentException)
        {
            return new TableRow(line, [], "has a member twice.");
        }
    }

    private static int FirstByte(FileStream file)
    {
        int first;
        do
        {
            first = file.ReadByte();
        }
        while (first is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF);
        file.Position = 0;
        return first;
    }
}

/// <summary>A row by the names of its columns, or the end of a sentence that begins "the row".</summary>
internal sealed record TableRow(long Line, Dictionary<string, JsonNode?> Cells, string? Fault)
{
    /// <summary>The first of these columns that says something; systems rename theirs over the years.</summary>
    public JsonNode? this[params ReadOnlySpan<string> names]
    {
        get
        {
            foreach (var name in names)
            {
                if (Cells.GetValueOrDefault(name) is { } cell && Cell.Text(cell) is not ("" or "NULL" or "\\N"))
                {
                    return cell;
                }
            }

            return null;
        }
    }
}
