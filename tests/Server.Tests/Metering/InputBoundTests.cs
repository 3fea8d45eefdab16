using System.Text;
using System.Text.Json;
using Tollgate.Gateway.Metering;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Metering;

public sealed class InputBoundTests
{
    private const int Image = 4_096;
    private const int Template = 64;

    [Fact]
    public void The_bytes_of_the_body_count_and_what_a_template_adds()
    {
        const string Body = """{"model":"m","messages":[{"role":"user","content":"hi"}]}""";
        Assert.Equal(Body.Length + Template, Calls.Read(Body).InputBound);

        const string Tools = """{"model":"m","messages":[],"tools":[]}""";
        Assert.Equal(Tools.Length + Template + 512, Calls.Read(Tools).InputBound);
    }

    [Theory]
    [InlineData("""{"type":"image_url","image_url":{"url":"data:image/png;base64,%"}}""", "data:image/png;base64,%", Image)]
    [InlineData("""{"image_url":{"detail":"low","url":"data:image\/png;base64,%"}}""", "data:image\\/png;base64,%", Image)]
    [InlineData("""{"type":"input_image","image_url":"data:image/png;base64,%"}""", "data:image/png;base64,%", Image)]
    [InlineData("""{"type":"image_url","image_url":{"url":"https://x/%"}}""", "", Image)]
    [InlineData("""{"type":"input_audio","input_audio":{"data":"%","format":"wav"}}""", "%", 16)]
    [InlineData("""{"type":"file","file":{"file_data":"data:application/pdf;base64,%"}}""", "data:application/pdf;base64,%", 263)]
    [InlineData("""{"type":"file","file":{"file_data":"data:text/plain;base64,%"}}""", "", 0)]
    [InlineData("""{"type":"text","text":"data:image/png;base64,%"}""", "", 0)]
    [InlineData("""{"type":"text","url":"data:image/png;base64,%"}""", "", 0)]
    [InlineData("""{"type":"x","image_url":{"other":{"url":"data:image/png;base64,%"}}}""", "", Image)]
    public void Media_count_by_their_rule_where_they_are_known_and_as_text_elsewhere(string part, string takenOut, int tokens)
    {
        var data = new string('A', 1_024);
        var body = $$"""{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"b"},{{part}}]}]}"""
            .Replace("%", data, StringComparison.Ordinal);

        var bound = Calls.Read(body).InputBound;

        Assert.Equal(body.Length - takenOut.Replace("%", data, StringComparison.Ordinal).Length + tokens + Template, bound);
    }

    [Fact]
    public void A_data_URL_outside_a_part_of_a_message_is_text()
    {
        const string Body =
            """{"model":"m","image_url":"data:a","messages":[{"image_url":"data:b","content":"data:c"},"data:d",["data:e"]]}""";
        Assert.Equal(Body.Length + Template, Calls.Read(Body).InputBound);
    }

    [Theory]
    [InlineData("[1,22,333]", 3)]
    [InlineData("[[1],[2],[3]]", 3)]
    public void Ids_of_tokens_are_bounded_by_their_digits(string prompt, int tokens) => Assert.True(
        Calls.Read($$"""{"model":"m","prompt":{{prompt}}}""", ModelCallKind.Completion).InputBound >= tokens + Template);

    [Fact]
    public void It_is_never_below_the_bytes_of_all_text()
    {
        var seed = FuzzSeed.Take(5_000);
        var random = new Random(seed);
        for (var i = 0; i < 5_000; i++)
        {
            var body = CallTexts.Chat(random);
            var call = Calls.Read(body);
            using var document = JsonDocument.Parse(body);
            var text = BytesOf(document.RootElement.GetProperty("messages"));

            Assert.True(call.InputBound >= text + Template, $"FUZZ_SEED={seed}: {call.InputBound} for {text} in {body}");
        }
    }

    /// <summary>Of every string that is no image.</summary>
    private static int BytesOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().Sum(BytesOf),
        JsonValueKind.Object => element.EnumerateObject().Where(member => member.Name != "image_url").Sum(member => BytesOf(member.Value)),
        JsonValueKind.String => Encoding.UTF8.GetByteCount(element.GetString()!),
        _ => 0,
    };
}
