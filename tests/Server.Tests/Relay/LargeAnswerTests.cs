using System.Net;
using System.Text;
using Tollgate.Server.Tests.Upstreams;

namespace Tollgate.Server.Tests.Relay;

/// <summary>A gigabyte each way, through a gate in a process of its own, whose memory does not grow by it.</summary>
public sealed class LargeAnswerTests
{
    private const long Gigabyte = 1L << 30;
    private const long MemoryMost = 64 << 20;

    private static readonly byte[] Piece = Encoding.ASCII.GetBytes(new string('w', 1 << 20));

    private const string Usage = ",\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}";

    public static TheoryData<string, string, string, string, bool> Answers => new()
    {
        { "json", "application/json", "{\"choices\":[{\"message\":{\"content\":\"", "\"}}]" + Usage, false },
        { "an event", "text/event-stream", "data: {\"choices\":[{\"delta\":{\"content\":\"", "\"}}]}\n\ndata: [DONE]\n\n", true },
        { "text", "text/plain", "", "", true },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_gigabyte_of_an_answer_passes_in_bounded_memory_and_is_billed_once(
        string kind, string type, string begin, string end, bool isEstimated)
    {
        await using var origin = new RawOrigin(async connection =>
        {
            await connection.TakeRequest();
            await Say(connection, type, begin, end);
            await connection.Closed();
        });
        await using var run = await Start(origin);
        var before = run.Gate.Memory().Bytes;
        using var answer = await run.Chat(isEstimated ? FaultyRun.Streamed : "");
        Assert.Equal((HttpStatusCode.OK, Gigabyte + begin.Length + end.Length), (answer.StatusCode, await Drain(answer)));
        Assert.InRange(run.Gate.Memory().BytesMost - before, long.MinValue, MemoryMost);

        var line = Assert.Single(await run.Log(lines: 1));
        Assert.Equal((200, isEstimated), (line.GetProperty("status").GetInt32(), line.GetProperty("estimated").GetBoolean()));
        var cost = RelayedProvider.Read(line.GetProperty("cost").GetString()!);
        var least = isEstimated ? RelayedProvider.Cost(0, RelayedProvider.OutputDefault) : RelayedProvider.Cost(9, 3);
        Assert.True(isEstimated ? cost >= least : cost == least, $"{kind}: {cost}");
        Assert.Equal((5 - cost, 0m), await run.Wallet());
    }

    [Fact]
    public async Task A_gigabyte_of_a_file_passes_both_ways_in_bounded_memory()
    {
        await using var origin = new RawOrigin(async connection =>
        {
            var taken = await connection.TakeRequest();
            await Say(connection, "application/octet-stream", $"{taken:D20}", "");
            await connection.Closed();
        });
        await using var run = await Start(origin);
        var before = run.Gate.Memory().Bytes;
        using var request = new HttpRequestMessage(HttpMethod.Put, "/v1/files/large") { Content = new LargeContent() };
        using var answer = await run.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        var told = new byte[20];
        await body.ReadExactlyAsync(told);
        Assert.Equal($"{Gigabyte:D20}", Encoding.ASCII.GetString(told));
        Assert.Equal(Gigabyte, await Drain(body));
        Assert.InRange(run.Gate.Memory().BytesMost - before, long.MinValue, MemoryMost);
        Assert.Equal(" 0 0 200 False", RelayTests.Told(Assert.Single(await run.Log(lines: 1))));
    }

    [Fact]
    public async Task What_a_server_says_without_end_behind_its_JSON_is_cut()
    {
        await using var origin = new RawOrigin(async connection =>
        {
            await connection.TakeRequest();
            await connection.Say($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{ModelServer.Chat()}");
            var space = Encoding.ASCII.GetBytes(new string(' ', 1 << 20));
            while (true)
            {
                await connection.Say(space);
            }
        });
        await using var run = await Start(origin);
        using var answer = await run.Chat("");
        Assert.InRange(await Drain(answer), ModelServer.Chat().Length, ModelServer.Chat().Length + 65_536);
        Assert.Equal("coin 9 3 200 False", RelayTests.Told(Assert.Single(await run.Log(lines: 1))));
        await GatewayRun.Until(() => origin.Open == 0);
    }

    private static Task<ServedRelay> Start(RawOrigin origin) => ServedRelay.Start($"  - {{ name: large, url: \"{origin.Config().Url}\" }}");

    private static async Task Say(RawConnection connection, string type, string begin, string end)
    {
        var length = Gigabyte + begin.Length + end.Length;
        await connection.Say($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n\r\n{begin}");
        for (var said = 0L; said < Gigabyte; said += Piece.Length)
        {
            await connection.Say(Piece);
        }

        await connection.Say(end);
    }

    private static async Task<long> Drain(HttpResponseMessage answer)
    {
        await using var body = await answer.Content.ReadAsStreamAsync();
        return await Drain(body);
    }

    private static async Task<long> Drain(Stream body)
    {
        var (all, buffer) = (0L, new byte[1 << 20]);
        while (await body.ReadAsync(buffer) is var read and > 0)
        {
            all += read;
        }

        return all;
    }

    private sealed class LargeContent : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var said = 0L; said < Gigabyte; said += Piece.Length)
            {
                await stream.WriteAsync(Piece);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = Gigabyte;
            return true;
        }
    }
}
