using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.House;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Telemetry;

namespace Tollgate.Server.Tests.Hosting;

/// <summary>What <c>/metrics</c> tells, and whom.</summary>
public sealed partial class MetricsPageTests(PostgresFixture postgres)
{
    private const string Token = "a-scrapers-own-token-0123";

    [Fact]
    public async Task Where_customers_come_in_metrics_are_for_the_root_key_and_nobody_else()
    {
        await using var gate = await RunningGate.Start("default");
        var rights = string.Join(',', new[] { "verify", "usage:read", "usage:write", "keys:read", "keys:manage", "audit:read" }
            .Select(right => $"\"{right}\""));
        (await gate.Send("GET", "/metrics", null)).Has(HttpStatusCode.Unauthorized, "key_missing");
        (await gate.Send("GET", "/metrics", Token)).Has(HttpStatusCode.Unauthorized, "invalid_key");
        (await gate.Send("GET", "/metrics", await gate.NewSecret($"\"name\":\"All\",\"rights\":[{rights}]")))
            .Has(HttpStatusCode.Forbidden, "operator_only");
        (await gate.Send("POST", "/metrics", RunningGate.RootKey)).Has(HttpStatusCode.MethodNotAllowed);
        var answer = (await gate.Send("GET", "/metrics", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Headers["Content-Type"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Empty(gate.Services.GetRequiredService<MetricsHost>().Addresses);
    }

    [Fact]
    public async Task A_token_opens_metrics_and_nothing_else()
    {
        await using var gate = await RunningGate.Start(
            "default", new GateOptions { LogLevel = "none", MetricsToken = Token, MetricsUrls = "http://127.0.0.1:0" });
        (await gate.Send("GET", "/metrics", Token)).Has(HttpStatusCode.OK);
        (await gate.Send("GET", "/metrics", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        (await gate.Send("GET", "/metrics", Token + "4")).Has(HttpStatusCode.Unauthorized, "invalid_key");
        (await gate.Send("GET", "/api/v1/projects", Token)).Has(HttpStatusCode.Unauthorized, "invalid_key");
        var inside = Assert.Single(gate.Services.GetRequiredService<MetricsHost>().Addresses);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", inside + "/metrics", null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", inside + "/metrics", RunningGate.RootKey)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", inside + "/metrics", Token)).Status);
    }

    [Fact]
    public async Task A_listener_of_its_own_needs_no_key_and_has_nothing_but_metrics_and_health()
    {
        var options = new GateOptions { LogLevel = "none", MetricsUrls = "http://127.0.0.1:0" };
        await using var gate = await RunningGate.Start("default", options);
        var inside = Assert.Single(gate.Services.GetRequiredService<MetricsHost>().Addresses);
        Assert.NotEqual(gate.Address, inside);
        var answer = (await gate.Send("GET", inside + "/metrics", null)).Has(HttpStatusCode.OK);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Headers["Content-Type"]);
        Exposition.Parse(answer.Text);
        Assert.Equal("ok\n", (await gate.Send("GET", inside + "/healthz", null)).Text);
        Assert.Equal("ready\n", (await gate.Send("GET", inside + "/readyz", null)).Text);
        foreach (var path in new[] { "/", "/api/v1/projects", "/v1/models", "/openapi.json", "/metrics/", "/Metrics" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", inside + path, RunningGate.RootKey)).Status);
        }

        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await gate.Send("POST", inside + "/metrics", null, "{}")).Status);
        (await gate.Send("GET", "/metrics", null)).Has(HttpStatusCode.Unauthorized, "key_missing");
    }

    [Fact]
    public async Task A_listener_that_cannot_be_had_stops_the_start_in_one_sentence()
    {
        await using var first = await RunningGate.Start("default");
        var fault = await Assert.ThrowsAsync<StartException>(
            () => RunningGate.Start("default", new GateOptions { LogLevel = "none", MetricsUrls = first.Address }));
        Assert.Contains("metrics_urls", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_happens_is_counted_once_and_under_its_own_name(DatabaseKind kind)
    {
        await using var gate = await RunningGate.Start(
            "default", postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var before = await Read(gate);
        var (id, secret) = await gate.NewPair("\"name\":\"Counted\",\"rights\":[\"verify\"]");
        await gate.Verify(secret);
        await gate.Verify(secret, key: secret);
        await gate.Send(
            "POST", "/api/v1/verify/batch", RunningGate.RootKey, $"{{\"checks\":[{{\"key\":\"{secret}\"}},{{\"key\":\"x\"}}]}}");
        await gate.Send("POST", "/api/v1/verify/explain", RunningGate.RootKey, $"{{\"key\":\"{secret}\"}}");
        (await gate.Send("GET", "/v1/models", secret)).Has(HttpStatusCode.OK);
        await Authorize(secret);
        await Authorize("x");
        await Authorize(RunningGate.RootKey);
        var unknown = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        for (var i = 0; i < 3; i++)
        {
            (await gate.Send("GET", "/v1/models", unknown)).Has(HttpStatusCode.Unauthorized);
        }

        await gate.Act(id, "revoke");
        await gate.Verify(secret);
        await gate.Act("key_0123456789012345678901", "revoke");
        await gate.Services.GetRequiredService<Fold>().WaitAll();
        var after = await Read(gate);

        Assert.Equal(3, Rise("tollgate_checks_total", ("door", "verify"), ("code", "allowed")));
        Assert.Equal(1, Rise("tollgate_checks_total", ("door", "verify"), ("code", "key_malformed")));
        Assert.Equal(1, Rise("tollgate_checks_total", ("door", "verify"), ("code", "key_revoked")));
        Assert.Equal(1, Rise("tollgate_checks_total", ("door", "explain"), ("code", "allowed")));
        Assert.Equal(1, Rise("tollgate_checks_total", ("door", "provider"), ("code", "allowed")));
        Assert.Equal(3, Rise("tollgate_checks_total", ("door", "provider"), ("code", "key_unknown")));
        Assert.Equal(1, Rise("tollgate_checks_total", ("door", "authorize"), ("code", "allowed")));
        Assert.Equal(1, Rise("tollgate_checks_total", ("door", "authorize"), ("code", "key_malformed")));
        Assert.Equal(2, Rise("tollgate_http_requests_total", ("class", "authorize"), ("status", "200")));
        Assert.Equal(1, Rise("tollgate_checks_total", ("door", "caller"), ("code", "allowed")));
        Assert.Equal(0, Rise("tollgate_checks_total", ("code", "not_loaded")));
        Assert.Equal(2, Rise("tollgate_key_loads_total", ("outcome", "found")));
        Assert.Equal(1, Rise("tollgate_key_loads_total", ("outcome", "unknown")));
        Assert.Equal(3, after.Families["tollgate_key_load_duration_seconds"].Series[^1].Value);
        Assert.Equal(2, Rise("tollgate_unknown_key_hits_total"));
        // Making the key and revoking it; what was used is written on its own.
        Assert.Equal(2, Rise("tollgate_database_writes_total", ("outcome", "committed")) - Rise("tollgate_usage_folds_total"));
        Assert.Equal(1, Rise("tollgate_database_writes_total", ("outcome", "refused")));
        Assert.Equal(1, after.Value("tollgate_keys_in_memory"));
        Assert.Equal(1, after.Value("tollgate_ready"));
        Assert.Equal(kind.ToString().ToLowerInvariant(), after.Families["tollgate_build_info"].Series[0].Labels["database"]);
        Assert.Equal(3, Rise("tollgate_http_requests_total", ("class", "provider"), ("status", "401")));
        Assert.Equal(5, Rise("tollgate_http_requests_total", ("class", "verify"), ("status", "200")));
        Assert.Equal(1, Rise("tollgate_http_requests_total", ("class", "management"), ("status", "404")));
        Assert.True(after.Value("process_resident_memory_bytes") > 1_000_000);
        Assert.True(after.Value("process_start_time_seconds") > 1_600_000_000);
        Assert.True(after.Value("process_threads") > 1);
        Assert.True(Rise("dotnet_allocated_bytes_total") > 0);

        Task<Answer> Authorize(string key) => gate.Send("GET", "/api/v1/authorize/v1/models", key);

        double Rise(string name, params (string, string)[] labels) => after.Value(name, labels) - before.Value(name, labels);
    }

    [Fact]
    public async Task What_requests_use_is_told_from_the_spool_to_the_database()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var (fold, secret) = (gate.Services.GetRequiredService<Fold>(), await gate.NewSecret());
        const string Priced = ",\"model\":\"qwen3-235b\",\"tokens\":{\"input\":10,\"max_output\":10}";
        var reservation = (await gate.Verify(secret, Priced)).String("reservation");
        await gate.Verify(secret, Priced);
        await gate.Verify(secret);
        await fold.WaitAll();
        var open = await Read(gate);
        Assert.Equal((2, 262_144), (open.Value("tollgate_reservations_open"), open.Value("tollgate_reservations_open_max")));
        Assert.Equal((2, 4_194_304), (open.Value("tollgate_limits_active"), open.Value("tollgate_limits_active_max")));
        Assert.Equal((3, 0), (open.Value("tollgate_usage_events_folded_total"), open.Value("tollgate_usage_events_waiting")));
        Assert.Equal(0, open.Value("tollgate_usage_fold_failures_total"));

        var books = fold.BookUsage;
        fold.BookUsage = (_, _) => throw new InvalidOperationException("The wallet is not to be had.");
        var report = $"{{\"reservation\":\"{reservation}\",\"input_tokens\":1,\"output_tokens\":1}}";
        Assert.True((int)(await gate.Send("POST", "/api/v1/usage", RunningGate.RootKey, report)).Status >= 500);
        Assert.True((await Read(gate)).Value("tollgate_usage_fold_failures_total") >= 1);
        fold.BookUsage = books;
        (await gate.Send("POST", "/api/v1/usage", RunningGate.RootKey, report)).Has(HttpStatusCode.OK);

        gate.Clock.Advance(TimeSpan.FromSeconds(1_201));
        await gate.Services.GetRequiredService<ReservationSweep>().Run();
        await fold.WaitAll();
        var settled = await Read(gate);
        Assert.Equal((0, 1), (settled.Value("tollgate_reservations_open"), settled.Value("tollgate_reservations_orphaned_total")));
        Assert.Equal(5, settled.Value("tollgate_usage_events_folded_total"));
    }

    [Fact]
    public async Task Refusals_take_half_of_the_spool_and_those_beyond_are_counted()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var secret = await gate.NewSecret();
        await gate.Services.GetRequiredService<Fold>().StopAsync(CancellationToken.None);
        var checks = string.Join(',', Enumerable.Repeat($"{{\"key\":\"{secret}\"}}", 100));
        for (var sent = 0; sent < 600; sent += 100)
        {
            (await gate.Send("POST", "/api/v1/verify/batch", RunningGate.RootKey, $"{{\"checks\":[{checks}]}}")).Has(HttpStatusCode.OK);
        }

        var full = await Read(gate);
        Assert.Equal((512, 1_024), (full.Value("tollgate_usage_events_waiting"), full.Value("tollgate_usage_events_waiting_max")));
        Assert.Equal(600 - 512, full.Value("tollgate_refusals_unlogged_total"));
    }

    [Fact]
    public async Task A_database_that_is_gone_is_told_and_keeps_nobody_waiting()
    {
        var gate = await RunningGate.Start("default", new GateOptions { LogLevel = "none", MetricsUrls = "http://127.0.0.1:0" });
        var inside = gate.Services.GetRequiredService<MetricsHost>().Addresses.First();
        await gate.Database.DisposeAsync();
        var read = Exposition.Parse((await gate.Send("GET", inside + "/metrics", null)).Has(HttpStatusCode.OK).Text);
        Assert.Equal(0, read.Value("tollgate_ready"));
        await gate.DisposeAsync();
    }

    [Fact]
    public async Task Every_metric_is_on_the_page_and_every_metric_on_the_page_is_there()
    {
        await using var gate = await RunningGate.Start("default");
        var page = Repository.Text("docs/operating/telemetry.md");
        var told = Row().Matches(page).ToDictionary(row => row.Groups["name"].Value, row => $"{row.Groups["kind"]} {row.Groups["labels"]}");
        var there = gate.Services.GetRequiredService<MetricSet>().Families.ToDictionary(
            family => family.Name,
            family => $"{family.Kind.ToString().ToLowerInvariant()} {string.Join(", ", family.Labels.Select(label => $"`{label}`"))}");
        Assert.Equal(there.OrderBy(row => row.Key), told.OrderBy(row => row.Key));
        var alerts = Repository.Text("deploy/prometheus/tollgate-alerts.yml");
        var asked = Asked().Matches(alerts + page).Select(name => name.Value.Replace("_bucket", "", StringComparison.Ordinal)).ToHashSet();
        Assert.True(asked.Count > 10);
        Assert.Empty(asked.Except(there.Keys));
    }

    private static async Task<Exposition> Read(RunningGate gate) =>
        Exposition.Parse((await gate.Send("GET", "/metrics", RunningGate.RootKey)).Has(HttpStatusCode.OK).Text);

    /// <summary>The metrics that an alert, a rule or a sentence names.</summary>
    [GeneratedRegex("(?<![\\w/.])(?:tollgate|process|dotnet)_[a-z_]*[a-z](?=[`\\[{ ])")]
    private static partial Regex Asked();

    [GeneratedRegex(@"^\| `(?<name>[a-z_]+)` \| (?<kind>counter|gauge|histogram) \| (?<labels>[^|]*?) ?\|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
