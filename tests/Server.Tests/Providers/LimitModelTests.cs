using System.Buffers;
using System.Text;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Tests.Providers;

/// <summary>What the files turn into, row by row of what the companies' pages promise about limits and money.</summary>
public sealed class LimitModelTests
{
    private static string Plans(ProviderModel model) => string.Join(
        "; ", model.Plans.Select(plan => $"{plan.Name} {string.Join('/', plan.Limits)} {string.Join('/', plan.Quotas)}".TrimEnd()));

    private static string Error(string provider, Problem problem)
    {
        var output = new ArrayBufferWriter<byte>();
        var status = Given.Real(provider).Dialect.Write(output, problem, requestId: null, DateTimeOffset.UnixEpoch);
        return $"{status} {Encoding.UTF8.GetString(output.WrittenSpan)}";
    }

    [Fact]
    public void TX10_limits_a_minute_for_each_key_and_key_operations_an_hour()
    {
        var model = Given.Real("tensorx");
        Assert.Equal(
            [
                new Limit { Name = "requests", Counts = LimitCounts.Requests, WindowMs = 60_000 },
                new Limit { Name = "tokens", Counts = LimitCounts.Tokens, WindowMs = 60_000 },
            ],
            model.Limits);
        Assert.Equal("default 60/2000000", Plans(model));
        Assert.Equal(new KeyOperationLimit(15, TimeSpan.FromHours(1)), model.KeyOperations);
    }

    [Fact]
    public void TX12_the_wallet_asks_for_a_balance_and_disables_at_five_cents()
    {
        var wallet = Given.Real("tensorx").Wallet!;
        Assert.Equal(("USD", Money.Zero, new Money(50_000)), (wallet.Currency, wallet.ToCreateAbove, wallet.DisableAt));
        Assert.NotNull(wallet.TopUpUrl);
        Assert.All(Given.Real("tensorx").Models, model => Assert.NotNull(model.Price));
    }

    [Theory]
    [InlineData("tensorx", "wallet_empty")]
    [InlineData("tensorx", "in_flight_holds")]
    [InlineData("tensorx", "balance_needed")]
    public void TX14_an_empty_wallet_reads_as_documented(string provider, string code) => Assert.Equal(
        """402 {"error":{"message":"Insufficient Balance","type":"insufficient_quota","param":null,"code":"insufficient_balance"}}""",
        Error(provider, Problem.Of(ProblemCode.All.Single(each => each.Code == code))));

    [Fact]
    public void TX10_a_refused_key_operation_is_not_to_be_repeated_at_once()
    {
        var headers = new Microsoft.AspNetCore.Http.HeaderDictionary();
        Given.Real("tensorx").Dialect.WriteHeaders(headers, ProblemCode.KeyOperationsExceeded);
        Assert.Equal("false", headers["x-should-retry"]);
    }

    [Fact]
    public void TS11_four_plans()
    {
        var model = Given.Real("tensoras");
        Assert.Equal(["rpm", "tpm"], model.Limits.Select(limit => limit.Name));
        Assert.All(model.Limits, limit => Assert.Equal(60_000, limit.WindowMs));
        Assert.Equal(
            "free 30/100000 1; developer 600/2000000 10; pro 3000/10000000 50; enterprise 10000/-1 -1", Plans(model));
    }

    [Theory]
    [InlineData("POST", "/v1/knowledge-bases", true)]
    [InlineData("POST", "/v1/knowledge-bases/", true)]
    [InlineData("DELETE", "/v1/knowledge-bases/kb_1", false)]
    [InlineData("POST", "/v1/knowledge-bases/kb_1", null)]
    [InlineData("DELETE", "/v1/knowledge-bases/kb_1/sources/s", null)]
    [InlineData("GET", "/v1/knowledge-bases", null)]
    [InlineData("POST", "/v1/chat/completions", null)]
    public void TS11_knowledge_bases_are_counted_where_they_are_made_and_deleted(string method, string path, bool? makes) =>
        Assert.Equal(makes is { } made ? new QuotaStep(0, made) : null, Given.Real("tensoras").QuotaRoutes.Find(method, path));

    [Fact]
    public void A_file_without_quotas_finds_none() =>
        Assert.Null(Given.Model(Given.Least).QuotaRoutes.Find("POST", "/v1/files"));

