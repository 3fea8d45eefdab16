using System.Net;
using System.Text;
using Tollgate.Server.Surfaces;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Surfaces;

/// <summary>A body that a condition must read is bounded, read once, and still there for who comes next.</summary>
public sealed class ConditionBodyTests(Gates gates) : IClassFixture<Gates>
{
    private const string Rag = "\"name\":\"Rag\",\"scopes\":[\"rag\"]";

    [Theory]
    [InlineData(false, 0, 200)]
    [InlineData(true, 0, 200)]
    [InlineData(false, 1, 413)]
    [InlineData(true, 1, 413)]
    public async Task A_body_is_read_up_to_one_mebibyte_and_not_a_byte_further(bool chunked, int beyond, int status)
    {
        var gate = await gates.Of("tensoras");
        var size = ConditionBody.BytesMax + beyond;
        const string Start = "{\"knowledge_bases\":[\"kb\"],\"x\":\"";
        var body = $"{Start}{new string('x', size - Start.Length - 2)}\"}}";
        var answer = await Chat(gate, await gate.NewSecret(Rag), body, chunked);
        Assert.True(answer.Status == status, answer.Text);
        Assert.Contains(
            status == 200 ? $"\"body_bytes\":{size}" : "\"code\":\"body_too_large\"", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_needs_no_condition_is_held_to_no_bound_of_it()
    {
        var gate = await gates.Of("tensoras");
        var body = new string('x', ConditionBody.BytesMax + 1);
        Assert.Equal(200, (await Chat(gate, RunningGate.RootKey, body, chunked: true)).Status);
        var inference = await gate.NewSecret("\"name\":\"Inference\",\"scopes\":[\"inference\"]");
        Assert.Equal(200, (await Chat(gate, inference, body, chunked: false)).Status);
    }

    [Theory]
    [InlineData("{\"knowledge_bases\":[\"kb\"],\"x\":\"\u00ff\"}")]
    [InlineData("{\"knowledge_bases\":[\"\u00c0\u00af\"]}")]
    [InlineData("{\"knowledge_bases\":[\"kb\"],\"x\":1,\"x\":2}")]
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
        const string Body = "{\"knowledge_bases\":[\"kb\"]}";
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
