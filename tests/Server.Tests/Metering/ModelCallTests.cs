using Tollgate.Gateway.Metering;

namespace Tollgate.Server.Tests.Metering;

public sealed class ModelCallTests
{
    [Fact]
    public void A_chat_is_read()
    {
        var call = Calls.Read(
            """
            {"model":"org/m:1","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true},
             "max_completion_tokens":12,"n":3,"temperature":0.5,"metadata":{"n":99,"model":"x"}}
            """);

        Assert.Equal(("org/m:1", true, true, 12, 3), (call.Model, call.Streams, call.AsksUsage, call.OutputMax, call.FanOut));
    }

    [Fact]
    public void What_is_null_is_not_given()
    {
        var call = Calls.Read(
            """{"model":"m","messages":[],"stream":null,"stream_options":null,"max_tokens":null,"max_completion_tokens":5,"n":null}""");

        Assert.Equal((false, false, 5, 1), (call.Streams, call.AsksUsage, call.OutputMax, call.FanOut));
        Assert.Equal(new CallFault(CallFaultKind.Invalid, "/model", "is needed."), Calls.Fault("""{"model":null,"messages":[]}"""));
        Assert.Equal(new CallFault(CallFaultKind.Invalid, "/messages", "is needed."), Calls.Fault("""{"model":"m","messages":null}"""));
    }

    [Theory]
    [InlineData("\"a\"", 1)]
    [InlineData("[\"a\",\"b\",\"c\"]", 3)]
    [InlineData("[1,2,3]", 1)]
    [InlineData("[[1,2],[3]]", 2)]
    [InlineData("null", 1)]
    public void Every_prompt_of_a_completion_is_counted(string prompt, int prompts)
    {
        Assert.Equal(prompts, Calls.Read($$"""{"model":"m","prompt":{{prompt}}}""", ModelCallKind.Completion).FanOut);
        Assert.Equal(prompts * 4, Calls.Read($$"""{"model":"m","n":2,"best_of":4,"prompt":{{prompt}}}""", ModelCallKind.Completion).FanOut);
        Assert.Equal(1, Calls.Read($$"""{"model":"m","n":2,"input":{{prompt}}}""", ModelCallKind.Embedding).FanOut);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("5")]
    [InlineData("[1,\"a\"]")]
    [InlineData("[[1],\"a\"]")]
    [InlineData("[[1,\"a\"]]")]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    public void A_prompt_of_another_kind_is_refused(string prompt)
    {
        var fault = Calls.Fault($$"""{"model":"m","prompt":{{prompt}}}""", ModelCallKind.Completion);
        Assert.Equal((CallFaultKind.Invalid, "/prompt"), (fault.Kind, fault.Pointer));
        Assert.Equal("/input", Calls.Fault($$"""{"model":"m","input":{{prompt}}}""", ModelCallKind.Embedding).Pointer);
    }

    [Theory]
    [InlineData("Model")]
    [InlineData("MAX_TOKENS")]
    [InlineData("max_to\u212Aens")]
    [InlineData("me\u017F\u017Fages")]
    [InlineData("m\\u0041x_tokens")]
    [InlineData("N")]
    [InlineData("n_predict")]
    public void What_another_server_would_take_for_a_member_that_is_read_is_refused(string name)
    {
        var fault = Calls.Fault($$"""{"model":"m","messages":[],"max_tokens":1,"{{name}}":99}""");
        Assert.Equal(CallFaultKind.Invalid, fault.Kind);
        Assert.Equal("m", Calls.Read("""{"model":"m","messages":[],"Temperature":1,"Größe":2,"metadata":{"Model":"x"}}""").Model);
    }

    [Fact]
    public void A_completion_is_bounded_by_max_tokens_alone()
    {
        Assert.Null(Calls.Read("""{"model":"m","prompt":"a","max_completion_tokens":1}""", ModelCallKind.Completion).OutputMax);
        Assert.Equal(1, Calls.Read("""{"model":"m","messages":[],"max_completion_tokens":1}""").OutputMax);
    }

    [Theory]
    [InlineData("model", "5", "/model")]
    [InlineData("model", "\"\"", "/model")]
    [InlineData("model", "\"a\\u0000b\"", "/model")]
    [InlineData("stream", "1", "/stream")]
    [InlineData("stream", "\"true\"", "/stream")]
    [InlineData("stream_options", "[]", "/stream_options")]
    [InlineData("stream_options", "{\"include_usage\":1}", "/stream_options/include_usage")]
    [InlineData("max_tokens", "0", "/max_tokens")]
    [InlineData("max_tokens", "-1", "/max_tokens")]
    [InlineData("max_tokens", "1.5", "/max_tokens")]
    [InlineData("max_tokens", "1e3", "/max_tokens")]
    [InlineData("max_tokens", "\"5\"", "/max_tokens")]
    [InlineData("max_tokens", "10000001", "/max_tokens")]
    [InlineData("max_tokens", "99999999999999999999", "/max_tokens")]
    [InlineData("max_completion_tokens", "10000001", "/max_completion_tokens")]
    [InlineData("n", "0", "/n")]
    [InlineData("n", "129", "/n")]
    [InlineData("best_of", "129", "/best_of")]
    [InlineData("messages", "{}", "/messages")]
    public void A_value_that_cannot_be_is_refused_by_its_name(string member, string value, string pointer)
    {
        var rest = member == "model" ? """ "messages":[]""" : member == "messages" ? """ "model":"m" """ : """ "model":"m","messages":[]""";

        var fault = Calls.Fault($$"""{"{{member}}":{{value}},{{rest}}}""");

        Assert.Equal((CallFaultKind.Invalid, pointer), (fault.Kind, fault.Pointer));
    }

