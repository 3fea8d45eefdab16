using System.Text;
using System.Text.Json;

namespace Tollgate.Gateway.Echo;

/// <summary>A body that the built-in model cannot answer.</summary>
internal sealed class EchoFaultException(string message, string? member = null) : Exception(message)
{
    public string? Member { get; } = member;
}

/// <summary>What the body of a call says, read with the types the OpenAI API gives it; <c>null</c> is as good as absent.</summary>
internal sealed class EchoCall(JsonElement body)
{
    public const int ChoicesMax = 128;
    public const int PromptsMax = 2_048;
    public const int DimensionsMax = 4_096;
    private const int DefaultDimensions = 64;

    public string Model { get; } =
        Member(body, "model") is { ValueKind: JsonValueKind.String } model && Text(model, "model") is { Length: > 0 } name
        ? name
        : throw new EchoFaultException("you must provide a model parameter", "model");

    public int Choices { get; } = Number(body, "n", 1, ChoicesMax) ?? 1;

    /// <summary>The most tokens of a choice.</summary>
    public int TokensMax { get; } =
        Number(body, "max_completion_tokens", 1, int.MaxValue) ?? Number(body, "max_tokens", 1, int.MaxValue) ?? int.MaxValue;

    public bool Streams { get; } = Flag(body, "stream");

    public bool TellsUsage { get; } = Member(body, "stream_options") switch
    {
        null => false,
        { ValueKind: JsonValueKind.Object } options => Flag(options, "include_usage"),
        _ => throw new EchoFaultException("'stream_options' must be an object", "stream_options"),
    };

    public int Dimensions { get; } = Number(body, "dimensions", 1, DimensionsMax) ?? DefaultDimensions;

    public bool InBase64 { get; } = Member(body, "encoding_format") switch
    {
        null => false,
        { ValueKind: JsonValueKind.String } format when format.ValueEquals("base64"u8) => true,
        { ValueKind: JsonValueKind.String } format when format.ValueEquals("float"u8) => false,
        _ => throw new EchoFaultException("'encoding_format' must be 'float' or 'base64'", "encoding_format"),
    };

    /// <summary>What was last said by the user, and how many tokens all messages have.</summary>
    public (string Said, int PromptTokens) ReadMessages()
    {
        if (Member(body, "messages") is not { ValueKind: JsonValueKind.Array } messages || messages.GetArrayLength() == 0)
        {
            throw new EchoFaultException("'messages' must be an array of at least one message", "messages");
        }

        var (said, tokens, index) = ("", 0, 0);
        foreach (var message in messages.EnumerateArray())
        {
            var place = $"messages[{index++}]";
            if (message.ValueKind != JsonValueKind.Object || Member(message, "role") is not { ValueKind: JsonValueKind.String } role)
            {
                throw new EchoFaultException($"'{place}' must be an object with a role", place);
            }

            var text = Content(message, $"{place}.content");
            tokens += EchoTokens.Count(text);
            said = role.ValueEquals("user"u8) ? text : said;
        }

        return (said, tokens);
    }

    /// <summary>Each text of <c>prompt</c> or <c>input</c>: one, or a list; tokens by number stand as their numbers.</summary>
    public IReadOnlyList<string> ReadTexts(string member)
    {
        var value = Member(body, member) ?? throw new EchoFaultException($"you must provide '{member}'", member);
        if (value.ValueKind == JsonValueKind.String)
        {
            return [Text(value, member)];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0
            || (value.GetArrayLength() > PromptsMax && value[0].ValueKind != JsonValueKind.Number))
        {
            throw new EchoFaultException($"'{member}' must be a text, or a list of 1 to {PromptsMax}", member);
        }

        return value[0].ValueKind == JsonValueKind.Number
            ? [Numbers(value, member)]
            : [.. value.EnumerateArray().Select(one => one.ValueKind switch
            {
                JsonValueKind.String => Text(one, member),
                JsonValueKind.Array => Numbers(one, member),
                _ => throw new EchoFaultException($"'{member}' must hold texts or lists of tokens", member),
            })];
    }

    private static string Content(JsonElement message, string place)
    {
        switch (Member(message, "content"))
        {
            case null:
                return "";
            case { ValueKind: JsonValueKind.String } text:
                return Text(text, place);
            case { ValueKind: JsonValueKind.Array } parts:
                return string.Concat(parts.EnumerateArray().Select(part => part.ValueKind != JsonValueKind.Object
                    ? throw new EchoFaultException($"'{place}' must hold objects", place)
                    : Member(part, "text") is { ValueKind: JsonValueKind.String } text ? Text(text, place) : ""));
            default:
                throw new EchoFaultException($"'{place}' must be a text or a list of parts", place);
        }
    }

    private static string Numbers(JsonElement list, string member)
    {
        var text = new StringBuilder();
        foreach (var token in list.EnumerateArray())
        {
            if (token.ValueKind != JsonValueKind.Number || !token.TryGetUInt32(out var number))
            {
                throw new EchoFaultException($"'{member}' must hold whole numbers as tokens", member);
            }

            _ = text.Length == 0 ? text.Append(number) : text.Append(' ').Append(number);
        }

        return text.ToString();
    }

    private static JsonElement? Member(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static int? Number(JsonElement of, string name, int least, int most) => Member(of, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) && number >= least && number <= most => number,
        _ => throw new EchoFaultException($"'{name}' must be a whole number from {least} to {most}", name),
    };

    private static bool Flag(JsonElement of, string name) => Member(of, name) switch
    {
        null => false,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw new EchoFaultException($"'{name}' must be true or false", name),
    };

    private static string Text(JsonElement value, string place)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new EchoFaultException($"'{place}' is not text", place);
        }
    }
}
