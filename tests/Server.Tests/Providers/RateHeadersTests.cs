using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Verification;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Tests.Providers;

/// <summary>What an answer tells of a key's limits, to the letter.</summary>
public sealed class RateHeadersTests
{
    private const long Now = 1_750_000_000_250;

    private const string Limits = """
        limits:
          - { name: rpm, counts: requests, per: 1m, amount: 60 }
          - { name: tpm, counts: tokens, per: 1m, amount: 100000 }
          - { name: daily, counts: requests, per: 1d, amount: 1000 }
          - { name: parallel, counts: concurrent_requests, amount: 4 }

        """;

    private static readonly LimitState Rpm = new(0, 60, 12, 30_001, 0);
    private static readonly LimitState Tpm = new(1, 100_000, 99_000, 360_000, 0);
    private static readonly LimitState Daily = new(2, 1000, 500, 86_399_001, 0);
    private static readonly LimitState Parallel = new(3, 4, 3, 0, 0);

    private static Verdict Passed(params LimitState[] states) => Decided(VerdictCode.Allowed, -1, 0, states);

    private static Verdict Decided(VerdictCode code, int refusing, long retryMs, params LimitState[] states)
    {
        var verdict = new Verdict { Code = code };
        foreach (var state in states)
        {
            verdict.LimitsToFill.Add(state.Limit, state.Amount, state.Remaining, state.ResetMs, state.RetryMs);
        }

        if (refusing >= 0)
        {
            verdict.RefuseFor((byte)refusing, windowMs: 60_000, retryMs);
        }

        return verdict;
    }

    private static ProviderModel With(string headers) =>
        Given.Model(Limits + "headers: { rate_limit: { " + headers + " } }\n" + Given.Least);

    private static Dictionary<string, string> Written(ProviderModel model, in Verdict verdict)
    {
        var headers = new HeaderDictionary();
        model.RateHeaders.Write(headers, verdict, Now);
        return headers.ToDictionary(header => header.Key, header => header.Value.ToString());
    }

