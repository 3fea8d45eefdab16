using Tollgate.Server.Tests.Upstreams;

namespace Tollgate.Server.Tests.Relay;

/// <summary>
/// Servers that do not answer as they should, through the whole gate: what the client is told, what is billed, and that nothing is left.
/// </summary>
public sealed class UpstreamFaultsThroughTheGateTests
{
    private const string Json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    private const string Events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    private const string Chunked = "Transfer-Encoding: chunked\r\n\r\n";
    private const string NoMore = "0\r\n\r\n";
    private const string Half = "{\"id\":\"c\",\"choices\":[{\"message\":{\"content\":\"It is ";

    /// <summary>More than goes on at a time, of an answer that is not streamed.</summary>
    private static readonly string LongHalf = Half + new string('w', 200_000);

    private static readonly string Words = ModelServer.Word("One") + ModelServer.Word("Two");

    public static TheoryData<string, string, int> BeforeTheHead => new()
    {
        { "refuses", "502 upstream_unreachable", 502 },
        { "hangs", "504 upstream_timeout", 504 },
        { "resets", "502 upstream_unreachable", 502 },
        { "closes", "502 upstream_unreachable", 502 },
        { "garbage", "502 upstream_unreachable", 502 },
        { "half a head", "502 upstream_unreachable", 502 },
        { "too long a head", "502 upstream_unreachable", 502 },
        { "401", "502 upstream_unauthorized", 502 },
        { "500", "500 its_own", 500 },
        { "503", "503 its_own", 503 },
    };

    public static TheoryData<string> Breaks => ["resets", "closes", "closes between chunks", "falls silent", "ends too early", "garbage"];

    [Theory]
    [MemberData(nameof(BeforeTheHead))]
    public async Task Before_the_head_of_an_answer_the_client_is_told_and_pays_nothing(string kind, string told, int status)
    {
        foreach (var more in new[] { "", FaultyRun.Streamed })
        {
            await using var origin = MakeHead(kind);
            await using var run = await FaultyRun.Start(origin);
            Assert.Equal(told, await run.Chat(more));
            await run.EndedForNothing(status);
            Assert.Equal(1, run.Pool.States.Single().Failures);
        }
    }

