using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tollgate.Server.Tests.Client;

/// <summary>A server on a free loopback port that notes what it was asked and answers what the test says.</summary>
internal sealed class StandInGate : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Asked> _asked = new();

    private StandInGate(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>What came, in order.</summary>
    public IReadOnlyList<Asked> Log => [.. _asked];

    public Asked Only => Log.Single();

    public static Task<StandInGate> Start(Answer answer) => Start(_ => answer);

    public static async Task<StandInGate> Start(Func<Asked, Answer> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var gate = new StandInGate(builder.Build());
        gate._app.Run(context => gate.Reply(context, answer));
        await gate._app.StartAsync(TestContext.Current.CancellationToken);
        return gate;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task Reply(HttpContext context, Func<Asked, Answer> answer)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var asked = new Asked(
            context.Request.Method,
            context.Request.Path + context.Request.QueryString,
            await reader.ReadToEndAsync(context.RequestAborted),
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            _asked.Count + 1);
        _asked.Enqueue(asked);
        var reply = answer(asked);
        if (reply.Status == 0)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = "application/json";
        foreach (var (name, value) in reply.Headers)
        {
            context.Response.Headers[name] = value;
        }

        await context.Response.WriteAsync(reply.Body, context.RequestAborted);
    }
}

internal sealed record Asked(string Method, string Path, string Body, IReadOnlyDictionary<string, string> Headers, int Number);

/// <summary>Status 0 cuts the connection without an answer.</summary>
internal sealed record Answer(int Status, string Body, params (string Name, string Value)[] Headers)
{
    public static Answer Cut { get; } = new(0, "");

    public static Answer Problem(int status, string code, string detail) => new(
        status,
        $$"""
        {"type":"https://example.test/errors/{{code}}","title":"A title.","status":{{status}},"detail":"{{detail}}","code":"{{code}}",
         "request_id":"req_1","errors":[{"pointer":"/name","expected":"3 to 50 characters"}],"required_permission":"keys:manage"}
        """);
}

/// <summary>A clock whose timers are due at once: waits are noted, and nobody waits.</summary>
internal sealed class HastyClock : TimeProvider
{
    private readonly ConcurrentQueue<TimeSpan> _waits = new();

    public IReadOnlyList<TimeSpan> Waits => [.. _waits];

    public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
