using System.Reflection;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Mutations;
using Tollgate.Server.Providers;
using Tollgate.Server.Reach;

namespace Tollgate.Server.Docs;

/// <summary>
/// Adds to the document what no endpoint can say: what it is about, where it is served, how callers prove who they are, and the
/// provider's own paths.
/// </summary>
internal sealed class DocumentShape(ProviderModel provider, SessionCookie cookie) : IOpenApiDocumentTransformer
{
    public const string SecurityName = "bearer";
    public const string SessionName = "session";

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = Info();
        document.Servers = [new OpenApiServer { Url = ApiDocument.AddressMark, Description = "This gate." }];
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [SecurityName] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "A key of this gate, or the operator's root key, as `Authorization: Bearer …`.",
            },
            [SessionName] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Cookie,
                Name = cookie.Name,
                Description =
                    $"Who has signed in. What changes something needs `{ApiToken.Header}` too: the `csrf_token` of `GET /api/v1/me`.",
            },
        };
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(SecurityName, document)] = [] }];
        AddIdempotency(document);
        ProblemResponses.AddTo(document);
        new SchemaRules(provider).Apply(document);
        new AuthorizePath(provider).AddTo(document);
        new SurfacePaths(provider).AddTo(document);
        document.Tags = Tags(document);
        return Task.CompletedTask;
    }

    private OpenApiInfo Info() => new()
    {
        Title = $"Tollgate for {provider.DisplayName}",
        Version = typeof(DocumentShape).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0],
        Description =
            $"The gate in front of {provider.DisplayName}'s API: keys, their permissions and the check. Paths under `/api/v1` are the "
            + $"gate's own and answer problems (RFC 9457); all others are {provider.DisplayName}'s and answer in its words.",
        Contact = new OpenApiContact { Name = "The operator of this gate" },
        License = new OpenApiLicense { Name = "Apache-2.0", Identifier = "Apache-2.0" },
    };

    private static void AddIdempotency(OpenApiDocument document)
    {
        var components = document.Components!;
        components.Parameters ??= new Dictionary<string, IOpenApiParameter>();
        components.Parameters[MutationRunner.Header] = new OpenApiParameter
        {
            Name = MutationRunner.Header,
            In = ParameterLocation.Header,
            Description =
                "Makes the call safe to repeat: for ten minutes the same value with the same request gets the same answer, the secret "
                + "included; with another request it is refused.",
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.String, MinLength = 1, MaxLength = MutationRunner.HeaderCharsMax, Pattern = "^[!-~]+$",
            },
        };
        components.Headers ??= new Dictionary<string, IOpenApiHeader>();
        components.Headers[MutationRunner.ReplayedHeader] = new OpenApiHeader
        {
            Description = "`true` when this is the kept answer of an earlier call.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["true"] },
        };
    }

    /// <summary>The tags in use, each with what it is about.</summary>
    private HashSet<OpenApiTag> Tags(OpenApiDocument document)
    {
        var used = document.Paths.Values.SelectMany(path => path.Operations?.Values ?? Enumerable.Empty<OpenApiOperation>())
            .SelectMany(operation => operation.Tags ?? new HashSet<OpenApiTagReference>()).Select(tag => tag.Name).Distinct();
        return [.. used.Select(name => new OpenApiTag { Name = name, Description = About(name) })];
    }

    private string About(string? tag) => tag switch
    {
        "Organizations" => "Owners of projects.",
        "Projects" => "Holders of keys.",
        "Keys" => "Keys and their life, from creation to deletion.",
        "Usage" => "What keys did, and what became of a request.",
        "Verification" => "The check, for API servers.",
        AuthorizePath.Tag => "The check, for proxies.",
        "Audit" => "Who did what.",
        "Operator" => "The operator's own way in.",
        "Teams" => "Who is in an organization of several people, and invitations to it.",
        "Me" => "Whoever is signed in, and their sessions.",
        "Wallets" => "What organizations pay with, and what moved it.",
        "Webhooks" => "Told of what happens.",
        OperationShape.HealthTag => "For probes.",
        SurfacePaths.Tag => $"Keys in {provider.DisplayName}'s own paths and words.",
        _ => $"{tag}.",
    };
}
