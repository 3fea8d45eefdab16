using System.Buffers;
using System.Text;
using Tollgate.Gateway.Metering;

namespace Tollgate.Server.Tests.Metering;

public sealed class EventMeterTests
{
    private const string Done = "data: [DONE]\n\n";

    /// <summary>As OpenAI streams where usage is asked for: null in each chunk, then a chunk with no choice.</summary>
    private const string Usage =
        """data: {"id":"c-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}""" + "\n\n";

    private static readonly string OpenAi =
        Event("""{"role":"assistant","content":"","refusal":null}""", "null", ",\"usage\":null")
        + Event("""{"content":"Hello"}""", "null", ",\"usage\":null")
        + Event("""{"content":" you"}""", "null", ",\"usage\":null")
        + Event("{}", "\"stop\"", ",\"usage\":null")
        + Usage
        + Done;

    [Fact]
    public void Who_asked_for_usage_gets_the_stream_as_it_came()
    {
        var answer = MeteredAnswer.Of(Meter(asksUsage: true), OpenAi);

        Assert.Equal((OpenAi, Usage + Done), (answer.All, answer.Kept));
        Assert.Equal(new TokenUse { InputTokens = 9, OutputTokens = 2, IsReported = true, IsInputReported = true }, answer.Use);
        Assert.True(answer is { IsComplete: true, IsCut: false });
    }

    [Fact]
    public void Who_did_not_gets_it_as_if_it_had_not_been_asked_for()
    {
        var answer = MeteredAnswer.Of(Meter(), OpenAi);

        var plain = OpenAi.Replace(",\"usage\":null", "", StringComparison.Ordinal).Replace(Usage, "", StringComparison.Ordinal);
        Assert.Equal((plain, Done), (answer.All, answer.Kept));
        Assert.Equal(new TokenUse { InputTokens = 9, OutputTokens = 2, IsReported = true, IsInputReported = true }, answer.Use);
    }

    [Theory]
    [InlineData("""{"usage":null,"choices":[{}]}""", """{"choices":[{}]}""")]
    [InlineData("""{"choices":[{}],"usage":null}""", """{"choices":[{}]}""")]
    [InlineData("""{"a":1, "usage" : null , "choices":[{}]}""", """{"a":1,  "choices":[{}]}""")]
    [InlineData("""{"choices":[{}] , "usage": {"prompt_tokens":1,"x":[{}]} }""", """{"choices":[{}]  }""")]
    [InlineData("""{"usage":null}""", "{}")]
    [InlineData("""{"choices":[{"usage":null}]}""", """{"choices":[{"usage":null}]}""")]
    [InlineData("""{"choices":[{"delta":{"content":"\"usage\":null,"}}]}""", """{"choices":[{"delta":{"content":"\"usage\":null,"}}]}""")]
    [InlineData("""{"choices":[],"prompt_filter_results":[{}]}""", """{"choices":[],"prompt_filter_results":[{}]}""")]
    public void The_usage_is_taken_out_with_one_comma_and_nothing_else(string data, string left) =>
        Assert.Equal($"event: x\ndata: {left}\n\n", MeteredAnswer.Of(Meter(), $"event: x\nid: 1\ndata: {data}\nid: 2\n\n").Passed);

