using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tollgate.Server.Tests.Relay;

/// <summary>A server behind the gate: remembers what reached it, and answers as the test says.</summary>
internal sealed class ModelServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ModelServer(WebApplication app) => _app = app;

    public ConcurrentQueue<Arrived> Requests { get; } = new();

    /// <summary>How it answers; by default as a model that said three words.</summary>
    public Func<HttpContext, Task> Answers { get; set; } = http => Json(http, Chat());

    /// <summary>False: its answer reads the body itself, and none is remembered.</summary>
    public bool KeepsBodies { get; set; } = true;

    public string Address { get; private set; } = "";

    public static async Task<ModelServer> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var server = new ModelServer(app);
        app.Run(server.Answer);
        await app.StartAsync();
        var features = app.Services.GetRequiredService<IServer>().Features;
        server.Address = features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return server;
    }

    /// <summary>A chat's answer, with what it has used; null tells nothing of it.</summary>
    public static string Chat(int? input = 9, int output = 3, string text = "It is well.") => $$"""
        {"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":
        {"role":"assistant","content":"{{text}}"},"finish_reason":"stop"}]{{Usage(input, output)}}}
        """;

    private static string Usage(int? input, int output) => input is null ? ""
        : $$""","usage":{"prompt_tokens":{{input}},"completion_tokens":{{output}},"total_tokens":{{input + output}}}""";

    public static Task Json(HttpContext http, string body, int status = 200)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(body);
    }

    /// <summary>One piece of a chat's stream.</summary>
    public static string Piece(string delta, string finish = "null", string usage = "") =>
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\","
        + "\"choices\":[{\"index\":0,"
        + $"\"delta\":{{{delta}}},\"finish_reason\":{finish}}}]{usage}}}\n\n";

    public static string Word(string word) => Piece($"\"content\":\"{word}\"");

    public static string UsagePiece(int input, int output) =>
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\"choices\":[],"
        + $"\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":{output},\"total_tokens\":{input + output}}}}}\n\n";

    public static void Streams(HttpContext http) => http.Response.ContentType = "text/event-stream";

    public static async Task Say(HttpContext http, string text)
    {
        await http.Response.WriteAsync(text, http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task Answer(HttpContext http)
    {
        using var body = new MemoryStream();
        if (KeepsBodies)
        {
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        }

        Requests.Enqueue(new Arrived(
            http.Request.Method,
            http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray()));
        await Answers(http);
    }
}

/// <summary>A request as it came in.</summary>
internal sealed record Arrived(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);
}