    [Fact]
    public void TS13_a_429_and_a_quota_read_as_documented()
    {
        Assert.Equal(
            """429 {"error":{"message":"Rate limit exceeded. Please retry after 12 seconds.","type":"rate_limit_error","""
            + "\"code\":\"rate_limit_exceeded\"}}",
            Error("tensoras", Problem.Of(ProblemCode.RateLimited) with { Limit = new LimitFault("rpm", 30, 0, 12) }));
        Assert.Equal(
            """403 {"error":{"message":"The plan allows no more of these.","type":"permission_error","code":"quota_exceeded","""
            + "\"plan_limit\":1}}",
            Error("tensoras", Problem.Of(ProblemCode.QuotaExceeded) with { PlanLimit = 1 }));
    }

    [Fact]
    public void TO8_a_429_reads_as_documented() => Assert.Equal(
        """429 {"error":"RATE_LIMITED","message":"API key rate limit exceeded","code":429,"retry_after":60}""",
        Error("tensorone", Problem.Of(ProblemCode.RateLimited) with { Limit = new LimitFault("reads", 100, 0, 60) }));

    [Theory]
    [InlineData("GET", "/v2/endpoints", "reads")]
    [InlineData("POST", "/v2/endpoints", "writes")]
    [InlineData("DELETE", "/v2/clusters/c1", "writes")]
    [InlineData("POST", "/v2/ai/chat", "ai_calls")]
    [InlineData("GET", "/v2/ai/models", "ai_calls")]
    public void TO12_each_request_is_of_one_kind(string method, string path, string expected)
    {
        var model = Given.Real("tensorone");
        var needed = model.Routes.Match(method, path).Requirement;
        Assert.Equal(
            [expected],
            model.Limits.Where(limit => (limit.Actions == 0 || (limit.Actions & needed.Actions) != 0)
                && (limit.Scopes == 0 || (limit.Scopes & needed.AnyScope) != 0) && (limit.ExceptScopes & needed.AnyScope) == 0)
                .Select(limit => limit.Name));
    }

