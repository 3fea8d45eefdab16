using System.Globalization;
using Tollgate.Gateway.Metering;

namespace Tollgate.Server.Tests.Metering;

public sealed class JsonMeterTests
{
    private const string Answer =
        """
        {"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",
        "content":"Hello there","refusal":null,"usage":{"prompt_tokens":999}},"logprobs":null,"finish_reason":"stop"}],
        "usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}
        """;

    [Fact]
    public void The_usage_is_read_and_the_last_brace_waits()
    {
        var answer = MeteredAnswer.Of(Meter(), Answer + "\n");

        Assert.Equal((Answer[..^1], "}\n"), (answer.Passed, answer.Kept));
        Assert.True(answer is { IsComplete: true, IsCut: false });
        Assert.Equal(
            new TokenUse
            {
                InputTokens = 19, OutputTokens = 10, CachedTokens = 8, ReasoningTokens = 3, IsReported = true, IsInputReported = true,
            },
            answer.Use);
    }

    [Fact]
    public void The_other_vocabulary_is_read_too()
    {
        var answer = MeteredAnswer.Of(
            Meter(),
            """{"usage":{"input_tokens":5,"output_tokens":6,"input_tokens_details":{"cached_tokens":9},"output_tokens_details":null}}""");

        var expected = new TokenUse { InputTokens = 5, OutputTokens = 6, CachedTokens = 5, IsReported = true, IsInputReported = true };
        Assert.Equal(expected, answer.Use);
    }

    [Fact]
    public void An_embedding_has_no_output_with_usage_and_without()
    {
        var told = MeteredAnswer.Of(
            Meter(ModelCallKind.Embedding), """{"data":[{"embedding":[0.1,2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}""");
        var untold = MeteredAnswer.Of(Meter(ModelCallKind.Embedding), """{"data":[{"text":"abcdefghijkl"}]}""");

        Assert.Equal(new TokenUse { InputTokens = 8, IsReported = true, IsInputReported = true }, told.Use);
        Assert.Equal(new TokenUse { InputTokens = 10 }, untold.Use);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("\"a\"")]
    [InlineData("{}")]
    [InlineData("{\"prompt_tokens\":5}")]
    [InlineData("{\"completion_tokens\":5}")]
    [InlineData("{\"prompt_tokens\":-1,\"completion_tokens\":5}")]
    [InlineData("{\"prompt_tokens\":1.5,\"completion_tokens\":5}")]
    [InlineData("{\"prompt_tokens\":4294967296,\"completion_tokens\":5}")]
    [InlineData("{\"prompt_tokens\":\"1\",\"completion_tokens\":5}")]
    [InlineData("{\"prompt_tokens\":{},\"completion_tokens\":5}")]
    [InlineData("{\"prompt_tokens\":1,\"completion_tokens\":5 x}")]
    public void What_is_no_usage_is_as_if_none_were_told(string usage)
    {
        var answer = MeteredAnswer.Of(Meter(), $$$"""{"choices":[{"message":{"content":"12345678"}}],"usage":{{{usage}}}}""");

        Assert.Equal(new TokenUse { InputTokens = 10, OutputTokens = 2 }, answer.Use);
        Assert.True(answer.IsComplete);
    }

    [Theory]
    [InlineData("""{"choices":[{"usage":{"prompt_tokens":1,"completion_tokens":2}}]}""", null)]
    [InlineData("""{"usage":{"prompt_tokens":1,"completion_tokens":2},"a":{"usage":{"prompt_tokens":3,"completion_tokens":4}}}""", 2)]
    [InlineData("""{"usage":{"prompt_tokens":1,"completion_tokens":2},"usage":{"prompt_tokens":3,"completion_tokens":4}}""", 4)]
    [InlineData("""{"a":"usage","b":{"prompt_tokens":1,"completion_tokens":2}}""", null)]
    [InlineData("""{"usage":null,"b":{"prompt_tokens":1,"completion_tokens":2}}""", null)]
    [InlineData("""{"usage":[{"prompt_tokens":1,"completion_tokens":2}]}""", null)]
    [InlineData("""[{"usage":{"prompt_tokens":1,"completion_tokens":2}}]""", null)]
    public void Only_the_outermost_usage_counts_and_of_two_the_last(string body, int? output) =>
        Assert.Equal((uint?)output, MeteredAnswer.Of(Meter(), body).Use is { IsReported: true } use ? use.OutputTokens : null);

