using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Client;

namespace Tollgate.Cli.Import;

/// <summary>
/// The refused rows with their reasons, an object on each line, for their owner alone. A row's secret is not copied into it: the file that
/// was read has it. Where nothing is refused there is no file.
/// </summary>
internal sealed class RefusedFile : IDisposable
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
            members.Remove("secret");
            line["row"] = members;
        }

        _file.Write(JsonSerializer.SerializeToUtf8Bytes(line, Plain));
        _file.WriteByte((byte)'\n');
    }

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
