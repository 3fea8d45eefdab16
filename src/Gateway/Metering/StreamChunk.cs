using System.Text.Json;

namespace Tollgate.Gateway.Metering;

/// <summary>What one event of a stream says. The same object reads one after the other, so that an event allocates nothing.</summary>
internal sealed class StreamChunk(ModelCallKind kind)
{
    private TokenUse _use;
    private bool _hasChoices;

    /// <summary>Of all strings that a model has said in it; an escape counts as one byte, one by its number as three.</summary>
    public long TextBytes { get; private set; }

    /// <summary>Where its <c>usage</c> stands, from the quote of the name to the end of the value, whatever that is.</summary>
    public BodyMark Usage { get; private set; }

    public bool TellsUse => _use.IsReported;

    /// <summary>Of the tokens, where it tells them.</summary>
    public TokenUse Use => _use;

    /// <summary>The last chunk of a stream whose usage was asked for: the numbers, and no choice.</summary>
    public bool IsUseAlone => TellsUse && !_hasChoices;

    public List<(int Index, bool IsFinished)> Choices { get; } = [];

    /// <summary>False where it is no JSON object; it then says nothing.</summary>
    public bool TryRead(ReadOnlySpan<byte> data)
    {
        Clear();
        try
        {
            var json = new Utf8JsonReader(data);
            if (json.Read() && json.TokenType == JsonTokenType.StartObject)
            {
                ReadMembers(ref json);
                return !json.Read();
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The latter: half of a surrogate pair in a name, written as an escape.
            Clear();
        }

        return false;
    }

    public void Clear()
    {
        Choices.Clear();
        (_use, _hasChoices, TextBytes, Usage) = (default, false, 0, default);
    }

    private void ReadMembers(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("choices"u8))
            {
                ReadChoices(ref json);
            }
            else if (json.ValueTextEquals("usage"u8))
            {
                var start = (int)json.TokenStartIndex;
                json.Read();
                if (UsageReader.TryRead(ref json, kind, out var use))
                {
                    _use = use;
                }

                Usage = new BodyMark(start, (int)json.BytesConsumed - start);
            }
            else
            {
                json.Skip();
            }
        }
    }

    private void ReadChoices(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartArray)
        {
            json.Skip();
            return;
        }

        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            _hasChoices = true;
            if (json.TokenType == JsonTokenType.StartObject)
            {
                ReadChoice(ref json);
            }
            else
            {
                json.Skip();
            }
        }
    }

    private void ReadChoice(ref Utf8JsonReader json)
    {
        var (index, isFinished) = (0, false);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("index"u8))
            {
                json.Read();
                index = json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var told) ? told : index;
                json.Skip();
            }
            else if (json.ValueTextEquals("finish_reason"u8))
            {
                json.Read();
                isFinished |= json.TokenType == JsonTokenType.String;
                json.Skip();
            }
            else
            {
                ReadText(ref json);
            }
        }

        Choices.Add((index, isFinished));
    }

    /// <summary>From a name to the end of its value; in it, at any depth, the strings of text members count.</summary>
    private void ReadText(ref Utf8JsonReader json)
    {
        var depth = json.CurrentDepth;
        var isText = TextMembers.Has(json.ValueSpan);
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.String && isText)
            {
                TextBytes += BytesOf(ref json);
            }

            isText = json.TokenType == JsonTokenType.PropertyName
                ? TextMembers.Has(json.ValueSpan)
                : isText && json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject;
            if (json.CurrentDepth == depth && json.TokenType is not (JsonTokenType.StartArray or JsonTokenType.StartObject))
            {
                return;
            }
        }
    }

    private static int BytesOf(ref Utf8JsonReader json)
    {
        var text = json.ValueSpan;
        var bytes = text.Length;
        if (!json.ValueIsEscaped)
        {
            return bytes;
        }

        for (var at = text.IndexOf((byte)'\\'); at >= 0; at = text.IndexOf((byte)'\\'))
        {
            bytes -= text[at + 1] == 'u' ? 3 : 1;
            text = text[(at + 2)..];
        }

        return bytes;
    }
}
