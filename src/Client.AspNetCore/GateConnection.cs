using Microsoft.Extensions.Options;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// The two ways to the gate, over one pool of connections that stay open: questions, which a request waits for, and the feed, which waits
/// for the gate.
/// </summary>
internal sealed class GateConnection : IDisposable
{
    private readonly HttpMessageHandler? _own;
    private readonly HttpClient _questions;
    private readonly HttpClient _feed;

    public GateConnection(IOptions<TollgateOptions> given, TimeProvider time)
    {
        var options = given.Value;
        var handler = options.Backchannel ?? (_own = NewPool(options));
        _questions = NewHttp(handler, options.Address!, options.Timeout);
        // A poll that takes longer than the bound is of no use any more.
        _feed = NewHttp(handler, options.Address!, options.RevocationBound);
        // A limit lasts for seconds, and a request is waiting: its sender is told at once how long.
        var once = new TollgateClientOptions { RetriesMax = 1, WaitsOutLimits = false, Time = time };
        Questions = new TollgateClient(_questions, options.Key!, once);
        Feed = new TollgateClient(_feed, options.Key!, new TollgateClientOptions { RetriesMax = 0, Time = time });
    }

    public TollgateClient Questions { get; }

    public TollgateClient Feed { get; }

    public void Dispose()
    {
        Questions.Dispose();
        Feed.Dispose();
        _questions.Dispose();
        _feed.Dispose();
        _own?.Dispose();
    }

    /// <summary>A redirect would carry the key elsewhere; connections are renewed so that a change of DNS is followed.</summary>
    private static SocketsHttpHandler NewPool(TollgateOptions options) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = options.Timeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };

    private static HttpClient NewHttp(HttpMessageHandler handler, Uri address, TimeSpan timeout) => new(handler, disposeHandler: false)
    {
        BaseAddress = address,
        Timeout = timeout,
        MaxResponseContentBufferSize = 1024 * 1024,
    };
}
