using System.Text.Json;

namespace Tollgate.Gateway.Echo;

/// <summary>
/// The answer to a chat or to a completion, at once or as a stream: the text that was said, cut to the bound, in each choice. Both have one
/// shape but for a few words.
/// </summary>
/// <param name="id">Of the answer.</param>
/// <param name="created">Seconds since 1970.</param>
/// <param name="call">What was asked.</param>
/// <param name="isChat">Or a completion.</param>
/// <param name="texts">What each prompt says; one of a chat.</param>
/// <param name="promptTokens">How many tokens were said.</param>
internal sealed class TextEcho(string id, long created, EchoCall call, bool isChat, IReadOnlyList<string> texts, int promptTokens)
{
    private const string Length = "length";
    private const string Stop = "stop";

    private readonly (string Text, int Tokens, bool IsCut)[] _choices =
        [.. texts.Select(text => EchoTokens.Cut(text, call.TokensMax))];

    private int ChoiceCount => _choices.Length * call.Choices;

    public IEnumerable<ReadOnlyMemory<byte>> Whole()
    {
        using var output = new EchoWriter();
        var json = output.Json;
        WriteHead(json, isChat ? "chat.completion"u8 : "text_completion"u8);
        json.WriteStartArray("choices"u8);
        for (var i = 0; i < ChoiceCount; i++)
        {
            WriteChoice(json, i);
            if (i + 1 < ChoiceCount)
            {
                yield return output.Piece();
            }
        }

        json.WriteEndArray();
        WriteUsage(json);
        json.WriteEndObject();
        yield return output.Piece();
    }

    public IEnumerable<ReadOnlyMemory<byte>> Events()
    {
        using var output = new EchoWriter();
        for (var i = 0; i < ChoiceCount; i++)
        {
            var index = i;
            var (text, _, isCut) = ChoiceOf(i);
            if (isChat)
            {
                yield return output.Event(json => WriteDelta(json, index, "", "assistant", null));
            }

            for (var start = 0; start < text.Length;)
            {
                var end = EchoTokens.End(text, start);
                var token = text[start..end];
                yield return output.Event(json => WriteDelta(json, index, token, null, null));
                start = end;
            }

            yield return output.Event(json => WriteDelta(json, index, isChat ? null : "", null, isCut ? Length : Stop));
        }

        if (call.TellsUsage)
        {
            yield return output.Event(WriteUsageEvent);
        }

        yield return "data: [DONE]\n\n"u8.ToArray();
    }

    private (string Text, int Tokens, bool IsCut) ChoiceOf(int index) => _choices[index / call.Choices];

    private void WriteHead(Utf8JsonWriter json, ReadOnlySpan<byte> kind)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("object"u8, kind);
        json.WriteNumber("created"u8, created);
        json.WriteString("model"u8, call.Model);
    }

    private void WriteChoice(Utf8JsonWriter json, int index)
    {
        var (text, _, isCut) = ChoiceOf(index);
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        if (isChat)
        {
            json.WriteStartObject("message"u8);
            json.WriteString("role"u8, "assistant"u8);
            json.WriteString("content"u8, text);
            json.WriteNull("refusal"u8);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text"u8, text);
        }

        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, isCut ? Length : Stop);
        json.WriteEndObject();
    }

    private void WriteDelta(Utf8JsonWriter json, int index, string? text, string? role, string? finish)
    {
        WriteHead(json, isChat ? "chat.completion.chunk"u8 : "text_completion"u8);
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        if (isChat)
        {
            json.WriteStartObject("delta"u8);
            if (role is not null)
            {
                json.WriteString("role"u8, role);
            }

            if (text is not null)
            {
                json.WriteString("content"u8, text);
            }

            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text"u8, text);
        }

        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, finish);
        json.WriteEndObject();
        json.WriteEndArray();
        if (call.TellsUsage)
        {
            json.WriteNull("usage"u8);
        }

        json.WriteEndObject();
    }

    private void WriteUsageEvent(Utf8JsonWriter json)
    {
        WriteHead(json, isChat ? "chat.completion.chunk"u8 : "text_completion"u8);
        json.WriteStartArray("choices"u8);
        json.WriteEndArray();
        WriteUsage(json);
        json.WriteEndObject();
    }

    private void WriteUsage(Utf8JsonWriter json)
    {
        var completion = _choices.Sum(choice => (long)choice.Tokens) * call.Choices;
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, promptTokens);
        json.WriteNumber("completion_tokens"u8, completion);
        json.WriteNumber("total_tokens"u8, promptTokens + completion);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
