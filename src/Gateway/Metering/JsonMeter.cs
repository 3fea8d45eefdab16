using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// An answer that is one JSON object. It passes as it comes; the brace that closes it, and what little follows, wait for the end. Until
/// then the last byte there is waits: with it the client would take half an object, of the length that was told, for the whole. It is not
/// cut: its output was bounded in the request, and half of it is worth nothing to the client.
/// </summary>
internal sealed class JsonMeter(ModelCall call) : IResponseMeter
{
    /// <summary>White space behind the object; an upstream that goes on for longer is cut there.</summary>
    public const int TailBytesMax = 64 * 1024;

    private readonly JsonScan _scan = new();
    private readonly KeptBytes _tail = new(TailBytesMax);
    private TokenUse _told;
    private byte? _last;
    private bool _isCut;

    public TokenUse Use => _told.IsReported ? _told : new()
    {
        InputTokens = TokenEstimate.OfInput(call),
        OutputTokens = call.Kind == ModelCallKind.Embedding ? 0 : TokenEstimate.OfText(_scan.TextBytes),
    };

    public bool IsComplete => _scan.IsClosed;

    public bool Take(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        if (_isCut)
        {
            return false;
        }

        if (!_scan.IsClosed)
        {
            var end = _scan.Read(bytes);
            if (end > 0)
            {
                PassLast(output);
                _last = bytes[end - 1];
                output.Write(bytes[..(end - 1)]);
            }

            bytes = bytes[end..];
            if (_scan.IsClosed)
            {
                PassLast(output);
            }

            if (_scan.IsClosed && UsageReader.TryRead(_scan.Usage, call.Kind, out var told))
            {
                _told = told;
            }
        }

        _isCut = !_tail.TryAdd(bytes);
        return !_isCut;
    }

    public void End(IBufferWriter<byte> output)
    {
        PassLast(output);
        _tail.MoveTo(output);
    }

    private void PassLast(IBufferWriter<byte> output)
    {
        if (_last is { } last)
        {
            output.Write([last]);
            _last = null;
        }
    }
}
