using System.Buffers;
using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Server.Usage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Verification;

/// <summary>
/// The models that a key is bound to, as a verify answer tells them. Memory has them by number, because a hundred names in each of many
/// profiles would be large; they are written into a buffer of the thread's own, which holds until the thread's next answer.
/// </summary>
internal static class VerifiedModels
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _bytes;

    [ThreadStatic]
    private static Utf8JsonWriter? _json;

    /// <summary>A JSON array; empty for a key that may be used for every model.</summary>
    public static ReadOnlySpan<byte> Of(KeyProfile profile, ModelNames names) =>
        profile.Models is { } numbers ? Write(numbers, names) : default;

    private static ReadOnlySpan<byte> Write(IReadOnlyList<ushort> numbers, ModelNames names)
    {
        var bytes = _bytes ??= new ArrayBufferWriter<byte>(256);
        var json = _json ??= new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = Json.Encoder });
        bytes.ResetWrittenCount();
        json.Reset();
        json.WriteStartArray();
        foreach (var number in numbers)
        {
            if (names.NameOf(number) is { } name)
            {
                json.WriteStringValue(name);
            }
        }

        json.WriteEndArray();
        json.Flush();
        return bytes.WrittenSpan;
    }
}
