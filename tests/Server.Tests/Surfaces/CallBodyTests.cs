using System.Net;
using System.Text;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Surfaces;

/// <summary>A body that decides what may pass is bounded, read once, and still goes on; one that only passes has no bound.</summary>
public sealed class CallBodyTests(Gates gates) : IClassFixture<Gates>
{
    private const int BytesMax = 20_000;
    private const string Rag = "\"name\":\"Rag\",\"scopes\":[\"rag\"]";
    private const string About = "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"knowledge_bases\":[\"kb\"]";

    [Theory]
    [InlineData(false, 0, 200)]
    [InlineData(true, 0, 200)]
    [InlineData(false, 1, 413)]
    [InlineData(true, 1, 413)]
    public async Task A_body_is_read_up_to_its_bound_and_not_a_byte_further(bool chunked, int beyond, int status)
    {
        await using var gate = await RunningGate.Start("tensoras", new GateOptions { LogLevel = "none", BodyBytesMax = BytesMax });
        const string Start = $"{{{About},\"x\":\"";
        var body = $"{Start}{new string('x', BytesMax + beyond - Start.Length - 2)}\"}}";
        var answer = await Chat(gate, await gate.NewSecret(Rag), body, chunked);
        Assert.True(answer.Status == status, answer.Text);
        Assert.Contains(status == 200 ? "\"content\":\"hello\"" : "\"code\":\"body_too_large\"", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_only_passes_has_no_bound()
    {
        await using var gate = await RunningGate.Start("tensoras", new GateOptions { LogLevel = "none", BodyBytesMax = BytesMax });
        var body = new string('x', 10 * BytesMax);
        foreach (var secret in new[] { RunningGate.RootKey, await gate.NewSecret(Rag) })
        {
            var answer = await gate.Send("POST", "/v1/retrieve", secret, body);
            Assert.Contains($"\"body_bytes\":{body.Length}", answer.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData($"{{{About},\"x\":\"\u00ff\"}}")]
    [InlineData("{\"model\":\"m\",\"messages\":[],\"knowledge_bases\":[\"\u00c0\u00af\"]}")]
    [InlineData($"{{{About},\"x\":1,\"x\":2}}")]
    public async Task A_body_that_is_no_UTF8_or_names_a_member_twice_is_refused_with_400(string body)
    {
        var gate = await gates.Of("tensoras");
        var answer = await Chat(gate, await gate.NewSecret(Rag), body, chunked: false);
        Assert.True(answer.Status == 400, answer.Text);
    }

    [Fact]
    public async Task A_key_that_leaves_memory_while_its_body_comes_in_is_loaded_again()
    {
        var gate = await gates.Of("tensoras");
        var (id, secret) = await gate.NewPair(Rag);
        const string Body = $"{{{About}}}";
        await using var call = await RawCall.To(gate.Address);
        await call.Write(Head(secret) + $"Expect: 100-continue\r\nContent-Length: {Body.Length}\r\n\r\n");

        // The gate says so when it begins to read, and a changed key is dropped from memory.
        var asked = new byte["HTTP/1.1 100 Continue\r\n\r\n".Length];
        await call.Stream.ReadExactlyAsync(asked);
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", Encoding.ASCII.GetString(asked));
        (await gate.Send("PATCH", $"/api/v1/keys/{id}", RunningGate.RootKey, "{\"name\":\"Changed\"}")).Has(HttpStatusCode.OK);
        await call.Write(Body);
        var answer = await call.Answer();
        Assert.True(answer.Status == 200, answer.Text);
    }

    private static Task<RawAnswer> Chat(RunningGate gate, string secret, string body, bool chunked) => RawCall.Send(
        gate.Address,
        Head(secret) + (chunked
            ? $"Transfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n"
            : $"Content-Length: {body.Length}\r\n\r\n{body}"));

    private static string Head(string secret) =>
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        + $"Authorization: Bearer {secret}\r\n";
}
