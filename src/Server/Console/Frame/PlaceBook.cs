using System.Data.Common;
using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Reach;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Says where a person may go in the console and what they are there, by the rules of the management API, and changes things on their
/// behalf. Nobody, not even who runs the gate, comes to an organization that they are not in: looks at customers are for the API and the
/// operator's own pages, which tell the audit log of them.
/// </summary>
internal sealed class PlaceBook(
    Database database, PersonGate gate, SessionBook sessions, SessionCookie cookie, OrganizationRegister organizations,
    PlaceCookie last)
{
    /// <summary>Projects in the switch; who has more reaches the rest by their addresses.</summary>
    public const int ProjectsMax = 100;

    public static Problem NoPlace => new(ProblemCode.NotFound, "There is nothing here for you.");

    /// <summary>
    /// Where somebody is at home: where this browser was last, or else the first project that is theirs. Null for who is in no
    /// organization.
    /// </summary>
    public async Task<ConsolePlace?> Home(HttpContext http)
    {
        var (who, cancel) = (SignedIn.Of(http), http.RequestAborted);
        if (last.Read(http) is { } id && (await Find(who, id, cancel)).TryGet(out var place, out _))
        {
            return place;
        }

        var first = await First(who, cancel);
        return first is { Projects: [var project, ..] } && (await Find(who, project.Id.Text, cancel)).TryGet(out var within, out _)
            ? within
            : first;
    }

    /// <summary>Where somebody begins: the first project of the first organization that has one for them.</summary>
    public async Task<ConsolePlace?> First(SignedIn who, CancellationToken cancel)
    {
        ConsolePlace? first = null;
        foreach (var organization in (await database.Read(connection => Own(connection, who.Person), cancel)).All)
        {
            if ((await Find(who, organization.Id.Text, cancel)).TryGet(out var place, out _))
            {
                first ??= place;
                if (place.Projects.Count > 0)
                {
                    return place;
                }
            }
        }

        return first;
    }

    /// <summary>The place with the id of a project or an organization. What is not one's own is as absent as what never was.</summary>
    public async Task<Outcome<ConsolePlace>> Find(SignedIn who, string id, CancellationToken cancel)
    {
        var found = await database.Read(connection => Look(connection, who, id), cancel);
        if (!found.TryGet(out var place, out var problem))
        {
            return problem;
        }

        var projects = place.ProjectNosAbove is { } above
            ? await organizations.ListProjects(above, long.MaxValue, ProjectsMax + 1, cancel)
            : await organizations.ListProjects(place.Organization.Id, long.MaxValue, ProjectsMax + 1, cancel);
        return place with
        {
            HasMoreProjects = projects.Count > ProjectsMax,
            Projects =
            [
                .. projects.Take(ProjectsMax)
                    .Where(one => one.OrganizationNo == place.Organization.OrganizationNo && one.DeletedAtMs is null)
                    .OrderBy(project => project.ProjectNo),
            ],
        };
    }

    /// <summary>
    /// The caller of a page once more, for an answer that takes long: whose session has ended, or who is something else there by now, gets
    /// no more of it.
    /// </summary>
    public async ValueTask<Outcome<Caller>> Again(HttpContext http)
    {
        var place = ConsolePlace.Of(http);
        return await sessions.Find(cookie.Read(http), http.RequestAborted) is { } who
            && (await Find(who, place.Id, http.RequestAborted)).TryGet(out var found, out _) && found.Caller.Roles == place.Caller.Roles
            ? found.Caller
            : Problem.Of(ProblemCode.SessionEnded);
    }

    /// <summary>A key of the place's project, and the person as it stands to that key.</summary>
    public async Task<Outcome<(Key Key, Caller Caller)>> FindKey(
        SignedIn who, ConsolePlace place, string keyId, Act act, CancellationToken cancel) =>
        await database.Read<Outcome<(Key, Caller)>>(
            async connection =>
                (await TargetOf(connection, null, place, keyId)).TryGet(out var target, out var problem)
                && (await gate.Judge(connection, null, who.Person, who.Session, act, target)).TryGet(out var caller, out problem)
                    ? (target.Key!, caller)
                    : problem,
            cancel);

    /// <summary>
    /// Changes something on behalf of who is signed in. Session and role are judged again inside the write, where no other change can come
    /// between.
    /// </summary>
    /// <param name="http">The form that was sent.</param>
    /// <param name="keyId">The key that it is about; null for the place itself.</param>
    /// <param name="act">What the role must allow; what concerns nobody else asks for no role.</param>
    /// <param name="work">The change.</param>
    public async Task<Outcome<T>> Write<T>(HttpContext http, string? keyId, Act act, Func<WriteScope, Task<Outcome<T>>> work)
    {
        var (who, place) = (SignedIn.Of(http), ConsolePlace.Of(http));
        return await database.Write<T>(
            async scope =>
            {
                if (await sessions.Still(scope, who, cookie.Read(http)) is not { } person)
                {
                    return Problem.Of(ProblemCode.SessionEnded);
                }

                if (!(await TargetOf(scope.Connection, scope.Transaction, place, keyId)).TryGet(out var target, out var problem)
                    || !(await gate.Judge(
                        scope.Connection, scope.Transaction, person, who.Session, act, act == Act.Oneself ? null : target))
                        .TryGet(out var caller, out problem))
                {
                    return problem;
                }

                scope.Become(caller);
                return await work(scope);
            },
            MutationRunner.ContextOf(http, who.Person.Caller),
            http.RequestAborted);
    }

    /// <summary>One's own organization, where it is still there, and the teams that one is in.</summary>
    private static async Task<(List<Organization> All, List<Membership> Teams)> Own(DbConnection connection, Person person)
    {
        var own = await OrganizationRegister.Look(connection, null, person.OrganizationId);
        var teams = await ProjectRoster.TeamsOf(connection, null, person.Id);
        var others = teams.Select(one => one.Team);
        return (own is null ? [.. others] : [own, .. others.Where(team => team.OrganizationNo != own.OrganizationNo)], teams);
    }

    private async Task<Outcome<ConsolePlace>> Look(DbConnection connection, SignedIn who, string id)
    {
        var (own, teams) = await Own(connection, who.Person);
        var project = id.StartsWith(ProjectId.Prefix, StringComparison.Ordinal)
            ? await OrganizationRegister.LookProject(connection, null, id)
            : null;
        var organizationId = project is null ? id : project.OrganizationId.Text;
        if (own.Find(organization => organization.Id.Text == organizationId) is not { } organization)
        {
            return NoPlace;
        }

        var target = new Target { Organization = organization, Absent = NoPlace };
        if (!(await gate.Judge(connection, null, who.Person, who.Session, Act.SeeOrganization, target))
            .TryGet(out var above, out var problem))
        {
            return problem;
        }

        var caller = above;
        if (project is not null)
        {
            target = target with { ProjectNo = project.ProjectNo, ProjectId = project.Id.Text };
            if (!(await gate.Judge(connection, null, who.Person, who.Session, Act.SeeProject, target)).TryGet(out caller, out problem))
            {
                return problem;
            }
        }

        return new ConsolePlace
        {
            Organization = organization, Project = project, Caller = caller, CallerAbove = above, Organizations = own, Projects = [],
            RoleInTeam = teams.Find(one => one.Team.OrganizationNo == organization.OrganizationNo)?.Role,
            TeamsOwned = teams.Count(one => one.Role == TeamRole.Owner),
        };
    }

    private static async Task<Outcome<Target>> TargetOf(
        DbConnection connection, DbTransaction? transaction, ConsolePlace place, string? keyId)
    {
        if (await OrganizationRegister.Look(connection, transaction, place.Organization.Id.Text) is not { } organization)
        {
            return NoPlace;
        }

        var target = new Target
        {
            Organization = organization, ProjectNo = place.Project?.ProjectNo ?? 0, ProjectId = place.Project?.Id.Text, Absent = NoPlace,
        };
        if (keyId is null)
        {
            return target;
        }

        return await KeyRing.Look(connection, transaction, keyId) is { } key && key.ProjectNo == target.ProjectNo
            ? target with { Key = key }
            : new Problem(ProblemCode.NotFound, "There is no such key.");
    }
}
