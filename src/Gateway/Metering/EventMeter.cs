using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// An answer that is a stream of events. An event passes in the read in which it ends, byte for byte but for its <c>id</c> lines and, where
/// the client did not ask, its usage. The usage at the end and <c>[DONE]</c> wait until the request is settled. Before output passes it is
/// asked whether it may: where not, the stream is closed there as at <c>max_tokens</c>.
/// </summary>
internal sealed class EventMeter(ModelCall call, Func<uint, bool>? mayPass) : IResponseMeter
{
    /// <summary>An event that is longer passes as it comes, unread: all its bytes are taken for text.</summary>
    public const int EventBytesMax = 1024 * 1024;

    /// <summary>Of what waits for the end; an upstream that goes on for longer after its last chunk is cut there.</summary>
    public const int KeptBytesMax = 64 * 1024;

    /// <summary>After so many broken chunks in a row, what follows is not read any more: each try costs an exception.</summary>
    private const int UnreadableMax = 16;

    private readonly KeptBytes _pending = new(EventBytesMax);
    private readonly KeptBytes _kept = new(KeptBytesMax);
    private readonly StreamChunk _chunk = new(call.Kind);
    private readonly OpenChoices _choices = new();
    private EventEnds _ends;
    private Way _lastWay;
    private ArrayBufferWriter<byte>? _joined;
    private ClosingChunks? _closing;
    private bool _isDone;
    private bool _isCut;
    private int _unreadable;
    private TokenUse _told;

    /// <summary>Output that came after the upstream last told its numbers.</summary>
    private uint _since;

    private bool _isLong;
    private IdFilter _longLines;
    private long _longBytes;
    private uint _beforeLong;

    /// <summary>What became of an event.</summary>
    private enum Way
    {
        Passed,
        Kept,
        Dropped,
    }

    public TokenUse Use => _told.IsReported
        ? _told with { OutputTokens = TokenEstimate.Sum(_told.OutputTokens, _since), IsReported = _since == 0 }
        : new TokenUse { InputTokens = TokenEstimate.OfInput(call), OutputTokens = _since };

    /// <summary>A stream that was cut is whole too: <see cref="End"/> closes it.</summary>
    public bool IsComplete => _isCut || _isDone || _choices.AreFinished || EndsInDone();

    /// <summary>False only within an event of more than <see cref="EventBytesMax"/>: nothing of one's own may be sent there.</summary>
    public bool IsBetweenEvents => !_isLong;

    public bool Take(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        while (bytes.Length > 0 && !_isCut)
        {
            if (_pending.Length == 0 && !_isLong && _ends.TakesLf(bytes[0]))
            {
                Send(bytes[..1], _lastWay, output);
                bytes = bytes[1..];
                continue;
            }

            var end = _ends.Next(bytes);
            var length = end < 0 ? bytes.Length : end;
            TakePart(bytes[..length], end >= 0, output);
            bytes = bytes[length..];
        }

        return !_isCut;
    }

    /// <summary>
    /// Writes what was kept, and what closes a stream that was cut. An event that has not ended is none, as readers of streams see it too;
    /// a <c>[DONE]</c> whose blank line is missing passes.
    /// </summary>
    public void End(IBufferWriter<byte> output)
    {
        var use = Use;
        _kept.MoveTo(output);
        if (_isLong)
        {
            _longLines.End(output);
            output.Write("\n\n"u8);
            _isLong = false;
        }

        if (_closing is not null)
        {
            _closing.Write(_choices.Open, use, output);
            _closing = null;
        }
        else if (!_isDone && EndsInDone())
        {
            _isDone = true;
            IdFilter.WriteAll(_pending.Span, output);
        }

        _pending.Clear();
    }

    private void TakePart(ReadOnlySpan<byte> part, bool isEnd, IBufferWriter<byte> output)
    {
        if (!_isLong && (long)_pending.Length + part.Length > EventBytesMax && !BeginLong(output))
        {
            return;
        }

        if (_isLong)
        {
            PassLong(part, output);
            if (isEnd)
            {
                _longLines.End(output);
                _isLong = false;
            }
        }
        else if (!isEnd)
        {
            _pending.TryAdd(part);
        }
        else if (_pending.Length == 0)
        {
            TakeEvent(part, output);
        }
        else
        {
            _pending.TryAdd(part);
            TakeEvent(_pending.Span, output);
            _pending.Clear();
        }
    }

    private void TakeEvent(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        var lines = EventLines.Of(text);
        if (lines.DataLines == 0 || _isDone)
        {
            Send(text, lines.HasId, _kept.Length > 0 ? Way.Kept : Way.Passed, output);
            return;
        }

        var data = lines.DataLines == 1 ? text.Slice(lines.DataStart, lines.DataLength) : Join(text);
        if (IsDone(data))
        {
            _isDone = true;
            Send(text, lines.HasId, Way.Kept, output);
            return;
        }

        var tokens = TokensOf(data);
        if (tokens > 0 && mayPass is not null && !mayPass(TotalWith(tokens)))
        {
            Cut(data);
            return;
        }

        Count(tokens);
        if (_chunk.IsUseAlone)
        {
            Send(text, lines.HasId, call.AsksUsage ? Way.Kept : Way.Dropped, output);
            return;
        }

        _kept.MoveTo(output);
        if (call.AsksUsage || !_chunk.Usage.IsThere)
        {
            Send(text, lines.HasId, Way.Passed, output);
        }
        else
        {
            SendWithoutUsage(text, lines, data, output);
        }
    }

