using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Upstreams;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>Which headers pass, each way.</summary>
public sealed class UpstreamHeadersTests
{
    [Theory]
    [InlineData("Accept")]
    [InlineData("User-Agent")]
    [InlineData("traceparent")]
    [InlineData("X-Stainless-Retry-Count")]
    [InlineData("OpenAI-Beta")]
    [InlineData("Idempotency-Key")]
    [InlineData("If-None-Match", "\"a\"")]
    [InlineData("Content-Language", "de")]
    [InlineData("Content-Type", "application/json; charset=utf-8")]
    public async Task What_a_request_says_to_the_server_passes(string name, string value = "it") =>
        Assert.Equal(value, (await Sent((name, value))).Header(name));

    [Theory]
    [InlineData("Cookie")]
    [InlineData("OpenAI-Organization")]
    [InlineData("OpenAI-Project")]
    [InlineData("cookie2")]
    [InlineData("X-Api-Key")]
    [InlineData("API-KEY")]
    [InlineData("x-goog-api-key")]
    [InlineData("Proxy-Authorization")]
    [InlineData("X-Tollgate-Project")]
    [InlineData("x-forwarded-for")]
    [InlineData("X-Forwarded-Anything")]
    [InlineData("Forwarded")]
    [InlineData("X-Real-IP")]
    [InlineData("X-HTTP-Method-Override")]
    [InlineData("X-Original-URL")]
    [InlineData("Keep-Alive")]
    [InlineData("TE")]
    [InlineData("Trailer")]
    [InlineData("Upgrade")]
    [InlineData("HTTP2-Settings")]
    [InlineData("X-Named", "1", "X-Named, close")]
    public async Task What_is_about_the_client_or_its_connection_stays(string name, string value = "it", string connection = "close")
    {
        var head = await Sent((name, value), ("Connection", connection));
        Assert.Equal("", head.Header(name));
        Assert.Equal("", head.Header("Connection"));
    }

    [Fact]
    public async Task The_operators_key_and_the_gates_id_go_in_place_of_the_clients()
    {
        await using var origin = await Origin.Start();
        var pool = Asking.Pool(origin.Config() with { Key = "the-operators" });
        var request = Asking.Post("/x", "{}", ("Authorization", "Bearer the-clients"), ("X-Request-Id", "the-clients"), ("Host", "evil"));
        await pool.Ask(request with { RequestId = "req_1" });
        var head = origin.Only;
        Assert.Equal(
            ("Bearer the-operators", "req_1", new Uri(origin.Url).Authority),
            (head.Header("Authorization"), head.Header("X-Request-Id"), head.Header("Host")));

        origin.Heads.Clear();
        await Asking.Pool(origin.Config()).Ask(request);
        Assert.Equal(("", "the-clients"), (origin.Only.Header("Authorization"), origin.Only.Header("X-Request-Id")));
    }

    [Fact]
    public async Task Only_an_answer_that_is_read_is_asked_for_without_an_encoding()
    {
        await using var origin = await Origin.Start();
        var pool = Asking.Pool(origin.Config());
        var request = Asking.Post("/x", "{}", ("Accept-Encoding", "gzip, br"));
        await pool.Ask(request);
        await pool.Ask(request with { ReadsAnswer = true });
        Assert.Equal(["gzip, br", "identity"], origin.Heads.Select(head => head.Header("Accept-Encoding")));
    }

    [Theory]
    [InlineData("ETag", "\"a\"")]
    [InlineData("Retry-After", "7")]
    [InlineData("openai-processing-ms", "12")]
    [InlineData("Content-Type", "text/plain")]
    [InlineData("Content-Disposition", "attachment")]
    [InlineData("Cache-Control", "no-store")]
    public void What_an_answer_says_to_the_client_passes(string name, string value) =>
        Assert.Equal(value, Copied((name, value)).Headers[name]);

    [Theory]
    [InlineData("Set-Cookie")]
    [InlineData("Server")]
    [InlineData("Date")]
    [InlineData("Alt-Svc")]
    [InlineData("Strict-Transport-Security")]
    [InlineData("OpenAI-Organization")]
    [InlineData("openai-project")]
    [InlineData("X-RateLimit-Remaining-Requests")]
    [InlineData("RateLimit")]
    [InlineData("RateLimit-Policy")]
    [InlineData("X-Tollgate-Max-Tokens")]
    [InlineData("Proxy-Authenticate")]
    [InlineData("Keep-Alive")]
    [InlineData("Transfer-Encoding")]
    [InlineData("Trailer")]
    [InlineData("X-Named", "1", "x-named")]
    [InlineData("X-Foreign", "\u00fc")]
    public void What_is_about_the_server_or_its_connection_or_the_operators_account_stays(
        string name, string value = "1", string connection = "close") =>
        Assert.DoesNotContain(Copied((name, value), ("Connection", connection)).Headers.Keys, key => key != "X-Kept");

    [Fact]
    public void The_servers_id_of_a_request_gets_another_name_and_cannot_take_the_gates()
    {
        var headers = Copied(("X-Request-Id", "theirs"), ("X-Upstream-Request-Id", "forged")).Headers;
        Assert.Equal(("theirs", ""), (headers["X-Upstream-Request-Id"].ToString(), headers["X-Request-Id"].ToString()));
    }

    [Theory]
    [InlineData(200, true, 5L)]
    [InlineData(200, false, null)]
    [InlineData(204, true, null)]
    public void The_length_passes_with_a_body_that_passes_as_it_is(int status, bool keeps, long? length)
    {
        using var message = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(new byte[5]) };
        message.Content.Headers.ContentLength = 5;
        var http = new DefaultHttpContext();
        AnswerHeaders.CopyTo(message, http.Response, keeps);
        Assert.Equal((status, length), (http.Response.StatusCode, http.Response.ContentLength));
    }

    private static async Task<Head> Sent(params (string, string)[] headers)
    {
        await using var origin = await Origin.Start();
        var request = Asking.Post("/x", "{}");
        foreach (var (name, value) in headers)
        {
            request.Headers[name] = value;
        }

        await Asking.Pool(origin.Config()).Ask(request);
        return origin.Only;
    }

    private static HttpResponse Copied(params (string Name, string Value)[] headers)
    {
        using var message = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        foreach (var (name, value) in headers.Append(("X-Kept", "1")))
        {
            var isOfBody = !message.Headers.TryAddWithoutValidation(name, value);
            Assert.True(!isOfBody || message.Content.Headers.TryAddWithoutValidation(name, value));
        }

        var http = new DefaultHttpContext();
        AnswerHeaders.CopyTo(message, http.Response, keepsLength: false);
        Assert.Equal("1", http.Response.Headers["X-Kept"]);
        return http.Response;
    }
}
