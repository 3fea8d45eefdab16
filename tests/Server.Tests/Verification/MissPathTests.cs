using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Verification;
using Tollgate.Server.Keys;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Verification;

/// <summary>What stands between a key that is not in memory and the database.</summary>
public sealed class MissPathTests(PostgresFixture postgres)
{
    private const int Allowance = 20;
    private const string Sprayer = "198.51.100.7";
    private const string Customer = "203.0.113.9";

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Ten_thousand_requests_with_one_unknown_key_are_one_read(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var feed = gate.Services.GetRequiredService<KeyFeed>();
        var inner = gate.Services.GetRequiredService<Server.Verification.Gate>();
        var secret = System.Text.Encoding.ASCII.GetBytes(Unknown(gate));
        var before = feed.Reads;
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 10_000).Select(_ => Task.Run(async () => await inner.Settle(
            inner.CheckCaller(secret, null), ClientNetwork.Of(IPAddress.Loopback), () => inner.CheckCaller(secret, null)))));
        Assert.All(verdicts, verdict => Assert.Equal(VerdictCode.KeyUnknown, verdict.Code));
        Assert.Equal(1, feed.Reads - before);
        Assert.Equal(0, feed.UnderWay);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_hundred_calls_over_HTTP_with_one_key_are_one_read_whether_it_is_known_or_not(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var feed = gate.Services.GetRequiredService<KeyFeed>();
        foreach (var (secret, status) in new[]
        {
            (Unknown(gate), HttpStatusCode.Unauthorized), (await gate.NewSecret(), HttpStatusCode.OK),
        })
        {
            var before = feed.Reads;
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => gate.Send("GET", "/v1/models", secret)));
            Assert.All(answers, answer => Assert.Equal(status, answer.Status));
            Assert.Equal(1, feed.Reads - before);
        }
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_network_has_its_share_of_unknown_keys_read_and_then_is_told_to_wait(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var feed = gate.Services.GetRequiredService<KeyFeed>();
        var known = await gate.NewSecret();
        Assert.Equal(HttpStatusCode.OK, (await From(gate, Customer, known)).Status);
        var before = feed.Reads;
        var refused = await Exhaust(gate, Sprayer);
        Assert.Equal(Allowance, feed.Reads - before);
        Assert.Equal("3", refused.Headers["Retry-After"]);
        Assert.Equal("too_many_unknown_keys", refused.Json.GetProperty("error").GetProperty("code").GetString());

        // A key in memory passes from there, and the others are not touched, be their keys known, unknown, or good and not yet read.
        Assert.Equal(HttpStatusCode.OK, (await From(gate, Sprayer, known)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await From(gate, Customer, Unknown(gate))).Status);
        Assert.Equal(HttpStatusCode.OK, (await From(gate, Customer, await gate.NewSecret())).Status);

        // In the sprayer's own network a key that nobody has read waits as long as the answer says.
        var cold = await gate.NewSecret();
        Assert.Equal(HttpStatusCode.TooManyRequests, (await From(gate, Sprayer, cold)).Status);
        gate.Clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(HttpStatusCode.OK, (await From(gate, Sprayer, cold)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await From(gate, Sprayer, Unknown(gate))).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await From(gate, Sprayer, Unknown(gate))).Status);
    }

    [Fact]
    public async Task A_cold_start_with_many_good_keys_behind_one_address_refuses_none()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        var secrets = new List<string>();
        for (var i = 0; i < 5 * Allowance; i++)
        {
            secrets.Add(await gate.NewSecret());
        }

        foreach (var secret in secrets)
        {
            Assert.Equal(HttpStatusCode.OK, (await From(gate, Customer, secret)).Status);
        }

        await Exhaust(gate, Customer);
    }

    [Fact]
    public async Task The_same_unknown_key_again_costs_neither_a_read_nor_a_share()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        var feed = gate.Services.GetRequiredService<KeyFeed>();
        var unknown = Unknown(gate);
        await From(gate, Sprayer, unknown);
        var before = feed.Reads;
        for (var i = 0; i < 5 * Allowance; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await From(gate, Sprayer, unknown)).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, (await From(gate, Sprayer, unknown[..^1] + "!")).Status);
        }

        Assert.Equal(before, feed.Reads);
        await Exhaust(gate, Sprayer, Allowance - 1);
    }

    [Fact]
    public async Task A_proxy_that_asks_on_behalf_of_a_client_is_told_so_in_the_way_it_understands()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        await Exhaust(gate, Sprayer);
        foreach (var (style, status) in new[] { ("", HttpStatusCode.TooManyRequests), ("?style=nginx", HttpStatusCode.Forbidden) })
        {
            var refused = await Ask(style, Sprayer);
            Assert.Equal((status, "3"), (refused.Status, refused.Headers["Retry-After"]));
            Assert.Equal(HttpStatusCode.Unauthorized, (await Ask(style, Customer)).Status);
        }

        Assert.Equal("429", (await Ask("?style=nginx", Sprayer)).Headers["X-Tollgate-Status"]);

        Task<Answer> Ask(string style, string client)
        {
            var its = style.Length == 0 ? "X-Forwarded" : "X-Original";
            return gate.Send(
                "GET",
                $"/api/v1/authorize{style}", Unknown(gate), null, ("X-Forwarded-For", client), ($"{its}-Method", "GET"),
                ($"{its}-Uri", "/v1/models"));
        }
    }

    [Fact]
    public async Task Callers_of_the_management_API_are_held_to_the_same_share()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        for (var i = 0; i < Allowance; i++)
        {
            (await Management(Unknown(gate))).Has(HttpStatusCode.Unauthorized, "invalid_key");
        }

        var refused = (await Management(Unknown(gate))).Has(HttpStatusCode.TooManyRequests, "too_many_unknown_keys");
        Assert.Equal("3", refused.Headers["Retry-After"]);
        (await Management(RunningGate.RootKey)).Has(HttpStatusCode.OK);

        Task<Answer> Management(string key) =>
            gate.Send("GET", $"/api/v1/projects/{gate.ProjectId}", key, null, ("X-Forwarded-For", Sprayer));
    }

    [Fact]
    public async Task An_API_servers_checks_count_against_the_client_it_names_and_without_one_against_nobody()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        for (var i = 0; i < 3 * Allowance; i++)
        {
            Assert.Equal("key_unknown", await gate.CodeOf(Unknown(gate)));
        }

        var named = $",\"address\":\"{Sprayer}\"";
        for (var i = 0; i < Allowance; i++)
        {
            Assert.Equal("key_unknown", await gate.CodeOf(Unknown(gate), named));
        }

        var refused = (await gate.Verify(Unknown(gate), named)).Has(HttpStatusCode.TooManyRequests, "too_many_unknown_keys");
        Assert.Equal("3", refused.Headers["Retry-After"]);
        Assert.Equal("key_unknown", await gate.CodeOf(Unknown(gate), $",\"address\":\"{Customer}\""));
        var checks = new[] { named, "" }.Select(more => $"{{\"key\":\"{Unknown(gate)}\"{more}}}");
        var batch = await gate.Send("POST", "/api/v1/verify/batch", RunningGate.RootKey, $"{{\"checks\":[{string.Join(',', checks)}]}}");
        Assert.Equal(
            ["too_many_unknown_keys", "key_unknown"],
            batch.Json.GetProperty("data").EnumerateArray().Select(answer => answer.GetProperty("code").GetString()));
        var explained = await gate.Send(
            "POST", "/api/v1/verify/explain", RunningGate.RootKey, $"{{\"key\":\"{Unknown(gate)}\"{named}}}");
        Assert.Equal("too_many_unknown_keys", explained.Has(HttpStatusCode.OK).String("code"));
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Reads_beyond_the_bound_are_answered_at_once_that_the_gate_is_busy(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var feed = gate.Services.GetRequiredService<KeyFeed>();
        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        await using var held = await HeldReaders.Take(gate.Database);
        var loads = Enumerable.Range(0, KeyFeed.LoadsMax)
            .Select(_ => feed.Load(KeyHash.Of(System.Text.Encoding.ASCII.GetBytes(format.Mint(0))))).ToList();
        Assert.Equal(KeyFeed.LoadsMax, feed.UnderWay);
        Assert.All(loads, load => Assert.False(load.IsCompleted));

        var busy = await gate.Send("GET", $"/api/v1/projects/{gate.ProjectId}", Unknown(gate));
        Assert.Equal("1", busy.Has(HttpStatusCode.ServiceUnavailable, "unavailable").Headers["Retry-After"]);
        var routed = await gate.Send("GET", "/v1/models", Unknown(gate));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, routed.Status);
        Assert.Equal("1", routed.Headers["Retry-After"]);

        await held.DisposeAsync();
        Assert.All(await Task.WhenAll(loads), load => Assert.True(load.IsDone));
        Assert.Equal(0, feed.UnderWay);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", "/v1/models", Unknown(gate))).Status);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task However_many_keys_are_read_half_of_the_connections_stay_for_others(DatabaseKind kind)
    {
        await using var gate = await Start(kind);
        var feed = gate.Services.GetRequiredService<KeyFeed>();
        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        var before = feed.Reads;
        await using var held = await HeldReaders.Take(gate.Database);
        var loads = Enumerable.Range(0, KeyFeed.LoadsMax)
            .Select(_ => feed.Load(KeyHash.Of(System.Text.Encoding.ASCII.GetBytes(format.Mint(0))))).ToList();
        Assert.Equal(gate.Database.ReadersMax / 2, feed.Reads - before);
        await held.DisposeAsync();
        await Task.WhenAll(loads);
    }

    [Fact]
    public async Task A_read_that_fails_costs_the_network_nothing()
    {
        var gate = await Start(DatabaseKind.Sqlite);
        await gate.Database.DisposeAsync();
        for (var i = 0; i < 3 * Allowance; i++)
        {
            Assert.InRange((int)(await From(gate, Sprayer, Unknown(gate))).Status, 500, 503);
        }

        await gate.DisposeAsync();
    }

    private async Task<RunningGate> Start(DatabaseKind kind) => await RunningGate.Start(
        "default",
        postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null,
        trustedProxies: "127.0.0.1",
        missesPerMinute: Allowance);

    private static string Unknown(RunningGate gate) => gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);

    private static Task<Answer> From(RunningGate gate, string address, string key) =>
        gate.Send("GET", "/v1/models", key, null, ("X-Forwarded-For", address));

    /// <summary>Sends unknown keys until one is refused for their number, and answers that refusal.</summary>
    private static async Task<Answer> Exhaust(RunningGate gate, string address, int expected = Allowance)
    {
        for (var i = 0; i < expected; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await From(gate, address, Unknown(gate))).Status);
        }

        var refused = await From(gate, address, Unknown(gate));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        return refused;
    }
}
