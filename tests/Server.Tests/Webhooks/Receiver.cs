using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tollgate.Server.Tests.Webhooks;

/// <summary>A server on a free loopback port that webhooks are sent to: notes what came and answers what the test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly SemaphoreSlim _arrivals = new(0);

    private Receiver(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.Single()).Port;

    public string Url => $"http://127.0.0.1:{Port}/hook";

    /// <summary>The status it answers with.</summary>
    public int Status { get; set; } = 200;

    /// <summary>Answers in place of the status.</summary>
    public Func<HttpContext, Task>? Reply { get; set; }

    /// <summary>What came, in order.</summary>
    public IReadOnlyList<Received> Log => [.. _received];

    public Received Only => Log.Single();

    public static async Task<Receiver> Start(IPAddress? address = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{address ?? IPAddress.Loopback}:0");
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.Take);
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>Returns when so many more have come; fails after a time that no working gate needs.</summary>
    public async Task Arrived(int more = 1)
    {
        for (var i = 0; i < more; i++)
        {
            Assert.True(await _arrivals.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), "Nothing arrived.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _arrivals.Dispose();
    }

    private async Task Take(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        _received.Enqueue(new Received(
            http.Request.Method,
            http.Request.Path + http.Request.QueryString,
            http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray()));
        _arrivals.Release();
        if (Reply is { } reply)
        {
            await reply(http);
            return;
        }

        http.Response.StatusCode = Status;
    }
}

internal sealed record Received(string Method, string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers["webhook-id"];

    public System.Text.Json.JsonElement Json => System.Text.Json.JsonElement.Parse(Body);

    public string Type => Json.GetProperty("type").GetString()!;
}
