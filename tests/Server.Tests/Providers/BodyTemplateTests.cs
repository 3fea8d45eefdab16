using System.Text.Json;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Tests.Providers;

public sealed class BodyTemplateTests
{
    private const TemplateSpot Everywhere =
        TemplateSpot.Error | TemplateSpot.Answer | TemplateSpot.AboutAKey | TemplateSpot.NewSecret | TemplateSpot.List;

    private static readonly TemplateValues Some = new()
    {
        KeyId = "key_1",
        KeyName = "CI \"main\" \\ é \u0001 </b> \U0001F511",
        KeyMask = "tl_ab...wxyz",
        KeyEnvironment = "live",
        KeyType = "read",
        KeyStatus = "active",
        KeyPermissions = ["read", "write"],
        KeyScopes = [],
        KeyExpiresAt = new DateTimeOffset(2024, 12, 31, 23, 59, 59, 987, TimeSpan.FromHours(2)),
        Status = 403,
        Code = "scope_missing",
        Message = "No.",
        TimestampMs = 1_700_000_000_123,
        RequestId = "req_1",
        Secret = "the-secret",
        OrganizationName = "Acme",
    };

    private static BodyTemplate Compile(string yaml)
    {
        var errors = new ErrorList();
        var node = YamlTree.Read("t.yaml", System.Text.Encoding.UTF8.GetBytes("body: " + yaml), errors)!["body"]!;
        var template = TemplateCompiler.Compile(node, Everywhere, errors);
        Assert.Empty(errors.Sorted());
        return template;
    }

    private static string Written(string yaml, TemplateValues? values = null) => Given.Written(Compile(yaml), values ?? Some);

    [Theory]
    [InlineData("{ a: $key.permissions }", """{"a":["read","write"]}""")]
    [InlineData("{ a: $key.scopes }", """{"a":[]}""")]
    [InlineData("{ a: $key.description }", """{"a":null}""")]
    [InlineData("{ a: $status, b: $timestamp_ms }", """{"a":403,"b":1700000000123}""")]
    [InlineData("{ a: \"$status\" }", """{"a":403}""")]
    [InlineData("{ a: $key.expires_at }", """{"a":"2024-12-31T21:59:59Z"}""")]
    [InlineData("{ a: $code, b: $CODE }", """{"a":"scope_missing","b":"SCOPE_MISSING"}""")]
    [InlineData("$key.id", "\"key_1\"")]
    [InlineData("[$key.id, [$key.type]]", """["key_1",["read"]]""")]
    public void A_placeholder_alone_keeps_its_json_type(string yaml, string expected) => Assert.Equal(expected, Written(yaml));

    [Theory]
    [InlineData("{ a: key $key.id. }", """{"a":"key key_1."}""")]
    [InlineData("{ a: $key.id$key.type }", """{"a":"key_1read"}""")]
    [InlineData("{ a: \"may $key.permissions ($status)\" }", """{"a":"may read, write (403)"}""")]
    [InlineData("{ a: \"[$key.description]\" }", """{"a":"[]"}""")]
    [InlineData("{ a: costs $$5, b: $$code, c: $$ }", """{"a":"costs $5","b":"$code","c":"$"}""")]
    public void Inside_a_longer_text_it_is_inserted_as_text(string yaml, string expected) => Assert.Equal(expected, Written(yaml));

    [Theory]
    [InlineData("{ a: true, b: null, c: 12, d: -1.5e3, e: }", """{"a":true,"b":null,"c":12,"d":-1.5e3,"e":null}""")]
    [InlineData(
        "{ a: \"true\", b: 'null', c: \"12\", d: yes, e: 012, f: .5, g: 0x1F, h: \"\" }",
        """{"a":"true","b":"null","c":"12","d":"yes","e":"012","f":".5","g":"0x1F","h":""}""")]
    [InlineData("{}", "{}")]
    [InlineData("[]", "[]")]
    [InlineData("{ \"a\\\"b\": \"c\\td\" }", """{"a\"b":"c\td"}""")]
    public void What_is_written_plain_is_jsons_own_and_what_is_quoted_is_text(string yaml, string expected) =>
        Assert.Equal(expected, Written(yaml));

    [Theory]
    [InlineData("{ a: 1, b: $required_permission, c: 2 }", """{"a":1,"b":"x:y","c":2}""", """{"a":1,"c":2}""")]
    [InlineData("{ b: $required_permission, c: 2 }", """{"b":"x:y","c":2}""", """{"c":2}""")]
    [InlineData("{ b: $required_permission }", """{"b":"x:y"}""", "{}")]
    [InlineData("[$required_permission, 1]", """["x:y",1]""", "[1]")]
    [InlineData(
        "{ a: [1, { b: $required_permission }], c: \"{\", d: $required_permission }",
        """{"a":[1,{"b":"x:y"}],"c":"{","d":"x:y"}""",
        """{"a":[1,{}],"c":"{"}""")]
    [InlineData("{ a: $request_id, b: $required_permission }", """{"a":"req_1","b":"x:y"}""", """{"a":"req_1"}""")]
    public void A_member_without_a_value_is_left_out_with_its_name(string yaml, string with, string without)
    {
        Assert.Equal(with, Written(yaml, Some with { RequiredPermission = "x:y" }));
        Assert.Equal(without, Written(yaml));
    }

