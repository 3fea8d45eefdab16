using Tollgate.Gateway.Metering;

namespace Tollgate.Server.Tests.Metering;

public sealed class StreamCutTests
{
    private const string Head =
        "\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"system_fingerprint\":null";
    private const string Done = "data: [DONE]\n\n";

    [Fact]
    public void Each_chunk_with_text_is_asked_for_with_all_tokens_up_to_it()
    {
        var asked = new List<uint>();
        var meter = new EventMeter(Calls.Chat(), total => { asked.Add(total); return true; });

        MeteredAnswer.Of(
            meter,
            Chunk(0, "") + Chunk(0, "a") + Chunk(1, "abcdefgh") + ": ping\n\n" + Chunk(0, "a", ",\"usage\":" + Usage(20)) + Chunk(0, "b")
            + Done);

        Assert.Equal([1u, 3u, 20u, 21u], asked);
    }

    [Fact]
    public void A_stream_that_may_not_go_on_is_closed_as_at_its_bound()
    {
        var start = Chunk(0, "one ") + Chunk(1, "two ") + Chunk(2, "three") + Finish(2);

        var answer = MeteredAnswer.Of(Cutting(4, asksUsage: true), start + Chunk(0, "no") + Chunk(1, "no") + Done);

        Assert.Equal(start, answer.Passed);
        Assert.Equal(
            $"data: {{{Head},\"choices\":[{{\"index\":0,\"delta\":{{}},\"logprobs\":null,\"finish_reason\":\"length\"}}]}}\n\n"
            + $"data: {{{Head},\"choices\":[{{\"index\":1,\"delta\":{{}},\"logprobs\":null,\"finish_reason\":\"length\"}}]}}\n\n"
            + $"data: {{{Head},\"choices\":[],\"usage\":{{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14}}}}\n\n"
            + Done,
            answer.Kept);
        Assert.Equal(new TokenUse { InputTokens = 10, OutputTokens = 4 }, answer.Use);
        Assert.True(answer is { IsCut: true, IsComplete: true });
    }

    [Fact]
    public void Who_did_not_ask_for_usage_gets_none_at_the_cut_either()
    {
        var answer = MeteredAnswer.Of(Cutting(1), Chunk(0, "a") + Chunk(0, "b"));

        Assert.DoesNotContain("usage", answer.All, StringComparison.Ordinal);
        Assert.EndsWith("\"finish_reason\":\"length\"}]}\n\n" + Done, answer.Kept, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_of_the_upstream_count_in_place_of_the_estimate()
    {
        var told = Chunk(0, "a", ",\"usage\":" + Usage(50));

        Assert.Equal(50u, MeteredAnswer.Of(Cutting(50), told).Use.OutputTokens);
        var answer = MeteredAnswer.Of(Cutting(49), told);
        Assert.Equal(("", 0u, true), (answer.Passed, answer.Use.OutputTokens, answer.IsCut));
    }

    [Fact]
    public void A_stream_cut_before_its_first_chunk_has_one_choice()
    {
        var answer = MeteredAnswer.Of(Cutting(0), Chunk(0, "a"));

        Assert.Equal(
            $"data: {{{Head},\"choices\":[{{\"index\":0,\"delta\":{{}},\"logprobs\":null,\"finish_reason\":\"length\"}}]}}\n\n{Done}",
            answer.All);
    }

    [Theory]
    [InlineData("{\"id\":\"\\ud800\",\"choices\":[{\"text\":\"a\"}]}")]
    [InlineData("{\"\\ud800\":1,\"choices\":[{\"text\":\"a\"}]}")]
    [InlineData("{broken")]
    public void A_cut_in_garbage_is_well_formed(string data)
    {
        var call = Calls.Of(ModelCallKind.Completion);

        var answer = MeteredAnswer.Of(new EventMeter(call, _ => false), $"data: {data}\n\n");

        Assert.Equal(
            "data: {\"id\":\"\",\"object\":\"text_completion\",\"created\":0,\"model\":\"m\","
            + "\"choices\":[{\"index\":0,\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"length\"}]}\n\n" + Done,
            answer.All);
    }

    [Fact]
    public void Nothing_passes_after_the_cut()
    {
        var meter = Cutting(0);
        var output = new System.Buffers.ArrayBufferWriter<byte>();

        Assert.False(meter.Take(System.Text.Encoding.UTF8.GetBytes(Chunk(0, "a") + ": c\n\n"), output));
        Assert.False(meter.Take(": c\n\n"u8, output));

        Assert.Equal(0, output.WrittenCount);
    }

    [Fact]
    public void A_usage_that_waited_does_not_stand_before_the_finish()
    {
        var answer = MeteredAnswer.Of(Cutting(5, asksUsage: true), $"data: {{\"choices\":[],\"usage\":{Usage(5)}}}\n\n{Chunk(0, "a")}");

        Assert.StartsWith($"data: {{{Head},\"choices\":[{{\"index\":0", answer.All, StringComparison.Ordinal);
        Assert.Equal(5u, answer.Use.OutputTokens);
    }

    [Fact]
    public void A_long_event_is_asked_for_before_any_of_it_passes()
    {
        var answer = MeteredAnswer.Of(Cutting(1_000), Chunk(0, "a"), "data: " + new string('x', EventMeter.EventBytesMax));

        Assert.Equal((Chunk(0, "a"), true), (answer.Passed, answer.IsCut));
    }

    private static EventMeter Cutting(uint most, bool asksUsage = false) => new(Calls.Chat(asksUsage), total => total <= most);

    private static string Usage(int output) => $"{{\"prompt_tokens\":10,\"completion_tokens\":{output}}}";

    private static string Chunk(int index, string content, string usage = "") =>
        $"data: {{{Head},\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":null}}]{usage}}}\n\n";

    private static string Finish(int index) =>
        $"data: {{{Head},\"choices\":[{{\"index\":{index},\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n";
}