    [Fact]
    public void TO12_hourly_amounts_by_plan()
    {
        var model = Given.Real("tensorone");
        Assert.All(model.Limits, limit => Assert.Equal((LimitCounts.Requests, 3_600_000L), (limit.Counts, limit.WindowMs)));
        Assert.Equal("free 100/20/50; pro 1000/200/500; enterprise 10000/2000/5000", Plans(model));
        Assert.Equal(
            ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window"], model.RateHeaders.Names);
    }

    [Fact]
    public void The_default_offers_a_priced_echo_and_lets_a_newcomer_through()
    {
        var model = Given.Real("default");
        var echo = model.Models.Single(each => each.Id == "echo");
        Assert.Equal((new ModelPrice(250_000, 1_000_000), 1024, 8192), (echo.Price!.Value, echo.OutputDefault, echo.OutputMax));
        Assert.Null(model.Wallet);
        Assert.True(model.Plans[0].Limits[0] >= 10_000);
    }

    [Theory]
    [InlineData("exceeds_limit", 413)]
    [InlineData("model_unknown", 400)]
    public void A_request_that_cannot_be_is_worded_as_an_invalid_one(string code, int status)
    {
        var model = Given.Model(Given.Least + "\n  invalid_request: { body: { bad: $status } }");
        var output = new ArrayBufferWriter<byte>();
        model.Dialect.Write(
            output, Problem.Of(ProblemCode.All.Single(each => each.Code == code)), null, DateTimeOffset.UnixEpoch);
        Assert.Equal($$"""{"bad":{{status}}}""", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void A_models_prices_are_exact_and_may_be_nothing()
    {
        var model = Given.Model(
            "models: [a, { id: b, input: \"0.000001\", output: \"1000000\" }, { id: c, input: \"0\", output: \"0.00\" }, { id: d },\n"
            + "{ id: e, input: \"1\", output: \"2\", cached_input: \"0\", reasoning: \"3\" }]\n" + Given.Least);
        Assert.Equal(
            [
                null, new ModelPrice(1, 1_000_000_000_000), new ModelPrice(0, 0), null,
                new ModelPrice(1_000_000, 2_000_000) { CachedPerMillion = 0, ReasoningPerMillion = 3_000_000 },
            ],
            model.Models.Select(offer => offer.Price));
        // The largest request at the largest price stays within what can be counted.
        Assert.True(new ModelPrice(1_000_000_000_000, 1_000_000_000_000).Cost(int.MaxValue, int.MaxValue) > Money.Zero);
    }

    [Fact]
    public void Every_field_of_a_limit_a_plan_a_quota_and_a_wallet_is_taken()
    {
        var model = Given.Model("""
            limits:
              - { name: a, counts: input_tokens, per: 31d, where: [write, files], except: [ai] }
              - { name: b, counts: output_tokens, per: 1s, where: files, amount: 7 }
              - { name: c, counts: concurrent_requests, amount: 1000000000 }
            quotas:
              - { name: q, amount: 3 }
              - { name: r, made_by: [POST /v1/files, PUT /v1/files], deleted_by: "DELETE /v1/files/{}" }
            plans:
              small: { a: 1000000000, r: 0 }
              large: { a: unlimited, b: 8, q: unlimited, r: 1000000000 }
            key_operations: { amount: 1000000, per: 31d }
            wallet: { currency: EUR, to_create_above: "1000000", disable_at: "0.000001", low_at: "0.000001", top_up_url: http://a/b?c=d }

            """ + Given.Least.Replace(
            "{ files: Files }",
            "{ files: Files, ai: AI }\n  actions: { read: [GET], write: [POST, PUT, DELETE] }",
            StringComparison.Ordinal));
        Assert.Equal(
            [
                new Limit
                {
                    Name = "a", Counts = LimitCounts.InputTokens, WindowMs = 2_678_400_000, Actions = 2, Scopes = 1, ExceptScopes = 2,
                },
                new Limit { Name = "b", Counts = LimitCounts.OutputTokens, WindowMs = 1000, Scopes = 1 },
                new Limit { Name = "c", Counts = LimitCounts.ConcurrentRequests, WindowMs = 0 },
            ],
            model.Limits);
        Assert.Equal("small 1000000000/7/1000000000 3/0; large -1/8/1000000000 -1/1000000000", Plans(model));
        Assert.Equal(["POST /v1/files", "PUT /v1/files"], model.Quotas[1].MadeBy);
        Assert.Equal(["DELETE /v1/files/{}"], model.Quotas[1].DeletedBy);
        Assert.Equal(new QuotaStep(1, true), model.QuotaRoutes.Find("PUT", "/v1/files"));
        Assert.Equal(new KeyOperationLimit(1_000_000, TimeSpan.FromDays(31)), model.KeyOperations);
        Assert.Equal(
            new WalletRules
            {
                Currency = "EUR", ToCreateAbove = new Money(1_000_000_000_000), DisableAt = new Money(1), LowAt = new Money(1),
                TopUpUrl = "http://a/b?c=d",
            },
            model.Wallet);
    }

    [Theory]
    [InlineData("", WalletMode.Strict, 256)]
    [InlineData(", mode: strict", WalletMode.Strict, 256)]
    [InlineData(", mode: extend", WalletMode.Extend, 256)]
    [InlineData(", mode: extend, step_tokens: 1", WalletMode.Extend, 1)]
    [InlineData(", mode: extend, step_tokens: 100000", WalletMode.Extend, 100_000)]
    internal void A_wallet_holds_all_or_in_steps(string members, WalletMode mode, int step)
    {
        var wallet = Given.Model($"wallet: {{ currency: USD{members} }}\n" + Given.Least).Wallet!;
        Assert.Equal((mode, step), (wallet.Mode, wallet.StepTokens));
    }

    [Fact]
    public void A_file_that_says_nothing_of_it_limits_and_asks_nothing()
    {
        var model = Given.Model(Given.Least);
        Assert.Empty(model.Limits);
        Assert.Empty(model.Quotas);
        Assert.Equal("default", Plans(model));
        Assert.Null(model.Wallet);
        Assert.Null(model.KeyOperations);
    }

    [Fact]
    public void Plans_and_the_wallet_are_inherited_field_by_field_and_lists_whole()
    {
        var parent = "limits: [{ name: a, counts: requests, per: 1m, amount: 1 }]\nplans: { free: {}, pro: { a: 2 } }\n"
            + "wallet: { currency: USD, low_at: \"1\" }\nkey_operations: { amount: 1, per: 1h }\n" + Given.Least;
        var model = Given.Model(
            "extend: base\nplans: { pro: { a: 3 } }\nwallet: { low_at: \"2\" }\nkey_operations: { amount: 5 }", ("base", parent));
        Assert.Equal("pro 3; free 1", Plans(model));
        Assert.Equal(("USD", new Money(2_000_000)), (model.Wallet!.Currency, model.Wallet.LowAt));
        Assert.Equal(new KeyOperationLimit(5, TimeSpan.FromHours(1)), model.KeyOperations);
        Assert.Empty(Given.Model("extend: base\nlimits: []\nplans: { free: {}, pro: {} }", ("base", parent)).Limits);
    }
}