    [Fact]
    public void Bounds_hold_at_the_bound()
    {
        var call = Calls.Read($$"""{"model":"{{new string('m', 200)}}","messages":[],"max_tokens":10000000,"n":128}""");

        Assert.Equal((200, 10_000_000, 128), (call.Model.Length, call.OutputMax, call.FanOut));
        Assert.Equal("/model", Calls.Fault($$"""{"model":"{{new string('m', 201)}}","messages":[]}""").Pointer);
        Assert.Equal(10_000, Completion(100, 100).FanOut);
        Assert.Equal("/prompt", Calls.Fault(Prompts(101, 100), ModelCallKind.Completion).Pointer);
    }

    [Fact]
    public void Two_bounds_of_the_output_must_be_one()
    {
        Assert.Equal(7, Calls.Read("""{"model":"m","messages":[],"max_tokens":7,"max_completion_tokens":7}""").OutputMax);
        var fault = Calls.Fault("""{"model":"m","messages":[],"max_tokens":7,"max_completion_tokens":8}""");
        Assert.Equal((CallFaultKind.Invalid, "/max_tokens"), (fault.Kind, fault.Pointer));
    }

    [Theory]
    [InlineData("""{"model":"m","messages":[],"model":"x"}""", "/model")]
    [InlineData("""{"model":"m","messages":[],"mod\u0065l":"x"}""", "/model")]
    [InlineData("""{"model":"m","messages":[],"model":null}""", "/model")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"max\u005ftokens":2}""", "/max_tokens")]
    [InlineData("""{"model":"m","messages":[],"messages":[]}""", "/messages")]
    [InlineData("""{"model":"m","messages":[],"stream":null,"stream":true}""", "/stream")]
    [InlineData("""{"model":"m","messages":[],"stream_options":{},"stream_options":{}}""", "/stream_options")]
    [InlineData("""{"model":"m","messages":[],"stream_options":{"include_usage":true,"include\u005fusage":false}}""",
        "/stream_options/include_usage")]
    [InlineData("""{"model":"m","messages":[{"content":"a","content":[]}]}""", "/messages/-/content")]
    public void A_member_that_stands_twice_is_refused(string body, string pointer) =>
        Assert.Equal(new CallFault(CallFaultKind.NotJson, pointer, "is given twice."), Calls.Fault(body));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"model\":\"m\",\"messages\":[]")]
    [InlineData("{\"model\":\"m\",\"messages\":[]} {}")]
    [InlineData("{\"model\":\"m\",\"messages\":[]}x")]
    [InlineData("{\"model\":\"m\",\"messages\":[],}")]
    [InlineData("{\"model\":\"m\",\"messages\":[1,]}")]
    [InlineData("{\"model\":\"m\",/* no */\"messages\":[]}")]
    [InlineData("{\"model\":\"\\ud800\",\"messages\":[]}")]
    [InlineData("{\"model\":\"m\",\"messages\":[],\"a\":NaN}")]
    [InlineData("\ufeff{\"model\":\"m\",\"messages\":[]}")]
    public void What_is_no_JSON_is_told_apart(string body)
    {
        Assert.Equal((CallFaultKind.NotJson, ""), (Calls.Fault(body).Kind, Calls.Fault(body).Pointer));
    }

    [Fact]
    public void Broken_UTF8_and_too_deep_a_body_are_no_JSON()
    {
        byte[] broken = [.. "{\"model\":\"m\",\"messages\":[\""u8, 0xC3, 0x28, .. "\"]}"u8];
        Assert.Equal("The body is not valid UTF-8.", Calls.Fault(broken).Text);

        Calls.Read($$"""{"model":"m","messages":[],"a":{{new string('[', 63)}}{{new string(']', 63)}}}""");
        var deep = Calls.Fault($$"""{"model":"m","messages":[],"a":{{new string('[', 64)}}{{new string(']', 64)}}}""");
        Assert.Equal(CallFaultKind.NotJson, deep.Kind);
    }

    private static ModelCall Completion(int prompts, int choices) => Calls.Read(Prompts(prompts, choices), ModelCallKind.Completion);

    private static string Prompts(int prompts, int choices) =>
        $$"""{"model":"m","n":{{choices}},"prompt":[{{string.Join(',', Enumerable.Repeat("\"a\"", prompts))}}]}""";
}
