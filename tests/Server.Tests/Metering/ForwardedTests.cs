using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Gateway.Metering;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Metering;

public sealed class ForwardedTests
{
    [Theory]
    [InlineData("""{"model":"m","messages":[]}""", 5, """{"max_tokens":5,"model":"m","messages":[]}""")]
    [InlineData(""" { "model":"m","messages":[]}""", 5, """ {"max_tokens":5, "model":"m","messages":[]}""")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":9}""", 5, """{"model":"m","messages":[],"max_tokens":5}""")]
    [InlineData("""{"model":"m","messages":[],"max_completion_tokens": 9 }""", 15, null)]
    [InlineData("""{"model":"m","messages":[],"max_completion_tokens": 900 }""", 15,
        """{"model":"m","messages":[],"max_completion_tokens": 15 }""")]
    [InlineData("""{"max_completion_tokens":9,"model":"m","max_tokens":9,"messages":[]}""", 8,
        """{"max_completion_tokens":8,"model":"m","max_tokens":8,"messages":[]}""")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":null}""", 5, """{"model":"m","messages":[],"max_tokens":5}""")]
    [InlineData("""{"model":"m","messages":[],"max_completion_tokens":null}""", 5,
        """{"max_tokens":5,"model":"m","messages":[],"max_completion_tokens":null}""")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":null,"max_completion_tokens":9}""", 10, null)]
    [InlineData("""{"model":"m","messages":[],"stream":true}""", null,
        """{"stream_options":{"include_usage":true},"model":"m","messages":[],"stream":true}""")]
    [InlineData("""{"model":"m","messages":[],"stream":true,"stream_options":null}""", null,
        """{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}""")]
    [InlineData("""{"model":"m","messages":[],"stream":true,"stream_options":{}}""", null,
        """{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}""")]
    [InlineData("""{"model":"m","messages":[],"stream":true,"stream_options":{ "a":[1]}}""", null,
        """{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true, "a":[1]}}""")]
    [InlineData("""{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage": false,"a":1}}""", null,
        """{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage": true,"a":1}}""")]
    [InlineData("""{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":null}}""", 7,
        """{"max_tokens":7,"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}""")]
    [InlineData("""{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}""", null, null)]
    [InlineData("""{"model":"m","messages":[],"stream_options":{"include_usage":false}}""", null, null)]
    [InlineData("""{"model":"m","messages":[]}""", null, null)]
    public void Only_the_bound_and_the_wish_for_usage_change(string body, int? outputMax, string? forwarded)
    {
        var call = Calls.Read(body);

        var result = call.Forwarded(outputMax);

        Assert.Equal(forwarded ?? body, Encoding.UTF8.GetString(result.Span));
        Assert.Equal(forwarded is null, result.Equals(call.Body));
    }

    [Fact]
    public void An_embedding_has_no_output_to_bound()
    {
        var call = Calls.Read("""{"model":"m","input":"a","stream":true}""", ModelCallKind.Embedding);

        Assert.Equal(call.Body, call.Forwarded(5));
    }

    [Fact]
    public void Whatever_the_body_is_it_goes_on_as_the_same_JSON_but_for_the_edits()
    {
        var seed = FuzzSeed.Take(5_000);
        var random = new Random(seed);
        for (var i = 0; i < 5_000; i++)
        {
            var body = CallTexts.Chat(random);
            var call = Calls.Read(body);
            int? outputMax = random.Next(3) == 0 ? null : random.Next(1, 2_000);
            var expected = JsonNode.Parse(body)!.AsObject();
            Edit(expected, call, outputMax);

            var forwarded = JsonNode.Parse(call.Forwarded(outputMax).Span)!;

            Assert.True(JsonNode.DeepEquals(expected, forwarded), $"FUZZ_SEED={seed}: {body} became {forwarded.ToJsonString()}");
            var again = Calls.Read(forwarded.ToJsonString());
            Assert.True(again.AsksUsage || !again.Streams);
            Assert.True(outputMax is null || again.OutputMax <= outputMax);
        }
    }

    /// <summary>The same edits, made on a tree.</summary>
    private static void Edit(JsonObject body, ModelCall call, int? outputMax)
    {
        if (outputMax is { } most && call.OutputMax is null)
        {
            body["max_tokens"] = most;
        }

        foreach (var member in new[] { "max_tokens", "max_completion_tokens" })
        {
            if (body[member] is { } told && told.GetValue<int>() > outputMax)
            {
                body[member] = outputMax.Value;
            }
        }

        if (call.Streams)
        {
            var options = body["stream_options"]?.AsObject() ?? [];
            options["include_usage"] = true;
            body["stream_options"] = options;
        }
    }
}
