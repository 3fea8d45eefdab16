using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Docs;

/// <summary>The problems of the catalogue as answers of the document: one per status, with an example of each code.</summary>
internal static class ProblemResponses
{
    public const string SchemaName = "Problem";
    public const string RequestIdName = "X-Request-Id";
    public const string RequestIdExample = "req_00002000003ta";

    private const string RetryAfterName = "Retry-After";

    /// <summary>Told on the provider's own routes only, to proxies that ask about them, or on pages.</summary>
    private static readonly ProblemCode[] NotHere =
    [
        ProblemCode.PermissionMissing, ProblemCode.ScopeMissing, ProblemCode.BodyCondition, ProblemCode.ModelRefused,
        ProblemCode.SignInFailed, ProblemCode.TooManyTries, ProblemCode.FormRefused, ProblemCode.RouteUnknown,
        ProblemCode.OriginalRequestMissing, ProblemCode.OriginalRequestAmbiguous,
    ];

    private static readonly Dictionary<int, string> Names = new()
    {
        [400] = "BadRequest",
        [401] = "Unauthorized",
        [403] = "Forbidden",
        [404] = "NotFound",
        [409] = "Conflict",
        [413] = "ContentTooLarge",
        [415] = "UnsupportedMediaType",
        [422] = "Unprocessable",
        [429] = "TooManyRequests",
        [500] = "InternalError",
        [503] = "Unavailable",
    };

    public static string NameOf(int status) => Names[status];

    public static Dictionary<string, IOpenApiHeader> RequestIdHeader(OpenApiDocument document) =>
        new() { [RequestIdName] = new OpenApiHeaderReference(RequestIdName, document) };

    public static void AddTo(OpenApiDocument document)
    {
        var components = document.Components!;
        components.Headers ??= new Dictionary<string, IOpenApiHeader>();
        components.Headers[RequestIdName] = Header("The id of this request, also in the log and in problems.", JsonSchemaType.String);
        components.Headers[RetryAfterName] = Header("After how many seconds to try again.", JsonSchemaType.Integer);
        components.Schemas![SchemaName] = Schema();
        components.Responses ??= new Dictionary<string, IOpenApiResponse>();
        foreach (var (status, name) in Names)
        {
            components.Responses[name] = Response(document, [.. ProblemCode.All.Where(code => code.Status == status).Except(NotHere)]);
        }
    }

    private static OpenApiHeader Header(string description, JsonSchemaType type) =>
        new() { Description = description, Schema = new OpenApiSchema { Type = type } };

    private static OpenApiResponse Response(OpenApiDocument document, IReadOnlyList<ProblemCode> codes)
    {
        var response = new OpenApiResponse
        {
            Description = string.Join(' ', codes.Select(code => $"`{code.Code}`: {code.Title}")),
            Headers = RequestIdHeader(document),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new()
                {
                    Schema = new OpenApiSchemaReference(SchemaName, document),
                    Examples = codes.ToDictionary(code => code.Code, Example),
                },
            },
        };
        if (codes.Any(code => Problem.Of(code).RetryAfterSeconds is not null))
        {
            response.Headers.Add(RetryAfterName, new OpenApiHeaderReference(RetryAfterName, document));
        }

        return response;
    }

    private static IOpenApiExample Example(ProblemCode code) => new OpenApiExample
    {
        Summary = code.Title,
        Value = JsonNode.Parse(ProblemResult.Render(Problem.Of(code), RequestIdExample).Span),
    };

    private static OpenApiSchema Schema() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "What went wrong (RFC 9457).",
        Required = new HashSet<string> { "type", "title", "status", "detail", "code", "request_id" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String, Format = "uri-reference", Description = "Where to read about this kind of problem.",
            },
            ["title"] = Text("What it is, in words that never vary."),
            ["status"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Integer, Description = "The HTTP status.", Minimum = "400", Maximum = "599",
            },
            ["detail"] = Text("What happened this time."),
            ["code"] = Text("What it is, for programs. More may be added."),
            ["request_id"] = Text("The same as in the header X-Request-Id."),
            ["required_permission"] = Text("What the key would have needed."),
            ["limit"] = LimitSchema(),
            ["plan_limit"] = Number("How many of a thing the organization's plan allows."),
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description = "The members of the request at fault.",
                Items = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { "pointer", "expected" },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        ["pointer"] = Text("A JSON pointer, such as `/name`."),
                        ["expected"] = Text("What was expected there."),
                    },
                },
            },
        },
    };

    private static OpenApiSchema LimitSchema() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "The limit that refused.",
        Required = new HashSet<string> { "name", "amount", "remaining", "retry_after" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["name"] = Text("As in the provider file."),
            ["amount"] = Number("How much may be taken in a window."),
            ["remaining"] = Number("How much of it is left."),
            ["retry_after"] = Number("After how many seconds the same request fits; 0 where it never does."),
        },
    };

    private static OpenApiSchema Number(string description) =>
        new() { Type = JsonSchemaType.Integer, Format = "int64", Minimum = "0", Description = description };

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };
}
