using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tollgate.Server.Tests.ForwardAuth;

/// <summary>
/// A server behind a proxy that remembers what reached it; given an address it passes everything on, so that it shows what a proxy
/// sends to a gate and over how many connections.
/// </summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = default });
    private readonly string? _behind;

    private Upstream(WebApplication app, string? behind) => (_app, _behind) = (app, behind);

    public ConcurrentQueue<Reached> Requests { get; } = new();

    public int Port { get; private set; }

    /// <param name="behind">The address to pass everything on to; null answers by itself.</param>
    public static async Task<Upstream> Start(string? behind = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var upstream = new Upstream(app, behind);
        app.Run(upstream.Answer);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        upstream.Port = new Uri(address).Port;
        return upstream;
    }

    /// <summary>The only request since the last call.</summary>
    public Reached Single()
    {
        var all = Requests.ToArray();
        Requests.Clear();
        return Assert.Single(all);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task Answer(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        Requests.Enqueue(new Reached(
            http.Request.Method, target, http.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            System.Text.Encoding.UTF8.GetString(body.ToArray()), http.Connection.Id));
        if (_behind is null)
        {
            http.Response.Headers["X-Upstream"] = "reached";
            await http.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"upstream {http.Request.Method} {target}"));
            return;
        }

        using var question = new HttpRequestMessage(new HttpMethod(http.Request.Method), _behind + target);
        string[] own = ["Host", "Connection", "Content-Length"];
        foreach (var (name, value) in http.Request.Headers.Where(header => !own.Contains(header.Key, StringComparer.OrdinalIgnoreCase)))
        {
            question.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)value);
        }

        using var answer = await _http.SendAsync(question, http.RequestAborted);
        http.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers)
            .Where(header => header.Key != "Transfer-Encoding"))
        {
            http.Response.Headers[name] = values.ToArray();
        }

        await answer.Content.CopyToAsync(http.Response.Body);
    }
}

/// <summary>A request as it came in.</summary>
internal sealed record Reached(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body, string Connection)
{
    public string Header(string name) => Headers.GetValueOrDefault(name, "");

    public override string ToString() =>
        $"{Method} {Target} {string.Join(", ", Headers.Select(header => $"{header.Key}: {header.Value}"))}";
}
