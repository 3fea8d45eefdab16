namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// The answer of an upstream, of which the head has come. Disposing it ends the request there, whether the body was read to its end or not.
/// </summary>
internal sealed class UpstreamAnswer(HttpResponseMessage message, Stream body, TimeSpan idle, string upstream, Action<bool> ended) : IDisposable
{
    private bool _isEnded;

    /// <summary>Who answered.</summary>
    public string Upstream { get; } = upstream;

    /// <summary>Its head.</summary>
    public HttpResponseMessage Message { get; } = message;

    /// <summary>The next bytes of the body, as soon as there are any; 0 at its end.</summary>
    /// <exception cref="IOException">It broke, or nothing came for too long.</exception>
    public ValueTask<int> Read(Memory<byte> buffer, CancellationToken cancel) => throw new NotImplementedException($"{idle} {body}");

    public void Dispose()
    {
        if (!_isEnded)
        {
            _isEnded = true;
            Message.Dispose();
            ended(false);
        }
    }
}
