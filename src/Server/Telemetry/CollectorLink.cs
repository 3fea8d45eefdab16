namespace Tollgate.Server.Telemetry;

/// <summary>
/// The way to the collector: counts what arrived and what did not, and tells the log when that changes, because the exporter itself fails
/// in silence.
/// </summary>
internal sealed partial class CollectorLink(ILogger<CollectorLink> log)
{
    private long _sent;
    private long _failed;
    private int _isDown;

    public IEnumerable<MetricSample> Samples() =>
    [
        new(Volatile.Read(ref _sent), ("outcome", "sent")),
        new(Volatile.Read(ref _failed), ("outcome", "failed")),
    ];

    public HttpMessageHandler NewHandler() => new Handler(this)
    {
        InnerHandler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(3), AllowAutoRedirect = false },
    };

    private void Note(string? fault)
    {
        Interlocked.Increment(ref fault is null ? ref _sent : ref _failed);
        if (Interlocked.Exchange(ref _isDown, fault is null ? 0 : 1) is var was && was != (fault is null ? 0 : 1))
        {
            if (fault is null)
            {
                LogUp();
            }
            else
            {
                LogDown(fault);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Metrics or traces did not reach the OTLP collector: {Fault}")]
    private partial void LogDown(string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "The OTLP collector takes metrics and traces again")]
    private partial void LogUp();

    private sealed class Handler(CollectorLink link) : DelegatingHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Noted(base.Send(request, cancellationToken));
            }
            catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
            {
                link.Note(fault.Message);
                throw;
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Noted(await base.SendAsync(request, cancellationToken));
            }
            catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
            {
                link.Note(fault.Message);
                throw;
            }
        }

        private HttpResponseMessage Noted(HttpResponseMessage response)
        {
            link.Note(response.IsSuccessStatusCode ? null : $"it answered {(int)response.StatusCode}");
            return response;
        }
    }
}
