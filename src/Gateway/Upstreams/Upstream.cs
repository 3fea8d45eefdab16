using System.Net;
using System.Runtime.ExceptionServices;
using System.Text;

namespace Tollgate.Gateway.Upstreams;

/// <summary>An upstream at run time: its connections, how many requests are under way there, and whether it is worth asking.</summary>
internal sealed class Upstream
{
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    // Many servers close a connection that was idle for five seconds; a request sent at that moment would be lost.
    private static readonly TimeSpan ConnectionIdle = TimeSpan.FromSeconds(4);

    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;
    private readonly UpstreamTarget _target;
    private readonly UpstreamRoutes _routes;
    private readonly string? _authorization;
    private int _inFlight;
    private long _requests;
    private int _isRetired;

    /// <param name="config">Who it is.</param>
    /// <param name="time">The clock of time-outs and rests.</param>
    /// <param name="inProcess">Asked in place of a server; null for connections.</param>
    /// <param name="changed">Told when it becomes healthy or is no longer.</param>
    public Upstream(UpstreamConfig config, TimeProvider time, HttpMessageHandler? inProcess, Action<string, bool>? changed)
    {
        (Config, _time) = (config, time);
        _http = inProcess is null
            ? new HttpMessageInvoker(Connections(config))
            : new HttpMessageInvoker(inProcess, disposeHandler: false);
        _target = new UpstreamTarget(config.Url);
        _routes = new UpstreamRoutes(config.Routes);
        _authorization = config.Key is { } key ? $"Bearer {key}" : null;
        Standing = new UpstreamStanding(time, isHealthy => changed?.Invoke(config.Name, isHealthy));
    }

    public UpstreamConfig Config { get; }

    public UpstreamStanding Standing { get; }

    public UpstreamState State =>
        new(Config.Name, Standing.IsHealthy, Volatile.Read(ref _inFlight), Interlocked.Read(ref _requests), Standing.Failures);

    public bool Serves(UpstreamRequest request) => ServesModel(request.Model) && _routes.Take(request.Path);

    /// <summary>Takes one of its places; who gets true calls <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _inFlight) <= Config.ConcurrencyMax && Volatile.Read(ref _isRetired) == 0)
        {
            Interlocked.Increment(ref _requests);
            return true;
        }

        Leave();
        return false;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _inFlight) == 0 && Volatile.Read(ref _isRetired) != 0)
        {
            _http.Dispose();
        }
    }

    /// <summary>Takes no more requests; its connections close with the last of those under way.</summary>
    public void Retire()
    {
        if (Interlocked.Exchange(ref _isRetired, 1) == 0 && Volatile.Read(ref _inFlight) == 0)
        {
            _http.Dispose();
        }
    }

    /// <summary>Sends a request that has entered, up to the head of the answer, which then holds its place.</summary>
    /// <exception cref="UpstreamException">It did not answer.</exception>
    public async Task<UpstreamAnswer> Ask(UpstreamRequest request, ClientBody? body, int attempt, CancellationToken cancel)
    {
        var patience = new Patience(_time, cancel);
        try
        {
            var message = MessageOf(request, body, patience);
            patience.Begin(Config.FirstByte);
            var response = await _http.SendAsync(message, patience.Token);
            patience.Pause();
            var stream = await response.Content.ReadAsStreamAsync(CancellationToken.None);
            var hasFailed = IsOfAGateway(response.StatusCode);
            if (hasFailed)
            {
                Standing.Failed();
            }
            else
            {
                Standing.Worked();
            }

            return new UpstreamAnswer(this, response, stream, patience) { Attempts = attempt, HasFailed = hasFailed };
        }
        catch (Exception error)
        {
            var fault = cancel.IsCancellationRequested || body?.Fault is not null ? null : FaultOf(error, patience.IsOver);
            patience.Dispose();
            Leave();
            if (fault is not null)
            {
                Standing.Failed();
                throw fault;
            }

            cancel.ThrowIfCancellationRequested();
            if (body?.Fault is { } clients)
            {
                ExceptionDispatchInfo.Throw(clients);
            }

            throw;
        }
    }

    /// <summary>Whether its health path answers 2xx within this time.</summary>
    public async Task<bool> IsUp(string path, TimeSpan within, CancellationToken cancel)
    {
        using var patience = new Patience(_time, cancel);
        using var message = Message(HttpMethod.Get, _target.FromRoot(path));
        if (_authorization is not null)
        {
            message.Headers.TryAddWithoutValidation("Authorization", _authorization);
        }

        try
        {
            patience.Begin(within);
            using var response = await _http.SendAsync(message, patience.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or ObjectDisposedException
            && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private static SocketsHttpHandler Connections(UpstreamConfig config) => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = config.Connect,
        PooledConnectionLifetime = ConnectionLifetime,
        PooledConnectionIdleTimeout = ConnectionIdle,
        EnableMultipleHttp2Connections = true,
        // What is given up is broken off, not read to its end: the upstream shall see it and stop working.
        MaxResponseDrainSize = 0,
        ResponseDrainTimeout = TimeSpan.Zero,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
    };

    private static HttpRequestMessage Message(HttpMethod method, Uri url) => new(method, url)
    {
        Version = url.Scheme == Uri.UriSchemeHttps ? HttpVersion.Version20 : HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
    };

    private static bool IsOfAGateway(HttpStatusCode status) =>
        status is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private HttpRequestMessage MessageOf(UpstreamRequest request, ClientBody? body, Patience patience)
    {
        var message = Message(new HttpMethod(request.Method), _target.Of(request.Path, request.Query));
        message.Content = request.Body is { } bytes && (!bytes.IsEmpty || request.Headers.ContentLength is not null)
            ? new ReadOnlyMemoryContent(bytes)
            : body is not null ? new PassedBody(body, request.Headers.ContentLength, Config, patience)
            : null;
        RequestHeaders.Copy(request, message, _authorization);
        return message;
    }

    private bool ServesModel(string? model)
    {
        if (model is null || Config.Models.Count == 0)
        {
            return true;
        }

        foreach (var name in Config.Models)
        {
            if (name.EndsWith('*') ? model.AsSpan().StartsWith(name.AsSpan(0, name.Length - 1), StringComparison.Ordinal) : name == model)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Null for what is nobody's fault but ours.</summary>
    private UpstreamException? FaultOf(Exception error, bool isOver) => error switch
    {
        _ when isOver => new UpstreamException(UpstreamFault.TimedOut, $"{Config.Name}: no head of an answer in time.", error),
        OperationCanceledException => new UpstreamException(
            UpstreamFault.Unreachable, $"{Config.Name}: no connection within {Config.Connect.TotalSeconds} s.", error),
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError
                or HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.VersionNegotiationError,
        } => new UpstreamException(UpstreamFault.Garbled, $"{Config.Name}: what came is no answer: {error.Message}", error),
        HttpRequestException or IOException => new UpstreamException(
            UpstreamFault.Unreachable, $"{Config.Name}: {(error.InnerException ?? error).Message}", error),
        _ => null,
    };
}

/// <summary>How an upstream does.</summary>
/// <param name="Name">Of the upstream.</param>
/// <param name="IsHealthy">Neither resting nor down.</param>
/// <param name="InFlight">Requests under way.</param>
/// <param name="Requests">Sent to it since it was configured.</param>
/// <param name="Failures">Of those: no answer, a broken one, or 502, 503 or 504.</param>
internal sealed record UpstreamState(string Name, bool IsHealthy, int InFlight, long Requests, long Failures);
