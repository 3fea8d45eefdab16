using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Relay;

/// <summary>Streams that are paid for in steps: cut at the last token that is paid for, and never billed beyond what was held.</summary>
public sealed class StepTests
{
    private const string InSteps = ", mode: extend, step_tokens: 10";

    [Fact]
    public async Task A_small_balance_begins_a_long_answer_that_strict_holds_would_refuse()
    {
        await using var strict = await Poor("");
        Assert.Equal(402, (int)(await strict.Chat(",\"stream\":true,\"max_tokens\":4000")).Status);
        await using var run = await Poor(InSteps);
        run.Model.Answers = http => Say(http, words: 5, ended: true);
        var answer = await run.Chat(",\"stream\":true,\"max_tokens\":4000");
        Assert.Equal(200, (int)answer.Status);
        Assert.EndsWith("data: [DONE]\n\n", answer.Text, StringComparison.Ordinal);
        Assert.Equal("coin 9 5 200 False", RelayTests.Told(Assert.Single(await run.Log())));
    }

    [Fact]
    public async Task When_no_further_step_is_to_be_had_the_stream_ends_in_order_and_is_billed_to_the_cent()
    {
        await using var run = await Poor(InSteps);
        run.Model.Answers = http => Say(http, words: 4_000, ended: false);
        var before = await run.Balance();
        var answer = await run.Chat(",\"stream\":true,\"max_tokens\":4000,\"stream_options\":{\"include_usage\":true}");
        Assert.Equal(200, (int)answer.Status);
        Assert.EndsWith("data: [DONE]\n\n", answer.Text, StringComparison.Ordinal);
        var events = answer.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line["data: ".Length..]).ToList();
        var words = events.Count(line => line.Contains("\"content\"", StringComparison.Ordinal));
        Assert.Equal("length", JsonElement.Parse(events[^3]).GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(words, JsonElement.Parse(events[^2]).GetProperty("usage").GetProperty("completion_tokens").GetInt32());

        var line = Assert.Single(await run.Log());
        Assert.Equal(words, line.GetProperty("output_tokens").GetInt32());
        var left = await run.Balance();
        Assert.Equal(before - RelayedProvider.Read(line.GetProperty("cost").GetString()!), left);
        Assert.Equal(0, await run.Held());

        // What the input was held for beyond its estimate comes back at the end, so a little more than one token's price is left at most.
        Assert.InRange(left, 0, RelayedProvider.Cost(400, 1));
    }

    [Fact]
    public async Task What_nobody_sees_of_an_answer_is_billed_at_its_end_as_far_as_there_is_money()
    {
        await using var run = await GatewayRun.Start(InSteps);
        run.Model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("w"));
            await ModelServer.Say(http, ModelServer.Piece("", "\"stop\"") + ModelServer.UsagePiece(9, 2_000) + "data: [DONE]\n\n");
        };
        Assert.Equal(200, (int)(await run.Chat(",\"stream\":true,\"max_tokens\":4000")).Status);
        var line = Assert.Single(await run.Log());
        Assert.Equal(RelayedProvider.Cost(9, 2_000), RelayedProvider.Read(line.GetProperty("cost").GetString()!));
        Assert.Equal(0, await run.Held());
    }

    [Fact]
    public async Task Twenty_streams_at_a_time_never_spend_more_than_there_is()
    {
        await using var run = await Poor(InSteps);
        run.Model.Answers = http => Say(http, words: 300, ended: true);
        var before = await run.Balance();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => run.Chat(",\"stream\":true,\"max_tokens\":400")));
        Assert.All(answers, answer => Assert.True((int)answer.Status is 200 or 402, answer.ToString()));
        var log = await run.Log(answers.Count(answer => (int)answer.Status == 200));
        var spent = log.Where(line => line.GetProperty("cost").ValueKind == JsonValueKind.String)
            .Sum(line => RelayedProvider.Read(line.GetProperty("cost").GetString()!));
        Assert.Equal(before - spent, await run.Balance());
        Assert.True(spent <= before, $"{spent} of {before}");
        Assert.Equal(0, await run.Held());
    }

    /// <summary>A gate whose wallet has two cents.</summary>
    private static async Task<GatewayRun> Poor(string wallet)
    {
        var run = await GatewayRun.Start(wallet);
        var taken = await run.Gate.Send(
            "POST", $"/api/v1/organizations/{run.Gate.OrganizationId}/wallet/entries", RunningGate.RootKey,
            """{"kind":"adjustment","amount":"-999.98","external_id":"poor"}""");
        Assert.Equal(201, (int)taken.Status);
        return run;
    }

    private static async Task Say(Microsoft.AspNetCore.Http.HttpContext http, int words, bool ended)
    {
        ModelServer.Streams(http);
        for (var i = 0; i < words; i++)
        {
            await ModelServer.Say(http, ModelServer.Word("w"));
        }

        if (ended)
        {
            await ModelServer.Say(http, ModelServer.Piece("", "\"stop\"") + ModelServer.UsagePiece(9, words) + "data: [DONE]\n\n");
        }
        else
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        }
    }
}
