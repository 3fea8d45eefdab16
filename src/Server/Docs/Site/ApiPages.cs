using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Tollgate.Server.Docs.Site;

/// <summary>The OpenAPI document as pages to read: one for all, and one for each of its tags.</summary>
internal sealed class ApiPages(JsonNode document)
{
    public const string Root = "/docs/api";

    private static readonly string[] Methods = ["get", "post", "put", "patch", "delete"];

    private readonly ApiWords _words = new(document);

    /// <summary>The page of all tags, and theirs in the order of the document.</summary>
    public (DocPage All, IReadOnlyList<DocPage> Tags) Make()
    {
        var tags = document["tags"]!.AsArray()
            .Select(tag => (Name: ApiWords.Text(tag!, "name"), About: ApiWords.Text(tag!, "description")))
            .Select(tag => MarkdownPages.PageOf(PathOf(tag.Name), PageOf(tag.Name, tag.About)))
            .ToList();
        return (MarkdownPages.PageOf(Root, Overview(tags)), tags);
    }

    private static string PathOf(string tag) => $"{Root}/{tag.ToLowerInvariant().Replace(' ', '-')}";

    private IEnumerable<(string Method, string Path, JsonObject Operation)> Operations() =>
        from path in document["paths"]!.AsObject()
        from method in Methods
        let operation = path.Value![method] as JsonObject
        where operation is not null
        select (method.ToUpperInvariant(), path.Key, operation);

    private IEnumerable<(string Method, string Path, JsonObject Operation)> OperationsOf(string tag) =>
        Operations().Where(one => one.Operation["tags"]!.AsArray().Any(name => name!.GetValue<string>() == tag));

    private string Overview(List<DocPage> tags)
    {
        var text = new StringBuilder(
            $"""
            # API reference

            {ApiWords.Text(document["info"]!, "description")}

            Calls under `/api/v1` take JSON and answer JSON. A key is sent as `Authorization: Bearer …`. Every answer has `X-Request-Id`.
            The same, for programs: [openapi.json](/openapi.json), [openapi.yaml](/openapi.yaml).


            """);
        foreach (var tag in tags)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {tag.Title}\n\n{tag.Summary}\n\n| call | does |\n| --- | --- |\n");
            foreach (var (method, path, operation) in OperationsOf(tag.Title))
            {
                var summary = ApiWords.Text(operation, "summary");
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| [`{method} {path}`]({tag.MarkdownPath}#{ApiWords.AnchorOf(summary)}) | {ApiWords.Cell(summary)} |\n");
            }

            text.Append('\n');
        }

        text.Append("## Errors\n\nBy their HTTP status; each has a page that says what happened, why, and what to do.\n\n");
        text.Append("| status | errors |\n| --- | --- |\n");
        foreach (var (status, codes) in _words.ErrorsByStatus())
        {
            text.Append(CultureInfo.InvariantCulture, $"| {status} | {string.Join(", ", codes.Select(ApiWords.ErrorLink))} |\n");
        }

        return text.ToString();
    }

    private string PageOf(string tag, string about)
    {
        var (text, records) = (new StringBuilder(), new List<string>());
        text.Append(CultureInfo.InvariantCulture, $"# {tag}\n\n{about}\n\n");
        foreach (var (method, path, operation) in OperationsOf(tag))
        {
            Write(text, records, method, path, operation);
        }

        if (records.Count > 0)
        {
            text.Append("## Records\n\n");
            // What a record holds is told after it, so the list grows while it is walked.
            for (var i = 0; i < records.Count; i++)
            {
                var schema = document["components"]!["schemas"]![records[i]]!;
                text.Append(CultureInfo.InvariantCulture, $"### {records[i]} record\n\n{ApiWords.Text(schema, "description")}\n\n");
                text.Append(_words.Members(schema, records));
            }
        }

        return text.ToString();
    }

    private void Write(StringBuilder text, List<string> records, string method, string path, JsonObject operation)
    {
        text.Append(
            CultureInfo.InvariantCulture,
            $"## {ApiWords.Text(operation, "summary")}\n\n`{method} {path}`\n\n{ApiWords.Text(operation, "description")}\n\n");
        var parameters = (operation["parameters"] as JsonArray ?? []).Select(one => _words.Followed(one!)).ToList();
        if (parameters.Count > 0)
        {
            text.Append("| parameter | in | type | about |\n| --- | --- | --- | --- |\n");
            foreach (var one in parameters)
            {
                var needed = one["required"]?.GetValue<bool>() == true ? ", needed" : "";
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| `{ApiWords.Text(one, "name")}` | {ApiWords.Text(one, "in")}{needed} | {_words.TypeOf(one["schema"]!, records)} | ");
                text.Append(CultureInfo.InvariantCulture, $"{ApiWords.Cell(ApiWords.Text(one, "description"))} |\n");
            }

            text.Append('\n');
        }

        var (type, schema) = BodyOf(operation);
        if (schema is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"**Body** `{type}`. {ApiWords.Text(operation["requestBody"]!, "description")}\n\n");
            text.Append(_words.Members(schema, records));
        }

        text.Append(
            CultureInfo.InvariantCulture,
            $"```sh\n{ApiWords.Curl(method, path, type, schema is null ? null : _words.Sample(schema), IsOpen(operation))}\n```\n\n");
        Answers(text, records, operation["responses"]!.AsObject());
    }

    private (string? Type, JsonNode? Schema) BodyOf(JsonObject operation) =>
        operation["requestBody"]?["content"]?.AsObject().FirstOrDefault() is { Value: { } media } body
            ? (body.Key, media["schema"] is { } schema ? _words.Followed(schema) : null)
            : (null, null);

    private static bool IsOpen(JsonObject operation) => operation["security"] is JsonArray { Count: 0 };

    private void Answers(StringBuilder text, List<string> records, JsonObject responses)
    {
        foreach (var (status, response) in responses.Where(one => one.Key[0] == '2'))
        {
            text.Append(CultureInfo.InvariantCulture, $"**Answer** `{status}`");
            foreach (var (type, media) in response!["content"]?.AsObject() ?? [])
            {
                text.Append(CultureInfo.InvariantCulture, $" `{type}`");
                if (media?["schema"] is { } schema && _words.TypeOf(schema, records) is { Length: > 0 } name)
                {
                    text.Append(CultureInfo.InvariantCulture, $": {name}");
                }
            }

            text.Append(".\n\n");
            if (response["content"]?["application/json"]?["example"] is { } example)
            {
                text.Append(CultureInfo.InvariantCulture, $"```json\n{ApiWords.Written(example)}\n```\n\n");
            }
        }

        var failed = responses.Where(one => one.Key[0] is '4' or '5').ToList();
        if (failed.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"**Errors** {string.Join("; ", failed.Select(ApiWords.ErrorsOf))}.\n\n");
        }
    }
}
