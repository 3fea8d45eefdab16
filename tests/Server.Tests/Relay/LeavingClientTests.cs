using System.Text;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Upstreams;

namespace Tollgate.Server.Tests.Relay;

/// <summary>Clients that leave, at each point of a request: the server behind the gate hears of it; they pay for what they got.</summary>
public sealed class LeavingClientTests
{
    private const string Events =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    [Theory]
    [InlineData("")]
    [InlineData(FaultyRun.Streamed)]
    public async Task Before_the_head_of_an_answer_it_pays_nothing(string more)
    {
        await using var origin = RawOrigin.Hangs();
        await using var run = await FaultyRun.Start(origin, with: Patiently);
        var client = await Chat(run, more);
        await GatewayRun.Until(() => origin.Open == 1 && run.Pool.States.Single().InFlight == 1);
        await client.DisposeAsync();
        await run.EndedForNothing(499);
        Assert.Equal((0, true), (run.Pool.States.Single().Failures, run.Pool.States.Single().IsHealthy));
    }

    [Fact]
    public async Task While_a_stream_passes_it_pays_for_what_had_passed()
    {
        await using var origin = RawOrigin.SaysAndHangs(Events + Chunk(ModelServer.Word("One") + ModelServer.Word("Two")));
        await using var run = await FaultyRun.Start(origin, with: Patiently);
        var client = await Chat(run, FaultyRun.Streamed);
        await Read(client, "Two");
        await client.DisposeAsync();
        await run.EndedEstimated(499);
        Assert.Equal((0, true), (run.Pool.States.Single().Failures, run.Pool.States.Single().IsHealthy));
    }

    [Fact]
    public async Task While_JSON_is_gathered_it_pays_nothing()
    {
        await using var origin = RawOrigin.SaysAndHangs(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
            + "{\"choices\":[{\"message\":{\"content\":\"It");
        await using var run = await FaultyRun.Start(origin, with: Patiently);
        var client = await Chat(run, "");
        await GatewayRun.Until(() => origin.Open == 1);
        await client.DisposeAsync();
        await run.EndedForNothing(499);
    }

    [Fact]
    public async Task After_the_answer_it_pays_what_the_server_told()
    {
        await using var origin = RawOrigin.SaysAndHangs(
            Events + Chunk(ModelServer.Word("One") + ModelServer.UsagePiece(9, 1) + "data: [DONE]\n\n") + "0\r\n\r\n");
        await using var run = await FaultyRun.Start(origin, with: Patiently);
        var client = await Chat(run, FaultyRun.Streamed);
        await Read(client, "[DONE]");
        await client.DisposeAsync();
        Assert.Equal("coin 9 1 200 False", RelayTests.Told(await run.Ended()));
        Assert.Equal(1_000 - RelayedProvider.Cost(9, 1), await run.Gateway.Balance());
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_the_server_up_and_leaves_nothing_behind()
    {
        var said = 0;
        await using var origin = new RawOrigin(async connection =>
        {
            await connection.TakeRequest();
            await connection.Say(Events);
            var words = Encoding.Latin1.GetBytes(Chunk(string.Concat(Enumerable.Repeat(ModelServer.Word("word"), 1_000))));
            while (true)
            {
                await connection.Say(words);
                Interlocked.Add(ref said, words.Length);
            }
        });
        await using var run = await FaultyRun.Start(origin, with: Patiently);
        var client = await Chat(run, FaultyRun.Streamed);
        await Read(client, "word");
        // Nothing moves any more once all that lies between the two is full, which is a few sockets and a few buffers.
        await StandsStill(() => Volatile.Read(ref said));
        Assert.InRange(said, 1, 64 << 20);
        Assert.Equal(1, run.Gateway.OpenRequests);
        await client.DisposeAsync();
        await run.EndedEstimated(499);
    }

    [Fact]
    public async Task In_the_middle_of_its_upload_the_server_hears_of_it()
    {
        await using var origin = RawOrigin.Hangs();
        await using var run = await FaultyRun.Start(origin, with: Patiently);
        var client = await Ask(run, "PUT", "/v1/files/a", new string('x', 100_000), length: 200_000);
        await GatewayRun.Until(() => origin.Open == 1 && run.Pool.States.Single().InFlight == 1);
        await client.DisposeAsync();
        Assert.Equal(" 0 0 499 False", RelayTests.Told(await run.Ended()));
        Assert.Equal((0, true), (run.Pool.States.Single().Failures, run.Pool.States.Single().IsHealthy));
    }

    /// <summary>Nothing times out: whoever ends it is the client.</summary>
    private static Gateway.Upstreams.UpstreamConfig Patiently(Gateway.Upstreams.UpstreamConfig config) =>
        config with { FirstByte = TimeSpan.FromHours(1), Idle = TimeSpan.FromHours(1) };

    private static string Chunk(string text) => $"{text.Length:x}\r\n{text}\r\n";

    private static async Task StandsStill(Func<int> read)
    {
        var (seen, times) = (-1, 0);
        await GatewayRun.Until(() =>
        {
            times = read() == seen ? times + 1 : 0;
            seen = read();
            return times == 50;
        });
    }

    /// <summary>Sends a request on a connection of its own, which is closed without ceremony.</summary>
    private static async Task<RawCall> Ask(FaultyRun run, string method, string path, string body, int? length = null)
    {
        var call = await RawCall.To(run.Gateway.Gate.Address);
        await call.Write(
            $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length ?? body.Length}\r\n"
            + $"Authorization: Bearer {run.Gateway.Secret}\r\n\r\n{body}");
        return call;
    }

    private static Task<RawCall> Chat(FaultyRun run, string more) => Ask(run, "POST", "/v1/chat/completions", GatewayRun.ChatOf(more));

    /// <summary>Reads until this has come.</summary>
    private static async Task Read(RawCall call, string text)
    {
        var (all, buffer) = (new StringBuilder(), new byte[4_096]);
        while (!all.ToString().Contains(text, StringComparison.Ordinal))
        {
            var read = await call.Stream.ReadAsync(buffer);
            Assert.True(read > 0, all.ToString());
            all.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
    }
}
