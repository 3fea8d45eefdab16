using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Limits;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Verification;

/// <summary>A check that counts and costs: what is asked, what is set aside, and what an API server is told of it.</summary>
public sealed class MeteredVerifyTests(PostgresFixture postgres)
{
    internal const string Model = "qwen3-235b";

    internal static async Task<RunningGate> Start(DatabaseKind kind, PostgresFixture postgres, string provider = "tensorx") =>
        await RunningGate.Start(provider, postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);

    internal static Task<Answer> Verify(RunningGate gate, string secret, string members = "", string? key = null) => gate.Send(
        "POST", "/api/v1/verify", key ?? RunningGate.RootKey, $"{{\"key\":\"{secret}\"{(members.Length > 0 ? "," : "")}{members}}}");

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_priced_check_holds_what_the_request_can_cost_and_answers_a_reservation(DatabaseKind kind)
    {
        await using var gate = await Start(kind, postgres);
        var secret = await gate.NewSecret();

        var answer = await Verify(gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":1000,\"max_output\":2000}}");

        // 1,000 × 0.20 + 2,000 × 0.85 for a million.
        Assert.Equal((true, "0.0019", false), (
            answer.Json.GetProperty("valid").GetBoolean(), answer.String("held"), answer.Json.GetProperty("cacheable").GetBoolean()));
        Assert.Equal("rsv_" + answer.String("request_id")["req_".Length..], answer.String("reservation"));
        Assert.Equal(answer.Headers["X-Request-Id"], answer.String("request_id"));
        Assert.Equal("1000.00 0.0019 999.9981", await gate.Figures());
        Assert.Equal(["requests 60 59", "tokens 2000000 1997000"], Limits(answer));
    }

    [Fact]
    public async Task Output_that_is_not_bounded_is_bounded_by_the_models_default_and_never_held_above_its_most()
    {
        await using var gate = await Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();

        Assert.Equal("0.003482", (await Verify(gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":0}}")).String("held"));
        Assert.Equal("0.006964", (await Verify(
            gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":0,\"max_output\":1000000}}")).String("held"));
    }

