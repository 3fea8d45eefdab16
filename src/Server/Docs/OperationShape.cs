using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Changes;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Docs;

/// <summary>
/// Adds to each operation of the management API what its endpoint says of itself but the generator does not read: who may call, its
/// idempotency key, the bounds of its parameters, and the problems it can answer.
/// </summary>
internal sealed class OperationShape : IOpenApiOperationTransformer
{
    public const string HealthTag = "Health";
    public const string BodyNeeded = "One JSON object; unknown members are refused.";
    public const string BodyOptional = "May be left out.";
    public const string BodyOfLines = "A JSON object on each line, at most 1,000 of them and 4 MiB together; unknown members are refused.";

    private const string RequestIdPattern = "^req_[0-9a-z]{13}$";
    private const string IdPattern = "[0-9A-Za-z]{22}$";

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var access = metadata.OfType<AccessRow>().LastOrDefault();
        var isPublic = ReferenceEquals(access, AccessRow.Everybody);
        var takes = metadata.OfType<IAcceptsMetadata>().LastOrDefault();
        var isIdempotent = metadata.OfType<IdempotentCall>().Any();
        var path = "/" + context.Description.RelativePath;

        operation.Description = Describe(operation.OperationId ?? "", access, metadata.OfType<PeopleRow>().LastOrDefault(), isPublic);
        operation.RequestBody?.Description ??= takes?.IsOptional == true ? BodyOptional
            : takes?.ContentTypes is [RequestBody.LinesType] ? BodyOfLines
            : BodyNeeded;
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            Bound(parameter, path);
        }

        if (isIdempotent)
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameterReference(MutationRunner.Header, context.Document));
        }

        if (isPublic)
        {
            operation.Security = [];
        }
        else if (metadata.OfType<PeopleRow>().LastOrDefault()?.Act is not null)
        {
            operation.Security = access!.PeopleOnly
                ? [By(DocumentShape.SessionName, context.Document!)]
                : [By(DocumentShape.SecurityName, context.Document!), By(DocumentShape.SessionName, context.Document!)];
        }

        Answer(operation, isPublic, isIdempotent, context.Document!);
        foreach (var status in Refusals(operation, isPublic, isIdempotent, takes is not null))
        {
            operation.Responses![Text(status)] = new OpenApiResponseReference(ProblemResponses.NameOf(status), context.Document);
        }

        return Task.CompletedTask;
    }

    private static string Describe(string operation, AccessRow? access, PeopleRow? people, bool isPublic)
    {
        var caller = isPublic || access is null ? "No key is needed."
            : access.PeopleOnly ? "No key may call this."
            : access.OperatorOnly ? "Of keys, the operator's root key alone may call this."
            : access.AnyOf == Rights.None ? "Any good key may call this, and the root key."
            : $"A key with `{string.Join("` or `", RightNames.Of(access.AnyOf))}` may call this, and the root key.";
        var all = people is null ? caller : $"{caller} {Describe(people)}";
        return OperationTexts.Of(operation) is { } text ? $"{text} {all}" : all;
    }

    private static OpenApiSecurityRequirement By(string scheme, OpenApiDocument document) =>
        new() { [new OpenApiSecuritySchemeReference(scheme, document)] = [] };

    private static string Describe(PeopleRow people) => people.Act switch
    {
        null => "People do not call this.",
        Act.Oneself => "Everybody who has signed in may.",
        { } act when RoleTable.Of(act) == Roles.None => "Of people, those who run the gate may.",
        { } act => $"Of people, these may: {string.Join(", ", NamesOf(RoleTable.Of(act)))}.",
    };

    private static IEnumerable<string> NamesOf(Roles roles) =>
        RoleNames.Where(one => roles.HasFlag(one.Role)).Select(one => one.Name);

    private static readonly (Roles Role, string Name)[] RoleNames =
    [
        (Roles.Owner, "owner"), (Roles.Admin, "admin"), (Roles.Billing, "billing"), (Roles.Member, "member"),
        (Roles.ProjectAdmin, "admin of the project"), (Roles.ProjectMember, "member of the project"), (Roles.Viewer, "viewer"),
    ];

    /// <summary>Statuses that the endpoint can refuse with, read off what it takes.</summary>
    private static IEnumerable<int> Refusals(OpenApiOperation operation, bool isPublic, bool isIdempotent, bool takesBody)
    {
        // Even where no key is asked for, one in the URL is refused.
        yield return 400;
        if (isPublic)
        {
            yield break;
        }

        yield return 401;
        yield return 403;
        if (operation.Parameters?.Any(parameter => parameter.In == ParameterLocation.Path) == true)
        {
            yield return 404;
        }

        if (isIdempotent)
        {
            yield return 409;
        }

        if (takesBody)
        {
            yield return 413;
            yield return 415;
        }

        if (takesBody || isIdempotent || operation.Parameters?.Any(parameter => parameter.In == ParameterLocation.Query) == true)
        {
            yield return 422;
        }

        yield return 429;
        yield return 500;
        yield return 503;
    }

    /// <summary>What is answered when all went well; the generator's own error answers go.</summary>
    private static void Answer(OpenApiOperation operation, bool isPublic, bool isIdempotent, OpenApiDocument document)
    {
        operation.Responses ??= [];
        var good = operation.Responses.Where(answer => answer.Key[0] is not ('4' or '5')).ToList();
        operation.Responses = [];
        good.ForEach(answer => operation.Responses.Add(answer.Key, answer.Value));
        foreach (var answer in operation.Responses.Values.OfType<OpenApiResponse>())
        {
            answer.Headers = ProblemResponses.RequestIdHeader(document);
            if (isIdempotent)
            {
                answer.Headers.Add(MutationRunner.ReplayedHeader, new OpenApiHeaderReference(MutationRunner.ReplayedHeader, document));
            }
        }

        if (isPublic)
        {
            PlainAnswers(operation, document);
        }
    }

    /// <summary>Health speaks in words, for people and for probes that read the status alone.</summary>
    private static void PlainAnswers(OpenApiOperation operation, OpenApiDocument document)
    {
        operation.Responses!["200"] = Plain("All is well.", document);
        if (operation.OperationId == "readiness")
        {
            operation.Responses["503"] = Plain("The database does not answer.", document);
        }
    }

    private static OpenApiResponse Plain(string description, OpenApiDocument document) => new()
    {
        Description = description,
        Headers = ProblemResponses.RequestIdHeader(document),
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["text/plain"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
        },
    };

    private static void Bound(OpenApiParameter parameter, string path)
    {
        if (parameter.Schema is not OpenApiSchema schema)
        {
            return;
        }

        switch (parameter.Name)
        {
            case "id" when path.StartsWith("/api/v1/requests/", StringComparison.Ordinal):
                (parameter.Description, schema.Pattern) = ("The id of a request, as its answer gave it.", RequestIdPattern);
                break;
            case "id":
                var (what, prefix) = path.Contains("/organizations/", StringComparison.Ordinal) ? ("an organization", OrganizationId.Prefix)
                    : path.Contains("/projects/", StringComparison.Ordinal) ? ("a project", ProjectId.Prefix)
                    : ("a key", KeyId.Prefix);
                (parameter.Description, schema.Pattern) = ($"The id of {what}.", $"^{prefix}{IdPattern}");
                break;
            case "limit":
                parameter.Description = "How many to answer at most.";
                (schema.Minimum, schema.Maximum, schema.Default) = ("1", Text(Pages.LimitMax), Pages.LimitDefault);
                break;
            case "cursor":
                parameter.Description = "The `next_cursor` of the page before, with the same filters; absent for the first page.";
                break;
            case "status":
                parameter.Description = "Only keys of this status.";
                schema.Enum = [.. KeyStatuses.Select(status => (JsonNode)status)];
                break;
            case "search":
                parameter.Description = "What to look for.";
                schema.MaxLength = OrganizationRegister.SearchMax;
                break;
            case "project":
                parameter.Description = "The id of the project for lines that name none.";
                schema.Pattern = $"^{ProjectId.Prefix}{IdPattern}";
                break;
            case "dry_run":
                parameter.Description = "Says what would become of each line, and stores nothing.";
                break;
            case "from" or "to" or "group_by" or "outcome" when path.Contains("/usage", StringComparison.Ordinal):
                BoundOfUsage(parameter, schema);
                break;
            case "from" or "to":
                parameter.Description = $"Only what happened {(parameter.Name == "from" ? "at this time or later" : "before this time")}.";
                schema.Format = "date-time";
                break;
            case "after":
                parameter.Description = "The `next_after` of the last answer; absent to ask where the log stands.";
                schema.Minimum = "0";
                break;
            case "wait":
                parameter.Description = "How many seconds to wait where nothing has changed.";
                (schema.Minimum, schema.Maximum) = ("0", Text(ChangeFeed.WaitSecondsMax));
                schema.Default = ChangeFeed.WaitSecondsDefault;
                break;
            case "epoch":
                parameter.Description = "The `epoch` of the last answer: another start of the gate or history of its data answers `reset`.";
                schema.MaxLength = 100;
                break;
            default:
                parameter.Description ??= $"Only rows with this `{parameter.Name}`.";
                schema.MaxLength = 200;
                break;
        }
    }

    private static void BoundOfUsage(OpenApiParameter parameter, OpenApiSchema schema)
    {
        switch (parameter.Name)
        {
            case "group_by":
                parameter.Description = "What sums are kept apart by: some of `key`, `model`, `day` and `project`, separated by commas.";
                schema.Pattern = "^(key|model|day|project)(,(key|model|day|project))*$";
                break;
            case "outcome":
                parameter.Description = "Only requests that ended so.";
                schema.Enum = ["passed", "refused"];
                break;
            default:
                parameter.Description = $"A date or a time; only what was used {(parameter.Name == "from" ? "from it on" : "before it")}.";
                schema.MaxLength = 40;
                break;
        }
    }

    internal static readonly string[] KeyStatuses = ["active", "disabled", "expired", "revoked", "deleted"];

    internal static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
