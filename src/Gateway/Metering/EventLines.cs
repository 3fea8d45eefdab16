using System.Buffers;

namespace Tollgate.Gateway.Metering;

/// <summary>What the lines of one whole event are.</summary>
internal readonly ref struct EventLines
{
    /// <summary>Of the first <c>data</c> line, what it says, seen from the start of the event.</summary>
    public int DataStart { get; private init; }

    public int DataLength { get; private init; }

    /// <summary>How many <c>data</c> lines there are; JSON is hardly ever written in more than one.</summary>
    public int DataLines { get; private init; }

    public bool HasId { get; private init; }

    public static EventLines Of(ReadOnlySpan<byte> text)
    {
        var (start, length, count, hasId) = (0, 0, 0, false);
        for (var at = 0; at < text.Length;)
        {
            var line = Line(text, at);
            if (IsData(line, out var from))
            {
                (start, length) = count == 0 ? (at + from, line.Length - from) : (start, length);
                count++;
            }

            hasId |= IsId(line);
            at += line.Length + 1;
        }

        return new EventLines { DataStart = start, DataLength = length, DataLines = count, HasId = hasId };
    }

    /// <summary>What all <c>data</c> lines say together, with spaces where lines break: the same to a reader of JSON.</summary>
    public static void Join(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> data)
    {
        data.ResetWrittenCount();
        for (var at = 0; at < text.Length;)
        {
            var line = Line(text, at);
            if (IsData(line, out var from))
            {
                data.Write(data.WrittenCount > 0 ? " "u8 : default);
                data.Write(line[from..]);
            }

            at += line.Length + 1;
        }
    }

    /// <summary>The lines that are neither <c>data</c> nor <c>id</c>, but for the blank one.</summary>
    public static void WriteOthers(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        for (var at = 0; at < text.Length;)
        {
            var line = Line(text, at);
            if (line.Length > 0 && !IsData(line, out _) && !IsId(line))
            {
                output.Write(line);
                output.Write("\n"u8);
            }

            at += line.Length + 1;
        }
    }

    /// <summary>Without its end. A CR LF is two ends with nothing between, which is no line here.</summary>
    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> text, int at)
    {
        var rest = text[at..];
        var length = rest.IndexOfAny((byte)'\n', (byte)'\r');
        return length < 0 ? rest : rest[..length];
    }

    private static bool IsData(ReadOnlySpan<byte> line, out int from)
    {
        from = line.StartsWith("data: "u8) ? 6 : 5;
        return line.StartsWith("data:"u8);
    }

    private static bool IsId(ReadOnlySpan<byte> line) => line.StartsWith("id:"u8) || line.SequenceEqual("id"u8);
}
