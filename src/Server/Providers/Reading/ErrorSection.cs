using Tollgate.Server.Problems;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>errors</c>: the provider's wording of what can go wrong.</summary>
internal static class ErrorSection
{
    public static IEnumerable<string> Codes { get; } = [Dialect.Default, .. ProblemCode.All.Select(code => code.Code)];

    public static Dialect Read(YamlNode? node, string? topUpUrl, ErrorList errors)
    {
        var templates = new Dictionary<string, ErrorTemplate>(StringComparer.Ordinal);
        if (node is not null && FieldReader.IsMap(node, "errors", errors))
        {
            foreach (var (code, value) in node.Fields)
            {
                if (!Codes.Contains(code.Text))
                {
                    errors.Report(code, $"unknown error code \"{code.Text}\"{Spelling.Hint(code.Text, Codes)}");
                }

                templates[code.Text] = ReadTemplate(code, value, errors);
            }

            if (node[Dialect.Default] is null)
            {
                errors.Report(node, "\"default\" is missing: the wording of every error that has none of its own");
            }
        }

        templates.TryAdd(Dialect.Default, new ErrorTemplate(null, new BodyTemplate([]), []));
        return new Dialect(templates, topUpUrl);
    }

    private static ErrorTemplate ReadTemplate(YamlNode code, YamlNode value, ErrorList errors)
    {
        var fields = FieldReader.Of(value, Vocabulary.Error, errors);
        var body = fields["body"] is { } node ? TemplateCompiler.Compile(node, TemplateSpot.Error, errors) : new BodyTemplate([]);
        int? status = fields["status"] switch
        {
            null => null,
            { Kind: YamlKind.Text, Text: "$status" } => null,
            _ => fields.Number("status", 400, 599, 500),
        };
        if (code.Text == Dialect.Default && status is not null)
        {
            errors.Report(fields["status"]!, "default stands for many errors: its status is $status, each one's own");
        }

        return new ErrorTemplate(status, body, HeaderSection.ReadFixed(fields["headers"], errors));
    }
}