    [Theory]
    [InlineData("\"model\":\"gpt-17\"", 400, "model_unknown")]
    [InlineData("\"model\":\"\"", 422, "/model")]
    [InlineData("\"model\":7", 422, "/model")]
    [InlineData("\"tokens\":{\"input\":1}", 422, "/model")]
    [InlineData("\"model\":\"qwen3-235b\"", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{}", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"max_output\":1}", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":-1}", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":1.5}", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":\"1\"}", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":100000001}", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":99999999999999999999}", 422, "/tokens/input")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":1,\"max_output\":-1}", 422, "/tokens/max_output")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":1,\"output\":1}", 422, "/tokens/output")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":{\"input\":1,\"input\":2}", 400, "invalid_json")]
    [InlineData("\"model\":\"qwen3-235b\",\"model\":\"qwen3-235b\"", 400, "invalid_json")]
    [InlineData("\"model\":\"qwen3-235b\",\"tokens\":[1]", 422, "/tokens")]
    public async Task What_cannot_be_priced_is_refused_with_its_place_and_nothing_is_taken(string members, int status, string fault)
    {
        await using var gate = await Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();

        var refused = await Verify(gate, secret, members);

        Assert.Equal(status, (int)refused.Status);
        Assert.Equal(fault, fault.StartsWith('/') ? refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString()
            : refused.String("code"));
        Assert.Equal("1000.00 0.00 1000.00", await gate.Figures());
        Assert.Equal(["requests 60 59", "tokens 2000000 2000000"], Limits(await Verify(gate, secret)));
    }

    [Fact]
    public async Task TX14_who_cannot_pay_is_told_why_and_holds_of_others_are_told_apart_from_an_empty_wallet()
    {
        await using var gate = await Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();
        (await gate.Enter("adjustment", "-999.90", "most of it")).Has(HttpStatusCode.Created);
        const string Dear = $"\"model\":\"{Model}\",\"tokens\":{{\"input\":300000,\"max_output\":0}}";

        Assert.True((await Verify(gate, secret, Dear)).Json.GetProperty("valid").GetBoolean());
        var waiting = await Verify(gate, secret, Dear);
        Assert.Equal((false, "in_flight_holds"), (waiting.Json.GetProperty("valid").GetBoolean(), waiting.String("code")));
        Assert.Equal(1_000, waiting.Json.GetProperty("retry_after_ms").GetInt64());
        var poor = await Verify(gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":1000000,\"max_output\":0}}");
        Assert.Equal((false, "wallet_empty"), (poor.Json.GetProperty("valid").GetBoolean(), poor.String("code")));
        Assert.False(poor.Json.TryGetProperty("reservation", out _));
        Assert.Equal("https://app.tensorx.ai/dashboard", poor.String("top_up_url"));
        Assert.Equal("0.10 0.06 0.04", await gate.Figures());
    }

    [Fact]
    public async Task A_refusal_by_a_limit_takes_no_money_and_a_refusal_by_money_takes_of_no_limit()
    {
        await using var gate = await Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();
        var poor = await Verify(gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":2000000,\"max_output\":100000000}}");
        Assert.True(poor.Json.GetProperty("valid").GetBoolean(), poor.Text);
        var full = await Verify(gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":10,\"max_output\":10}}");
        Assert.Equal(("rate_limited", "tokens"), (full.String("code"), full.String("limit")));
        Assert.True(full.Json.GetProperty("retry_after_ms").GetInt64() > 58_000, full.Text);
        Assert.Equal(poor.String("held"), (await gate.Wallet()).String("held"));
        Assert.Equal("requests 60 59", Limits(full).First());
    }

    [Fact]
    public async Task Explain_tells_what_a_check_would_find_and_takes_nothing()
    {
        await using var gate = await Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();
        var body = $"{{\"key\":\"{secret}\",\"model\":\"{Model}\",\"tokens\":{{\"input\":5,\"max_output\":5}}}}";

        for (var i = 0; i < 3; i++)
        {
            var told = await gate.Send("POST", "/api/v1/verify/explain", RunningGate.RootKey, body);
            Assert.True(told.Json.GetProperty("valid").GetBoolean());
            Assert.Equal(["requests 60 60", "tokens 2000000 2000000"], Limits(told));
        }

        Assert.Equal("1000.00 0.00 1000.00", await gate.Figures());
    }

    [Fact]
    public async Task Each_check_of_a_batch_is_a_request_of_its_own_and_one_fault_leaves_nothing_behind()
    {
        await using var gate = await Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();
        string Check(string model) => $"{{\"key\":\"{secret}\",\"model\":\"{model}\",\"tokens\":{{\"input\":1000000,\"max_output\":0}}}}";

        var faulty = await gate.Send(
            "POST", "/api/v1/verify/batch", RunningGate.RootKey, $"{{\"checks\":[{Check(Model)},{Check("gpt-17")}]}}");
        Assert.Equal("model_unknown", faulty.String("code"));
        Assert.Equal("1000.00 0.00 1000.00", await gate.Figures());

        var both = (await gate.Send(
            "POST", "/api/v1/verify/batch", RunningGate.RootKey, $"{{\"checks\":[{Check(Model)},{Check(Model)}]}}"))
            .Json.GetProperty("data");
        Assert.NotEqual(both[0].GetProperty("reservation").GetString(), both[1].GetProperty("reservation").GetString());
        Assert.Equal("1000.00 0.40 999.60", await gate.Figures());
    }

    [Fact]
    public async Task A_key_that_its_caller_may_not_see_is_asked_about_for_nothing()
    {
        await using var gate = await Start(DatabaseKind.Sqlite, postgres);
        var secret = await gate.NewSecret();
        var stranger = await gate.NewSecret("\"name\":\"Another server\",\"rights\":[\"verify\"]", await gate.NewProject());

        var asked = await Verify(gate, secret, $"\"model\":\"{Model}\",\"tokens\":{{\"input\":1000}}", stranger);
        Assert.Equal("key_unknown", asked.String("code"));
        Assert.Equal("1000.00 0.00 1000.00", await gate.Figures());
        Assert.Equal("requests 60 59", Limits(await Verify(gate, secret)).First());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task K9_of_a_thousand_parallel_calls_on_a_limit_of_a_hundred_exactly_a_hundred_pass(DatabaseKind kind)
    {
        await using var gate = await RunningGate.Start(
            "tensorx", new GateOptions { LogLevel = "none" },
            postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null,
            with: provider => provider with
            {
                Limits = [new Limit { Name = "requests", Counts = LimitCounts.Requests, WindowMs = 60_000 }],
                Plans = [new Plan("all", [100], [])],
            });
        var secret = await gate.NewSecret();

        // Through both doors at once: a server that asks, and the customer's own request.
        var passed = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(async i =>
        {
            if (i % 2 == 0)
            {
                var answer = await Verify(gate, secret);
                Assert.Contains(answer.String("code"), new[] { "allowed", "rate_limited" });
                return answer.Json.GetProperty("valid").GetBoolean();
            }

            var status = (await gate.Send("GET", "/v1/models", secret)).Status;
            Assert.Contains(status, new[] { HttpStatusCode.OK, HttpStatusCode.TooManyRequests });
            return status == HttpStatusCode.OK;
        }));

        Assert.Equal(100, passed.Count(isPassed => isPassed));
        await gate.Services.GetRequiredService<Fold>().WaitAll();
        var usage = (await gate.Send("GET", "/api/v1/usage", RunningGate.RootKey)).Json.GetProperty("data")[0];
        Assert.Equal(100, usage.GetProperty("requests").GetInt32());
    }

    [Fact]
    public async Task A_key_that_counts_nothing_may_be_kept_and_says_nothing_of_limits()
    {
        await using var gate = await RunningGate.Start("tensorpool");
        var answer = await Verify(gate, await gate.NewSecret());
        Assert.True(answer.Json.GetProperty("valid").GetBoolean());
        Assert.False(answer.Json.TryGetProperty("limits", out _) || answer.Json.TryGetProperty("cacheable", out _)
            || answer.Json.TryGetProperty("reservation", out _) || answer.Json.TryGetProperty("held", out _));
    }

    internal static IEnumerable<string> Limits(Answer answer) =>
        [.. answer.Json.GetProperty("limits").EnumerateArray().Select(LimitText)];

    private static string LimitText(JsonElement limit) =>
        $"{limit.GetProperty("name").GetString()} {limit.GetProperty("limit")} {limit.GetProperty("remaining")}";
}