    /// <summary>Reads the chunk. What cannot be read counts as text.</summary>
    private uint TokensOf(ReadOnlySpan<byte> data)
    {
        if (data.TrimStart(" \t"u8).StartsWith("{"u8) && _unreadable < UnreadableMax)
        {
            if (_chunk.TryRead(data))
            {
                _unreadable = 0;
                return TokenEstimate.OfText(_chunk.TextBytes);
            }

            _unreadable++;
        }

        _chunk.Clear();
        return TokenEstimate.OfText(data.Length);
    }

    private uint TotalWith(uint tokens) =>
        _chunk.TellsUse ? _chunk.Use.OutputTokens : TokenEstimate.Sum(Use.OutputTokens, tokens);

    private void Count(uint tokens)
    {
        (_told, _since) = _chunk.TellsUse ? (_chunk.Use, 0) : (_told, TokenEstimate.Sum(_since, tokens));
        foreach (var (index, isFinished) in _chunk.Choices)
        {
            _choices.Note(index, isFinished);
        }
    }

    private void Cut(ReadOnlySpan<byte> data)
    {
        _isCut = true;
        _kept.Clear();
        _closing = new ClosingChunks(call, data.ToArray());
    }

    private void Send(ReadOnlySpan<byte> text, bool hasId, Way way, IBufferWriter<byte> output)
    {
        if (hasId)
        {
            _joined ??= new ArrayBufferWriter<byte>();
            _joined.ResetWrittenCount();
            IdFilter.WriteAll(text, _joined);
            text = _joined.WrittenSpan;
        }

        Send(text, way, output);
    }

    private void Send(ReadOnlySpan<byte> text, Way way, IBufferWriter<byte> output)
    {
        _lastWay = way;
        if (way == Way.Passed)
        {
            output.Write(text);
        }
        else if (way == Way.Kept && !_kept.TryAdd(text))
        {
            _isCut = true;
            _closing = _isDone ? null : new ClosingChunks(call, []);
        }
    }

    /// <summary>Takes the usage out, and the comma that parted it from the next member, or the one before.</summary>
    private void SendWithoutUsage(ReadOnlySpan<byte> text, EventLines lines, ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        _lastWay = Way.Passed;
        var before = data[.._chunk.Usage.Start];
        var after = data[(_chunk.Usage.Start + _chunk.Usage.Length)..];
        var next = after.TrimStart(" \t\r\n"u8);
        var last = before.TrimEnd(" \t\r\n"u8);
        if (next[0] == ',')
        {
            after = next[1..];
        }
        else if (last[^1] == ',')
        {
            before = last[..^1];
        }

        if (lines.DataLines > 1)
        {
            EventLines.WriteOthers(text, output);
            output.Write("data: "u8);
            output.Write(before);
            output.Write(after);
            output.Write("\n\n"u8);
            return;
        }

        IdFilter.WriteAll(text[..lines.DataStart], output);
        output.Write(before);
        output.Write(after);
        IdFilter.WriteAll(text[(lines.DataStart + lines.DataLength)..], output);
    }

    private ReadOnlySpan<byte> Join(ReadOnlySpan<byte> text)
    {
        _joined ??= new ArrayBufferWriter<byte>();
        EventLines.Join(text, _joined);
        return _joined.WrittenSpan;
    }

    /// <summary>An event turns out too long to be kept. It is asked for once, with what has come of it.</summary>
    private bool BeginLong(IBufferWriter<byte> output)
    {
        if (_isDone)
        {
            _isCut = true;
            return false;
        }

        (_beforeLong, _longBytes, _lastWay) = (_since, 0, Way.Passed);
        if (mayPass is not null && !mayPass(TokenEstimate.Sum(Use.OutputTokens, TokenEstimate.OfText(EventBytesMax))))
        {
            Cut([]);
            return false;
        }

        _kept.MoveTo(output);
        (_isLong, _longLines) = (true, default);
        PassLong(_pending.Span, output);
        _pending.Clear();
        return true;
    }

    private void PassLong(ReadOnlySpan<byte> part, IBufferWriter<byte> output)
    {
        _longLines.Write(part, output);
        _longBytes += part.Length;
        _since = TokenEstimate.Sum(_beforeLong, TokenEstimate.OfText(_longBytes));
    }

    private bool EndsInDone()
    {
        var lines = _pending.Length > 0 ? EventLines.Of(_pending.Span) : default;
        return lines.DataLines == 1 && IsDone(_pending.Span.Slice(lines.DataStart, lines.DataLength));
    }

    private static bool IsDone(ReadOnlySpan<byte> data) => data.Trim(" \t"u8).SequenceEqual("[DONE]"u8);
}
