using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// Leaves out the <c>id</c> lines of a stream that comes in pieces: a client that has seen one sends its POST again where the connection
/// breaks, and would be answered, and billed, twice.
/// </summary>
internal struct IdFilter
{
    private Place _place;

    /// <summary>Where in a line the next byte stands.</summary>
    private enum Place
    {
        Start,

        /// <summary>Behind an <c>i</c> that was not written yet.</summary>
        BehindI,

        /// <summary>Behind an <c>id</c> that was not written yet.</summary>
        BehindId,

        /// <summary>In a line that passes.</summary>
        Passing,

        /// <summary>In one that does not.</summary>
        Dropping,

        /// <summary>Behind the CR of one that did not.</summary>
        BehindCr,
    }

    public static void WriteAll(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        var filter = new IdFilter();
        filter.Write(bytes, output);
        filter.End(output);
    }

    public void Write(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        while (bytes.Length > 0)
        {
            bytes = _place switch
            {
                Place.Passing => Pass(bytes, output),
                Place.Dropping => Drop(bytes),
                _ => Begin(bytes, output),
            };
        }
    }

    /// <summary>Writes what it was not sure of.</summary>
    public void End(IBufferWriter<byte> output)
    {
        output.Write(Held);
        _place = Place.Start;
    }

    private readonly ReadOnlySpan<byte> Held => _place switch
    {
        Place.BehindI => "i"u8,
        Place.BehindId => "id"u8,
        _ => default,
    };

    private ReadOnlySpan<byte> Begin(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        var next = bytes[0];
        switch (_place)
        {
            case Place.BehindCr:
                _place = Place.Start;
                return next == '\n' ? bytes[1..] : bytes;
            case Place.Start when next == 'i':
                _place = Place.BehindI;
                return bytes[1..];
            case Place.BehindI when next == 'd':
                _place = Place.BehindId;
                return bytes[1..];
            case Place.BehindId when next is (byte)':' or (byte)'\r' or (byte)'\n':
                _place = Place.Dropping;
                return bytes;
            default:
                output.Write(Held);
                _place = Place.Passing;
                return bytes;
        }
    }

    private ReadOnlySpan<byte> Pass(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        var length = bytes.IndexOfAny((byte)'\n', (byte)'\r') + 1;
        _place = length == 0 ? Place.Passing : Place.Start;
        length = length == 0 ? bytes.Length : length;
        output.Write(bytes[..length]);
        return bytes[length..];
    }

    private ReadOnlySpan<byte> Drop(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.IndexOfAny((byte)'\n', (byte)'\r') + 1;
        if (length == 0)
        {
            return default;
        }

        _place = bytes[length - 1] == '\r' ? Place.BehindCr : Place.Start;
        return bytes[length..];
    }
}
