using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tollgate.Gateway.Echo;

/// <summary>Writes JSON piece by piece into one buffer; each piece is good until the next is begun.</summary>
internal sealed class EchoWriter : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private readonly Utf8JsonWriter _json;

    public EchoWriter()
    {
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    public Utf8JsonWriter Json => _json;

    /// <summary>What was written since the last piece of one long value.</summary>
    public ReadOnlyMemory<byte> Piece()
    {
        _json.Flush();
        var piece = _buffer.WrittenMemory;
        _buffer.ResetWrittenCount();
        return piece;
    }

    /// <summary>An event of a stream, a whole value.</summary>
    public ReadOnlyMemory<byte> Event(Action<Utf8JsonWriter> write)
    {
        _buffer.Write("data: "u8);
        _json.Reset(_buffer);
        write(_json);
        _json.Flush();
        _buffer.Write("\n\n"u8);
        return Piece();
    }

    public void Dispose() => _json.Dispose();
}