    [Fact]
    public void Continuous_usage_is_followed_and_what_comes_after_it_is_added()
    {
        var meter = Meter();
        var output = new ArrayBufferWriter<byte>();

        Take(meter, output, Event("{\"content\":\"\"}", "null", ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":0}"));
        Assert.Equal(new TokenUse { InputTokens = 7, IsReported = true, IsInputReported = true }, meter.Use);
        Take(meter, output, Event("{\"content\":\"Hello world\"}", "null", ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}"));
        Assert.Equal(new TokenUse { InputTokens = 7, OutputTokens = 2, IsReported = true, IsInputReported = true }, meter.Use);
        Take(meter, output, Event("{\"content\":\"12345\"}", "null"));
        Assert.Equal(new TokenUse { InputTokens = 7, OutputTokens = 4, IsInputReported = true }, meter.Use);
        Take(meter, output, Event("{}", "\"stop\"", ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}"));
        Assert.Equal(new TokenUse { InputTokens = 7, OutputTokens = 3, IsReported = true, IsInputReported = true }, meter.Use);

        Assert.DoesNotContain("usage", Encoding.UTF8.GetString(output.WrittenSpan), StringComparison.Ordinal);
        Assert.True(meter.IsComplete);
    }

    [Theory]
    [InlineData("""{"role":"assistant","content":""}""", 0)]
    [InlineData("""{"content":"a"}""", 1)]
    [InlineData("""{"content":"abcd"}""", 1)]
    [InlineData("""{"content":"abcde"}""", 2)]
    [InlineData("""{"content":null,"reasoning_content":"abcde"}""", 2)]
    [InlineData("""{"reasoning":"abcde"}""", 2)]
    [InlineData("""{"tool_calls":[{"index":0,"id":"call_12345","type":"function","function":{"name":"f","arguments":""}}]}""", 1)]
    [InlineData("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":12}"}}]}""", 2)]
    [InlineData("""{"content":"\u65e5\u672c"}""", 2)]
    [InlineData("""{"content":"\n\n\n\n"}""", 1)]
    [InlineData("""{"content":["12345","12345"]}""", 2)]
    [InlineData("""{"content":[{"type":"text","text":"12345"}],"role":"assistant"}""", 2)]
    public void Without_usage_each_chunk_counts_a_quarter_of_its_text(string delta, int tokens)
    {
        var answer = MeteredAnswer.Of(Meter(), Event(delta, "null"));

        Assert.Equal(new TokenUse { InputTokens = 10, OutputTokens = (uint)tokens }, answer.Use);
        Assert.Equal(Event(delta, "null"), answer.Passed);
    }

    [Fact]
    public void Completions_and_lines_that_are_no_JSON_count_too()
    {
        var meter = Meter(call: Calls.Of(ModelCallKind.Completion));
        var stream = "data: {\"choices\":[{\"index\":0,\"text\":\"abcdefgh\",\"finish_reason\":null}]}\n\ndata: {broken]\n\ndata: text\n\n";

        var answer = MeteredAnswer.Of(meter, stream);

        Assert.Equal((stream, 2u + 2 + 1, false), (answer.Passed, answer.Use.OutputTokens, answer.IsComplete));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Every_kind_of_line_is_understood_cut_anywhere(string newLine)
    {
        var stream = (": comment\n\nid: 5\n" + OpenAi + ": end\n\n").Replace("\n", newLine, StringComparison.Ordinal);
        var plain = (": comment\n\n" + OpenAi + ": end\n\n").Replace(",\"usage\":null", "", StringComparison.Ordinal)
            .Replace(Usage, "", StringComparison.Ordinal).Replace("\n", newLine, StringComparison.Ordinal);

        for (var cut = 0; cut <= stream.Length; cut++)
        {
            Assert.Equal(plain, MeteredAnswer.Of(Meter(), stream[..cut], stream[cut..]).All);
        }
    }

    [Fact]
    public void An_event_passes_in_the_read_in_which_it_ends()
    {
        var meter = Meter();
        var output = new ArrayBufferWriter<byte>();
        var (first, second) = (Event("{\"content\":\"a\"}", "null"), ": keep-alive\n\n");

        Take(meter, output, first + second[..5]);
        Assert.Equal(first, Encoding.UTF8.GetString(output.WrittenSpan));
        Take(meter, output, second[5..^1]);
        Assert.Equal(first, Encoding.UTF8.GetString(output.WrittenSpan));
        Take(meter, output, "\n");
        Assert.Equal(first + second, Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Theory]
    [InlineData("id: 1\n")]
    [InlineData("id:1\n")]
    [InlineData("id\n")]
    [InlineData("id:\n")]
    public void Lines_with_an_id_are_left_out(string line)
    {
        Assert.Equal("data: 1\nidea: 2\ni\n\n", MeteredAnswer.Of(Meter(true), line + "data: 1\nidea: 2\n" + line + "i\n\n").Passed);
    }

    [Fact]
    public void A_choice_beyond_any_call_is_not_remembered()
    {
        var answer = MeteredAnswer.Of(Meter(), Event("{}", "null", index: CallReader.FanOutMax) + Event("{}", "null", index: -1));

        Assert.False(answer.IsComplete);
        var last = Event("{}", "null", index: CallReader.FanOutMax - 1);
        Assert.True(MeteredAnswer.Of(Meter(), last + last.Replace("null}]", "\"stop\"}]", StringComparison.Ordinal)).IsComplete);
    }

    [Fact]
    public void A_chunk_in_several_lines_is_one_chunk()
    {
        const string Stream =
            "event: e\ndata: {\"choices\":[{\"delta\":\nid: 1\ndata:{\"content\":\"abcdefgh\"}}],\ndata: \"usage\":null}\n\n";
        const string Expected = "event: e\ndata: {\"choices\":[{\"delta\": {\"content\":\"abcdefgh\"}}]}\n\n";

        var answer = MeteredAnswer.Of(Meter(), Stream);

        Assert.Equal((Expected, 2u), (answer.Passed, answer.Use.OutputTokens));
    }

    [Fact]
    public void A_stream_is_whole_at_DONE_or_when_every_choice_has_finished()
    {
        var (open, other, end) = (Event("{}", "null"), Event("{}", "null", index: 1), Event("{}", "\"stop\""));

        Assert.False(MeteredAnswer.Of(Meter(), "").IsComplete);
        Assert.False(MeteredAnswer.Of(Meter(), open).IsComplete);
        Assert.False(MeteredAnswer.Of(Meter(), open + other + end).IsComplete);
        Assert.False(MeteredAnswer.Of(Meter(), open + other + end + end).IsComplete);
        Assert.False(MeteredAnswer.Of(Meter(), end + other).IsComplete);
        Assert.True(MeteredAnswer.Of(Meter(), open + other + end + Event("{}", "\"length\"", index: 1)).IsComplete);
        Assert.True(MeteredAnswer.Of(Meter(), open + Done).IsComplete);
        Assert.True(MeteredAnswer.Of(Meter(), open + "data:[DONE]\n").IsComplete);
        Assert.Equal(open + "data:[DONE]", MeteredAnswer.Of(Meter(), open + "id: 1\ndata:[DONE]").All);
        Assert.Equal(open, MeteredAnswer.Of(Meter(), open + "data: {\"choices\":[{").All);
    }

    [Fact]
    public void A_usage_that_was_not_the_last_passes_with_what_follows_it()
    {
        var answer = MeteredAnswer.Of(Meter(true), Usage + ": c\n\n" + Event("{\"content\":\"a\"}", "null"));

        Assert.Equal(Usage + ": c\n\n" + Event("{\"content\":\"a\"}", "null"), answer.Passed);
        Assert.Equal(new TokenUse { InputTokens = 9, OutputTokens = 3, IsInputReported = true }, answer.Use);
    }

    [Fact]
    public void An_upstream_that_goes_on_after_its_end_is_cut()
    {
        var tail = new string(':', EventMeter.KeptBytesMax - Done.Length - 2) + "\n\n";

        Assert.False(MeteredAnswer.Of(Meter(), Done + tail).IsCut);
        var cut = MeteredAnswer.Of(Meter(), Done + tail + "\n");
        Assert.Equal((Done + tail, true), (cut.All, cut.IsCut));
        cut = MeteredAnswer.Of(Meter(), Done, new string(':', EventMeter.EventBytesMax), ":");
        Assert.Equal((Done, true), (cut.All, cut.IsCut));
    }

    [Fact]
    public void An_event_at_the_bound_is_read_and_one_past_it_passes_as_it_comes()
    {
        var atBound = Sized(EventMeter.EventBytesMax);
        var past = Sized(EventMeter.EventBytesMax + 1);

        Assert.Equal(Sized(EventMeter.EventBytesMax, usage: ""), MeteredAnswer.Of(Meter(), atBound).Passed);
        var answer = MeteredAnswer.Of(Meter(), past + Done);
        Assert.Equal(past + Done, answer.All);
        Assert.Equal((uint)(past.Length + 3) / 4, answer.Use.OutputTokens);

        static string Sized(int bytes, string usage = ",\"usage\":null")
        {
            var frame = Event("{\"content\":\"\"}", "null", ",\"usage\":null").Length;
            return Event($"{{\"content\":\"{new string('x', bytes - frame)}\"}}", "null", usage);
        }
    }

    [Fact]
    public void A_long_event_tells_that_it_is_half_passed_and_is_closed_at_the_end()
    {
        var meter = Meter();
        var output = new ArrayBufferWriter<byte>();
        var half = "data: " + new string('x', EventMeter.EventBytesMax);

        Take(meter, output, half);
        Assert.False(meter.IsBetweenEvents);
        Take(meter, output, "x\nid: 1\ndata: y\nid");
        meter.End(output);

        Assert.True(meter.IsBetweenEvents);
        Assert.Equal(half + "x\ndata: y\nid\n\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void An_error_event_passes_as_it_is()
    {
        const string Error = "event: error\ndata: {\"error\":{\"message\":\"no\",\"code\":500}}\n\n";

        var answer = MeteredAnswer.Of(Meter(), Event("{\"content\":\"a\"}", "null") + Error);

        Assert.EndsWith(Error, answer.Passed, StringComparison.Ordinal);
        Assert.False(answer.IsComplete);
    }

    private static EventMeter Meter(bool asksUsage = false, ModelCall? call = null) => new(call ?? Calls.Chat(asksUsage), null);

    private static void Take(EventMeter meter, ArrayBufferWriter<byte> output, string bytes) =>
        Assert.True(meter.Take(Encoding.UTF8.GetBytes(bytes), output));

    private static string Event(string delta, string finish, string usage = "", int index = 0) =>
        "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"choices\":[{"
        + $"\"index\":{index},\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]{usage}}}\n\n";
}
