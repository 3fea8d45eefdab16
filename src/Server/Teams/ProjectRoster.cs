using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Identity;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Teams;

/// <summary>
/// The door for who is in a project of a team, as what. Whoever is, is in the team; a place is the membership's, so that who leaves and
/// comes back finds none of the old ones. Who may look after a project was settled before anybody comes here.
/// </summary>
internal sealed class ProjectRoster(Database database)
{
    /// <summary>Projects of a team that one member is in.</summary>
    public const int ProjectsMax = 500;

    public async Task<Outcome<IReadOnlyList<ListedProjectMember>>> List(string projectId, CancellationToken cancel) =>
        await database.Read<Outcome<IReadOnlyList<ListedProjectMember>>>(
            async connection =>
            {
                if (await OrganizationRegister.LookProject(connection, null, projectId) is not { } project)
                {
                    return OrganizationRegister.NoProject;
                }

                var members = (await TeamSql.Members(connection, null, project.OrganizationNo)).ToDictionary(member => member.MemberNo);
                var places = (await ProjectMemberSql.Of(connection, null, project.ProjectNo))
                    .FindAll(place => members.ContainsKey(place.MemberNo));
                var people = (await PersonDirectory.List(connection, [.. places.Select(place => members[place.MemberNo].PersonNo)]))
                    .ToDictionary(person => person.Id);
                return places.ConvertAll(place => Listed(place, people[members[place.MemberNo].PersonId]));
            },
            cancel);

    /// <summary>Puts a member of the team into a project, or makes them something else there.</summary>
    public static async Task<Outcome<ProjectMember>> Set(WriteScope scope, string projectId, string personId, string? role)
    {
        if (ProjectRoles.Parse(role) is not { } wanted)
        {
            return Problem.Invalid("/role", $"must be among {string.Join(", ", ProjectRoles.Names)}.");
        }

        if (!(await Member(scope, projectId, personId)).TryGet(out var found, out var problem))
        {
            return problem;
        }

        var (project, member) = found;
        var before = await ProjectMemberSql.Find(scope, project.ProjectNo, member.MemberNo);
        if (before is null && (await ProjectMemberSql.OfMember(scope.Connection, scope.Transaction, member.MemberNo)).Count >= ProjectsMax)
        {
            return new Problem(ProblemCode.Conflict, $"A member is in at most {ProjectsMax} projects of a team.");
        }

        var after = new ProjectMember
        {
            ProjectNo = project.ProjectNo, MemberNo = member.MemberNo, OrganizationNo = project.OrganizationNo, Role = wanted.Text(),
            AddedAtMs = before?.AddedAtMs ?? scope.NowMs,
        };
        if (before != after)
        {
            await ProjectMemberSql.Set(scope, after);
            await Tell(scope, "project_member.set", project, member, before, after);
        }

        return after;
    }

    /// <summary>Puts somebody out of a project. Whoever may not look after its members may put out themselves alone.</summary>
    public static async Task<Outcome<ProjectMember>> Remove(WriteScope scope, string projectId, string personId)
    {
        var caller = scope.Context.Caller;
        if (caller.IsPerson && caller.Id != personId && !RoleTable.May(caller.Roles, Act.ManageProjectMembers))
        {
            return Problem.Of(ProblemCode.RoleMissing);
        }

        if (!(await Member(scope, projectId, personId)).TryGet(out var found, out var problem))
        {
            return problem;
        }

        var (project, member) = found;
        if (await ProjectMemberSql.Find(scope, project.ProjectNo, member.MemberNo) is not { } before)
        {
            return NoMember;
        }

        await ProjectMemberSql.Remove(scope, project.ProjectNo, member.MemberNo);
        await Tell(scope, "project_member.remove", project, member, before, null);
        return before;
    }

    /// <summary>Who leaves the team leaves its projects: called in the write of the leaving.</summary>
    public static Task Leave(WriteScope scope, Member member) => ProjectMemberSql.RemoveAll(scope, member.MemberNo);

    /// <summary>Nobody is in a project that was deleted: called in the write of the deletion.</summary>
    public static Task Closed(WriteScope scope, Project project) => ProjectMemberSql.Empty(scope, project.ProjectNo);

    /// <summary>What somebody is in an organization: null for nothing, and where it is no team.</summary>
    public static async Task<TeamStanding?> StandingOf(
        DbConnection connection, DbTransaction? transaction, Organization team, string personId)
    {
        if (await TeamSql.FindMember(connection, transaction, team.OrganizationNo, personId) is not { } member)
        {
            return null;
        }

        var places = await ProjectMemberSql.OfMember(connection, transaction, member.MemberNo);
        return new TeamStanding(
            member.TeamRole, places.ToDictionary(place => place.ProjectNo, place => place.ProjectRole));
    }

    /// <summary>The teams that somebody is in, those that were deleted left out.</summary>
    public static async Task<List<Membership>> TeamsOf(DbConnection connection, DbTransaction? transaction, string personId)
    {
        var members = await TeamSql.Of(connection, transaction, personId);
        var teams = (await OrganizationRegister.Look(connection, transaction, members.ConvertAll(member => member.OrganizationNo)))
            .ToDictionary(team => team.OrganizationNo);
        return [.. members.Where(member => teams.ContainsKey(member.OrganizationNo))
            .Select(member => new Membership(teams[member.OrganizationNo], member))];
    }

    public static Task<bool> IsTeam(DbConnection connection, DbTransaction? transaction, Organization organization) =>
        TeamSql.IsTeam(connection, transaction, organization.OrganizationNo);

    private static ListedProjectMember Listed(ProjectMember place, Person person) =>
        new(place, person.Id, person.Name, person.Email);

    private static Problem NoMember => new(ProblemCode.NotFound, "There is no such member.");

    private static async Task<Outcome<(Project Project, Member Member)>> Member(WriteScope scope, string projectId, string personId)
    {
        if (!(await OrganizationRegister.FindProject(scope, projectId)).TryGet(out var project, out var problem))
        {
            return problem;
        }

        return await TeamSql.FindMember(scope.Connection, scope.Transaction, project.OrganizationNo, personId) is { } member
            ? (project, member)
            : NoMember;
    }

    private static Task Tell(
        WriteScope scope, string action, Project project, Member member, ProjectMember? before, ProjectMember? after) =>
        AuditLog.Append(scope, new AuditEntry
        {
            Action = action,
            TargetType = "project_member",
            TargetId = member.PersonId,
            OrganizationId = project.OrganizationId.Text,
            ProjectId = project.Id.Text,
            Before = Json(member, before),
            After = Json(member, after),
        });

    public static string? Json(Member member, ProjectMember? place) => place is null
        ? null
        : new JsonObject { ["person_id"] = member.PersonId, ["role"] = place.Role }.ToJsonString(JsonSerializerOptions.Default);
}
