using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Upstreams;

/// <summary>Servers that do not answer as they should, alone and with another one beside them.</summary>
public sealed class UpstreamFaultTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(150);

    public static TheoryData<string, string> Broken => new()
    {
        { "refuses", nameof(UpstreamFault.Unreachable) },
        { "hangs", nameof(UpstreamFault.TimedOut) },
        { "resets", nameof(UpstreamFault.Unreachable) },
        { "closes", nameof(UpstreamFault.Unreachable) },
        { "garbage", nameof(UpstreamFault.Garbled) },
        { "half a head", nameof(UpstreamFault.Unreachable) },
        { "too long a head", nameof(UpstreamFault.Garbled) },
        { "no TLS", nameof(UpstreamFault.Unreachable) },
        { "a change of protocol", nameof(UpstreamFault.Garbled) },
        { "401", nameof(UpstreamFault.Unauthorized) },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Alone_it_is_said_what_it_did_and_with_another_that_one_answers(string kind, string fault)
    {
        await using var broken = Make(kind);
        await using var good = await Origin.Start();
        var config = (broken?.Config("broken") ?? Asking.Nobody("broken")) with { FirstByte = Soon };
        config = kind == "no TLS" ? InTls(config) : config;
        var request = Asking.Post("/v1/chat/completions", "{}");

        Assert.Equal(Enum.Parse<UpstreamFault>(fault), await Asking.Pool(config).FaultOf(request));

        var pool = Asking.Pool(config, good.Config("good"));
        using var answer = await pool.Send(request, CancellationToken.None);
        Assert.Equal(("good", 2), (answer.Upstream, answer.Attempts));
        Assert.Equal("answered"u8.ToArray(), await answer.ReadAll());
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_server_that_fails_passes_on_alone_and_is_passed_by_with_another(int status)
    {
        await using var bad = await Origin.Saying(status, "sorry");
        await using var good = await Origin.Saying(200, "fine");
        var request = Asking.Get("/x");

        Assert.Equal((status, "sorry", "bad"), await Asking.Pool(bad.Config("bad")).Ask(request));
        Assert.Equal((200, "fine", "good"), await Asking.Pool(bad.Config("bad"), good.Config("good")).Ask(request));
        Assert.Equal(
            (status, "sorry", "bad"), await Asking.Pool(bad.Config("bad"), Asking.Nobody()).Ask(request));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(501)]
    public async Task Other_answers_are_the_client_s(int status)
    {
        await using var first = await Origin.Saying(status, "so it is");
        await using var second = await Origin.Start();
        var pool = Asking.Pool(first.Config("first"), second.Config("second"));

        Assert.Equal((status, "so it is", "first"), await pool.Ask(Asking.Get("/x")));
        Assert.Empty(second.Heads);
    }

    [Fact]
    public async Task At_most_three_are_asked()
    {
        await using var good = await Origin.Start();
        var pool = Asking.Pool(Asking.Nobody("a"), Asking.Nobody("b"), Asking.Nobody("c"), good.Config("d"));

        Assert.Equal(UpstreamFault.Unreachable, await pool.FaultOf(Asking.Get("/x")));
        Assert.Empty(good.Heads);
        Assert.Equal([1, 1, 1, 0], pool.States.Select(state => state.Requests));
        Assert.Equal([0, 0, 0, 0], pool.States.Select(state => state.InFlight));
    }

    [Fact]
    public async Task After_three_failures_it_rests_and_one_request_tries_it_later()
    {
        var clock = new ManualClock();
        var status = 503;
        await using var first = await Origin.Start(http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await using var second = await Origin.Start();
        var pool = Asking.Pool(clock, first.Config("first"), second.Config("second"));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("second", (await pool.Ask(Asking.Get("/x"))).From);
        }

        Assert.Equal(3, first.Heads.Count);
        Assert.Equal([false, true], pool.States.Select(state => state.IsHealthy));
        status = 200;
        clock.Advance(UpstreamStanding.RestMin);
        Assert.Equal("first", (await pool.Ask(Asking.Get("/x"))).From);
        Assert.Equal([true, true], pool.States.Select(state => state.IsHealthy));
    }

    [Fact]
    public async Task Where_all_rest_the_one_is_asked_whose_rest_ends_first()
    {
        var clock = new ManualClock();
        await using var first = await Origin.Saying(503, "");
        await using var second = await Origin.Saying(503, "");
        var pool = Asking.Pool(clock, first.Config("first") with { Models = ["a"] }, second.Config("second"));
        foreach (var model in (string[])["b", "b", "b", "a", "a", "a"])
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await pool.Ask(Asking.Get("/x", model));
        }

        Assert.Equal([false, false], pool.States.Select(state => state.IsHealthy));
        first.Heads.Clear();
        second.Heads.Clear();
        Assert.Equal("first", (await pool.Ask(Asking.Get("/x", "a"))).From);
        Assert.Equal((1, 1), (second.Heads.Count, first.Heads.Count));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_an_IOException_and_a_failure()
    {
        await using var raw = RawOrigin.Says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        var pool = Asking.Pool(raw.Config("raw"));
        using var answer = await pool.Send(Asking.Get("/x"), CancellationToken.None);
        var error = await Assert.ThrowsAsync<IOException>(answer.ReadAll);

        Assert.StartsWith("raw: its answer broke off", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, pool.States.Single().Failures);
    }

    [Fact]
    public async Task An_answer_of_which_nothing_more_comes_is_an_IOException_and_a_failure()
    {
        await using var raw = new RawOrigin(async connection =>
        {
            await connection.TakeHead();
            await connection.Say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            await connection.Closed();
        });
        var pool = Asking.Pool(raw.Config("raw") with { Idle = Soon });
        using var answer = await pool.Send(Asking.Get("/x"), CancellationToken.None);
        var error = await Assert.ThrowsAsync<IOException>(answer.ReadAll);

        Assert.Equal("raw: nothing more of its answer came for 0.15 s.", error.Message);
        Assert.Equal(1, pool.States.Single().Failures);
    }

    [Fact]
    public async Task Streams_that_break_each_time_send_it_to_rest()
    {
        await using var raw = RawOrigin.Says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        var pool = Asking.Pool(raw.Config("raw"));
        for (var i = 0; i < UpstreamStanding.FailuresMax; i++)
        {
            Assert.True(pool.States.Single().IsHealthy);
            using var answer = await pool.Send(Asking.Get("/x"), CancellationToken.None);
            await Assert.ThrowsAsync<IOException>(answer.ReadAll);
        }

        Assert.False(pool.States.Single().IsHealthy);
    }

    /// <summary>The bound of a connection is that of its TLS too, and long before the one of an answer.</summary>
    private static UpstreamConfig InTls(UpstreamConfig config) => config with
    {
        Url = new Uri($"https://{config.Url.Authority}"), Connect = Soon, FirstByte = TimeSpan.FromHours(1),
    };

    private static RawOrigin? Make(string kind) => kind switch
    {
        "refuses" => null,
        "hangs" or "no TLS" => RawOrigin.Hangs(),
        "a change of protocol" => RawOrigin.SaysAndHangs("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        "resets" => RawOrigin.Resets(),
        "closes" => RawOrigin.Says(""),
        "garbage" => RawOrigin.Says("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        "half a head" => RawOrigin.Says("HTTP/1.1 200 OK\r\nContent-"),
        "too long a head" => RawOrigin.Says($"HTTP/1.1 200 OK\r\nX: {new string('x', 100_000)}\r\n\r\n"),
        _ => RawOrigin.Says($"HTTP/1.1 {kind} No\r\nContent-Length: 0\r\n\r\n"),
    };
}
