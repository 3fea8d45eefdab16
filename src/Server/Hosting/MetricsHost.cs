using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Hosting;

/// <summary>
/// A server of its own for whoever watches over the gate: <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c>, and nothing else. It shares
/// neither the addresses nor the connections of customers' traffic, so that it can be kept inside and goes on answering when they are full.
/// </summary>
internal sealed partial class MetricsHost(
    GateOptions options, MetricsPage page, RequestMeter requests, Database database, ILoggerFactory loggers)
    : IHostedService, IAsyncDisposable
{
    private const int ConnectionsMax = 64;

    private readonly ILogger _log = loggers.CreateLogger<MetricsHost>();
    private WebApplication? _app;

    /// <summary>Where it listens, with the ports that were given.</summary>
    public IReadOnlyCollection<string> Addresses { get; private set; } = [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.MetricsUrls is null)
        {
            return;
        }

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "Tollgate.Server" });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.WebHost.UseUrls(HttpUrlsAttribute.Split(options.MetricsUrls));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.MaxRequestBodySize = 0;
        });
        builder.Services.AddSingleton(loggers).AddSingleton<IHostLifetime, NoSignals>();
        _app = builder.Build();
        _app.Run(Answer);
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            throw new StartException($"{fault.Message.TrimEnd('.')}. Other addresses for metrics can be named with metrics_urls.");
        }

        Addresses = [.. _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses];
        foreach (var address in Addresses)
        {
            LogListening(address, MetricsPage.Path);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task Answer(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "";
        if (!HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        }
        else if (path == MetricsPage.Path && page.Admits(http))
        {
            await page.Write(http);
        }
        else if (path == MetricsPage.Path)
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            http.Response.Headers.WWWAuthenticate = "Bearer";
        }
        else
        {
            await (path switch
            {
                "/healthz" => Health.Alive,
                "/readyz" => await Health.Ready(database, http),
                _ => Results.NotFound(),
            }).ExecuteAsync(http);
        }

        requests.Count(MetricsPage.Path, http.Response.StatusCode);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Metrics are read at {Address}{Path}")]
    private partial void LogListening(string address, string path);

    /// <summary>The gate's own host hears the signals that end the process; this one ends with it.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
