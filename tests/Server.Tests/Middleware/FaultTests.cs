using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Client.AspNetCore;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Middleware;

/// <summary>What cannot be decided is refused, what is set wrongly does not start, and no log holds a secret.</summary>
public sealed class FaultTests(Gates gates) : IClassFixture<Gates>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task While_the_gate_cannot_be_reached_requests_are_refused_and_not_let_through()
    {
        var gate = await RunningGate.Start("tensorone");
        await using var app = await GuardedApp.Start(gate.Address, RunningGate.RootKey);
        var secret = await gate.NewSecret();
        Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        await gate.DisposeAsync();
        await GuardedApp.Until(() => !app.Cache.IsTrusted);

        foreach (var (method, path) in new[] { ("POST", "/endpoints"), ("GET", "/key"), ("GET", "/v2/endpoints") })
        {
            var answer = await app.Send(method, path, secret);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (answer.Status, answer.String("code")));
            Assert.Equal("1", answer.Headers["Retry-After"]);
        }

        Assert.Equal(401, await app.Status("POST", "/endpoints", null));
    }

    [Fact]
    public async Task A_gate_that_does_not_answer_in_time_lets_nobody_through()
    {
        var gate = await gates.Of("tensorone");
        await using var app = await GuardedApp.Start(
            gate.Address, RunningGate.RootKey, options => options.Timeout = TimeSpan.FromMilliseconds(100));
        var secret = await gate.NewSecret();
        app.Wire.Hold();

        Assert.Equal(503, await app.Status("POST", "/endpoints", secret));
        app.Wire.Release();
        await GuardedApp.Until(async () => await app.Status("POST", "/endpoints", secret) == 200);
    }

    [Fact]
    public async Task The_gates_limit_on_unknown_keys_is_passed_on_at_once_with_its_wait_and_is_no_warning()
    {
        await using var gate = await RunningGate.Start("tensorone", missesPerMinute: 10);
        using var log = new LogCapture();
        // On a clock that stands still a wait within the request would have no end.
        await using var app = await GuardedApp.Start(gate.Address, RunningGate.RootKey, log: log);
        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        while (await app.Status("POST", "/endpoints", format.Mint(0)).WaitAsync(Patience) == 401)
        {
            Assert.InRange(app.Wire.Questions, 1, 20);
        }

        var asked = app.Wire.Questions;
        var answer = await app.Send("POST", "/endpoints", format.Mint(0)).WaitAsync(Patience);

        Assert.Equal((HttpStatusCode.TooManyRequests, "too_many_unknown_keys"), (answer.Status, answer.String("code")));
        Assert.Equal("6", answer.Headers["Retry-After"]);
        Assert.Equal(asked + 1, app.Wire.Questions);
        Assert.DoesNotContain(log.Lines, line => line.Contains("The gate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_application_whose_own_key_may_not_check_refuses_everybody_and_says_why_in_its_log()
    {
        var gate = await gates.Of("tensorone");
        using var log = new LogCapture();
        var own = await gate.NewSecret("\"name\":\"Without the right\"");
        await using var app = await GuardedApp.Start(gate.Address, own, log: log, isFollowed: false);

        Assert.Equal(503, await app.Status("POST", "/endpoints", await gate.NewSecret()));
        Assert.Contains(log.Lines, line => line.Contains("right_missing", StringComparison.Ordinal));
        await GuardedApp.Until(() => log.Lines.Any(line => line.Contains("change feed is cut", StringComparison.Ordinal)));
        Assert.DoesNotContain(log.Lines, line => line.Contains(own, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_scope_that_the_provider_file_does_not_declare_lets_nobody_through_and_is_named_in_the_log()
    {
        var gate = await gates.Of("tensorone");
        using var log = new LogCapture();
        await using var app = await GuardedApp.Start(gate.Address, RunningGate.RootKey, log: log);

        Assert.Equal(503, await app.Status("GET", "/undeclared", await gate.NewSecret()));
        Assert.Contains(log.Lines, line => line.Contains("must be a declared scope", StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_log_line_at_any_level_holds_a_secret()
    {
        var gate = await gates.Of("tensorone");
        using var log = new LogCapture();
        var own = await gate.NewSecret("\"name\":\"The API itself\",\"rights\":[\"verify\"]");
        await using var app = await GuardedApp.Start(gate.Address, own, log: log);
        var (id, good) = await gate.NewPair();
        string[] secrets = [good, await gate.NewSecret("\"name\":\"A reader\",\"permissions\":[\"read\"]"), "junk-that-is-no-key", own];
        foreach (var secret in secrets)
        {
            await app.Send("POST", "/endpoints", secret);
            await app.Send("GET", "/both", secret);
            await app.Send("GET", "/v2//refused", secret);
        }

        await gate.Act(id, "revoke");
        await GuardedApp.Until(async () => await app.Status("POST", "/endpoints", good) == 401);
        app.Wire.Feed = Feed.Fails;
        await gate.NewKey();
        await GuardedApp.Until(() => !app.Cache.IsTrusted);
        await app.Send("POST", "/endpoints", good);

        Assert.NotEmpty(log.Lines);
        Assert.DoesNotContain(log.Lines, line => secrets.Any(secret => line.Contains(secret, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Everything_that_is_set_wrongly_is_told_at_once_and_nothing_starts()
    {
        const string bad = "has a space";
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(
            new()
            {
                ["Tollgate:Address"] = "ftp://gate",
                ["Tollgate:Key"] = bad,
                ["Tollgate:CacheFor"] = "00:05:01",
                ["Tollgate:CacheEntriesMax"] = "many",
                ["Tollgate:RevocationBound"] = "00:00:01",
                ["Tollgate:Timeout"] = "soon",
                ["Tollgate:SendsAddress"] = "perhaps",
                ["Tollgate:CashFor"] = "00:00:30",
            },
            options => options.CacheEntriesMax = 0));

        Assert.Equal(
            [
                "Tollgate: Address must be an http or https address, such as http://127.0.0.1:8700.",
                "Tollgate: CacheEntriesMax must be between 1 and 100000.",
                "Tollgate: CacheFor must be between 00:00:00 and 00:05:00.",
                "Tollgate: Key is needed: a key with the right verify (or set TOLLGATE_KEY).",
                "Tollgate: RevocationBound must be between 00:00:02 and 00:01:00.",
                "Tollgate: Tollgate:CacheEntriesMax must be a number.",
                "Tollgate: Tollgate:CashFor is not an option.",
                "Tollgate: Tollgate:Key must have visible ASCII characters only, without spaces.",
                "Tollgate: Tollgate:SendsAddress must be true or false.",
                "Tollgate: Tollgate:Timeout must be a time such as 00:00:30.",
            ],
            fault.Failures.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(bad, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_code_wins_over_the_section_and_the_section_over_the_environment()
    {
        await using var app = await Start(
            new()
            {
                ["TOLLGATE_URL"] = "http://127.0.0.1:1",
                ["TOLLGATE_KEY"] = "from-the-environment",
                ["Tollgate:Address"] = "http://127.0.0.1:2",
                ["Tollgate:CacheFor"] = "00:00:07",
                ["Tollgate:Timeout"] = "00:00:08",
            },
            options => options.Timeout = TimeSpan.FromSeconds(9));

        var options = app.Services.GetRequiredService<IOptions<TollgateOptions>>().Value;
        Assert.Equal(("http://127.0.0.1:2/", "from-the-environment"), (options.Address!.AbsoluteUri, options.Key!.Reveal()));
        Assert.Equal((7, 9), (options.CacheFor.Seconds, options.Timeout.Seconds));
    }

    private static async Task<WebApplication> Start(Dictionary<string, string?> settings, Action<TollgateOptions> configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddTollgate(configure);
        var app = builder.Build();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
