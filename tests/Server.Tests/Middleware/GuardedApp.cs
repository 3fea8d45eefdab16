using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Client;
using Tollgate.Client.AspNetCore;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Middleware;

/// <summary>A real application on a free loopback port, guarded by a gate that it reaches over a wire the test can watch and cut.</summary>
internal sealed class GuardedApp : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;
    private readonly HttpClient _http;
    private int _arrived;

    private GuardedApp(WebApplication app, GateWire wire)
    {
        (_app, Wire) = (app, wire);
        app.Use((http, next) =>
        {
            Interlocked.Increment(ref _arrived);
            return next(http);
        });
        app.UseAuthentication();
        app.UseAuthorization();
        Map(app);
        _http = new HttpClient();
    }

    public GateWire Wire { get; }

    public string Address => _app.Urls.Single();

    public VerdictCache Cache => _app.Services.GetRequiredService<VerdictCache>();

    /// <summary>Requests that have come in.</summary>
    public int Arrived => Volatile.Read(ref _arrived);

    /// <param name="address">The gate's.</param>
    /// <param name="key">The application's own.</param>
    /// <param name="configure">What else is set.</param>
    /// <param name="clock">The application's clock.</param>
    /// <param name="log">Hears everything the application logs.</param>
    /// <param name="isFollowed">Waits until the feed is followed, so that the cache is in use.</param>
    public static async Task<GuardedApp> Start(
        string address, string key, Action<TollgateOptions>? configure = null, ManualClock? clock = null, ILoggerProvider? log = null,
        bool isFollowed = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (log is not null)
        {
            builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        }

        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddControllers().AddApplicationPart(typeof(GuardedController).Assembly);
        builder.Services.AddSingleton<TimeProvider>(clock ?? new ManualClock());
        var wire = new GateWire();
        builder.Services.AddTollgate(options =>
        {
            (options.Address, options.Key, options.Backchannel) = (new Uri(address), Secret.From(key), wire);
            configure?.Invoke(options);
        });
        var app = new GuardedApp(builder.Build(), wire);
        await app._app.StartAsync(TestContext.Current.CancellationToken);
        app._http.BaseAddress = new Uri(app.Address);
        if (isFollowed)
        {
            await Until(() => app.Cache.IsTrusted);
        }

        return app;
    }

    public async Task<Answer> Send(string method, string path, string? key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using var response = await _http.SendAsync(request);
        return new Answer(
            response.StatusCode,
            await response.Content.ReadAsStringAsync(),
            response.Headers.Concat(response.Content.Headers)
                .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    public async Task<int> Status(string method, string path, string? key) => (int)(await Send(method, path, key)).Status;

    /// <summary>Waits for what is bound to come, and gives up only when it plainly does not.</summary>
    public static Task Until(Func<bool> isSo) => Until(() => Task.FromResult(isSo()));

    public static async Task Until(Func<Task<bool>> isSo)
    {
        var watch = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(watch.Elapsed < Patience, "What was waited for did not come.");
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        Wire.Release();
        await _app.DisposeAsync();
        Wire.Dispose();
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/open", () => "open");
        app.MapGet("/key", (HttpContext http) => Results.Text(Describe(http), "text/plain", Encoding.UTF8)).RequireAuthorization();
        app.MapPost("/endpoints", [RequiresScope("endpoints:write")] () => "made");
        app.MapGet("/both", () => "both").RequireScope("endpoints:read").RequireScope("clusters:read");
        app.MapGet("/undeclared", () => "never").RequireScope("no-such-scope");
        app.MapMethods("/v2/{**rest}", ["GET", "POST"], () => "routed").RequireTollgateRoute();
        app.MapControllers();
    }

    private static string Describe(HttpContext http) =>
        $"{http.GetTollgateKey()!.Id} {http.User.Identity!.Name} "
        + string.Join(' ', http.User.Claims.Select(claim => $"{claim.Type.Split('/')[^1]}={claim.Value}"));
}

/// <summary>The same guard on a controller.</summary>
[ApiController]
[Route("controller")]
[RequiresScope("endpoints:read")]
public sealed class GuardedController : ControllerBase
{
    [HttpGet]
    public string Read() => "read";

    [HttpPost]
    [RequiresScope("endpoints:write")]
    public string Write() => "written";
}

/// <summary>What the application says to the gate: counted, cut or held back as the test wants it.</summary>
internal sealed class GateWire() : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
{
    private volatile TaskCompletionSource? _held;
    private int _questions;
    private int _heldBack;

    /// <summary>Checks that were sent.</summary>
    public int Questions => Volatile.Read(ref _questions);

    /// <summary>Checks that the gate has answered and whose answers are still held back.</summary>
    public int HeldBack => Volatile.Read(ref _heldBack);

    /// <summary>Polls fail from now on, or hang as on a line whose other end is gone.</summary>
    public Feed Feed { get; set; }

    /// <summary>From now on answers to checks are held back until <see cref="Release"/>.</summary>
    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => Interlocked.Exchange(ref _held, null)?.SetResult();

    /// <summary>Answers that are held back stay so; later ones come through.</summary>
    public Action HoldNoMore()
    {
        var held = Interlocked.Exchange(ref _held, null);
        return () => held?.SetResult();
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri!.AbsolutePath.EndsWith("/changes", StringComparison.Ordinal))
        {
            var answer = Feed == Feed.Fails ? throw new HttpRequestException("cut by the test")
                : await base.SendAsync(request, cancellationToken);
            if (Feed == Feed.Hangs)
            {
                answer.Dispose();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return Feed == Feed.Fails ? throw new HttpRequestException("cut by the test") : answer;
        }

        Interlocked.Increment(ref _questions);
        var held = _held;
        var verdict = await base.SendAsync(request, cancellationToken);
        if (held is not null)
        {
            Interlocked.Increment(ref _heldBack);
            await held.Task.WaitAsync(cancellationToken);
        }

        return verdict;
    }
}

internal enum Feed
{
    Flows,
    Fails,
    Hangs,
}
