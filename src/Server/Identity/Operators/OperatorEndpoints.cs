using System.Text.Json.Serialization;
using Tollgate.Server.Access;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Identity.Operators;

/// <summary>What the operator does about people on the management API.</summary>
internal static class OperatorEndpoints
{
    public static void MapOperators(this IEndpointRouteBuilder api) => api.MapPost("/operator/links", MakeLink)
        .WithName("createOperatorLink").WithTags("Operator").WithSummary("Make a link that signs the operator in")
        .Gives(typeof(OperatorLinkAnswer), 201).OperatorOnly().Idempotent().For(Act.LetIn);

    private static Task<IResult> MakeLink(
        HttpContext http, OperatorDoor door, PersonMail mail, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
        {
            if (await OrganizationRegister.OperatorsOwn(scope) is not { } own)
            {
                return OrganizationRegister.NoOrganization;
            }

            var url = mail.UrlOf(LinkKind.Once, await door.MakeLink(scope, own.Id.Text));
            var ends = DateTimeOffset.FromUnixTimeMilliseconds(scope.NowMs) + LinkKind.Once.Life;
            Outcome<MutationAnswer> answer = MutationAnswer.Of(
                201, new OperatorLinkAnswer(url, ends), OperatorWire.Default.OperatorLinkAnswer, holdsSecret: true);
            return answer;
        });
}

/// <summary>A link for one use, and when it ends.</summary>
internal sealed record OperatorLinkAnswer(string Url, DateTimeOffset ExpiresAt);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(OperatorLinkAnswer))]
internal sealed partial class OperatorWire : JsonSerializerContext;