    [Theory]
    [InlineData("$limit", "60")]
    [InlineData("$remaining", "12")]
    [InlineData("$reset_unix", "1750000031")]
    [InlineData("$reset_seconds", "31")]
    [InlineData("$reset_duration", "31s")]
    [InlineData("$window_seconds", "60")]
    [InlineData("$name", "rpm")]
    [InlineData("$limits.tpm.limit", "100000")]
    [InlineData("$limits.tpm.reset_duration", "6m0s")]
    [InlineData("$tokens.remaining", "99000")]
    [InlineData("$requests.remaining", "12")]
    [InlineData("$limits.daily.reset_duration", "24h0m0s")]
    [InlineData("$concurrent_requests.remaining", "3")]
    [InlineData("limit=$limit, of $limits.tpm.name; $$5", "limit=60, of tpm; $5")]
    public void Each_placeholder_says_what_is_documented(string text, string expected) =>
        Assert.Equal(expected, Written(With($"X-R: \"{text}\""), Passed(Rpm, Tpm, Daily, Parallel))["X-R"]);

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(1, "1ms")]
    [InlineData(120, "120ms")]
    [InlineData(999, "999ms")]
    [InlineData(1000, "1s")]
    [InlineData(1001, "2s")]
    [InlineData(59_001, "1m0s")]
    [InlineData(3_599_001, "1h0m0s")]
    [InlineData(90_061_000, "25h1m1s")]
    public void A_duration_reads_as_OpenAI_writes_it(long ms, string expected) =>
        Assert.Equal(expected, Written(With("X-R: $reset_duration"), Passed(Rpm with { ResetMs = ms }))["X-R"]);

    [Theory]
    [InlineData("$input_tokens.remaining")]
    [InlineData("$limits.daily.remaining")]
    [InlineData("$limits.parallel.window_seconds")]
    [InlineData("$remaining of $limits.daily.limit")]
    public void A_header_whose_limit_has_nothing_to_say_is_left_out(string text) =>
        Assert.DoesNotContain("X-R", Written(With($"X-R: \"{text}\""), Passed(Rpm, Parallel)).Keys);

    [Fact]
    public void Nothing_is_written_where_no_limit_counted() => Assert.Empty(Written(With("X-R: $remaining"), Passed()));

    [Fact]
    public void A_header_speaks_of_the_limit_that_refused_before_a_tighter_one() =>
        Assert.Equal(
            "rpm 0",
            Written(
                With("X-R: $name $remaining"),
                Decided(VerdictCode.RateLimited, 0, 1, Rpm with { Remaining = 0, ResetMs = 5 }, Tpm with { Remaining = 0 }))["X-R"]);

    [Fact]
    public void On_what_passed_it_speaks_of_the_least_share_and_of_two_of_the_slower()
    {
        var model = With("X-R: $name");
        Assert.Equal("tpm", Written(model, Passed(Rpm, Tpm with { Remaining = 19_999 }))["X-R"]);
        Assert.Equal("rpm", Written(model, Passed(Rpm, Tpm with { Remaining = 20_001 }))["X-R"]);
        Assert.Equal("tpm", Written(model, Passed(Rpm, Tpm with { Remaining = 20_000 }))["X-R"]);
        Assert.Equal("rpm", Written(model, Passed(Rpm, Tpm with { Remaining = 20_000, ResetMs = 1 }))["X-R"]);
    }

    [Fact]
    public void Of_several_that_count_the_same_the_tightest_is_told() =>
        Assert.Equal(
            "500",
            Written(With("X-R: $requests.remaining"), Passed(Rpm with { Remaining = 59 }, Tpm with { Remaining = 0 }, Daily))["X-R"]);

    [Fact]
    public void The_drafts_headers_name_every_limit_that_counted()
    {
        var written = Written(With(""), Passed(Rpm, Tpm, Parallel));
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["RateLimit-Policy"] = "\"rpm\";q=60;w=60, \"tpm\";q=100000;w=60, \"parallel\";q=4;qu=\"concurrent-requests\"",
                ["RateLimit"] = "\"rpm\";r=12;t=31, \"tpm\";r=99000;t=360, \"parallel\";r=3",
            },
            written);
    }

    [Fact]
    public void The_policy_is_that_of_the_keys_own_amounts_however_many_plans_there_are()
    {
        var model = With("");
        for (var round = 0; round < 2; round++)
        {
            for (var amount = 1; amount <= 500; amount++)
            {
                Assert.Equal($"\"rpm\";q={amount};w=60", Written(model, Passed(Rpm with { Amount = amount }))["RateLimit-Policy"]);
            }
        }
    }

    [Fact]
    public void The_largest_numbers_fit()
    {
        var most = Limit.AmountMax;
        var states = Enumerable.Range(0, LimitStates.Max).Select(i => new LimitState((byte)i, most, most, 2_678_400_000, 0)).ToArray();
        var name = new string('n', Limit.NameCharsMax - 1);
        var limits = string.Concat(Enumerable.Range(0, LimitStates.Max)
            .Select(i => $"  - {{ name: {name}{i}, counts: requests, per: 31d, amount: {most} }}\n"));
        var text = string.Concat(Enumerable.Repeat("$name", RateHeaders.TextCharsMax / 5));
        var model = Given.Model($"limits:\n{limits}headers: {{ rate_limit: {{ X-R: {text} }} }}\n{Given.Least}");
        var written = Written(model, Passed(states));
        Assert.Equal(RateHeaders.TextCharsMax / 5 * Limit.NameCharsMax, written["X-R"].Length);
        Assert.Equal(
            string.Join(", ", Enumerable.Range(0, LimitStates.Max).Select(i => $"\"{name}{i}\";r={most};t=2678400")), written["RateLimit"]);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(12_000, 12)]
    [InlineData(12_001, 13)]
    [InlineData(60_000, 60)]
    [InlineData(0, 0)]
    public void A_refusal_tells_its_limit_and_when_the_same_request_fits(long retryMs, long seconds)
    {
        var problem = With("").RateHeaders.Tell(
            Problem.Of(ProblemCode.RateLimited), Decided(VerdictCode.RateLimited, 0, retryMs, Tpm, Rpm with { Remaining = 0 }));
        Assert.Equal(new LimitFault("rpm", 60, 0, seconds), problem.Limit);
    }

    [Fact]
    public void What_no_limit_refused_tells_of_none()
    {
        var problem = Problem.Of(ProblemCode.WalletEmpty);
        Assert.Same(problem, With("").RateHeaders.Tell(problem, Decided(VerdictCode.WalletEmpty, -1, 0, Rpm)));
        Assert.Same(problem, With("").RateHeaders.Tell(problem, Passed()));
    }

    [Fact]
    public void An_error_tells_the_limit_in_the_providers_words_and_headers()
    {
        var model = Given.Model(
            Limits + Given.Least + "\n  rate_limited:\n    headers: { x-should-retry: \"false\" }\n    body: { after: $retry_after, of: "
            + "$limit, left: $remaining, name: $limit_name, most: $plan_limit, pay: $top_up_url, text: \"$limit a minute\" }\n"
            + "wallet: { currency: USD, top_up_url: https://pay.example/ }");
        var problem = model.RateHeaders.Tell(
            Problem.Of(ProblemCode.RateLimited), Decided(VerdictCode.RateLimited, 0, 61_000, Rpm with { Remaining = 0 }));
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(429, model.Dialect.Write(output, problem, null, DateTimeOffset.UnixEpoch));
        Assert.Equal(
            """{"after":61,"of":60,"left":0,"name":"rpm","pay":"https://pay.example/","text":"60 a minute"}""",
            Encoding.UTF8.GetString(output.WrittenSpan));
        var headers = new HeaderDictionary();
        model.Dialect.WriteHeaders(headers, ProblemCode.KeyOperationsExceeded);
        Assert.Equal("false", headers["x-should-retry"]);
        headers.Clear();
        model.Dialect.WriteHeaders(headers, ProblemCode.WalletEmpty);
        Assert.Empty(headers);
    }

    [Fact]
    public void Our_own_api_tells_the_limit_and_the_plan_too()
    {
        var problem = Problem.Of(ProblemCode.RateLimited) with { Limit = new LimitFault("rpm", 60, 0, 61), PlanLimit = 7 };
        var body = Encoding.UTF8.GetString(ProblemResult.Render(problem, "req_1").Span);
        Assert.Contains(
            """
            "limit":{"name":"rpm","amount":60,"remaining":0,"retry_after":61},"plan_limit":7
            """,
            body,
            StringComparison.Ordinal);
    }
}
