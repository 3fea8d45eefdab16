using System.Net;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Telemetry;
using Tollgate.Server.Tests.Upstreams;

namespace Tollgate.Server.Tests.Relay;

/// <summary>What <c>/metrics</c> tells of upstreams and of what passes.</summary>
public sealed class RelayMetricsTests
{
    private const string Failures = "tollgate_upstream_failures_total";

    public static TheoryData<string, string> Causes => new()
    {
        { "refuses", "unreachable" },
        { "hangs", "timed_out" },
        { "SSH-2.0-OpenSSH_9.2\r\n\r\n", "garbled" },
        { "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "unauthorized" },
        { "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "status" },
        { "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "status" },
        { "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{", "broken" },
        { "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n", "broken" },
    };

    [Theory]
    [MemberData(nameof(Causes))]
    public async Task A_failure_is_counted_once_by_its_cause(string does, string cause)
    {
        await using var origin = does switch
        {
            "refuses" => null,
            "hangs" => RawOrigin.Hangs(),
            _ => RawOrigin.Says(does),
        };
        await using var run = await FaultyRun.Start(origin);
        await run.Chat();
        await run.Ended();
        var told = await Read(run.Gateway);
        Assert.Equal(
            [("faulty", cause, 1)],
            told.Families[Failures].Series.Where(series => series.Value > 0)
                .Select(series => (series.Labels["upstream"], series.Labels["cause"], (int)series.Value)));
        Assert.Equal(6, told.Families[Failures].Series.Count);
        Assert.Equal(1, told.Value("tollgate_upstream_requests_total", ("upstream", "faulty")));
        Assert.Equal(1, told.Value("tollgate_relay_bills_total", ("tokens", "none")));
        Assert.Equal(0, told.Value("tollgate_upstream_retries_total"));
    }

    [Fact]
    public async Task A_retry_is_counted_and_an_upstream_that_rests_is_told()
    {
        await using var origin = RawOrigin.Resets();
        await using var run = await FaultyRun.Start(origin, isAlone: false);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("200", await run.Chat());
        }

        var told = await Read(run.Gateway);
        Assert.Equal(3, told.Value("tollgate_upstream_retries_total"));
        Assert.Equal((3, 4), (
            told.Value("tollgate_upstream_requests_total", ("upstream", "faulty")),
            told.Value("tollgate_upstream_requests_total", ("upstream", "model"))));
        Assert.Equal((0, 1), (
            told.Value("tollgate_upstream_healthy", ("upstream", "faulty")),
            told.Value("tollgate_upstream_healthy", ("upstream", "model"))));
        Assert.Equal(4, told.Value("tollgate_relay_bills_total", ("tokens", "told")));
    }

    [Fact]
    public async Task What_is_under_way_is_told_while_it_is_and_its_bill_by_where_its_tokens_came_from()
    {
        await using var run = await GatewayRun.Start(with: options => options with
        {
            Upstreams = [options.Upstreams[0] with { ConcurrencyMax = 7 }],
        });
        var goOn = new TaskCompletionSource();
        run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await goOn.Task;
            await ModelServer.Say(http, "data: [DONE]\n\n");
        };
        using (var answer = await run.Begin())
        {
            var during = await Read(run);
            Assert.Equal((1, 1, 7), (
                during.Value("tollgate_relay_requests_open"),
                during.Value("tollgate_upstream_requests_open", ("upstream", "model")),
                during.Value("tollgate_upstream_requests_open_max", ("upstream", "model"))));
            goOn.SetResult();
            await answer.Content.ReadAsStringAsync();
        }

        await GatewayRun.Until(() => run.OpenRequests == 0);
        var after = await Read(run);
        Assert.Equal((0, 0), (
            after.Value("tollgate_relay_requests_open"), after.Value("tollgate_upstream_requests_open", ("upstream", "model"))));
        Assert.Equal((1, 0, 0), (Bills("estimated"), Bills("told"), Bills("none")));

        double Bills(string tokens) => after.Value("tollgate_relay_bills_total", ("tokens", tokens));
    }

    [Fact]
    public async Task Without_upstreams_the_built_in_model_is_told_and_is_always_healthy()
    {
        await using var run = await GatewayRun.Start(with: options => options with { Upstreams = [] });
        Assert.Equal(HttpStatusCode.OK, (await run.Chat()).Status);
        var told = await Read(run);
        Assert.Equal("echo", Assert.Single(told.Families["tollgate_upstream_healthy"].Series).Labels["upstream"]);
        Assert.Equal((1, 1), (
            told.Value("tollgate_upstream_requests_total", ("upstream", "echo")), told.Value("tollgate_upstream_healthy")));
    }

    private static async Task<Exposition> Read(GatewayRun run) =>
        Exposition.Parse((await run.Gate.Send("GET", "/metrics", RunningGate.RootKey)).Has(HttpStatusCode.OK).Text);
}
