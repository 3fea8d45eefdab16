using System.Data.Common;
using System.Text.Json.Serialization;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Reach;

/// <summary>Who asks: a person with the organizations they are in, a key, or the root key.</summary>
internal static class MeEndpoints
{
    public static void MapMe(this IEndpointRouteBuilder api) => api.MapGet("/me", Me).WithName("getMe").WithTags("Me")
        .WithSummary("Say who asks").Gives(typeof(MeAnswer)).Needs(Rights.None).For(Act.Oneself);

    private static async Task<IResult> Me(HttpContext http, Database database, ApiToken tokens, SessionCookie cookie)
    {
        var caller = Caller.Of(http);
        if (caller.Kind != CallerKind.Person)
        {
            return Answers.Json(MeAnswer.OfKey(caller), MeWire.Default.MeAnswer);
        }

        var who = SignedIn.Of(http);
        var own = await database.Read(connection => Own(connection, who.Person), http.RequestAborted);
        return Answers.Json(MeAnswer.OfPerson(who, own, tokens.Of(cookie.Read(http)!)), MeWire.Default.MeAnswer);
    }

    /// <summary>One's own, where it is still there, and the teams that one is in.</summary>
    private static async Task<IReadOnlyList<MyOrganization>> Own(DbConnection connection, Person person)
    {
        var places = new List<MyOrganization>();
        if (await OrganizationRegister.Look(connection, null, person.OrganizationId) is { } own)
        {
            places.Add(new MyOrganization(own.Id.Text, own.Name, own.Status, TeamRole.Owner.Text(), IsPersonal: true));
        }

        places.AddRange((await ProjectRoster.TeamsOf(connection, null, person.Id)).Select(one => new MyOrganization(
            one.Team.Id.Text, one.Team.Name, one.Team.Status, one.Role.Text(), IsPersonal: false)));
        return places;
    }
}

/// <summary>Who asks. A person has organizations and a token, a key its project and rights.</summary>
internal sealed record MeAnswer
{
    /// <summary><c>person</c>, <c>key</c> or <c>root</c>.</summary>
    public required string Type { get; init; }

    public required string Id { get; init; }

    public required string Name { get; init; }

    public string? Email { get; init; }

    public bool? IsOperator { get; init; }

    public IReadOnlyList<MyOrganization>? Organizations { get; init; }

    /// <summary>To be sent as X-CSRF-Token with each change, as long as the session lives.</summary>
    public string? CsrfToken { get; init; }

    /// <summary>Until when the sign-in counts as fresh; then what asks for one refuses.</summary>
    public DateTimeOffset? FreshUntil { get; init; }

    public string? OrganizationId { get; init; }

    public string? ProjectId { get; init; }

    public string? Environment { get; init; }

    public IReadOnlyList<string>? Rights { get; init; }

    public static MeAnswer OfKey(Caller caller) => new()
    {
        Type = caller.Kind == CallerKind.Root ? "root" : "key",
        Id = caller.Id,
        Name = caller.Name,
        OrganizationId = caller.OrganizationId,
        ProjectId = caller.ProjectId,
        Environment = caller.Environment,
        Rights = RightNames.Of(caller.Rights),
    };

    public static MeAnswer OfPerson(SignedIn who, IReadOnlyList<MyOrganization> organizations, string token) => new()
    {
        Type = "person",
        Id = who.Person.Id,
        Name = who.Person.Name,
        Email = who.Person.Email,
        IsOperator = who.Person.IsOperator != 0,
        Organizations = organizations,
        CsrfToken = token,
        FreshUntil = DateTimeOffset.FromUnixTimeMilliseconds(who.Session.ProvedAtMs) + SignedIn.FreshFor,
    };
}

/// <summary>An organization that one is in, and as what.</summary>
internal sealed record MyOrganization(string Id, string Name, string Status, string Role, bool IsPersonal);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(MeAnswer))]
internal sealed partial class MeWire : JsonSerializerContext;
