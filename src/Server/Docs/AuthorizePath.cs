using System.Buffers;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Docs;

/// <summary>
/// The door for proxies, appended to the document by hand: it is answered ahead of routing, so no endpoint describes it. The others of its
/// methods, and the customer's path behind its own, do the same and are told in words.
/// </summary>
internal sealed class AuthorizePath(ProviderModel provider)
{
    public const string Tag = "Forward-auth";
    public const string OperationId = "authorizeRequest";

    private static readonly ProblemCode[] Codes =
    [
        ProblemCode.OriginalRequestMissing, ProblemCode.OriginalRequestAmbiguous, ProblemCode.InvalidRequest, ProblemCode.PathRefused,
        ProblemCode.KeyInQuery, ProblemCode.AuthorizationAmbiguous, ProblemCode.KeyMissing, ProblemCode.InvalidKey,
        ProblemCode.AddressRefused, ProblemCode.PermissionMissing, ProblemCode.ScopeMissing, ProblemCode.BodyCondition,
        ProblemCode.ModelRefused, ProblemCode.RouteUnknown, ProblemCode.MethodNotAllowed, ProblemCode.Unavailable,
    ];

    private static readonly (string Name, string Text)[] Facts =
    [
        (FactHeaders.KeyId, "The id of the key."),
        (FactHeaders.KeyName, "Its name, percent-encoded as in a URL."),
        (FactHeaders.ProjectId, "Its project."),
        (FactHeaders.OrganizationId, "The organization of the project."),
        (FactHeaders.Environment, "Its environment."),
        (FactHeaders.Permissions, "What it may do, separated by commas."),
        (FactHeaders.Scopes, "The scopes it has, implied ones included, separated by commas."),
    ];

    public void AddTo(OpenApiDocument document)
    {
        var operation = new OpenApiOperation
        {
            OperationId = OperationId,
            Summary = "Say whether a proxy may let a request pass",
            Description =
                "For forward-auth. The proxy sends the customer's own `Authorization` header, and the request it holds in two headers, or "
                + "by asking with its method at this path followed by its path. Every method does the same. No right is needed: the key "
                + "authorizes itself. With `style=nginx` every refusal but a 401 is a 403 without a body that names the real status in "
                + $"`{AuthorizeDoor.StatusHeader}`; with `style=refusal` there is no 200.",
            Tags = new HashSet<OpenApiTagReference> { new(Tag, document) },
            Parameters = [Style(), .. Originals()],
            Responses = new OpenApiResponses { ["200"] = Allowed(document) },
        };
        foreach (var sameStatus in Codes.GroupBy(provider.Dialect.StatusOf).OrderBy(group => group.Key))
        {
            operation.Responses[OperationShape.Text(sameStatus.Key)] = Refused(document, [.. sameStatus]);
        }

        var path = new OpenApiPathItem();
        path.AddOperation(HttpMethod.Get, operation);
        document.Paths.Add(AuthorizeDoor.Path, path);
    }

    private static OpenApiParameter Style() => new()
    {
        Name = "style",
        In = ParameterLocation.Query,
        Description = "How the proxy can be answered; left out, with the status and body for the customer.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["nginx", "refusal"] },
    };

    private static IEnumerable<IOpenApiParameter> Originals()
    {
        (string Name, string Other, string What)[] headers =
        [
            (OriginalRequest.ForwardedMethod, OriginalRequest.OriginalMethod, "method"),
            (OriginalRequest.ForwardedUri, OriginalRequest.OriginalUri, "path and query, as sent,"),
        ];
        return headers.Select(header => new OpenApiParameter
        {
            Name = header.Name,
            In = ParameterLocation.Header,
            Description = $"The {header.What} of the customer's request. `{header.Other}` may be sent instead, never both.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });
    }

    private static OpenApiResponse Allowed(OpenApiDocument document)
    {
        var headers = ProblemResponses.RequestIdHeader(document);
        foreach (var (name, text) in Facts)
        {
            headers[name] = Header(text);
        }

        return new OpenApiResponse { Description = "The request may pass. Without a body.", Headers = headers };
    }

    private OpenApiResponse Refused(OpenApiDocument document, IReadOnlyList<ProblemCode> codes)
    {
        var headers = ProblemResponses.RequestIdHeader(document);
        headers[AuthorizeDoor.CodeHeader] = Header("The code of the error, whatever the provider calls it.");
        headers[AuthorizeDoor.ReasonHeader] = Header("The error in a sentence.");
        headers[AuthorizeDoor.RequiredHeader] = Header("The permission that the key lacks, where that is the reason.");
        headers[AuthorizeDoor.StatusHeader] = Header("With `style=nginx`: the real status.");
        return new OpenApiResponse
        {
            Description = string.Join(' ', codes.Select(code => code.Title)),
            Headers = headers,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Description = "An error in the provider's words.",
                        AdditionalProperties = new OpenApiSchema(),
                    },
                    Examples = codes.ToDictionary(code => code.Code, Example),
                },
            },
        };
    }

    private IOpenApiExample Example(ProblemCode code)
    {
        var output = new ArrayBufferWriter<byte>();
        provider.Dialect.Write(output, Problem.Of(code), ProblemResponses.RequestIdExample, SurfaceSample.Now);
        return new OpenApiExample { Summary = code.Title, Value = JsonNode.Parse(output.WrittenSpan) };
    }

    private static OpenApiHeader Header(string description) =>
        new() { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
}