    [Fact]
    public void A_usage_at_the_bound_is_kept_and_one_past_it_is_not()
    {
        Assert.True(MeteredAnswer.Of(Meter(), WithUsageOf(JsonScan.UsageBytesMax)).Use.IsReported);
        Assert.False(MeteredAnswer.Of(Meter(), WithUsageOf(JsonScan.UsageBytesMax + 1)).Use.IsReported);
        var bytes = WithUsageOf(JsonScan.UsageBytesMax + 1).Chunk(1).Select(one => new string(one));
        Assert.False(MeteredAnswer.Of(Meter(), bytes).Use.IsReported);

        static string WithUsageOf(int bytes)
        {
            const string Usage = """{"prompt_tokens":1,"completion_tokens":2,"x":""}""";
            return string.Create(
                CultureInfo.InvariantCulture, $"{{\"usage\":{Usage.Insert(Usage.Length - 2, new string('x', bytes - Usage.Length))}}}");
        }
    }

    [Theory]
    [InlineData("""{"choices":[{"message":{"content":"12345678"}}]}""", 2)]
    [InlineData("""{"choices":[{"message":{"content":"1234","reasoning_content":"1234","refusal":"1"}}]}""", 3)]
    [InlineData("""{"choices":[{"text":"1234"},{"text":"5678"}]}""", 2)]
    [InlineData("""{"choices":[{"message":{"content":[{"type":"text","text":"1234"}],"role":"x"}}]}""", 1)]
    [InlineData("""{"choices":[{"message":{"tool_calls":[{"id":"no","function":{"name":"abcd","arguments":"{\"a\":1}"}}]}}]}""", 3)]
    [InlineData("""{"choices":[{"message":{"content":null,"role":"assistant"}}]}""", 0)]
    [InlineData("""{"content":"\n\"\\4","text":"\u65e5\u672c"}""", 3)]
    [InlineData("""{"content":["12345","12345"]}""", 2)]
    [InlineData("""{"content":"\u"}""", 0)]
    [InlineData("""{"content":"\u","content":"\u","content":"\u","content":"\u","text":"12345678"}""", 2)]
    public void Without_usage_the_text_counts_a_quarter_of_its_bytes(string body, int tokens) =>
        Assert.Equal(new TokenUse { InputTokens = 10, OutputTokens = (uint)tokens }, MeteredAnswer.Of(Meter(), body).Use);

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData("<html>usage</html>")]
    [InlineData("true")]
    [InlineData("\"{}\"")]
    [InlineData("}{}")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":[}")]
    [InlineData("{\"a\":\"}")]
    [InlineData("{\"a\":\"\\\"}")]
    public void What_does_not_close_is_not_complete_and_passes(string body)
    {
        var answer = MeteredAnswer.Of(Meter(), body);

        Assert.Equal((body, false), (answer.All, answer.IsComplete));
        // With its last byte the client would take it for whole.
        Assert.Equal(body.Length == 0 ? "" : body[^1..], answer.Kept);
    }

    [Fact]
    public void What_follows_the_end_waits_up_to_a_bound_and_is_cut_there()
    {
        var atBound = "{}" + new string(' ', JsonMeter.TailBytesMax - 1);

        Assert.Equal((atBound, false), Facts(MeteredAnswer.Of(Meter(), atBound)));
        Assert.Equal((atBound, true), Facts(MeteredAnswer.Of(Meter(), atBound + " ")));
        Assert.Equal((atBound, true), Facts(MeteredAnswer.Of(Meter(), atBound, " ", " ")));

        static (string, bool) Facts(MeteredAnswer answer) => (answer.All, answer.IsCut);
    }

    [Theory]
    [InlineData("application/json", typeof(JsonMeter))]
    [InlineData("Application/JSON ; charset=utf-8", typeof(JsonMeter))]
    [InlineData("application/problem+json", typeof(JsonMeter))]
    [InlineData("text/event-stream; charset=utf-8", typeof(EventMeter))]
    [InlineData("TEXT/EVENT-STREAM", typeof(EventMeter))]
    [InlineData("text/event-streams", typeof(OpaqueMeter))]
    [InlineData("audio/mpeg", typeof(OpaqueMeter))]
    [InlineData("", typeof(OpaqueMeter))]
    [InlineData(null, typeof(OpaqueMeter))]
    public void The_type_of_the_content_says_how_it_is_metered(string? contentType, Type meter) =>
        Assert.IsType(meter, ResponseMeters.For(Calls.Chat(), contentType, null));

    [Fact]
    public void An_answer_of_another_kind_passes_but_for_its_last_byte()
    {
        var answer = MeteredAnswer.Of(new OpaqueMeter(Calls.Chat()), "abc", "", "d", "efg");

        Assert.Equal(("abcdef", "g"), (answer.Passed, answer.Kept));
        Assert.Equal(new TokenUse { InputTokens = 10, OutputTokens = 2 }, answer.Use);
        Assert.Equal("", MeteredAnswer.Of(new OpaqueMeter(Calls.Chat()), "").All);
    }

    private static JsonMeter Meter(ModelCallKind kind = ModelCallKind.Chat) => new(Calls.Of(kind));
}
