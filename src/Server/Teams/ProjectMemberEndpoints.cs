using System.Text.Json.Serialization;
using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Teams;

/// <summary>Who is in a project, on the management API.</summary>
internal static class ProjectMemberEndpoints
{
    public static void MapProjectMembers(this IEndpointRouteBuilder api)
    {
        var members = api.MapGroup("/projects/{id}/members").WithTags("Projects").OperatorOnly();
        members.MapGet("", List).WithName("listProjectMembers").WithSummary("List the members of a project")
            .Gives(typeof(ProjectMemberList)).For(Act.SeeProjectMembers);
        members.MapPut("/{person}", Set).WithName("setProjectMember").WithSummary("Put a member of the team into a project")
            .Takes(typeof(SetProjectMember)).Gives(typeof(ProjectMembershipAnswer)).Idempotent().For(Act.ManageProjectMembers);
        members.MapDelete("/{person}", Remove).WithName("removeProjectMember").WithSummary("Put a member out of a project")
            .Gives(typeof(ProjectMembershipAnswer)).Idempotent().For(Act.LeaveProject);
    }

    private static async Task<IResult> List(HttpContext http, string id, ProjectRoster roster) =>
        (await roster.List(id, http.RequestAborted)).TryGet(out var members, out var problem)
            ? Answers.Json(
                new ProjectMemberList([.. members.Select(ProjectMemberAnswer.Of)], null), ProjectMemberWire.Default.ProjectMemberList)
            : new ProblemResult(problem);

    private static async Task<IResult> Set(HttpContext http, string id, string person, MutationRunner mutations) =>
        (await RequestBody.Read(http, ProjectMemberWire.Default.SetProjectMember)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw, scope => ProjectRoster.Set(scope, id, person, body.Value.Role), member => Shown(person, member))
            : new ProblemResult(problem);

    private static Task<IResult> Remove(HttpContext http, string id, string person, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
            (await ProjectRoster.Remove(scope, id, person)).TryGet(out var member, out var problem) ? Shown(person, member) : problem);

    private static MutationAnswer Shown(string person, ProjectMember member) => MutationAnswer.Of(
        200, ProjectMembershipAnswer.Of(person, member), ProjectMemberWire.Default.ProjectMembershipAnswer);
}

internal sealed record SetProjectMember(string? Role);

/// <summary>Somebody's place in a project, after a change of it.</summary>
internal sealed record ProjectMembershipAnswer(string PersonId, string Role, DateTimeOffset AddedAt)
{
    public static ProjectMembershipAnswer Of(string person, ProjectMember member) =>
        new(person, member.Role, DateTimeOffset.FromUnixTimeMilliseconds(member.AddedAtMs));
}

/// <summary>The same in a list, with what people call them.</summary>
internal sealed record ProjectMemberAnswer(string PersonId, string Name, string? Email, string Role, DateTimeOffset AddedAt)
{
    public static ProjectMemberAnswer Of(ListedProjectMember listed) => new(
        listed.PersonId, listed.Name, listed.Email, listed.Place.Role, DateTimeOffset.FromUnixTimeMilliseconds(listed.Place.AddedAtMs));
}

internal sealed record ProjectMemberList(IReadOnlyList<ProjectMemberAnswer> Data, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(SetProjectMember))]
[JsonSerializable(typeof(ProjectMembershipAnswer))]
[JsonSerializable(typeof(ProjectMemberList))]
internal sealed partial class ProjectMemberWire : JsonSerializerContext;