    [Theory]
    [MemberData(nameof(BeforeTheHead))]
    public async Task Before_the_head_of_an_answer_another_one_answers_and_is_billed_once(string kind, string told, int status)
    {
        await using var origin = MakeHead(kind);
        await using var run = await FaultyRun.Start(origin, isAlone: false);
        Assert.True(await run.Chat() == "200", $"{told}, {status}");
        Assert.Equal("coin 9 3 200 False", RelayTests.Told(await run.Ended()));
        Assert.Equal(1_000 - RelayedProvider.Cost(9, 3), await run.Gateway.Balance());
        Assert.Single(run.Gateway.Model.Requests);
        Assert.Equal([1, 1], run.Pool.States.Select(state => state.Requests));
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task In_the_middle_of_a_stream_the_client_is_told_and_pays_for_what_had_passed(string kind)
    {
        var seen = new TaskCompletionSource();
        await using var origin = MakeBody(kind, Events, Words, "data: {not json\n\ndata: nor this\n\n", seen.Task);
        await using var run = await FaultyRun.Start(origin, isAlone: false);
        Assert.Equal("200 upstream_broken broken", await run.Chat(FaultyRun.Streamed, seen.SetResult));
        await run.EndedEstimated(502);
        Assert.Empty(run.Gateway.Model.Requests);
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task In_the_middle_of_JSON_it_is_broken_off_and_what_had_passed_is_billed(string kind)
    {
        var seen = new TaskCompletionSource();
        await using var origin = MakeBody(kind, Json, LongHalf, new string('w', 200_000), seen.Task);
        await using var run = await FaultyRun.Start(origin, isAlone: false);
        Assert.Equal("200 broken", await run.Chat(onBytes: seen.SetResult));
        Assert.Empty(run.Gateway.Model.Requests);
        // In what is no JSON there are no tokens.
        await (kind == "garbage" ? run.EndedForNothing(502) : run.EndedEstimated(502));
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Before_any_of_an_answer_has_reached_the_client_a_break_costs_nothing(string kind)
    {
        await using (var json = MakeBody(kind, Json, Half, "no JSON", Task.CompletedTask))
        await using (var run = await FaultyRun.Start(json, isAlone: false))
        {
            Assert.Equal("broken", await run.Chat());
            await run.EndedForNothing(502);
            Assert.Empty(run.Gateway.Model.Requests);
        }

        var empty = ModelServer.Piece("\"role\":\"assistant\",\"content\":\"\"");
        await using var events = MakeBody(kind, Events, empty, "data: \n\n", Task.CompletedTask);
        await using var stream = await FaultyRun.Start(events, isAlone: false);
        Assert.Equal("200 upstream_broken broken", await stream.Chat(FaultyRun.Streamed));
        await stream.EndedForNothing(502);
        Assert.Empty(stream.Gateway.Model.Requests);
    }

    [Fact]
    public async Task Garbage_in_a_stream_that_ends_in_order_passes_and_is_counted_by_its_length()
    {
        await using var origin = RawOrigin.Says(Events + "\r\n" + "data: what is this?\n\n" + "data: [DONE]\n\n");
        await using var run = await FaultyRun.Start(origin);
        Assert.Equal("200", await run.Chat(FaultyRun.Streamed));
        await run.EndedEstimated(200);
    }

    [Fact]
    public async Task An_upload_is_sent_once_and_no_other_is_asked()
    {
        await using var origin = new RawOrigin(async connection =>
        {
            await connection.TakeRequest();
            connection.Reset();
        });
        await using var run = await FaultyRun.Start(origin, isAlone: false);
        var answer = await run.Gateway.Gate.Send("PUT", "/v1/files/a", run.Gateway.Secret, new string('x', 100_000));
        Assert.Equal((502, true), ((int)answer.Status, answer.Text.Contains("upstream_unreachable", StringComparison.Ordinal)));
        Assert.Equal([1, 0], run.Pool.States.Select(state => state.Requests));
        Assert.Equal(" 0 0 502 False", RelayTests.Told(await run.Ended()));
    }

    [Fact]
    public async Task A_server_that_fails_three_times_rests_and_the_next_request_does_not_meet_it()
    {
        await using var origin = RawOrigin.Resets();
        await using var run = await FaultyRun.Start(origin, isAlone: false);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("200", await run.Chat());
        }

        Assert.Equal("coin 9 3 200 False", RelayTests.Told(await run.Ended(others: 3)));
        Assert.Equal(3, origin.Connections);
        Assert.Equal([false, true], run.Pool.States.Select(state => state.IsHealthy));
        Assert.Equal(1_000 - (4 * RelayedProvider.Cost(9, 3)), await run.Gateway.Balance());
    }

    /// <summary>Null for a server that is not there.</summary>
    private static RawOrigin? MakeHead(string kind) => kind switch
    {
        "refuses" => null,
        "hangs" => RawOrigin.Hangs(),
        "resets" => RawOrigin.Resets(),
        "closes" => RawOrigin.Says(""),
        "garbage" => RawOrigin.Says("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        "half a head" => RawOrigin.Says("HTTP/1.1 200 OK\r\nContent-"),
        "too long a head" => RawOrigin.Says($"HTTP/1.1 200 OK\r\nX: {new string('x', 100_000)}\r\n\r\n"),
        _ => RawOrigin.Says($"HTTP/1.1 {kind} No\r\nContent-Type: application/json\r\n\r\n" + """{"error":{"code":"its_own"}}"""),
    };

    /// <param name="kind">How it breaks.</param>
    /// <param name="head">But for the length of the body.</param>
    /// <param name="text">What it says before.</param>
    /// <param name="garbage">What it says in place of that, and no more.</param>
    /// <param name="seen">Ends when the client has seen something.</param>
    private static RawOrigin MakeBody(string kind, string head, string text, string garbage, Task seen)
    {
        var begun = $"{head}Content-Length: 1000000\r\n\r\n{text}";
        return kind switch
        {
            "resets" => new RawOrigin(async connection =>
            {
                await connection.TakeRequest();
                await connection.Say(begun);
                // A reset throws away what has not been sent.
                await seen;
                connection.Reset();
            }),
            "closes" => RawOrigin.Says(begun),
            "closes between chunks" => RawOrigin.Says($"{head}{Chunked}{text.Length:x}\r\n{text}\r\n"),
            "falls silent" => RawOrigin.SaysAndHangs(begun),
            "ends too early" => RawOrigin.Says($"{head}{Chunked}{text.Length:x}\r\n{text}\r\n{NoMore}"),
            _ => RawOrigin.Says($"{head}Content-Length: {garbage.Length}\r\n\r\n{garbage}"),
        };
    }
}
