using System.Text.Json;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// Reads a <c>usage</c> object by either of its vocabularies. A number that is negative, broken, too large or none at all is as if it were
/// not told; without those of the input and of the output, nothing is told.
/// </summary>
internal static class UsageReader
{
    /// <summary>From the start of the object to its end; what is no object is stepped over.</summary>
    public static bool TryRead(ref Utf8JsonReader json, ModelCallKind kind, out TokenUse use)
    {
        use = default;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return false;
        }

        uint? input = null, output = null, cached = null, reasoning = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("prompt_tokens"u8) || json.ValueTextEquals("input_tokens"u8))
            {
                input = Number(ref json) ?? input;
            }
            else if (json.ValueTextEquals("completion_tokens"u8) || json.ValueTextEquals("output_tokens"u8))
            {
                output = Number(ref json) ?? output;
            }
            else if (json.ValueTextEquals("prompt_tokens_details"u8) || json.ValueTextEquals("input_tokens_details"u8))
            {
                cached = Detail(ref json, "cached_tokens"u8) ?? cached;
            }
            else if (json.ValueTextEquals("completion_tokens_details"u8) || json.ValueTextEquals("output_tokens_details"u8))
            {
                reasoning = Detail(ref json, "reasoning_tokens"u8) ?? reasoning;
            }
            else
            {
                json.Skip();
            }
        }

        output = kind == ModelCallKind.Embedding ? 0 : output;
        use = new TokenUse
        {
            InputTokens = input ?? 0,
            OutputTokens = output ?? 0,
            CachedTokens = Math.Min(cached ?? 0, input ?? 0),
            ReasoningTokens = Math.Min(reasoning ?? 0, output ?? 0),
            IsReported = true,
            IsInputReported = true,
        };
        return input is not null && output is not null;
    }

    /// <summary>The same, of an object that stands alone; false too where it is no JSON.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, ModelCallKind kind, out TokenUse use)
    {
        var json = new Utf8JsonReader(text);
        try
        {
            return json.Read() & TryRead(ref json, kind, out use);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The latter: half of a surrogate pair in a name, written as an escape.
            use = default;
            return false;
        }
    }

    private static uint? Number(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.Number && json.TryGetUInt32(out var number))
        {
            return number;
        }

        json.Skip();
        return null;
    }

    private static uint? Detail(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return null;
        }

        uint? told = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(name))
            {
                told = Number(ref json) ?? told;
            }
            else
            {
                json.Read();
                json.Skip();
            }
        }

        return told;
    }
}
