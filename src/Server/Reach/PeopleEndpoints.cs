using System.Text.Json.Serialization;
using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Reach;

/// <summary>People as the operator sees them: all of them, one with their teams, and who is kept from signing in.</summary>
internal static class PeopleEndpoints
{
    public static void MapPeople(this IEndpointRouteBuilder api)
    {
        var people = api.MapGroup("/operator/people").WithTags("Operator").OperatorOnly();
        people.MapGet("", List).WithName("listPeople").WithSummary("List people, newest first").Gives(typeof(PersonList));
        people.MapGet("/{person}", Get).WithName("getPerson").WithSummary("Read a person").Gives(typeof(PersonAnswer));
        people.MapPatch("/{person}", Change).WithName("updatePerson").WithSummary("Suspend or reinstate a person")
            .Takes(typeof(ChangePerson)).Gives(typeof(PersonAnswer)).Idempotent().For(Act.Rule);
        people.MapDelete("/{person}/sessions", EndSessions).WithName("endPersonSessions").WithSummary("End all sessions of a person")
            .Gives(typeof(SessionsEnded)).Idempotent().For(Act.Rule);
        people.MapDelete("/{person}/second-step", TakeStep).WithName("removePersonSecondStep")
            .WithSummary("Remove the second step of somebody who has lost it").Gives(typeof(PersonAnswer)).Idempotent().For(Act.Rule);
    }

    private static Task<IResult> EndSessions(HttpContext http, string person, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope => (await People.EndSessions(scope, person)).TryGet(out var ended, out var problem)
            ? MutationAnswer.Of(200, new SessionsEnded(ended), MySessionWire.Default.SessionsEnded)
            : problem);

    private static Task<IResult> TakeStep(HttpContext http, string person, SecondStepDoor door, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope => (await door.TakeAway(scope, person, null)).TryGet(out var changed, out var problem)
            ? MutationAnswer.Of(200, PersonAnswer.Of(changed, null), PeopleWire.Default.PersonAnswer)
            : problem);

    private static async Task<IResult> List(
        HttpContext http, PersonRegister register, Pages pages, string? search, int? limit, string? cursor)
    {
        if (search is { Length: > PersonRegister.SearchMax } || search?.Contains('\0', StringComparison.Ordinal) == true)
        {
            return new ProblemResult(
                Problem.Invalid("/search", $"must have at most {PersonRegister.SearchMax} characters and no U+0000."));
        }

        if (!pages.Read(http, $"people {search}", limit, cursor).TryGet(out var page, out var problem))
        {
            return new ProblemResult(problem);
        }

        var rows = await register.List(search, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, person => person.PersonNo);
        return Answers.Json(new PersonList([.. data.Select(one => PersonAnswer.Of(one, null))], next), PeopleWire.Default.PersonList);
    }

    private static async Task<IResult> Get(HttpContext http, string person, PersonRegister register, Database database)
    {
        if (!(await register.Find(person, http.RequestAborted)).TryGet(out var found, out var problem))
        {
            return new ProblemResult(problem);
        }

        var teams = await database.Read(connection => ProjectRoster.TeamsOf(connection, null, found.Id), http.RequestAborted);
        return Answers.Json(
            PersonAnswer.Of(found, [.. teams.Select(one => new PersonTeam(one.Team.Id.Text, one.Team.Name, one.Role.Text()))]),
            PeopleWire.Default.PersonAnswer);
    }

    private static async Task<IResult> Change(HttpContext http, string person, People people, MutationRunner mutations) =>
        (await RequestBody.Read(http, PeopleWire.Default.ChangePerson)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw, scope => SetStatus(scope, people, person, body.Value.Status),
                changed => MutationAnswer.Of(200, PersonAnswer.Of(changed, null), PeopleWire.Default.PersonAnswer))
            : new ProblemResult(problem);

    private static async Task<Outcome<Person>> SetStatus(WriteScope scope, People people, string id, string? status)
    {
        if (status is not ("active" or "suspended"))
        {
            return Problem.Invalid("/status", "must be \"active\" or \"suspended\".");
        }

        return status == "suspended" && scope.Context.Caller.Id == id
            ? new Problem(ProblemCode.Conflict, "Nobody suspends themselves.")
            : await people.SetDisabled(scope, id, status == "suspended");
    }
}

internal sealed record ChangePerson(string? Status);

/// <summary>Somebody who has an account. The teams are told of one person alone.</summary>
internal sealed record PersonAnswer
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string? Email { get; init; }

    public required string Status { get; init; }

    public required bool IsOperator { get; init; }

    public required string OrganizationId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required IReadOnlyList<PersonTeam>? Teams { get; init; }

    public static PersonAnswer Of(Person person, IReadOnlyList<PersonTeam>? teams) => new()
    {
        Id = person.Id,
        Name = person.Name,
        Email = person.Email,
        Status = person.DisabledAtMs is null ? "active" : "suspended",
        IsOperator = person.IsOperator != 0,
        OrganizationId = person.OrganizationId,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(person.CreatedAtMs),
        Teams = teams,
    };
}

/// <summary>A team that somebody is in, and as what.</summary>
internal sealed record PersonTeam(string Id, string Name, string Role);

internal sealed record PersonList(IReadOnlyList<PersonAnswer> Data, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(ChangePerson))]
[JsonSerializable(typeof(PersonAnswer))]
[JsonSerializable(typeof(PersonList))]
internal sealed partial class PeopleWire : JsonSerializerContext;
