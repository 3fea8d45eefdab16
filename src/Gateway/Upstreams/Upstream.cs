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
    private readonly UpstreamNews? _news;
    private int _inFlight;
    private int _isRetired;

    /// <param name="config">Who it is.</param>
    /// <param name="time">The clock of time-outs and rests.</param>
    /// <param name="meter">Of its name.</param>
    /// <param name="inProcess">Asked in place of a server; null for connections.</param>
    /// <param name="news">Told what becomes of it; null where nobody wants to know.</param>
    public Upstream(
        UpstreamConfig config, TimeProvider time, UpstreamMeter meter, HttpMessageHandler? inProcess = null, UpstreamNews? news = null)
    {
        (Config, _time, Meter, _news) = (config, time, meter, news);
        _http = inProcess is null
            ? new HttpMessageInvoker(Connections(config))
            : new HttpMessageInvoker(inProcess, disposeHandler: false);
        _target = new UpstreamTarget(config.Url);
        _routes = new UpstreamRoutes(config.Routes);
        _authorization = config.Key is { } key ? $"Bearer {key}" : null;
        Standing = new UpstreamStanding(time, isHealthy => news?.Standing(config.Name, isHealthy));
    }

    public UpstreamConfig Config { get; }

    public UpstreamStanding Standing { get; }

    public UpstreamMeter Meter { get; }

    public UpstreamState State =>
        new(Config.Name, Standing.IsHealthy, Volatile.Read(ref _inFlight), Config.ConcurrencyMax, Meter.Requests, Meter.Failures);

    public bool Serves(UpstreamRequest request) => ServesModel(request.Model) && _routes.Take(request.Path);

    /// <summary>Takes one of its places; who gets true calls <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _inFlight) <= Config.ConcurrencyMax && Volatile.Read(ref _isRetired) == 0)
        {
            Meter.Asked();
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
            if (response.StatusCode == HttpStatusCode.SwitchingProtocols)
            {
                // Nobody has asked for it: what belongs to a connection is never passed on.
                response.Dispose();
                throw new HttpRequestException(HttpRequestError.InvalidResponse, "it changes the protocol.");
            }

            var hasFailed = Judge(response.StatusCode, request);
            return new UpstreamAnswer(this, request.RequestId, response, stream, patience) { Attempts = attempt, HasFailed = hasFailed };
        }
        catch (Exception error)
        {
            var fault = cancel.IsCancellationRequested || body?.Fault is not null ? null : FaultOf(error, patience.IsOver);
            patience.Dispose();
            Leave();
            if (fault is not null)
            {
                Fail(FailureOf(fault.Fault), request.RequestId, fault.Message);
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

    /// <summary>A request failed here: counted, told, and held against its standing.</summary>
    public void Fail(UpstreamFailure failure, string? requestId, string cause)
    {
        Note(failure, requestId, cause);
        Standing.Failed();
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

    /// <summary>
    /// Whether it is a status of a server that cannot serve. A 500 is of this request, a 401 of our key; neither is held against its
    /// standing.
    /// </summary>
    private bool Judge(HttpStatusCode status, UpstreamRequest request)
    {
        switch (status)
        {
            case HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout:
                Fail(UpstreamFailure.Status, request.RequestId, Answered(status));
                return true;
            case HttpStatusCode.InternalServerError:
                Note(UpstreamFailure.Status, request.RequestId, Answered(status));
                break;
            case HttpStatusCode.Unauthorized:
                Note(UpstreamFailure.Unauthorized, request.RequestId, Answered(status));
                break;
        }

        Standing.Worked();
        return false;
    }

    private string Answered(HttpStatusCode status) => $"{Config.Name}: answered {(int)status}.";

    private void Note(UpstreamFailure failure, string? requestId, string cause)
    {
        Meter.Failed(failure);
        _news?.Failed(requestId, cause);
    }

    private static UpstreamFailure FailureOf(UpstreamFault fault) => fault switch
    {
        UpstreamFault.TimedOut => UpstreamFailure.TimedOut,
        UpstreamFault.Garbled => UpstreamFailure.Garbled,
        _ => UpstreamFailure.Unreachable,
    };

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
/// <param name="InFlightMax">As many as there may be.</param>
/// <param name="Requests">Sent to it since its name was configured.</param>
/// <param name="Failures">Of those: no answer, a broken one, 401, or a status that another one is asked after.</param>
internal sealed record UpstreamState(string Name, bool IsHealthy, int InFlight, int InFlightMax, long Requests, long Failures);

/// <summary>Who is told of upstreams.</summary>
/// <param name="Standing">Told the name of one that became healthy (true) or is no longer (false).</param>
/// <param name="Failed">Told the id of a request, where it has one, and how it failed at which.</param>
internal sealed record UpstreamNews(Action<string, bool> Standing, Action<string?, string> Failed);
