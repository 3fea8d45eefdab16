using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Tollgate.Cli.Import;

/// <summary>The lines of a file as bytes. A line that is too long is told as such and not held.</summary>
internal static class FileLines
{
    public static async IAsyncEnumerable<FileLine> Read(
        Stream file, int bytesMax, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var pipe = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: 64 * 1_024, leaveOpen: true));
        var (number, isTooLong) = (0L, false);
        while (true)
        {
            var read = await pipe.ReadAsync(cancel);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                yield return Cut(++number, buffer.Slice(0, end), bytesMax, isTooLong);
                buffer = buffer.Slice(buffer.GetPosition(1, end));
                isTooLong = false;
            }

            if (buffer.Length > bytesMax)
            {
                (isTooLong, buffer) = (true, buffer.Slice(buffer.End));
            }

            if (read.IsCompleted)
            {
                if (buffer.Length > 0 || isTooLong)
                {
                    yield return Cut(++number, buffer, bytesMax, isTooLong);
                }

                await pipe.CompleteAsync();
                yield break;
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static FileLine Cut(long number, ReadOnlySequence<byte> bytes, int bytesMax, bool isTooLong)
    {
        if (isTooLong || bytes.Length > bytesMax)
        {
            return new FileLine(number, null);
        }

        ReadOnlyMemory<byte> line = bytes.ToArray();
        if (number == 1 && line.Span.StartsWith("\uFEFF"u8))
        {
            line = line[3..];
        }

        return new FileLine(number, line.Trim(" \t\r"u8));
    }
}

/// <summary>A line without its end; null bytes when it is too long.</summary>
internal readonly record struct FileLine(long Number, ReadOnlyMemory<byte>? Bytes);
