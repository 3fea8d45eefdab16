using System.Text.Json;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// The images, sounds and documents among the messages of a chat, and the rule that bounds its input (docs/decisions/0045). They are looked
/// for where the API has them and nowhere else: the same bytes anywhere else count as the text they are.
/// </summary>
internal struct InputMedia
{
    /// <summary>What a template adds around the messages; the braces and names of the JSON pay for each single message.</summary>
    public const int TemplateTokens = 64;

    /// <summary>What a template says about tools before it lists them.</summary>
    public const int ToolTokens = 512;

    public const int ImageTokens = 4_096;
    public const int SoundBytesPerToken = 64;
    public const int DocumentBytesPerToken = 4;

    private long _bytes;
    private long _tokens;

    /// <summary>
    /// A byte of text is at most one token of a byte-level tokenizer, and JSON never writes a byte of text in less than one.
    /// </summary>
    public readonly int InputBound(int bodyBytes, bool hasTools) =>
        (int)Math.Min(int.MaxValue, bodyBytes - _bytes + _tokens + TemplateTokens + (hasTools ? ToolTokens : 0));

    /// <summary>From the start of the array to its end; false with the member that stands twice.</summary>
    public bool TryReadMessages(ref Utf8JsonReader json, out string twice)
    {
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType == JsonTokenType.StartObject)
            {
                if (!TryReadMessage(ref json))
                {
                    twice = "/messages/-/content";
                    return false;
                }
            }
            else
            {
                json.Skip();
            }
        }

        twice = "";
        return true;
    }

    private bool TryReadMessage(ref Utf8JsonReader json)
    {
        var isRead = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (!json.ValueTextEquals("content"u8))
            {
                json.Skip();
                continue;
            }

            if (isRead)
            {
                return false;
            }

            isRead = true;
            json.Read();
            if (json.TokenType == JsonTokenType.StartArray)
            {
                ReadParts(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        return true;
    }

    private void ReadParts(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType == JsonTokenType.StartObject)
            {
                ReadPart(ref json);
            }
            else
            {
                json.Skip();
            }
        }
    }

    /// <summary>A member that stands twice counts twice, which is never too little.</summary>
    private void ReadPart(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("image_url"u8))
            {
                _tokens += ImageTokens;
                ReadValue(ref json, "url"u8, "data:"u8, bytesPerToken: 0);
            }
            else if (json.ValueTextEquals("input_audio"u8))
            {
                ReadValue(ref json, "data"u8, default, SoundBytesPerToken);
            }
            else if (json.ValueTextEquals("file"u8))
            {
                ReadValue(ref json, "file_data"u8, "data:application/pdf"u8, DocumentBytesPerToken);
            }
            else
            {
                json.Skip();
            }
        }
    }

    /// <summary>A string, or an object with one of that name. Bytes per token: 0 where its bytes count nothing.</summary>
    private void ReadValue(ref Utf8JsonReader json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> prefix, int bytesPerToken)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            TakeOut(ref json, prefix, bytesPerToken);
            return;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = json.ValueTextEquals(name);
            json.Read();
            if (isIt)
            {
                TakeOut(ref json, prefix, bytesPerToken);
            }
            else
            {
                json.Skip();
            }
        }
    }

    private void TakeOut(ref Utf8JsonReader json, ReadOnlySpan<byte> prefix, int bytesPerToken)
    {
        if (json.TokenType == JsonTokenType.String && json.ValueSpan.StartsWith(prefix))
        {
            var bytes = json.ValueSpan.Length;
            _bytes += bytes;
            _tokens += bytesPerToken == 0 ? 0 : (bytes + (long)bytesPerToken - 1) / bytesPerToken;
        }

        json.Skip();
    }
}
