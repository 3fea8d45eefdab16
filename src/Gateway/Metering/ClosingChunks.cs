using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// Ends a stream that was cut, in the shape in which the upstream began it: every open choice has come to its bound, then the usage where
/// the client asked, then the end. To the client it looks as if <c>max_tokens</c> had been reached.
/// </summary>
internal sealed class ClosingChunks(ModelCall call, byte[] pattern)
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="open">Choices that have not told a finish reason.</param>
    /// <param name="use">What the client is billed.</param>
    /// <param name="output">Where to.</param>
    public void Write(IEnumerable<int> open, TokenUse use, IBufferWriter<byte> output)
    {
        var head = Head(json => WritePattern(json)) ?? Head(json => WriteDefault(json))!;
        var said = call.Kind == ModelCallKind.Chat ? "\"delta\":{}" : "\"text\":\"\"";
        foreach (var index in open)
        {
            WriteEvent(head, $"\"choices\":[{{\"index\":{index},{said},\"logprobs\":null,\"finish_reason\":\"length\"}}]", output);
        }

        if (call.AsksUsage)
        {
            var total = (ulong)use.InputTokens + use.OutputTokens;
            WriteEvent(
                head,
                $"\"choices\":[],\"usage\":{{\"prompt_tokens\":{use.InputTokens},\"completion_tokens\":{use.OutputTokens}"
                + $",\"total_tokens\":{total}}}",
                output);
        }

        output.Write("data: [DONE]\n\n"u8);
    }

    private static void WriteEvent(string head, string rest, IBufferWriter<byte> output) => Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"data: {head}{(head.Length > 1 ? "," : "")}{rest}}}\n\n"), output);

    /// <summary>An object up to the brace that would close it; null where the pattern is no object that could be written again.</summary>
    private static string? Head(Action<Utf8JsonWriter> write)
    {
        try
        {
            var text = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(text, Writing))
            {
                json.WriteStartObject();
                write(json);
                json.WriteEndObject();
            }

            return Encoding.UTF8.GetString(text.WrittenSpan[..^1]);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The id, the model, the time and what else is the same in each chunk.</summary>
    private void WritePattern(Utf8JsonWriter json)
    {
        using var document = JsonDocument.Parse(pattern);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            var isScalar = member.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);
            if (isScalar && member.Name is not ("choices" or "usage" or "error"))
            {
                member.WriteTo(json);
            }
        }
    }

    private void WriteDefault(Utf8JsonWriter json)
    {
        json.WriteString("id"u8, "");
        json.WriteString("object"u8, call.Kind == ModelCallKind.Chat ? "chat.completion.chunk"u8 : "text_completion"u8);
        json.WriteNumber("created"u8, 0);
        json.WriteString("model"u8, call.Model);
    }
}
