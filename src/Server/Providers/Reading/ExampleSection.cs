using System.Text.Json;
using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>examples</c>: requests and what must be answered.</summary>
internal static class ExampleSection
{
    public const int ExamplesMax = 100;
    public const int TimesMax = 1000;

    public static Dictionary<string, ExampleKeyKind> KindsWithoutFields { get; } = new()
    {
        ["none"] = ExampleKeyKind.None,
        ["root"] = ExampleKeyKind.Root,
        ["unknown"] = ExampleKeyKind.Unknown,
        ["malformed"] = ExampleKeyKind.Malformed,
    };

    public static Dictionary<string, ExampleKeyKind> States { get; } = new()
    {
        ["active"] = ExampleKeyKind.Good,
        ["expired"] = ExampleKeyKind.Expired,
        ["disabled"] = ExampleKeyKind.Disabled,
        ["revoked"] = ExampleKeyKind.Revoked,
    };

    public static IReadOnlyList<ProviderExample> Read(YamlNode? node, KeyRules keys, PermissionSection permissions, ErrorList errors)
    {
        var examples = new List<ProviderExample>();
        foreach (var item in node is null ? [] : FieldReader.ItemsOf(node, "examples", ExamplesMax, errors))
        {
            var fields = FieldReader.Of(item, Vocabulary.Example, errors);
            var name = fields.Text("name");
            var key = ReadKey(fields["key"], keys, permissions, errors);
            var expect = FieldReader.Of(fields["expect"], Vocabulary.Expectation, errors);
            var status = expect.Number("status", 100, 599, 200);
            var (method, path) = ReadSend(fields["send"], errors);
            examples.Add(new ProviderExample
            {
                Name = name,
                Key = key,
                Method = method,
                Path = path,
                Body = fields["body"] is { } body ? TemplateCompiler.Json(body) : null,
                Times = fields.Number("times", 1, TimesMax, 1),
                ExpectedStatus = status,
                ExpectedBody = expect["body"] is { } expected ? JsonElement.Parse(TemplateCompiler.Json(expected)) : null,
            });
        }

        return examples;
    }

    private static (Methods Method, string Path) ReadSend(YamlNode? node, ErrorList errors)
    {
        var text = node?.Text ?? "";
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var method = MethodNames.Parse(slash < 0 ? "" : text[..slash].TrimEnd());
        if (node is not null && (method == Methods.None || slash < 0))
        {
            errors.Report(node, $"send is \"METHOD /path\", not {node.Describe()}");
        }

        return (method, slash < 0 ? "/" : text[slash..]);
    }

    private static ExampleKey ReadKey(YamlNode? node, KeyRules keys, PermissionSection permissions, ErrorList errors)
    {
        if (node is null)
        {
            return new ExampleKey();
        }

        if (node.Kind == YamlKind.Text)
        {
            if (!KindsWithoutFields.TryGetValue(node.Text, out var kind))
            {
                errors.Report(node, $"key is {string.Join(", ", KindsWithoutFields.Keys)} or a map of fields, not {node.Describe()}");
            }

            return new ExampleKey { Kind = kind };
        }

        var fields = FieldReader.Of(node, Vocabulary.ExampleKey, errors);
        var type = Named(fields, "type", keys.Types.Select(each => each.Name), errors);
        return new ExampleKey
        {
            Kind = fields.Choice("state", States, ExampleKeyKind.Good),
            Type = type,
            Environment = Named(fields, "environment", keys.Environments.Select(each => each.Name), errors),
            Permissions = fields.Texts("permissions", 8)?.Where(permissions.IsAction).Select(action => action.Text).ToList(),
            Scopes = permissions.GrantableIn(fields, "scopes"),
        };
    }

    private static string? Named(FieldReader fields, string field, IEnumerable<string> known, ErrorList errors)
    {
        if (fields[field] is not { } node || FieldReader.TextOf(node, field, 100, errors) is not { } name)
        {
            return null;
        }

        if (!known.Contains(name))
        {
            errors.Report(node, $"{field} \"{name}\" is not declared{Spelling.Hint(name, known)}");
        }

        return name;
    }
}
