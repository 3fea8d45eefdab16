using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Client;

namespace Tollgate.Cli.Import;

/// <summary>
/// The refused rows with their reasons, an object on each line, for their owner alone. Of a row only what the gate knows is copied, and
/// nothing that holds its secret: the file that was read has it. Where nothing is refused there is no file.
/// </summary>
internal sealed class RefusedFile : IDisposable
{
    private const string Secret = "secret";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] Copied =
        [.. TollgateJson.Default.ImportRow.Properties.Select(member => member.Name).Where(name => name != Secret)];

    private readonly FileStream _file;

    /// <param name="path">Where it is, or will be.</param>
    /// <param name="bytes">How much of an earlier run's stays.</param>
    public RefusedFile(string path, long bytes)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        _file = new FileStream(path, options);
        _file.SetLength(Math.Min(bytes, _file.Length));
        _file.Seek(0, SeekOrigin.End);
    }

    public long Bytes => _file.Length;

    public void Add(SourceRow row, ImportError error, string? externalId)
    {
        var line = new JsonObject { ["line"] = row.Line, ["external_id"] = externalId, ["code"] = error.Code, ["detail"] = error.Detail };
        if (error.Errors.Count > 0)
        {
            line["errors"] = new JsonArray([.. error.Errors.Select(one =>
                (JsonNode)new JsonObject { ["pointer"] = one.Member, ["expected"] = one.Expected })]);
        }

        if (TableFile.Parse(row.Json) is { } members)
        {
            try
            {
                line["row"] = WithoutSecret(members);
            }
            catch (ArgumentException)
            {
                // A member is there twice: which of them is meant cannot be told.
            }
        }

        _file.Write(JsonSerializer.SerializeToUtf8Bytes(line, Plain));
        _file.WriteByte((byte)'\n');
    }

    /// <summary>Only members that have a meaning: a misspelled one may be the secret. And none that repeats it.</summary>
    private static JsonObject WithoutSecret(JsonObject members)
    {
        var secret = members[Secret] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
        var copy = new JsonObject();
        foreach (var name in Copied)
        {
            if (members.TryGetPropertyValue(name, out var member) && !(secret is not null && Holds(member, secret)))
            {
                copy[name] = member?.DeepClone();
            }
        }

        return copy;
    }

    private static bool Holds(JsonNode? node, string secret) => node switch
    {
        JsonObject members => members.Any(member => Repeats(member.Key, secret) || Holds(member.Value, secret)),
        JsonArray items => items.Any(item => Holds(item, secret)),
        JsonValue value => value.TryGetValue<string>(out var text) && Repeats(text, secret),
        _ => false,
    };

    private static bool Repeats(string text, string secret) => text.Contains(secret, StringComparison.Ordinal);

    public void Flush() => _file.Flush(flushToDisk: false);

    public void Dispose()
    {
        var isEmpty = _file.Length == 0;
        _file.Dispose();
        if (isEmpty)
        {
            File.Delete(_file.Name);
        }
    }
}
