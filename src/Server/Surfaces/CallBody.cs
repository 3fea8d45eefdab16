using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// The body of a request that the gate has to know before it passes: held in memory, so it has a bound where one that only passes has none.
/// </summary>
internal static class CallBody
{
    private const int FirstBytes = 4_096;

    /// <summary>Reads the whole body, however it is sent.</summary>
    public static async Task<Outcome<ReadOnlyMemory<byte>>> Read(HttpContext http, int bytesMax)
    {
        if (http.Request.ContentLength > bytesMax)
        {
            return TooLarge(bytesMax);
        }

        // It grows with what has come, not with what was announced.
        var body = new ArrayBufferWriter<byte>((int)Math.Clamp(http.Request.ContentLength ?? FirstBytes, 1, FirstBytes));
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (body.WrittenCount + read.Buffer.Length > bytesMax)
            {
                reader.AdvanceTo(read.Buffer.End);
                return TooLarge(bytesMax);
            }

            foreach (var segment in read.Buffer)
            {
                body.Write(segment.Span);
            }

            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return body.WrittenMemory;
            }
        }
    }

    /// <summary>What could be read in two ways behind the gate is refused: members written twice, and text that is not UTF-8.</summary>
    /// <param name="condition">The route's; null for none.</param>
    /// <param name="body">All of it.</param>
    public static Outcome<LookedBody> Look(Condition? condition, ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return RequestBody.NotUnicode;
        }

        try
        {
            using var json = JsonDocument.Parse(body, Duplicates.Refused);
            var root = json.RootElement;
            var model = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("model"u8, out var named) ? named : default;
            return new LookedBody(
                condition?.Holds(root),
                model.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null),
                model.ValueKind == JsonValueKind.String ? model.GetString() : null);
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

    private static Problem TooLarge(int bytesMax) => new(
        ProblemCode.BodyTooLarge, $"What may pass here depends on the body, which may then have at most {bytesMax} bytes.");
}

/// <summary>What a body says of what decides.</summary>
/// <param name="IsConditionMet">Null where there is no condition.</param>
/// <param name="NamesModel">Whether it has a member <c>model</c>.</param>
/// <param name="Model">That, where it is a text.</param>
internal readonly record struct LookedBody(bool? IsConditionMet, bool NamesModel, string? Model);
