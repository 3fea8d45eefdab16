using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Cli.Import;

/// <summary>
/// How a table of another system becomes rows: the columns that are taken, those kept in the metadata, and by what is left over, those left
/// out. Nothing is dropped in silence.
/// </summary>
internal sealed class ExportShape
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The member of the metadata that holds what is kept.</summary>
    public required string System { get; init; }

    /// <summary>Columns whose values <see cref="Map"/> takes.</summary>
    public required IReadOnlySet<string> Taken { get; init; }

    /// <summary>Columns that are kept in the metadata as they are.</summary>
    public required IReadOnlySet<string> Kept { get; init; }

    /// <summary>Those of the kept ones that limit a key there and do not here.</summary>
    public required IReadOnlySet<string> NotEnforced { get; init; }

    /// <summary>Columns that say nothing of a key: numbers of rows, times of changes.</summary>
    public required IReadOnlySet<string> Immaterial { get; init; }

    /// <summary>The row, but for its metadata; null when it is not to be moved.</summary>
    public required Func<TableRow, JsonObject?> Map { get; init; }

    public SourceRow Read(TableRow row, JsonObject defaults)
    {
        if (row.Fault is not null)
        {
            return new SourceRow { Line = row.Line, Fault = $"The row {row.Fault}" };
        }

        if (Map(row) is not { } members)
        {
            return new SourceRow { Line = row.Line, IsSkipped = true };
        }

        string[] said = [.. row.Cells.Keys.Where(name => row[name] is { } cell && !Cell.IsEmpty(cell))];
        var kept = new JsonObject();
        foreach (var name in said.Where(Kept.Contains))
        {
            kept[name] = Cell.Json(row[name]);
        }

        if (kept.Count > 0)
        {
            members["metadata"] = new JsonObject { [System] = kept };
        }

        return Of(row.Line, members, defaults) with
        {
            LeftOut = [.. said.Where(name => !Taken.Contains(name) && !Kept.Contains(name) && !Immaterial.Contains(name))],
            NotEnforced = [.. said.Where(NotEnforced.Contains)],
        };
    }

    /// <summary>A row of these members, without those that are null, over the defaults.</summary>
    public static SourceRow Of(long line, JsonObject members, JsonObject defaults)
    {
        var row = new JsonObject();
        foreach (var (name, value) in members.Where(member => member.Value is not null)
            .Concat(defaults.Where(member => members[member.Key] is null)))
        {
            row[name] = value!.DeepClone();
        }

        return new SourceRow { Line = line, Json = JsonSerializer.SerializeToUtf8Bytes(row, Plain) };
    }
}
