using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Operating;

/// <summary>A row of a table as one line of JSON, and back. Numbers, text, bytes as base64 and null: all that columns hold.</summary>
internal static class BackupRows
{
    // Lines are read by us alone; escaping what HTML fears would only make them longer.
    private static readonly JsonWriterOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true,
    };

    public static void Write(IBufferWriter<byte> buffer, object?[] row)
    {
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartArray();
            foreach (var value in row)
            {
                switch (value)
                {
                    case null:
                        json.WriteNullValue();
                        break;
                    case long number:
                        json.WriteNumberValue(number);
                        break;
                    case string text:
                        json.WriteStringValue(text);
                        break;
                    case byte[] bytes:
                        json.WriteBase64StringValue(bytes);
                        break;
                    default:
                        throw new BackupException($"A column holds a value of a kind that a backup does not know: {value.GetType().Name}.");
                }
            }

            json.WriteEndArray();
        }

        buffer.Write("\n"u8);
    }

    /// <exception cref="JsonException">The line is not such a row.</exception>
    public static object?[] Read(in ReadOnlySequence<byte> line, IReadOnlyList<ColumnShape> columns)
    {
        var json = new Utf8JsonReader(line);
        Expect(json.Read() && json.TokenType == JsonTokenType.StartArray);
        var row = new object?[columns.Count];
        for (var i = 0; i < row.Length; i++)
        {
            Expect(json.Read());
            row[i] = json.TokenType switch
            {
                JsonTokenType.Null => null,
                JsonTokenType.Number when columns[i].IsInteger && json.TryGetInt64(out var number) => number,
                JsonTokenType.String when columns[i].IsBytes && json.TryGetBytesFromBase64(out var bytes) => bytes,
                JsonTokenType.String when columns[i].IsText => json.GetString(),
                _ => throw new JsonException(),
            };
        }

        Expect(json.Read() && json.TokenType == JsonTokenType.EndArray);
        return row;
    }

    private static void Expect(bool condition)
    {
        if (!condition)
        {
            throw new JsonException();
        }
    }
}
