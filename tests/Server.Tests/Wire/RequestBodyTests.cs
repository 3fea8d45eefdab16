using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Problems;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Wire;

public sealed class RequestBodyTests
{
    [Fact]
    public async Task A_sound_body_is_read_with_the_bytes_it_came_as()
    {
        const string Text = """{"name":"é","tags":["a","b"],"at":"2026-01-02T03:04:05Z"}""";

        var body = await Read(new HttpCall().WithBody(Text));

        Assert.Equal("é", body.Value.Value.Name);
        Assert.Equal(["a", "b"], body.Value.Value.Tags!);
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), body.Value.Value.At);
        Assert.Equal(Text, Encoding.UTF8.GetString(body.Value.Raw.Span));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_at_the_bound_is_taken_and_one_byte_more_refused(bool chunked)
    {
        var atTheBound = Padded(RequestBody.BytesMax);

        Assert.True((await Read(new HttpCall().WithBody(atTheBound, chunked: chunked))).IsOk);
        Assert.Equal("body_too_large", (await Read(new HttpCall().WithBody(Padded(RequestBody.BytesMax + 1), chunked: chunked))).CodeOf());
    }

    [Theory]
    [InlineData("application/json", "ok")]
    [InlineData("Application/JSON; charset=utf-8", "ok")]
    [InlineData("application/merge-patch+json", "ok")]
    [InlineData("text/plain", "unsupported_media_type")]
    [InlineData("text/json", "unsupported_media_type")]
    [InlineData("application/x-www-form-urlencoded", "unsupported_media_type")]
    [InlineData("application/jsonx", "unsupported_media_type")]
    [InlineData("nonsense", "unsupported_media_type")]
    [InlineData(null, "unsupported_media_type")]
    public async Task The_media_type_must_say_json(string? type, string code)
    {
        var body = """{"name":"a"}"""u8.ToArray();

        Assert.Equal(code, (await Read(new HttpCall().WithBody(body, type))).CodeOf());
        Assert.Equal(code, (await Read(new HttpCall().WithBody(body, type, chunked: true))).CodeOf());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    public async Task No_body_is_refused_where_one_is_needed_and_fine_where_not(string? type)
    {
        Assert.Equal("invalid_json", (await Read(new HttpCall().WithBody([], type))).CodeOf());
        var optional = await RequestBody.ReadOptional(new HttpCall().WithBody([], type).Context, ThingWire.Default.Thing);
        Assert.True(optional.IsOk);
        Assert.Null(optional.Value.Value);
    }

    [Theory]
    [InlineData("{", "line 1, byte 2")]
    [InlineData("{\"name\":\n \"a\",}", "line 2, byte 6")]
    [InlineData("{\"name\": nope}", "line 1, byte 11")]
    [InlineData("{} {}", "line 1, byte 4")]
    [InlineData("{\"name\":\"a\"} x", "line 1, byte 14")]
    [InlineData("// no\n{}", "line 1, byte 1")]
    public async Task Malformed_json_is_refused_with_its_place(string body, string place)
    {
        var refused = await Read(new HttpCall().WithBody(body));

        Assert.Equal("invalid_json", refused.CodeOf());
        Assert.Contains(place, refused.Problem!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"name\"")]
    [InlineData("12")]
    public async Task Json_that_is_no_object_is_refused(string body) =>
        Assert.Equal("The body must be a JSON object.", (await Read(new HttpCall().WithBody(body))).Problem?.Detail);

    [Theory]
    [InlineData("""{"name":"a","name":"b"}""", "/name")]
    [InlineData("""{"name":"a","n\u0061me":"b"}""", "/name")]
    [InlineData("""{"inner":{"count":1,"count":1}}""", "/inner/count")]
    [InlineData("""{"inners":[{},{"count":1,"count":2}]}""", "/inners/1/count")]
    public async Task A_member_given_twice_is_refused_by_its_place(string body, string place)
    {
        var refused = await Read(new HttpCall().WithBody(body));

        Assert.Equal("invalid_json", refused.CodeOf());
        Assert.Equal($"The member {place} is given twice.", refused.Problem!.Detail);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'"', 0xff, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xc0, 0x80, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xed, 0xa0, 0x80, (byte)'"' })]
    public async Task Bytes_that_are_not_utf8_are_refused(byte[] text) => Assert.Equal(
        "The body is not valid UTF-8.",
        (await Read(new HttpCall().WithBody([.. """{"name":"""u8, .. text, (byte)'}']))).Problem?.Detail);

    [Theory]
    [InlineData("""{"name":"\ud800"}""")]
    [InlineData("""{"name":"\udc00\ud800"}""")]
    [InlineData("""{"\ud800":"a"}""")]
    public async Task Half_a_character_is_refused(string body) =>
        Assert.Equal("invalid_json", (await Read(new HttpCall().WithBody(body))).CodeOf());

    [Theory]
    [InlineData("""{"name":"a\u0000b"}""", "/name")]
    [InlineData("""{"tags":["a","\u0000"]}""", "/tags/1")]
    [InlineData("""{"inner":{"label":"\u0000"}}""", "/inner/label")]
    [InlineData("""{"inners":[{"label":"a"},{"label":"\u0000"}]}""", "/inners/1/label")]
    [InlineData("""{"metadata":{"x":{"y":["\u0000"]}}}""", "/metadata/x/y/0")]
    public async Task Nul_is_refused_wherever_it_stands(string body, string place) =>
        AssertFault(await Read(new HttpCall().WithBody(body)), place, "must not contain U+0000.");

    [Theory]
    [InlineData("""{"nmae":"a"}""", "/nmae", "is not a member of this call. Known are ")]
    [InlineData("""{"Name":"a"}""", "/Name", "is not a member of this call. Known are ")]
    [InlineData("""{"a/b~c":"a"}""", "/a~1b~0c", "is not a member of this call. Known are ")]
    [InlineData("""{"inner":{"colour":1}}""", "/inner/colour", "is not a member of this call. Known are label, count.")]
    [InlineData("""{"inners":[{"count":1},{"count":"1"}]}""", "/inners/1/count", "must be a whole number.")]
    [InlineData("""{"inner":{"count":1.5}}""", "/inner/count", "must be a whole number.")]
    [InlineData("""{"name":1}""", "/name", "must be a string.")]
    [InlineData("""{"tags":"a"}""", "/tags", "must be an array.")]
    [InlineData("""{"tags":["a",1]}""", "/tags/1", "must be a string.")]
    [InlineData("""{"on":"true"}""", "/on", "must be true or false.")]
    [InlineData("""{"inner":[]}""", "/inner", "must be an object.")]
    [InlineData("""{"at":"2026-01-02"}""", "/at", Rfc3339Time.Expected)]
    [InlineData("""{"at":"2026-02-30T00:00:00Z"}""", "/at", Rfc3339Time.Expected)]
    [InlineData("""{"at":1767323045}""", "/at", Rfc3339Time.Expected)]
    public async Task What_does_not_fit_is_refused_by_its_place_with_what_was_expected(string body, string place, string expected) =>
        AssertFault(await Read(new HttpCall().WithBody(body)), place, expected);

    [Fact]
    public async Task A_missing_member_is_named()
    {
        var call = new HttpCall().WithBody("{}");

        var refused = await RequestBody.Read(call.Context, ThingWire.Default.NeedyThing);

        Assert.Equal(new FieldError("/name", "is needed."), Assert.Single(refused.Problem!.Errors));
    }

    [Fact]
    public async Task A_strangers_long_member_name_is_cut_in_the_answer()
    {
        var refused = await Read(new HttpCall().WithBody($$"""{"{{new string('x', 10_000)}}":1}"""));

        Assert.True(Assert.Single(refused.Problem!.Errors).Pointer.Length < 80);
    }

    [Theory]
    [InlineData(32, "ok")]
    [InlineData(33, "invalid_json")]
    public async Task Nesting_has_a_bound(int depth, string code)
    {
        var nested = $$"""{"metadata":{{new string('[', depth - 1)}}{{new string(']', depth - 1)}}}""";

        Assert.Equal(code, (await Read(new HttpCall().WithBody(nested))).CodeOf());
    }

    [Theory]
    [InlineData("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z")]
    [InlineData("2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z")]
    [InlineData("2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z")]
    public void Times_are_read_with_any_offset_and_written_in_utc_without_fractions(string read, string written)
    {
        Assert.True(Rfc3339Time.TryParse(read, out var time));
        Assert.Equal(written, Rfc3339Time.Format(time));
    }

    [Fact]
    public void A_body_of_another_type_or_length_is_not_read_at_once()
    {
        var wrongType = new HttpCall().WithBody("""{"name":"a"}""", "text/plain");

        var tooLong = new HttpCall().WithBody("""{"name":"a"}""");

        Assert.False(RequestBody.TryReadNow(wrongType.Context, 12, out _));
        Assert.False(RequestBody.TryReadNow(tooLong.Context, 11, out _));
    }

    private static Task<Outcome<RequestBody<Thing>>> Read(HttpCall call) => RequestBody.Read(call.Context, ThingWire.Default.Thing);

    private static byte[] Padded(int bytes) => Encoding.UTF8.GetBytes("""{"name":"a"}""".PadRight(bytes));

    private static void AssertFault(Outcome<RequestBody<Thing>> refused, string place, string expected)
    {
        Assert.Equal("validation_failed", refused.CodeOf());
        var error = Assert.Single(refused.Problem!.Errors);
        Assert.Equal(place, error.Pointer);
        Assert.StartsWith(expected, error.Expected, StringComparison.Ordinal);
    }
}

internal sealed record Thing(
    string? Name,
    IReadOnlyList<string>? Tags,
    bool? On,
    DateTimeOffset? At,
    InnerThing? Inner,
    IReadOnlyList<InnerThing>? Inners,
    JsonElement? Metadata);

internal sealed record InnerThing(string? Label, int? Count);

internal sealed record NeedyThing
{
    public required string Name { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(Thing))]
[JsonSerializable(typeof(NeedyThing))]
internal sealed partial class ThingWire : JsonSerializerContext;
