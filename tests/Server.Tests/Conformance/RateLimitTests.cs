using System.Globalization;
using System.Net;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.ForwardAuth;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>What the companies' pages promise about limits, over HTTP, each against its file alone.</summary>
public sealed class RateLimitTests
{
    private const string Chat = "/v1/chat/completions";

    private static async Task<Answer> Last(RunningGate gate, string secret, string method, string path, int times)
    {
        for (var sent = 1; sent < times; sent++)
        {
            Assert.Equal(HttpStatusCode.OK, (await gate.Send(method, path, secret)).Status);
        }

        return await gate.Send(method, path, secret);
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
        var first = await gate.Send("POST", Chat, secret);
        Assert.Equal(("30", "29"), (first.Headers["X-RateLimit-Limit"], first.Headers["X-RateLimit-Remaining"]));
        Assert.InRange(long.Parse(first.Headers["X-RateLimit-Reset"], CultureInfo.InvariantCulture), now + 58, now + 63);
        Assert.Equal("\"rpm\";q=30;w=60, \"tpm\";q=100000;w=60", first.Headers["RateLimit-Policy"]);
        Assert.False(first.Headers.ContainsKey("Retry-After"));

        Assert.Equal("0", (await Last(gate, secret, "POST", Chat, 29)).Headers["X-RateLimit-Remaining"]);
        var refused = await gate.Send("POST", Chat, secret);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal(("30", "0"), (refused.Headers["X-RateLimit-Limit"], refused.Headers["X-RateLimit-Remaining"]));
        Assert.InRange(int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture), 55, 59);
        var error = refused.Json.GetProperty("error");
        Assert.Equal(
            ("rate_limit_error", "rate_limit_exceeded"), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("POST", Chat, other)).Status);

        // The message tells the true wait; one second less is too early.
        var message = error.GetProperty("message").GetString()!;
        var seconds = int.Parse(message.Split(' ')[^2], CultureInfo.InvariantCulture);
        Assert.Equal($"Rate limit exceeded. Please retry after {seconds} seconds.", message);
        gate.Clock.Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await gate.Send("POST", Chat, secret)).Status);
        gate.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("POST", Chat, secret)).Status);
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
            ("60", "0", "2000000"),
            (last.Headers["x-ratelimit-limit-requests"], last.Headers["x-ratelimit-remaining-requests"],
                last.Headers["x-ratelimit-remaining-tokens"]));
        var refused = await gate.Send("POST", Chat, secret);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal("rate_limit_exceeded", refused.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("59", (await gate.Send("POST", Chat, other)).Headers["x-ratelimit-remaining-requests"]);
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
