using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>A server behind the gate on a free loopback port: notes the heads that came and answers what the test says.</summary>
internal sealed class Origin : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RequestDelegate _reply;

    private Origin(WebApplication app, RequestDelegate reply) => (_app, _reply) = (app, reply);

    public ConcurrentQueue<Head> Heads { get; } = new();

    public string Url => _app.Urls.Single();

    public Head Only => Heads.Single();

    public static async Task<Origin> Start(RequestDelegate? reply = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        var origin = new Origin(builder.Build(), reply ?? (http => http.Response.WriteAsync("answered")));
        origin._app.Run(origin.Take);
        await origin._app.StartAsync();
        return origin;
    }

    public static Task<Origin> Saying(int status, string text) => Start(http =>
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsync(text);
    });

    public UpstreamConfig Config(string name = "origin") => new() { Name = name, Url = new Uri(Url) };

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task Take(HttpContext http)
    {
        Heads.Enqueue(new Head(
            http.Request.Method,
            http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            http.Request.Headers.ToDictionary(row => row.Key, row => row.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            http.Connection.Id));
        return _reply(http);
    }
}

internal sealed record Head(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Connection)
{
    public string Header(string name) => Headers.GetValueOrDefault(name, "");
}
