using System.Buffers;
using System.Net;

namespace Tollgate.Gateway.Upstreams;

/// <summary>The body as it comes from the client: remembers whether any of it was read, and what the client broke.</summary>
internal sealed class ClientBody(Stream source) : Stream
{
    /// <summary>It cannot be sent again.</summary>
    public bool WasRead { get; private set; }

    /// <summary>What went wrong on the client's side; the upstream has no part in it.</summary>
    public Exception? Fault { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        WasRead = true;
        try
        {
            return await source.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            Fault = error;
            throw;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
    }
}

/// <summary>
/// Sends a client's body on piece by piece: one buffer, and the next piece is read when the last is written, so that an upstream that reads
/// slowly slows the client down.
/// </summary>
internal sealed class PassedBody(ClientBody body, long? length, UpstreamConfig upstream, Patience patience) : HttpContent
{
    public const int BufferBytes = 65_536;

    protected override bool TryComputeLength(out long size)
    {
        size = length ?? 0;
        return length is not null;
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(body);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                // For the client's own pace the server it talks to has its own rule.
                patience.Pause();
                var read = await body.ReadAsync(buffer, cancellationToken);
                if (read == 0)
                {
                    break;
                }

                patience.Begin(upstream.Idle);
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                await stream.FlushAsync(cancellationToken);
            }

            patience.Begin(upstream.FirstByte);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
