using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// The body of a request as far as a route's condition must know it: held in memory, so it has a bound of its own below the server's.
/// </summary>
internal static class ConditionBody
{
    public const int BytesMax = 1_024 * 1_024;

    /// <summary>Reads the whole body, however it is sent, and puts it back for whoever reads it next.</summary>
    public static async Task<Outcome<ReadOnlyMemory<byte>>> Read(HttpContext http)
    {
        if (http.Request.ContentLength > BytesMax)
        {
            return TooLarge;
        }

        // It grows with what has come, not with what was announced.
        var body = new ArrayBufferWriter<byte>();
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (body.WrittenCount + read.Buffer.Length > BytesMax)
            {
                reader.AdvanceTo(read.Buffer.End);
                return TooLarge;
            }

            foreach (var segment in read.Buffer)
            {
                body.Write(segment.Span);
            }

            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                http.Request.Body = Again(body.WrittenMemory);
                return body.WrittenMemory;
            }
        }
    }

    /// <summary>What could be read in two ways behind the gate is refused: members written twice, and text that is not UTF-8.</summary>
    public static Outcome<bool> Holds(Condition condition, ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return RequestBody.NotUnicode;
        }

        try
        {
            using var json = JsonDocument.Parse(body, Duplicates.Refused);
            return condition.Holds(json.RootElement);
        }
        catch (JsonException fault)
        {
            return RequestBody.InvalidJson(fault);
        }
        catch (InvalidOperationException)
        {
            return RequestBody.NotUnicode;
        }
    }

    /// <summary>The same bytes from their start, not a copy of them.</summary>
    private static MemoryStream Again(ReadOnlyMemory<byte> body) =>
        MemoryMarshal.TryGetArray(body, out var bytes) && bytes.Array is { } array
            ? new MemoryStream(array, bytes.Offset, bytes.Count, writable: false)
            : new MemoryStream();

    private static Problem TooLarge => new(
        ProblemCode.BodyTooLarge, $"Whether the key may pass depends on the body, which may then have at most {BytesMax} bytes.");
}
