using System.Globalization;
using System.Net;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Tests.Faults;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.ForwardAuth;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>What the companies' pages promise about limits, over HTTP, each against its file alone.</summary>
public sealed class RateLimitTests
{
    private const string Chat = "/v1/chat/completions";

    // A model that has a price where one is needed, asked for little, so that requests are the limit that is met.
    private static readonly string Body = ModelCalls.Of("qwen3-235b", ",\"max_tokens\":16");

    private static Task<Answer> Once(RunningGate gate, string secret, string method = "POST", string path = Chat) =>
        gate.Send(method, path, secret, method == "POST" ? Body : null);

    private static async Task<Answer> Last(RunningGate gate, string secret, string method, string path, int times)
    {
        for (var sent = 1; sent < times; sent++)
        {
            Assert.Equal(HttpStatusCode.OK, (await Once(gate, secret, method, path)).Status);
        }

        return await Once(gate, secret, method, path);
    }

    private static string Rates(Answer answer) => string.Join(
        " | ",
        answer.Headers.Where(header => header.Key.Contains("rate", StringComparison.OrdinalIgnoreCase))
            .OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase).Select(header => $"{header.Key}: {header.Value}"));

    [Fact]
    public async Task TS11_TS12_TS13_thirty_requests_a_minute_and_then_a_429_with_the_documented_headers_and_body()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var (secret, other) = (await gate.NewSecret(), await gate.NewSecret());
        var now = gate.Clock.NowMs / 1000;
        var first = await Once(gate, secret);
        Assert.Equal(("30", "29"), (first.Headers["X-RateLimit-Limit"], first.Headers["X-RateLimit-Remaining"]));
        Assert.InRange(long.Parse(first.Headers["X-RateLimit-Reset"], CultureInfo.InvariantCulture), now + 58, now + 63);
        Assert.Equal("\"rpm\";q=30;w=60, \"tpm\";q=100000;w=60", first.Headers["RateLimit-Policy"]);
        Assert.False(first.Headers.ContainsKey("Retry-After"));

        Assert.Equal("0", (await Last(gate, secret, "POST", Chat, 29)).Headers["X-RateLimit-Remaining"]);
        var refused = await Once(gate, secret);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal(("30", "0"), (refused.Headers["X-RateLimit-Limit"], refused.Headers["X-RateLimit-Remaining"]));
        Assert.InRange(int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture), 55, 59);
        Assert.InRange(long.Parse(refused.Headers["X-RateLimit-Reset"], CultureInfo.InvariantCulture), now + 58, now + 63);
        Assert.Equal(HttpStatusCode.OK, (await Once(gate, other)).Status);

        // The message tells the true wait; one second less is too early.
        var message = refused.Json.GetProperty("error").GetProperty("message").GetString()!;
        var seconds = int.Parse(message.Split(' ')[^2], CultureInfo.InvariantCulture);
        refused.Is(HttpStatusCode.TooManyRequests, $$"""
            {
              "error": {
                "message": "Rate limit exceeded. Please retry after {{seconds}} seconds.",
                "type": "rate_limit_error",
                "code": "rate_limit_exceeded"
              }
            }
            """);
        gate.Clock.Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await Once(gate, secret)).Status);
        gate.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, (await Once(gate, secret)).Status);
    }

    [Theory]
    [InlineData("free", 30, 100_000)]
    [InlineData("developer", 600, 2_000_000)]
    [InlineData("pro", 3_000, 10_000_000)]
    [InlineData("enterprise", 10_000, null)]
    public async Task TS11_TS12_a_plan_bounds_the_requests_and_tokens_of_each_key_in_a_minute(string plan, int requests, int? tokens)
    {
        const string Model = "llama-3.1-8b";
        await using var gate = await RunningGate.Start("tensoras");
        var (secret, other) = (await gate.NewSecret(), await gate.NewSecret());
        await gate.PutOn(plan);
        var first = await Once(gate, await gate.NewSecret());
        Assert.Equal(
            (HttpStatusCode.OK, $"{requests}", $"{requests - 1}"),
            (first.Status, first.Headers["X-RateLimit-Limit"], first.Headers["X-RateLimit-Remaining"]));
        if (tokens is not { } most)
        {
            // The most tokens that a check may name at all.
            Assert.Equal("allowed", (await gate.Check(secret, Model, 100_000_000)).String("code"));
            return;
        }

        Assert.Equal("exceeds_limit", (await gate.Check(secret, Model, most + 1)).String("code"));
        Assert.Equal("allowed", (await gate.Check(secret, Model, most - 10, 9)).String("code"));
        Assert.Equal("rate_limited tpm", Refusal(await gate.Check(secret, Model, 2)));
        Assert.Equal("allowed", (await gate.Check(secret, Model, 1)).String("code"));
        Assert.Equal("rate_limited tpm", Refusal(await gate.Check(secret, Model, 1)));
        Assert.Equal("allowed", (await gate.Check(other, Model, most)).String("code"));
    }

    private static string Refusal(Answer check) => $"{check.String("code")} {check.String("limit")}";

    [Theory]
    [InlineData("free", 100, 20, 50)]
    [InlineData("pro", 1_000, 200, 500)]
    [InlineData("enterprise", 10_000, 2_000, 5_000)]
    public async Task TO12_a_plan_has_an_amount_an_hour_for_each_kind_of_operation_and_tells_it(string plan, int reads, int writes, int ai)
    {
        await using var gate = await RunningGate.Start("tensorone");
        var secret = await gate.NewSecret();
        await gate.PutOn(plan);
        var now = gate.Clock.NowMs / 1000;
        foreach (var (method, path, amount, left) in new[]
        {
            ("GET", "/v2/endpoints", reads, reads - 1), ("POST", "/v2/endpoints", writes, writes - 1),
            ("POST", "/v2/ai/chat", ai, ai - 1), ("GET", "/v2/ai/chat", ai, ai - 2),
        })
        {
            var answer = await gate.Send(method, path, secret);
            Assert.Equal(
                (HttpStatusCode.OK, $"{amount}", $"{left}", "3600"),
                (answer.Status, answer.Headers["X-RateLimit-Limit"], answer.Headers["X-RateLimit-Remaining"],
                    answer.Headers["X-RateLimit-Window"]));
            Assert.InRange(long.Parse(answer.Headers["X-RateLimit-Reset"], CultureInfo.InvariantCulture), now + 3_599, now + 3_720);
        }
    }

    [Theory]
    [InlineData("free", 20)]
    [InlineData("pro", 200)]
    public async Task TO12_exactly_as_many_pass_as_the_plan_says_and_a_higher_plan_lets_the_key_go_on(string plan, int writes)
    {
        await using var gate = await RunningGate.Start("tensorone");
        var secret = await gate.NewSecret();
        await gate.PutOn(plan);
        var answers = await Task.WhenAll(Enumerable.Range(0, writes + 20).Select(_ => gate.Send("POST", "/v2/endpoints", secret)));
        Assert.Equal(writes, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Equal(20, answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));

        await gate.PutOn("enterprise");
        var higher = await gate.Send("POST", "/v2/endpoints", secret);
        Assert.Equal((HttpStatusCode.OK, $"{2_000 - writes - 1}"), (higher.Status, higher.Headers["X-RateLimit-Remaining"]));
    }

    [Fact]
    public async Task TO12_the_hour_outlasts_a_gate_that_is_stopped_and_one_that_is_killed()
    {
        var folder = Directory.CreateTempSubdirectory("tollgate-hour-");
        var clock = FailpointTests.Today();
        string secret;
        await using (var first = await RunningGate.Start("tensorone", folder.FullName, clock: clock))
        {
            secret = await first.NewSecret();
            Assert.Equal("15", (await Last(first, secret, "POST", "/v2/endpoints", 5)).Headers["X-RateLimit-Remaining"]);
        }

        await using (var second = await ServedGate.Start(folder.FullName, "tensorone", RunningGate.RootKey))
        {
            using var calls = new ServedCalls(second);
            for (var sent = 1; sent <= 16; sent++)
            {
                var expected = sent <= 15 ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests;
                Assert.Equal(expected, (await calls.Send("POST", "/v2/endpoints", key: secret)).Status);
            }

            await second.Kill();
        }

        await using (var third = await RunningGate.Start("tensorone", folder.FullName, clock: FailpointTests.Today()))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, (await third.Send("POST", "/v2/endpoints", secret)).Status);
            Assert.Equal("99", (await third.Send("GET", "/v2/endpoints", secret)).Headers["X-RateLimit-Remaining"]);
            third.Clock.Advance(TimeSpan.FromSeconds(3_720));
            Assert.Equal("19", (await third.Send("POST", "/v2/endpoints", secret)).Headers["X-RateLimit-Remaining"]);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task TO8_TO12_each_kind_of_operation_has_its_own_hourly_limit_and_headers()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var secret = await gate.NewSecret();
        var write = await Last(gate, secret, "POST", "/v2/endpoints", 20);
        Assert.Equal(HttpStatusCode.OK, write.Status);
        Assert.Equal(
            ("20", "0", "3600"),
            (write.Headers["X-RateLimit-Limit"], write.Headers["X-RateLimit-Remaining"], write.Headers["X-RateLimit-Window"]));
        var refused = await gate.Send("POST", "/v2/endpoints", secret);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal(
            $$"""
            {"error":"RATE_LIMITED","message":"API key rate limit exceeded","code":429,"retry_after":{{refused.Headers["Retry-After"]}}}
            """,
            refused.Text);
        Assert.Equal(
            ("20", "0", "3600", write.Headers["X-RateLimit-Reset"]),
            (refused.Headers["X-RateLimit-Limit"], refused.Headers["X-RateLimit-Remaining"], refused.Headers["X-RateLimit-Window"],
                refused.Headers["X-RateLimit-Reset"]));
        Assert.InRange(int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture), 3_500, 3_720);
        Assert.Equal("\"writes\";q=20;w=3600", refused.Headers["RateLimit-Policy"]);

        var read = await gate.Send("GET", "/v2/endpoints", secret);
        Assert.Equal(
            (HttpStatusCode.OK, "100", "99"),
            (read.Status, read.Headers["X-RateLimit-Limit"], read.Headers["X-RateLimit-Remaining"]));
        var ai = await gate.Send("POST", "/v2/ai/chat", secret);
        Assert.Equal((HttpStatusCode.OK, "50", "49"), (ai.Status, ai.Headers["X-RateLimit-Limit"], ai.Headers["X-RateLimit-Remaining"]));
    }

    [Fact]
    public async Task TX10_sixty_requests_a_minute_for_each_key_in_the_headers_that_OpenAIs_clients_know()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var (secret, other) = (await gate.NewSecret(), await gate.NewSecret());
        var last = await Last(gate, secret, "POST", Chat, 60);
        Assert.Equal(HttpStatusCode.OK, last.Status);
        Assert.Equal(
            ("60", "0"), (last.Headers["x-ratelimit-limit-requests"], last.Headers["x-ratelimit-remaining-requests"]));
        var used = last.Json.GetProperty("usage").GetProperty("total_tokens").GetInt32();
        var left = int.Parse(last.Headers["x-ratelimit-remaining-tokens"], CultureInfo.InvariantCulture);
        Assert.InRange(2_000_000 - (59 * used) - left, used, 100);
        var refused = await Once(gate, secret);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal("rate_limit_exceeded", refused.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("59", (await Once(gate, other)).Headers["x-ratelimit-remaining-requests"]);
    }

    [Fact]
    public async Task TX10_two_million_tokens_a_minute_for_each_key_and_not_one_more()
    {
        const string Model = "qwen3-235b";
        await using var gate = await RunningGate.Start("tensorx");
        var (secret, other) = (await gate.NewSecret(), await gate.NewSecret());
        Assert.Equal("exceeds_limit", (await gate.Check(secret, Model, 2_000_001)).String("code"));
        Assert.Equal("allowed", (await gate.Check(secret, Model, 1_990_000, 8_000)).String("code"));
        Assert.Equal("rate_limited tokens", Refusal(await gate.Check(secret, Model, 2_001)));
        Assert.Equal("allowed", (await gate.Check(secret, Model, 2_000)).String("code"));
        var refused = await gate.Check(secret, Model, 1);
        Assert.Equal("rate_limited tokens", Refusal(refused));
        Assert.Equal("allowed", (await gate.Check(other, Model, 2_000_000)).String("code"));

        var waitMs = refused.Json.GetProperty("retry_after_ms").GetInt64();
        gate.Clock.Advance(TimeSpan.FromMilliseconds(waitMs - 1));
        Assert.Equal("rate_limited tokens", Refusal(await gate.Check(secret, Model, 1)));
        gate.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("allowed", (await gate.Check(secret, Model, 1)).String("code"));
    }

    [Fact]
    public async Task A_request_that_is_refused_before_limits_are_asked_tells_of_none_and_takes_nothing()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var secret = await gate.NewSecret($"{ManagementCalls.Some},\"scopes\":[\"inference\"]");
        Assert.Equal("", Rates(await gate.Send("POST", "/v1/knowledge-bases", secret)));
        Assert.Equal("", Rates(await gate.Send("GET", "/v1/models", key: null)));
        Assert.Equal("", Rates(await gate.Send("GET", "/v1/models", RunningGate.RootKey)));
        Assert.Equal("29", (await gate.Send("GET", "/v1/models", secret)).Headers["X-RateLimit-Remaining"]);
    }

    [Fact]
    public async Task Authorize_counts_and_tells_as_the_providers_own_paths_do_and_a_wording_takes_nothing()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var secret = await gate.NewSecret();
        await gate.Send("GET", "/v1/models", secret);
        for (var sent = 2; sent <= 30; sent++)
        {
            var passed = await gate.Nginx(secret, "/v1/models");
            Assert.Equal((HttpStatusCode.OK, $"{30 - sent}"), (passed.Status, passed.Headers["X-RateLimit-Remaining"]));
        }

        var own = await gate.Send("GET", "/v1/models", secret);
        var nginx = await gate.Nginx(secret, "/v1/models");
        Assert.Equal((HttpStatusCode.Forbidden, "429"), (nginx.Status, nginx.Headers[AuthorizeDoor.StatusHeader]));
        Assert.Equal(own.Headers["Retry-After"], nginx.Headers["Retry-After"]);
        Assert.Contains("X-RateLimit-Limit: 30 | X-RateLimit-Remaining: 0", Rates(own), StringComparison.Ordinal);
        Assert.Equal(Rates(own), Rates(nginx));
        var worded = await gate.Nginx(secret, "/v1/models", style: "?style=refusal");
        Assert.Equal((HttpStatusCode.TooManyRequests, own.Text), (worded.Status, worded.Text));

        gate.Clock.Advance(TimeSpan.FromMinutes(2));
        for (var asked = 0; asked < 40; asked++)
        {
            var again = await gate.Nginx(secret, "/v1/models", style: "?style=refusal");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "30"), (again.Status, again.Headers["X-RateLimit-Remaining"]));
        }
    }
}