    [Fact]
    public void Errors_are_listed_or_left_out()
    {
        var values = Some with { Errors = [new FieldError("/name", "3 to 50 \"characters\""), new FieldError("/x", "nothing")] };
        Assert.Equal(
            """{"e":[{"pointer":"/name","expected":"3 to 50 \"characters\""},{"pointer":"/x","expected":"nothing"}]}""",
            Written("{ e: $errors }", values));
        Assert.Equal("{}", Written("{ e: $errors }"));
    }

    [Fact]
    public void A_list_of_keys_is_written_by_the_key_view()
    {
        var values = new TemplateValues { KeyView = Compile("{ id: $key.id }"), Keys = [Some, Some with { KeyId = "key_2" }] };
        Assert.Equal("""{"data":[{"id":"key_1"},{"id":"key_2"}]}""", Written("{ data: $keys }", values));
        Assert.Equal("""{"data":[]}""", Written("{ data: $keys }", values with { Keys = [] }));
    }

    [Fact]
    public void Any_text_comes_back_as_it_went_in()
    {
        using var read = JsonDocument.Parse(Written("{ a: $key.name, b: \"x $key.name\" }"));
        Assert.Equal(Some.KeyName, read.RootElement.GetProperty("a").GetString());
        Assert.Equal("x " + Some.KeyName, read.RootElement.GetProperty("b").GetString());
        Assert.Equal("""{"a":"\uFFFD"}""", Written("{ a: $key.name }", Some with { KeyName = "\ud800" }));
    }

    [Fact]
    public void Every_placeholder_is_written_from_a_value_of_its_own()
    {
        // A value that no other placeholder has, so that a mixed-up pair shows.
        var values = new TemplateValues
        {
            KeyId = "1", KeyName = "2", KeyMask = "3", KeyEnvironment = "4", KeyType = "5", KeyStatus = "6", KeyPermissions = ["7"],
            KeyScopes = ["8"], KeyExpiresAt = DateTimeOffset.UnixEpoch.AddYears(1), KeyCreatedAt = DateTimeOffset.UnixEpoch.AddYears(2),
            KeyDescription = "9", KeyProjectId = "10", KeyOrganizationId = "11", Secret = "12", OrganizationId = "13",
            OrganizationName = "14", OrganizationCreatedAt = DateTimeOffset.UnixEpoch.AddYears(3), ProjectId = "15", ProjectName = "16",
            Status = 17, Code = "x", Message = "18", RequiredPermission = "19", RequestId = "20", TimestampMs = 21,
            Keys = [], Errors = [new FieldError("22", "23")], RetryAfter = 24, Limit = 25, Remaining = 26, LimitName = "27", PlanLimit = 28,
            TopUpUrl = "29",
        };
        var written = PlaceholderName.All.Select(name => Written("$" + name.Text, values)).ToList();
        Assert.Equal(
            [
                "\"1\"", "\"2\"", "\"3\"", "\"4\"", "\"5\"", "\"6\"", "[\"7\"]", "[\"8\"]", "\"1971-01-01T00:00:00Z\"",
                "\"1972-01-01T00:00:00Z\"", "\"9\"", "\"10\"", "\"11\"", "\"12\"", "[]", "\"13\"", "\"14\"", "\"1973-01-01T00:00:00Z\"",
                "\"15\"", "\"16\"", "17", "\"x\"", "\"X\"", "\"18\"", "\"19\"", "\"20\"", "21",
                "[{\"pointer\":\"22\",\"expected\":\"23\"}]", "24", "25", "26", "\"27\"", "28", "\"29\"",
            ],
            written);
    }

    [Theory]
    [InlineData("retry_after")]
    [InlineData("limit")]
    [InlineData("remaining")]
    [InlineData("limit_name")]
    [InlineData("plan_limit")]
    [InlineData("top_up_url")]
    public void What_a_limit_has_nothing_to_say_of_is_left_out(string placeholder)
    {
        Assert.Equal("""{"b":1}""", Written($"{{ a: ${placeholder}, b: 1 }}"));
        Assert.Equal("""{"a":"  !"}""", Written($"{{ a: \" ${placeholder} !\" }}"));
    }

    [Fact]
    public void Values_do_not_print_the_secret() => Assert.DoesNotContain("the-secret", $"{Some}", StringComparison.Ordinal);
}
