namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// The answer of an upstream, of which the head has come. Disposing it ends the request there, whether the body was read to its end or not.
/// </summary>
internal sealed class UpstreamAnswer : IDisposable
{
    private readonly Upstream _upstream;
    private readonly string? _requestId;
    private readonly Stream _body;
    private readonly Patience _patience;
    private bool _hasLeft;
    private bool _isDisposed;

    public UpstreamAnswer(Upstream upstream, string? requestId, HttpResponseMessage message, Stream body, Patience patience) =>
        (_upstream, _requestId, Message, _body, _patience) = (upstream, requestId, message, body, patience);

    /// <summary>Who answered.</summary>
    public string Upstream => _upstream.Config.Name;

    /// <summary>Its head.</summary>
    public HttpResponseMessage Message { get; }

    /// <summary>How many upstreams were asked until this one answered, itself included.</summary>
    public required int Attempts { get; init; }

    /// <summary>Whether its status says that the upstream cannot serve: 502, 503 or 504.</summary>
    public required bool HasFailed { get; init; }

    /// <summary>The next bytes of the body, as soon as there are any; 0 at its end.</summary>
    /// <exception cref="IOException">It broke, or nothing came for too long.</exception>
    public ValueTask<int> Read(Memory<byte> buffer, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancel.ThrowIfCancellationRequested();
        var read = _body.ReadAsync(buffer, _patience.Token);
        return read.IsCompletedSuccessfully ? new ValueTask<int>(Took(read.Result, buffer.Length)) : Wait(read, buffer.Length, cancel);
    }

    /// <summary>It came to an end that is none: who knows its form says so.</summary>
    public void EndedTooEarly() =>
        _upstream.Fail(UpstreamFailure.Broken, _requestId, $"{Upstream}: its answer ended before it was whole.");

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Message.Dispose();
        _patience.Dispose();
        Leave();
    }

    private async ValueTask<int> Wait(ValueTask<int> read, int room, CancellationToken cancel)
    {
        // Nearly always the token the request was sent with, and linked already.
        var link = cancel == _patience.Caller
            ? default
            : cancel.UnsafeRegister(static patience => ((Patience)patience!).Cancel(), _patience);
        _patience.Begin(_upstream.Config.Idle);
        try
        {
            return Took(await read, room);
        }
        catch (Exception error) when (!cancel.IsCancellationRequested && !_patience.Caller.IsCancellationRequested)
        {
            var cause = _patience.IsOver
                ? $"{Upstream}: nothing more of its answer came for {_upstream.Config.Idle.TotalSeconds} s."
                : $"{Upstream}: its answer broke off: {error.Message}";
            _upstream.Fail(UpstreamFailure.Broken, _requestId, cause);
            throw new IOException(cause, error);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Cancelling breaks the connection, and what the read says of that depends on where it stood.
            throw new OperationCanceledException("The caller gave up.", error, cancel.IsCancellationRequested ? cancel : _patience.Caller);
        }
        finally
        {
            _patience.Pause();
            link.Dispose();
        }
    }

    private int Took(int read, int room)
    {
        if (read == 0 && room > 0)
        {
            if (!HasFailed)
            {
                _upstream.Standing.Ended();
            }

            Leave();
        }

        return read;
    }

    private void Leave()
    {
        if (!_hasLeft)
        {
            _hasLeft = true;
            _upstream.Leave();
        }
    }
}
