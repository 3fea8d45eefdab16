using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Upstreams;

namespace Tollgate.Server.Tests.Relay;

/// <summary>Answers that HTTP allows and few servers give.</summary>
public sealed class UnusualAnswerTests
{
    [Theory]
    [InlineData("HEAD", "200 OK\r\nContent-Length: 1000\r\nETag: \"a\"\r\n\r\n", 200, "1000", "")]
    [InlineData("GET", "204 No Content\r\nETag: \"a\"\r\n\r\n", 204, "0", "")]
    [InlineData("GET", "304 Not Modified\r\nETag: \"a\"\r\n\r\n", 304, "0", "")]
    [InlineData("GET", "206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\nETag: \"a\"\r\n\r\nab", 206, "2", "ab")]
    [InlineData("GET", "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nETag: \"a\"\r\n\r\n", 302, "0", "")]
    [InlineData("GET", "599 Own\r\nContent-Length: 2\r\nETag: \"a\"\r\n\r\nab", 599, "2", "ab")]
    [InlineData("GET", "200 OK\r\nX-Other: \u00fc\r\nContent-Length: 2\r\nETag: \"a\"\r\n\r\nab", 200, "2", "ab")]
    [InlineData("GET", "103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: \"a\"\r\n\r\nab", 200, "2", "ab")]
    public async Task They_pass(string method, string says, int status, string length, string text)
    {
        await using var origin = RawOrigin.Says("HTTP/1.1 " + says);
        await using var run = await FaultyRun.Start(origin);
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/files/a");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", run.Gateway.Secret);
        using var answer = await run.Gateway.Gate.Http.SendAsync(request);
        Assert.Equal(
            (status, length, text, "\"a\""),
            ((int)answer.StatusCode, $"{answer.Content.Headers.ContentLength}", await answer.Content.ReadAsStringAsync(),
                answer.Headers.ETag?.Tag));
        Assert.False(answer.Headers.Contains("X-Other"));
        Assert.Equal($" 0 0 {status} False", RelayTests.Told(await run.Ended()));
    }

    [Fact]
    public async Task The_head_of_a_stream_reaches_the_client_before_its_first_event()
    {
        await using var origin = RawOrigin.SaysAndHangs("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        await using var run = await FaultyRun.Start(origin, with: config => config with { Idle = TimeSpan.FromHours(1) });
        using (var answer = await run.Gateway.Begin())
        {
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        }

        await run.Ended();
    }

    [Fact]
    public async Task A_change_of_protocol_is_no_answer()
    {
        await using var origin = RawOrigin.SaysAndHangs(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nab");
        await using var run = await FaultyRun.Start(origin);
        var answer = await run.Gateway.Gate.Send("GET", "/v1/files/a", run.Gateway.Secret);
        Assert.Equal(HttpStatusCode.BadGateway, answer.Status);
        Assert.Contains("upstream_unreachable", answer.Text, StringComparison.Ordinal);
        Assert.Equal(" 0 0 502 False", RelayTests.Told(await run.Ended()));
        Assert.Equal(1, run.Pool.States.Single().Failures);
    }

    [Fact]
    public async Task A_refusal_that_comes_while_the_upload_is_going_on_is_told_after_it()
    {
        await using var origin = new RawOrigin(async connection =>
        {
            await connection.TakeHead();
            await connection.Say(
                "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
            await connection.Closed();
        });
        await using var run = await FaultyRun.Start(origin, with: config => config with { FirstByte = TimeSpan.FromHours(1) });
        await using var call = await RawCall.To(run.Gateway.Gate.Address);
        await call.Write(
            "PUT /v1/files/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 200000\r\n"
            + $"Authorization: Bearer {run.Gateway.Secret}\r\n\r\n{new string('x', 200_000)}");
        var answer = await call.Answer();
        Assert.Equal(413, answer.Status);
        Assert.Equal(" 0 0 413 False", RelayTests.Told(await run.Ended()));
    }

    [Fact]
    public async Task An_answer_that_must_be_read_is_asked_for_as_it_is_and_in_an_encoding_passes_and_is_estimated()
    {
        var asked = "";
        var body = new byte[] { 0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
        await using var origin = new RawOrigin(async connection =>
        {
            asked = await connection.TakeHead();
            await connection.Say(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n");
            await connection.Say(body);
        });
        await using var run = await FaultyRun.Start(origin);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(GatewayRun.ChatOf(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", run.Gateway.Secret);
        request.Headers.AcceptEncoding.ParseAdd("gzip, br");
        using var answer = await run.Gateway.Gate.Http.SendAsync(request);
        Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal("gzip", Assert.Single(answer.Content.Headers.ContentEncoding));
        Assert.Contains("\r\nAccept-Encoding: identity\r\n", asked, StringComparison.Ordinal);
        await run.EndedEstimated(200);
    }
}
