using System.Text.Json;
using System.Text.RegularExpressions;
using Tollgate.Server.Providers;
using Tollgate.Server.Providers.Reading;

namespace Tollgate.Server.Tests.Providers;

/// <summary>The schema that editors use says what the loader does.</summary>
public sealed class ProviderSchemaTests
{
    private static readonly JsonElement Schema = JsonElement.Parse(File.ReadAllText(Path.Combine(Given.Folder, "schema.json")));

    public static TheoryData<string> Shapes => [.. Vocabulary.All.Select(shape => shape.Name)];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_map_of_the_loader_has_the_same_fields_in_the_schema(string name)
    {
        var shape = Vocabulary.All.Single(each => each.Name == name);
        var definition = Schema.GetProperty("$defs").GetProperty(name);
        Assert.Equal(shape.Fields.Order(), definition.GetProperty("properties").EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal(shape.Required.Order(),
            definition.GetProperty("required").EnumerateArray().Select(field => field.GetString()!).Order());
        Assert.False(definition.GetProperty("additionalProperties").GetBoolean());
    }

    [Fact]
    public void The_schema_has_no_map_that_the_loader_does_not_know() =>
        Assert.Equal(
            Vocabulary.All.Select(shape => shape.Name)
                .Concat(
                [
                    "errors", "errors_part", "key_operations_part", "keys_part", "permissions_part", "provider_part", "wallet_part",
                ]).Order(),
            Schema.GetProperty("$defs").EnumerateObject().Select(definition => definition.Name).Order());

    [Theory]
    [InlineData("provider")]
    [InlineData("keys")]
    [InlineData("permissions")]
    [InlineData("key_operations")]
    [InlineData("wallet")]
    [InlineData("errors")]
    public void A_part_has_the_fields_of_the_whole(string name) =>
        Assert.Equal(
            Schema.GetProperty("$defs").GetProperty(name).GetProperty("properties").GetRawText(),
            Schema.GetProperty("$defs").GetProperty(name + "_part").GetProperty("properties").GetRawText());

    [Fact]
    public void Every_choice_of_the_loader_is_in_the_schema()
    {
        Assert.Equal(ErrorSection.Codes.Order(), Schema.GetProperty("$defs").GetProperty("errors").GetProperty("properties")
            .EnumerateObject().Select(code => code.Name).Order());
        Assert.Equal(KeySection.OperationNames.Order(), Enum("keys", "operations", "items"));
        Assert.Equal(LimitSection.Counts.Keys.Order(), Enum("limit", "counts"));
        Assert.Equal(SurfaceSection.NeedNames.Order(), Enum("surface_route", "needs"));
        Assert.Equal(ExampleSection.States.Keys.Order(), Enum("example_key", "state"));
        Assert.Equal(Surface.CreateFields.Concat(Surface.RotateFields).Order(), Enum("surface_route", "accepts", "additionalProperties"));
    }

    private static IEnumerable<string> Enum(string definition, string field, string? inner = null)
    {
        var node = Schema.GetProperty("$defs").GetProperty(definition).GetProperty("properties").GetProperty(field);
        return (inner is null ? node : node.GetProperty(inner)).GetProperty("enum").EnumerateArray().Select(value => value.GetString()!)
            .Order();
    }

    [Theory]
    [MemberData(nameof(ProviderFilesTests.Names), MemberType = typeof(ProviderFilesTests))]
    public void Every_provider_file_is_valid_under_the_schema(string name) =>
        Assert.Equal([], Faults(Json(File.ReadAllBytes(Given.Files.PathOf(name)))));

    [Theory]
    [InlineData("expiry: optional", "expiry: never")]
    [InlineData("expiry: optional", "exipry: optional")]
    [InlineData("length: 40", "length: \"40\"")]
    [InlineData("prefix: acme_,", "")]
    [InlineData("files: Files", "Files: Files")]
    [InlineData("- /v1/files/**: files", "- FETCH /v1: files")]
    [InlineData("- /v1/files/**: files", "- /v1/files/**: []")]
    [InlineData("default:", "defolt:")]
    [InlineData("default:", "default: { status: 200, body: 1 }\n  internal_error:")]
    public void What_the_loader_refuses_the_schema_refuses(string from, string to)
    {
        var text = Given.Least.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEmpty(Given.Read(text).Errors);
        Assert.NotEmpty(Faults(Json(System.Text.Encoding.UTF8.GetBytes(text))));
        Assert.Empty(Faults(Json(System.Text.Encoding.UTF8.GetBytes(Given.Least))));
    }

    [Theory]
    [InlineData("limits: [{ name: rpm, counts: requests, per: 1m, amount: 1.5 }]")]
    [InlineData("limits: [{ name: rpm, counts: request, per: 1m, amount: 1 }]")]
    [InlineData("limits: [{ name: rpm, counts: requests, per: minute, amount: 1 }]")]
    [InlineData("plans: { free: { x: -1 } }")]
    [InlineData("plans: {}")]
    [InlineData("quotas: [{ name: kb, amount: 1, made_by: GET /v1/files, deleted_by: POST /v1/files }]")]
    [InlineData("key_operations: { amount: 15 }")]
    [InlineData("wallet: { currency: usd }")]
    [InlineData("wallet: { currency: USD, disable_at: 0.05 }")]
    [InlineData("models: [{ id: a, input: \"-1\", output: \"1\" }]")]
    [InlineData("headers: { rate_limit: { \"X R\": a } }")]
    [InlineData("headers: { rate: {} }")]
    [InlineData("sign_in: { teams: maybe }")]
    [InlineData("sign_in: { team: true }")]
    [InlineData("sign_in: { teams: { name_max: 101 } }")]
    [InlineData("sign_in: { teams: { owned_max: 0 } }")]
    [InlineData("sign_in: { teams: { personal_keys: deleted } }")]
    [InlineData("sign_in: { teams: { leaver_keys: archived } }")]
    [InlineData("sign_in: { teams: { balance: true } }")]
    [InlineData("sign_in: { teams: { roles: { boss: chief } } }")]
    [InlineData("sign_in: { teams: { roles: { owner: \"\" } } }")]
    [InlineData("sign_in: { teams: { roles: { owner: a name that has a character more than it may } } }")]
    public void What_the_loader_refuses_of_limits_and_money_the_schema_refuses(string section)
    {
        var text = section + "\n" + Given.Least;
        Assert.NotEmpty(Given.Read(text).Errors);
        Assert.NotEmpty(Faults(Json(System.Text.Encoding.UTF8.GetBytes(text))));
    }

    private static JsonElement Json(byte[] yaml)
    {
        var errors = new ErrorList();
        var tree = YamlTree.Read("x.yaml", yaml, errors)!;
        Assert.True(errors.IsEmpty);
        return JsonElement.Parse(TemplateCompiler.Json(tree));
    }

    private static List<string> Faults(JsonElement value)
    {
        var faults = new List<string>();
        Check(Schema, value, "", faults);
        return faults;
    }

    // As much of JSON Schema 2020-12 as the file uses; a keyword it does not know fails the test.
    private static void Check(JsonElement schema, JsonElement value, string at, List<string> faults)
    {
        foreach (var (keyword, rule) in schema.EnumerateObject().Select(each => (each.Name, each.Value)))
        {
            var good = keyword switch
            {
                "$schema" or "title" or "description" or "$defs" or "then" or "else" or "patternProperties" => true,
                "properties" => true,
                "$ref" => Inner(Schema.GetProperty("$defs").GetProperty(rule.GetString()![8..]), value, at, faults),
                "if" => Inner(schema.GetProperty(IsValid(rule, value) ? "then" : "else"), value, at, faults),
                "type" => IsType(rule.GetString()!, value),
                "enum" => rule.EnumerateArray().Any(each => JsonElement.DeepEquals(each, value)),
                "const" => JsonElement.DeepEquals(rule, value),
                "oneOf" => rule.EnumerateArray().Count(each => IsValid(each, value)) == 1,
                "required" => value.ValueKind != JsonValueKind.Object
                    || rule.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
                "additionalProperties" => value.ValueKind != JsonValueKind.Object || Members(schema, value, at, faults),
                "items" => value.ValueKind != JsonValueKind.Array
                    || value.EnumerateArray().Select((item, i) => Inner(rule, item, $"{at}/{i}", faults)).ToList().Count >= 0,
                "minItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() >= rule.GetInt32(),
                "maxItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() <= rule.GetInt32(),
                "uniqueItems" => value.ValueKind != JsonValueKind.Array
                    || value.EnumerateArray().Select(item => item.GetRawText()).Distinct().Count() == value.GetArrayLength(),
                "minProperties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() >= rule.GetInt32(),
                "maxProperties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() <= rule.GetInt32(),
                "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.Length >= rule.GetInt32(),
                "maxLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.Length <= rule.GetInt32(),
                "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, rule.GetString()!),
                "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() >= rule.GetDouble(),
                "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() <= rule.GetDouble(),
                _ => throw new NotSupportedException(keyword),
            };
            if (!good)
            {
                faults.Add($"{at}: {keyword} {rule}");
            }
        }
    }

    private static bool Members(JsonElement schema, JsonElement value, string at, List<string> faults)
    {
        var rest = schema.GetProperty("additionalProperties");
        var good = true;
        foreach (var member in value.EnumerateObject())
        {
            var pattern = schema.TryGetProperty("patternProperties", out var patterns)
                ? patterns.EnumerateObject().Where(each => Regex.IsMatch(member.Name, each.Name))
                    .Select(each => (JsonElement?)each.Value).FirstOrDefault() : null;
            if (schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(member.Name, out var named))
            {
                Check(named, member.Value, $"{at}/{member.Name}", faults);
            }
            else if (pattern is { } matched)
            {
                Check(matched, member.Value, $"{at}/{member.Name}", faults);
            }
            else if (rest.ValueKind == JsonValueKind.Object)
            {
                Check(rest, member.Value, $"{at}/{member.Name}", faults);
            }
            else
            {
                good = false;
            }
        }

        return good;
    }

    private static bool IsType(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _),
    };

    private static bool Inner(JsonElement schema, JsonElement value, string at, List<string> faults)
    {
        Check(schema, value, at, faults);
        return true;
    }

    private static bool IsValid(JsonElement schema, JsonElement value)
    {
        var faults = new List<string>();
        Check(schema, value, "", faults);
        return faults.Count == 0;
    }
}
