namespace Tollgate.Server.Tests.Relay;

/// <summary>A gate that is told by SIGHUP to read its upstreams anew, while a stream passes.</summary>
public sealed class ReloadedGateTests
{
    [Fact]
    public async Task A_stream_goes_on_where_it_began_the_next_call_goes_by_the_new_list_and_a_broken_file_changes_nothing()
    {
        var goOn = new TaskCompletionSource();
        await using var before = await ModelServer.Start();
        await using var after = await ModelServer.Start();
        before.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await goOn.Task;
            await ModelServer.Say(http, ModelServer.Word("Two") + ModelServer.UsagePiece(9, 2) + "data: [DONE]\n\n");
        };
        await using var run = await ServedRelay.Start(Line("before", before, "the-first-key"));
        using var stream = await run.Chat(FaultyRun.Streamed);

        run.Configure(Line("after", after, "the-second-key"));
        await run.Gate.HangUp();
        await GatewayRun.Until(() => run.Gate.Said.Contains("The upstreams were read anew: 1, after", StringComparison.Ordinal));
        Assert.Equal("Bearer the-second-key", (await Asked(run, after)).Headers["Authorization"]);

        run.Configure(Line("Third", before, "a key with spaces"));
        await run.Gate.HangUp();
        await GatewayRun.Until(() => run.Gate.Said.Contains("were not read anew and stay as they were", StringComparison.Ordinal));
        Assert.Contains("tollgate.yaml:2:11: upstreams[0].name: must have", run.Gate.Said, StringComparison.Ordinal);
        Assert.Contains("upstreams[0].key: must have", run.Gate.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("a key with spaces", run.Gate.Said, StringComparison.Ordinal);
        await Asked(run, after);

        var metrics = await run.Metrics();
        Assert.Equal(
            (1, 1),
            (metrics.Value("tollgate_upstream_reloads_total", ("outcome", "taken")),
                metrics.Value("tollgate_upstream_reloads_total", ("outcome", "refused"))));
        Assert.Equal(2, metrics.Value("tollgate_upstream_requests_total", ("upstream", "after")));
        Assert.Equal(1, metrics.Value("tollgate_relay_requests_open"));
        Assert.DoesNotContain(
            metrics.Families["tollgate_upstream_requests_total"].Series, series => series.Labels["upstream"] == "before");

        goOn.SetResult();
        Assert.EndsWith(
            ModelServer.Word("Two") + "data: [DONE]\n\n", await stream.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Single(before.Requests);
        Assert.Contains("coin 9 2 200 False", (await run.Log(lines: 3)).Select(RelayTests.Told));
        Assert.Equal((5 - RelayedProvider.Cost(27, 8), 0m), await run.Wallet());
        Assert.False(run.Gate.HasExited);
    }

    private static string Line(string name, ModelServer server, string key) =>
        $"  - name: {name}\n    url: {server.Address}/v1\n    key: {key}";

    private static async Task<Arrived> Asked(ServedRelay run, ModelServer server)
    {
        using var answer = await run.Chat("");
        Assert.Equal(200, (int)answer.StatusCode);
        await answer.Content.ReadAsStringAsync();
        return server.Requests.Last();
    }
}
