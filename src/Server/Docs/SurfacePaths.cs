using System.Buffers;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Surfaces;

namespace Tollgate.Server.Docs;

/// <summary>
/// The provider's own key management, appended to the document from its file: members by the provider's names, answers and errors by
/// example, written with the templates that write the real ones.
/// </summary>
internal sealed class SurfacePaths(ProviderModel provider)
{
    public const string Tag = "Provider";

    private const string ProjectName = "ActingProject";
    private const string AnswerName = "ProviderAnswer";
    private const string ErrorName = "ProviderError";

    public void AddTo(OpenApiDocument document)
    {
        if (provider.Surface.Routes.Count == 0)
        {
            return;
        }

        var components = document.Components!;
        components.Schemas![ErrorName] = FreeForm("An error in the provider's words.");
        components.Schemas[AnswerName] = FreeForm("An answer in the provider's words.");
        components.Parameters![ProjectName] = new OpenApiParameter
        {
            Name = KeySurface.ProjectHeader,
            In = ParameterLocation.Header,
            Description = "The project in which the root key acts; the first one when absent. Other keys act in their own.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };
        foreach (var place in provider.Surface.Routes)
        {
            if (!document.Paths.TryGetValue(place.Pattern.Text, out var path))
            {
                document.Paths.Add(place.Pattern.Text, path = new OpenApiPathItem());
            }

            var method = MethodNames.All.First(name => place.Method.HasFlag(MethodNames.Parse(name)));
            ((OpenApiPathItem)path).AddOperation(new HttpMethod(method), Operation(document, place));
        }
    }

    private OpenApiOperation Operation(OpenApiDocument document, SurfaceRoute place)
    {
        var operation = new OpenApiOperation
        {
            OperationId = "provider" + Named(place.Operation),
            Summary = Summary(place.Operation),
            Description = place.Needs switch
            {
                SurfaceNeeds.ManageKeys => "A key with `keys:manage` may call this, and the root key.",
                SurfaceNeeds.ManageKeysOrSelf => "A key with `keys:manage` may call this, the key itself, and the root key.",
                _ => "Any good key may call this, and the root key.",
            },
            Tags = new HashSet<OpenApiTagReference> { new(Tag, document) },
            Parameters = [],
            Responses = [],
        };
        if (place.Pattern.PlaceOf(SegmentKind.Id) >= 0)
        {
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = "id",
                In = ParameterLocation.Path,
                Required = true,
                Description = "The id of a key.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }

        operation.Parameters.Add(new OpenApiParameterReference(ProjectName, document));
        if (IsMutation(place.Operation))
        {
            operation.Parameters.Add(new OpenApiParameterReference(MutationRunner.Header, document));
        }

        if (place.Accepts.Count > 0)
        {
            operation.RequestBody = Body(document, place);
        }

        operation.Responses.Add(OperationShape.Text(place.Status), Answer(document, place));
        foreach (var sameStatus in Errors(place).GroupBy(provider.Dialect.StatusOf).OrderBy(group => group.Key))
        {
            operation.Responses.TryAdd(OperationShape.Text(sameStatus.Key), Error(document, [.. sameStatus]));
        }

        return operation;
    }

    /// <summary>The provider's members with the bounds of the fields they set.</summary>
    private static OpenApiRequestBody Body(OpenApiDocument document, SurfaceRoute place)
    {
        var record = place.Operation == SurfaceOperation.Create ? "CreateKey" : "RotateKey";
        var fields = (OpenApiSchema)document.Components!.Schemas![record];
        var members = place.Accepts.ToDictionary(member => member.Key, member => fields.Properties![member.Value]);
        var needed = fields.Required ?? new HashSet<string>();
        var required = place.Accepts.Where(member => needed.Contains(member.Value)).Select(member => member.Key).ToHashSet();
        return new OpenApiRequestBody
        {
            Description = required.Count > 0 ? OperationShape.BodyNeeded : OperationShape.BodyOptional,
            Required = required.Count > 0,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Properties = members,
                        Required = required.Count > 0 ? required : null,
                        AdditionalPropertiesAllowed = false,
                    },
                },
            },
        };
    }

    private OpenApiResponse Answer(OpenApiDocument document, SurfaceRoute place)
    {
        var answer = new OpenApiResponse { Description = "Done.", Headers = ProblemResponses.RequestIdHeader(document) };
        if (place.Answers is not null)
        {
            var output = new ArrayBufferWriter<byte>();
            place.Answers.Write(output, SurfaceSample.Of(provider, place.Operation));
            answer.Content = Json(new OpenApiMediaType
            {
                Schema = new OpenApiSchemaReference(AnswerName, document), Example = JsonNode.Parse(output.WrittenSpan),
            });
        }

        return answer;
    }

    private OpenApiResponse Error(OpenApiDocument document, IReadOnlyList<ProblemCode> codes) => new()
    {
        Description = string.Join(' ', codes.Select(code => code.Title)),
        Headers = ProblemResponses.RequestIdHeader(document),
        Content = Json(new OpenApiMediaType
        {
            Schema = new OpenApiSchemaReference(ErrorName, document),
            Examples = codes.ToDictionary(code => code.Code, Example),
        }),
    };

    private IOpenApiExample Example(ProblemCode code)
    {
        var output = new ArrayBufferWriter<byte>();
        provider.Dialect.Write(output, Problem.Of(code), ProblemResponses.RequestIdExample, SurfaceSample.Now);
        return new OpenApiExample { Summary = code.Title, Value = JsonNode.Parse(output.WrittenSpan) };
    }

    private static IEnumerable<ProblemCode> Errors(SurfaceRoute place)
    {
        yield return ProblemCode.KeyMissing;
        yield return ProblemCode.InvalidKey;
        yield return ProblemCode.KeyInQuery;
        if (place.Needs != SurfaceNeeds.AnyKey)
        {
            yield return ProblemCode.RightMissing;
        }

        if (place.Pattern.PlaceOf(SegmentKind.Id) >= 0)
        {
            yield return ProblemCode.NotFound;
        }

        if (IsMutation(place.Operation))
        {
            yield return ProblemCode.KeyFinal;
            yield return ProblemCode.IdempotencyInFlight;
            yield return ProblemCode.IdempotencyMismatch;
        }

        if (place.Accepts.Count > 0)
        {
            yield return ProblemCode.InvalidJson;
            yield return ProblemCode.ValidationFailed;
            yield return ProblemCode.BodyTooLarge;
            yield return ProblemCode.UnsupportedMediaType;
        }
    }

    private static bool IsMutation(SurfaceOperation operation) =>
        operation is not (SurfaceOperation.Whoami or SurfaceOperation.List or SurfaceOperation.Get);

    private static string Named(SurfaceOperation operation) => operation switch
    {
        SurfaceOperation.Whoami => "Whoami",
        SurfaceOperation.List => "ListKeys",
        _ => $"{operation}Key",
    };

    private static string Summary(SurfaceOperation operation) => operation switch
    {
        SurfaceOperation.Whoami => "Say whose key this is",
        SurfaceOperation.List => "List keys",
        SurfaceOperation.Get => "Read a key",
        SurfaceOperation.Rotate => "Give a key a new secret; the old one lives on for a grace",
        SurfaceOperation.Regenerate => "Give a key a new secret; the old one stops at once",
        SurfaceOperation.Revoke or SurfaceOperation.Delete => $"{operation} a key, for good",
        _ => $"{operation} a key",
    };

    private static OpenApiSchema FreeForm(string description) =>
        new() { Type = JsonSchemaType.Object, Description = description, AdditionalProperties = new OpenApiSchema() };

    private static Dictionary<string, OpenApiMediaType> Json(OpenApiMediaType media) => new() { ["application/json"] = media };
}
