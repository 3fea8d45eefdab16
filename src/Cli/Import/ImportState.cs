using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Cli.Import;

/// <summary>
/// How far an import has come, kept in a file beside the one that is read, so that another run can go on from there. It is written after
/// each answer; what was sent and not noted any more is sent again, and changes nothing.
/// </summary>
internal sealed record ImportState
{
    /// <summary>What is read, how and whither: another run goes on only with the same.</summary>
    public required string Run { get; init; }

    /// <summary>Rows of the file that are done, whatever became of them.</summary>
    public long Rows { get; set; }

    /// <summary>Bytes of the file of refused rows that belong to them.</summary>
    public long RefusedBytes { get; set; }

    public long Created { get; set; }

    public long Unchanged { get; set; }

    public long Refused { get; set; }

    public long Skipped { get; set; }

    /// <summary>By column, in how many rows it said something that has no place here.</summary>
    public SortedDictionary<string, long> LeftOut { get; init; } = new(StringComparer.Ordinal);

    /// <summary>By column, in how many rows it limited a key and limits nothing here.</summary>
    public SortedDictionary<string, long> NotEnforced { get; init; } = new(StringComparer.Ordinal);

    public static ImportState? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), StateJson.Default.ImportState) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Written beside and renamed, so that a crash leaves the one before.</summary>
    public void Write(string path)
    {
        var beside = path + ".new";
        File.WriteAllBytes(beside, JsonSerializer.SerializeToUtf8Bytes(this, StateJson.Default.ImportState));
        File.Move(beside, path, overwrite: true);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ImportState))]
internal sealed partial class StateJson : JsonSerializerContext;
