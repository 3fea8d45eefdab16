using System.Net;
using System.Net.Http.Headers;

namespace Tollgate.Gateway.Echo;

/// <summary>
/// A body that is made while it is read, a piece at a time: who reads slowly slows it down, who stops reading stops it, and however long it
/// is, one piece of it is in memory.
/// </summary>
internal sealed class ProducedContent : HttpContent
{
    private readonly ProducedStream _stream;

    /// <param name="pieces">Each is good until the next is asked for.</param>
    /// <param name="mediaType">Of the body.</param>
    public ProducedContent(IEnumerable<ReadOnlyMemory<byte>> pieces, string mediaType)
    {
        _stream = new ProducedStream(pieces.GetEnumerator());
        Headers.ContentType = new MediaTypeHeaderValue(mediaType);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(_stream);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _stream.CopyToAsync(stream);

    private sealed class ProducedStream(IEnumerator<ReadOnlyMemory<byte>> pieces) : Stream
    {
        private ReadOnlyMemory<byte> _piece;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            while (_piece.IsEmpty)
            {
                if (!pieces.MoveNext())
                {
                    return 0;
                }

                _piece = pieces.Current;
            }

            var length = Math.Min(buffer.Length, _piece.Length);
            _piece.Span[..length].CopyTo(buffer);
            _piece = _piece[length..];
            return length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            cancellationToken.IsCancellationRequested
                ? ValueTask.FromCanceled<int>(cancellationToken)
                : new ValueTask<int>(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        protected override void Dispose(bool disposing)
        {
            pieces.Dispose();
            base.Dispose(disposing);
        }
    }
}
