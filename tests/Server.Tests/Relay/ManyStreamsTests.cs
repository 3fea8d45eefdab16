using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Relay;

/// <summary>What becomes of streams when their key, or the gate itself, ends under them.</summary>
public sealed class ManyStreamsTests
{
    private const int Streams = 500;

    [Fact]
    public async Task Five_hundred_streams_of_a_leaked_key_are_all_cut_and_each_is_billed_once()
    {
        await using var run = await GatewayRun.Start();
        var gone = 0;
        run.Model.Answers = async http =>
        {
            http.RequestAborted.Register(() => Interlocked.Increment(ref gone));
            await OneWord(http);
        };
        var answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(_ => run.Begin()));
        await GatewayRun.Until(() => run.OpenRequests == Streams);
        await run.Gate.Send("POST", $"/api/v1/keys/{run.KeyId}/revoke", RunningGate.RootKey, "{\"reason\":\"compromised\"}");
        var ends = await Task.WhenAll(answers.Select(answer => End(answer)));
        Assert.All(ends, end => Assert.Contains("invalid_key", end, StringComparison.Ordinal));
        await GatewayRun.Until(() => run.OpenRequests == 0 && Volatile.Read(ref gone) == Streams);
        Assert.Equal((0, 0m), (run.OpenReservations, await run.Held()));
        var usage = await run.Gate.Send("GET", $"/api/v1/keys/{run.KeyId}/usage", RunningGate.RootKey);
        Assert.Equal(Streams, usage.Json.GetProperty("requests").GetInt32());
        Assert.Equal(1_000 - RelayedProvider.Read(usage.String("cost")), await run.Balance());
    }

    [Fact]
    public async Task Five_hundred_streams_of_a_key_that_is_only_revoked_come_to_their_end()
    {
        await using var run = await GatewayRun.Start();
        var goOn = new TaskCompletionSource();
        run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await goOn.Task;
            await ModelServer.Say(http, ModelServer.UsagePiece(9, 1) + "data: [DONE]\n\n");
        };
        var answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(_ => run.Begin()));
        await run.Gate.Send("POST", $"/api/v1/keys/{run.KeyId}/revoke", RunningGate.RootKey);
        Assert.Equal(401, (int)(await run.Chat()).Status);
        goOn.SetResult();
        var texts = await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        Assert.All(texts, text => Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal));
        Assert.Equal(1_000 - (Streams * RelayedProvider.Cost(9, 1)), await run.Balance());
        Assert.Equal((0, 0m), (run.OpenReservations, await run.Held()));
    }

    [Fact]
    public async Task A_gate_that_stops_lets_streams_end_and_keeps_their_usage()
    {
        await using var run = await GatewayRun.Start();
        var goOn = new TaskCompletionSource();
        run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One"));
            await goOn.Task;
            await ModelServer.Say(http, ModelServer.UsagePiece(9, 1) + "data: [DONE]\n\n");
        };
        using var answer = await run.Begin();
        var stopped = run.Gate.Stop();
        goOn.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await stopped;
        await Again(run);
        Assert.Equal("coin 9 1 200 False", RelayTests.Told(Assert.Single(await run.Log())));
    }

    [Fact]
    public async Task A_gate_that_stops_cuts_what_does_not_end_and_keeps_its_usage()
    {
        await using var run = await GatewayRun.Start(with: options => options with { DrainSeconds = 0 });
        run.Model.Answers = OneWord;
        var answer = await run.Begin();
        var stopped = run.Gate.Stop();
        Assert.Contains("unavailable", await End(answer), StringComparison.Ordinal);
        await stopped;
        await Again(run);
        var line = Assert.Single(await run.Log());
        Assert.True(line.GetProperty("estimated").GetBoolean());
        Assert.True(line.GetProperty("output_tokens").GetInt32() > 0);
        Assert.Equal(0, await run.Held());
    }

    private static async Task Again(GatewayRun run)
    {
        await run.Gate.DisposeAsync();
        await run.Serve();
    }

    private static async Task OneWord(HttpContext http)
    {
        ModelServer.Streams(http);
        await ModelServer.Say(http, ModelServer.Word("One"));
        await Task.Delay(Timeout.Infinite, http.RequestAborted);
    }

    /// <summary>All that came of a stream that ends in no order.</summary>
    /// <param name="answer">Of which the head has come.</param>
    /// <param name="heard">Told what has come so far.</param>
    internal static async Task<string> End(HttpResponseMessage answer, Action<string>? heard = null)
    {
        using (answer)
        {
            await using var body = await answer.Content.ReadAsStreamAsync();
            var (text, buffer) = (new StringBuilder(), new byte[4_096]);
            try
            {
                while (await body.ReadAsync(buffer) is var count and > 0)
                {
                    text.Append(Encoding.UTF8.GetString(buffer, 0, count));
                    heard?.Invoke(text.ToString());
                }
            }
            catch (IOException)
            {
                return text.ToString();
            }

            Assert.Fail($"It ended in order: {answer.StatusCode} {text}");
            return text.ToString();
        }
    }
}
