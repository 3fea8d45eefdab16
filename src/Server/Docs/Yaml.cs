using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Docs;

/// <summary>
/// JSON as YAML in block style. Texts stay in double quotes, where JSON's escapes mean the same, so no text can be taken for a number, a
/// date or <c>no</c>.
/// </summary>
internal static partial class Yaml
{
    private static readonly JsonSerializerOptions Scalars = new() { Encoder = Json.Encoder };

    public static string Write(JsonNode root)
    {
        var output = new StringBuilder();
        Write(output, root, 0);
        return output.ToString();
    }

    private static void Write(StringBuilder output, JsonNode node, int depth)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    Indent(output, depth).Append(Plain().IsMatch(name) ? name : JsonSerializer.Serialize(name, Scalars)).Append(':');
                    WriteValue(output, value, depth);
                }

                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    Indent(output, depth).Append('-');
                    WriteValue(output, item, depth);
                }

                break;
            default:
                Indent(output, depth).Append(node.ToJsonString(Scalars)).Append('\n');
                break;
        }
    }

    /// <summary>What follows a colon or a dash: a scalar on the same line, or more lines further in.</summary>
    private static void WriteValue(StringBuilder output, JsonNode? value, int depth)
    {
        if (value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
        {
            output.Append('\n');
            Write(output, value, checked(depth + 1));
            return;
        }

        output.Append(' ').Append(value?.ToJsonString(Scalars) ?? "null").Append('\n');
    }

    private static StringBuilder Indent(StringBuilder output, int depth) => output.Append(' ', depth * 2);

    /// <summary>Names that YAML 1.1 and 1.2 both read as text; <c>on</c>, <c>no</c>, <c>y</c> and <c>404</c> are not.</summary>
    [GeneratedRegex(@"\A(?!(?i:y|n|yes|no|on|off|true|false|null)\z)[A-Za-z_$][A-Za-z0-9_-]*\z")]
    private static partial Regex Plain();
}
