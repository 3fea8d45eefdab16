using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Docs.Site;

/// <summary>How the parts of the OpenAPI document read: types, members, samples, errors.</summary>
internal sealed class ApiWords(JsonNode document)
{
    private const string Reference = "$ref";
    private const int DepthMax = 6;

    private static readonly JsonSerializerOptions InLine = new() { Encoder = Json.Encoder };

    private static readonly JsonSerializerOptions Writing = new() { WriteIndented = true, Encoder = Json.Encoder };

    public static string Text(JsonNode node, string member) => node[member]?.GetValue<string>() ?? "";

    /// <summary>Within a row of a table.</summary>
    public static string Cell(string text) =>
        text.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal);

    /// <summary>The id that a heading gets.</summary>
    public static string AnchorOf(string heading) => string.Concat(heading.ToLowerInvariant()
        .Where(character => char.IsLetterOrDigit(character) || character is ' ' or '-' or '_')).Replace(' ', '-');

    public static string ErrorLink(string code) => $"[`{code}`](/docs/errors/{code}.md)";

    public static string Written(JsonNode node) => node.ToJsonString(Writing);

    /// <summary>A line to paste. What stands for an id in the path stays in braces, for whoever pastes it.</summary>
    public static string Curl(string method, string path, string? type, JsonNode? body, bool isOpen)
    {
        var text = new StringBuilder("curl ");
        if (method != "GET")
        {
            text.Append(CultureInfo.InvariantCulture, $"-X {method} ");
        }

        text.Append(CultureInfo.InvariantCulture, $"\"$TOLLGATE_URL{path}\"");
        if (!isOpen)
        {
            text.Append(" \\\n  -H \"Authorization: Bearer $TOLLGATE_KEY\"");
        }

        if (body is not null)
        {
            var json = body.ToJsonString(InLine).Replace("'", "'\\''", StringComparison.Ordinal);
            text.Append(CultureInfo.InvariantCulture, $" \\\n  -H \"Content-Type: {type}\" \\\n  -d '{json}'");
        }

        return text.ToString();
    }

    /// <summary>The thing itself, where only its name stands.</summary>
    public JsonNode Followed(JsonNode node)
    {
        for (var steps = 0; steps < DepthMax && node[Reference] is { } reference; steps++)
        {
            node = reference.GetValue<string>().Split('/').Skip(1).Aggregate(document, (at, name) => at[name]!);
        }

        return node;
    }

    /// <summary>The codes of problems that answers tell, by status.</summary>
    public IEnumerable<(string Status, IEnumerable<string> Codes)> ErrorsByStatus() =>
        from response in document["components"]!["responses"]!.AsObject()
        let codes = CodesOf(response.Value!).ToList()
        where codes.Count > 0
        select (StatusOf(response.Value!), codes.AsEnumerable());

    /// <summary>A status with its errors, or with where they are listed where they are the same everywhere.</summary>
    public static string ErrorsOf(KeyValuePair<string, JsonNode?> response) => response.Value![Reference] is null
        ? $"`{response.Key}` {string.Join(", ", CodesOf(response.Value!).Select(ErrorLink))}"
        : $"[`{response.Key}`]({ApiPages.Root}.md#errors)";

    /// <summary>A table of an object's members; of anything else, what it is.</summary>
    /// <param name="schema">What is told.</param>
    /// <param name="records">Gets the names of records that it leads to and that are not among them yet.</param>
    public string Members(JsonNode schema, List<string> records)
    {
        schema = Followed(schema);
        if (schema["properties"] is not JsonObject { Count: > 0 } members)
        {
            return TypeOf(schema, records) is { Length: > 0 } type ? $"It is {type}.\n\n" : "";
        }

        var needed = (schema["required"] as JsonArray ?? []).Select(name => name!.GetValue<string>()).ToHashSet();
        var text = new StringBuilder("| member | type | about |\n| --- | --- | --- |\n");
        foreach (var (name, member) in members)
        {
            var isNeeded = needed.Contains(name) ? ", needed" : "";
            text.Append(CultureInfo.InvariantCulture, $"| `{name}` | {TypeOf(member!, records)}{isNeeded} | ");
            text.Append(CultureInfo.InvariantCulture, $"{Cell(Text(member!, "description"))} |\n");
        }

        return text.Append('\n').ToString();
    }

    /// <summary>In words, in a row of a table.</summary>
    public string TypeOf(JsonNode schema, List<string> records)
    {
        if (schema[Reference] is { } reference)
        {
            var name = reference.GetValue<string>().Split('/')[^1];
            if (!records.Contains(name))
            {
                records.Add(name);
            }

            return $"[{name}](#{AnchorOf(name + " record")})";
        }

        if (schema["oneOf"] is JsonArray among)
        {
            return string.Join(" or ", among.Select(one => TypeOf(one!, records)).Where(one => one.Length > 0));
        }

        if (schema["enum"] is JsonArray values)
        {
            return string.Join(", ", values.Select(value => value is null ? "null" : $"`{Cell(value.ToString())}`"));
        }

        var names = schema["type"] switch
        {
            JsonArray many => many.Select(one => one!.GetValue<string>()).OrderBy(one => one == "null"),
            JsonValue one => [one.GetValue<string>()],
            _ => Enumerable.Empty<string>(),
        };
        return string.Join(" or ", names.Select(name => name == "null" ? name : Named(name, schema, records)));
    }

    private string Named(string name, JsonNode schema, List<string> records)
    {
        var kind = Text(schema, "format") switch
        {
            "date-time" => "time",
            "date" => "date",
            _ => name switch
            {
                "string" => "text",
                "array" => schema["items"] is { } items && TypeOf(items, records) is { Length: > 0 } each ? $"list of {each}" : "list",
                "boolean" => "true or false",
                "integer" => "whole number",
                _ => name,
            },
        };
        return kind + (name switch
        {
            "string" => Bounds(schema, "minLength", "maxLength", " characters"),
            "integer" or "number" => Bounds(schema, "minimum", "maximum", ""),
            "array" => Bounds(schema, "minItems", "maxItems", " of them"),
            _ => "",
        });
    }

    private static string Bounds(JsonNode schema, string least, string most, string unit) => (schema[least], schema[most]) switch
    {
        (null, null) => "",
        (null, var max) => $", at most {max}{unit}",
        (var min, null) => $", at least {min}{unit}",
        var (min, max) => $", {min} to {max}{unit}",
    };

    /// <summary>What might be sent: the example, else the members that are needed.</summary>
    public JsonNode Sample(JsonNode schema, int depth = 0)
    {
        schema = Followed(schema);
        if (schema["examples"] is JsonArray { Count: > 0 } examples && examples[0] is { } example)
        {
            return example.DeepClone();
        }

        if (schema["enum"] is JsonArray { Count: > 0 } values && values[0] is { } value)
        {
            return value.DeepClone();
        }

        if (schema["oneOf"] is JsonArray { Count: > 0 } among && depth < DepthMax)
        {
            return Sample(among.First(one => Text(one!, "type") != "null")!, depth + 1);
        }

        return TypeName(schema) switch
        {
            "array" => schema["items"] is { } items && depth < DepthMax ? new JsonArray(Sample(items, depth + 1)) : new JsonArray(),
            "integer" or "number" => JsonValue.Create(1),
            "boolean" => JsonValue.Create(true),
            "string" => JsonValue.Create("…"),
            _ => ObjectOf(schema, depth),
        };
    }

    private JsonObject ObjectOf(JsonNode schema, int depth)
    {
        var made = new JsonObject();
        foreach (var name in depth < DepthMax ? (schema["required"] as JsonArray ?? []).Select(one => one!.GetValue<string>()) : [])
        {
            if (schema["properties"]?[name] is { } member)
            {
                made[name] = Sample(member, depth + 1);
            }
        }

        return made;
    }

    private static string TypeName(JsonNode schema) => schema["type"] switch
    {
        JsonArray many => many.Select(one => one!.GetValue<string>()).FirstOrDefault(one => one != "null") ?? "",
        JsonValue one => one.GetValue<string>(),
        _ => "",
    };

    private static IEnumerable<string> CodesOf(JsonNode response) =>
        (response["content"]?.AsObject().FirstOrDefault().Value?["examples"] as JsonObject ?? []).Select(example => example.Key);

    private static string StatusOf(JsonNode response) =>
        response["content"]!.AsObject().First().Value!["examples"]!.AsObject().First().Value!["value"]!["status"]!.ToString();
}
