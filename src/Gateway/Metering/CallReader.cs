using System.Text.Json;
using System.Text.Unicode;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// One pass over the body of a call, for each request. What is not read is stepped over and goes on as it is; what is read must stand there
/// once, however it is spelled, and nothing beside it that an upstream which is lax about case would take for it: no upstream shall read
/// another value than the gate did.
/// </summary>
internal ref struct CallReader(ModelCallKind kind, ReadOnlyMemory<byte> body)
{
    public const int ModelCharsMax = 200;
    public const int OutputTokensMax = 10_000_000;
    public const int ChoicesMax = 128;

    /// <summary>Choices times prompts.</summary>
    public const int FanOutMax = 10_000;

    private const int DepthMax = 64;

    private Utf8JsonReader _json = new(body.Span, new JsonReaderOptions { MaxDepth = DepthMax });
    private CallFault _fault;
    private Member _seen;
    private string? _model;
    private bool _streams;
    private bool _asksUsage;
    private int? _maxTokens;
    private int? _maxCompletionTokens;
    private int _choices = 1;
    private int _candidates = 1;
    private int _prompts = 1;
    private bool _hasMessages;
    private bool _hasTools;
    private InputMedia _media;
    private CallMarks _marks;

    /// <summary>The members that the gate reads.</summary>
    [Flags]
    private enum Member
    {
        None = 0,
        Model = 1,
        Stream = 2,
        StreamOptions = 4,
        MaxTokens = 8,
        MaxCompletionTokens = 16,
        Choices = 32,
        BestOf = 64,
        Prompts = 128,
        Messages = 256,
        Tools = 512,
        Functions = 1024,

        /// <summary>Another server's word for <see cref="MaxTokens"/>, which it would obey before that.</summary>
        Predict = 2048,
    }

    public bool TryRead(out ModelCall call, out CallFault fault)
    {
        call = null!;
        var isRead = TryRead();
        fault = _fault;
        if (isRead)
        {
            call = new ModelCall
            {
                Kind = kind,
                Model = _model!,
                Streams = _streams,
                AsksUsage = _asksUsage,
                OutputMax = _maxTokens ?? _maxCompletionTokens,
                FanOut = Math.Max(_choices, _candidates) * _prompts,
                InputBound = _media.InputBound(body.Length, _hasTools),
                Body = body,
                Marks = _marks,
            };
        }

        return isRead;
    }

    private bool TryRead()
    {
        if (!Utf8.IsValid(body.Span))
        {
            return NotJson("The body is not valid UTF-8.");
        }

        try
        {
            if (!_json.Read() || _json.TokenType != JsonTokenType.StartObject)
            {
                return NotJson("The body must be a JSON object.");
            }

            _marks = _marks with { Open = (int)_json.BytesConsumed };
            // The last read throws where something stands behind the object.
            return ReadMembers() && !_json.Read() && Fits();
        }
        catch (JsonException error)
        {
            return NotJson($"The body is not JSON: line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}.");
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, written as an escape.
            return NotJson("The body holds an escape that is no character.");
        }
    }

    private bool ReadMembers()
    {
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var member = Known();
            if (member == Member.None)
            {
                if (LaxNames.Resembles(ref _json, out var name))
                {
                    return Invalid("/" + name, "differs from a member of this call by its case only.");
                }

                _json.Skip();
                continue;
            }

            if ((_seen & member) != 0)
            {
                return Twice("/" + _json.GetString());
            }

            _seen |= member;
            _json.Read();
            if (_json.TokenType != JsonTokenType.Null)
            {
                if (!ReadValue(member))
                {
                    return false;
                }
            }
            else if (member == Member.StreamOptions)
            {
                _marks = _marks with { NoOptions = Mark() };
            }
            else if (member == Member.MaxTokens)
            {
                _marks = _marks with { MaxTokens = Mark() };
            }
        }

        return true;
    }

    /// <summary>Which member the reader stands on. An embedding has no output that anything could bound.</summary>
    private readonly Member Known() => kind switch
    {
        _ when _json.ValueTextEquals("model"u8) => Member.Model,
        ModelCallKind.Embedding => _json.ValueTextEquals("input"u8) ? Member.Prompts : Member.None,
        ModelCallKind.Completion when _json.ValueTextEquals("prompt"u8) => Member.Prompts,
        ModelCallKind.Chat when _json.ValueTextEquals("messages"u8) => Member.Messages,
        _ when _json.ValueTextEquals("stream"u8) => Member.Stream,
        _ when _json.ValueTextEquals("stream_options"u8) => Member.StreamOptions,
        _ when _json.ValueTextEquals("max_tokens"u8) => Member.MaxTokens,
        ModelCallKind.Chat when _json.ValueTextEquals("max_completion_tokens"u8) => Member.MaxCompletionTokens,
        _ when _json.ValueTextEquals("n_predict"u8) => Member.Predict,
        _ when _json.ValueTextEquals("n"u8) => Member.Choices,
        _ when _json.ValueTextEquals("best_of"u8) => Member.BestOf,
        _ when _json.ValueTextEquals("tools"u8) => Member.Tools,
        _ when _json.ValueTextEquals("functions"u8) => Member.Functions,
        _ => Member.None,
    };

    private bool ReadValue(Member member)
    {
        switch (member)
        {
            case Member.Model:
                return ReadModel();
            case Member.Stream:
                return ReadBool("/stream", out _streams);
            case Member.StreamOptions:
                return ReadOptions();
            case Member.MaxTokens:
                _marks = _marks with { MaxTokens = Mark() };
                return ReadWhole("/max_tokens", OutputTokensMax, out _maxTokens);
            case Member.MaxCompletionTokens:
                _marks = _marks with { MaxCompletionTokens = Mark() };
                return ReadWhole("/max_completion_tokens", OutputTokensMax, out _maxCompletionTokens);
            case Member.Choices:
                return ReadCount("/n", out _choices);
            case Member.BestOf:
                return ReadCount("/best_of", out _candidates);
            case Member.Prompts:
                return ReadPrompts(kind == ModelCallKind.Embedding ? "/input" : "/prompt");
            case Member.Messages:
                return ReadMessages();
            case Member.Predict:
                return Invalid("/n_predict", "is not taken here: max_tokens says the same.");
            default:
                _hasTools = true;
                _json.Skip();
                return true;
        }
    }

    private bool ReadModel()
    {
        const string Expected = "must be a text of 1 to 200 characters, none of them a control character.";
        if (_json.TokenType != JsonTokenType.String)
        {
            return Invalid("/model", Expected);
        }

        _model = _json.GetString()!;
        return (_model.Length is > 0 and <= ModelCharsMax && !_model.AsSpan().ContainsAnyInRange('\0', '\x1f'))
            || Invalid("/model", Expected);
    }

    private bool ReadOptions()
    {
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            return Invalid("/stream_options", "must be an object.");
        }

        var isGiven = false;
        _marks = _marks with { OptionsOpen = (int)_json.BytesConsumed, OptionsAreEmpty = true };
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            _marks = _marks with { OptionsAreEmpty = false };
            if (!_json.ValueTextEquals("include_usage"u8))
            {
                _json.Skip();
                continue;
            }

            if (isGiven)
            {
                return Twice("/stream_options/include_usage");
            }

            isGiven = true;
            _json.Read();
            _marks = _marks with { IncludeUsage = Mark() };
            if (_json.TokenType != JsonTokenType.Null && !ReadBool("/stream_options/include_usage", out _asksUsage))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A text, texts, the token ids of one prompt, or those of several.</summary>
    private bool ReadPrompts(string pointer)
    {
        const string Expected = "must be a text, or an array of texts, of token ids, or of arrays of token ids.";
        if (_json.TokenType == JsonTokenType.String)
        {
            return true;
        }

        if (_json.TokenType != JsonTokenType.StartArray)
        {
            return Invalid(pointer, Expected);
        }

        var (count, first) = (0, JsonTokenType.None);
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            first = count == 0 ? _json.TokenType : first;
            if (_json.TokenType != first
                || first is not (JsonTokenType.String or JsonTokenType.Number or JsonTokenType.StartArray)
                || (first == JsonTokenType.StartArray && !SkipIds()))
            {
                return Invalid(pointer, Expected);
            }

            count++;
        }

        _prompts = first == JsonTokenType.Number ? 1 : count;
        return count > 0 || Invalid(pointer, "must not be empty.");
    }

    private bool SkipIds()
    {
        while (_json.Read() && _json.TokenType == JsonTokenType.Number)
        {
        }

        return _json.TokenType == JsonTokenType.EndArray;
    }

    private bool ReadMessages()
    {
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            return Invalid("/messages", "must be an array.");
        }

        _hasMessages = true;
        return _media.TryReadMessages(ref _json, out var twice) || Twice(twice);
    }

    private bool ReadBool(string pointer, out bool value)
    {
        value = _json.TokenType == JsonTokenType.True;
        return value || _json.TokenType == JsonTokenType.False || Invalid(pointer, "must be true or false.");
    }

    private bool ReadCount(string pointer, out int value)
    {
        var isRead = ReadWhole(pointer, ChoicesMax, out var count);
        value = count ?? 1;
        return isRead;
    }

    private bool ReadWhole(string pointer, int most, out int? value)
    {
        value = _json.TokenType == JsonTokenType.Number && _json.TryGetInt32(out var number) && number >= 1 && number <= most
            ? number
            : null;
        return value is not null || Invalid(pointer, $"must be a whole number from 1 to {most}.");
    }

    /// <summary>What only the whole body shows.</summary>
    private bool Fits()
    {
        if (_model is null)
        {
            return Invalid("/model", "is needed.");
        }

        if (kind == ModelCallKind.Chat && !_hasMessages)
        {
            return Invalid("/messages", "is needed.");
        }

        if (_maxTokens is { } one && _maxCompletionTokens is { } other && one != other)
        {
            return Invalid("/max_tokens", "must be the same as max_completion_tokens, where both are given.");
        }

        if (kind == ModelCallKind.Embedding)
        {
            _prompts = 1;
        }

        return (long)Math.Max(_choices, _candidates) * _prompts <= FanOutMax
            || Invalid("/prompt", $"has too many prompts: times the choices of each, they must be at most {FanOutMax}.");
    }

    /// <summary>The value that the reader stands on, which is neither an object nor an array.</summary>
    private readonly BodyMark Mark() => new((int)_json.TokenStartIndex, (int)(_json.BytesConsumed - _json.TokenStartIndex));

    private bool Twice(string pointer)
    {
        _fault = new CallFault(CallFaultKind.NotJson, pointer, "is given twice.");
        return false;
    }

    private bool NotJson(string text)
    {
        _fault = new CallFault(CallFaultKind.NotJson, "", text);
        return false;
    }

    private bool Invalid(string pointer, string text)
    {
        _fault = new CallFault(CallFaultKind.Invalid, pointer, text);
        return false;
    }
}
