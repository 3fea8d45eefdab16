using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>An answer that is neither JSON nor a stream of events: all of it is taken for text. Its last byte waits.</summary>
internal sealed class OpaqueMeter(ModelCall call) : IResponseMeter
{
    private long _bytes;
    private byte _last;

    public TokenUse Use => new()
    {
        InputTokens = TokenEstimate.OfInput(call),
        OutputTokens = call.Kind == ModelCallKind.Embedding ? 0 : TokenEstimate.OfText(_bytes),
    };

    /// <summary>Nothing in it tells; its end is where the connection says so.</summary>
    public bool IsComplete => true;

    public bool Take(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        if (bytes.Length > 0)
        {
            End(output);
            output.Write(bytes[..^1]);
            _last = bytes[^1];
            _bytes += bytes.Length;
        }

        return true;
    }

    public void End(IBufferWriter<byte> output)
    {
        if (_bytes > 0)
        {
            output.Write([_last]);
        }
    }
}
