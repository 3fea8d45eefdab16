using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Organizations;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Frame;

/// <summary>
/// Where in the console somebody is: an organization of their own or a team, perhaps one project of it, as what, and where else they may
/// go.
/// </summary>
internal sealed record ConsolePlace
{
    public const string Root = "/console";

    public required Organization Organization { get; init; }

    /// <summary>Null for the organization as a whole.</summary>
    public Project? Project { get; init; }

    /// <summary>The person, bound to the place, with the roles that they have there.</summary>
    public required Caller Caller { get; init; }

    /// <summary>The same person, bound to the organization as a whole: for what is not a project's, such as its account.</summary>
    public required Caller CallerAbove { get; init; }

    /// <summary>What they are in the organization as a whole, which may be more or less than in the project.</summary>
    public Roles RolesAbove => CallerAbove.Roles;

    public required IReadOnlyList<Organization> Organizations { get; init; }

    /// <summary>Those of the organization that they reach, the oldest first.</summary>
    public required IReadOnlyList<Project> Projects { get; init; }

    /// <summary>Whether there are more projects than those.</summary>
    public bool HasMoreProjects { get; init; }

    /// <summary>The numbers of the projects that they reach; null for all of the organization.</summary>
    public IReadOnlyCollection<long>? ProjectNosAbove => CallerAbove.ProjectNos;

    /// <summary>What they are in the team; null in an organization of one's own, which is none.</summary>
    public TeamRole? RoleInTeam { get; init; }

    /// <summary>Teams that they own, of which the provider file says how many one may.</summary>
    public int TeamsOwned { get; init; }

    public bool IsTeam => RoleInTeam is not null;

    public string Id => Project?.Id.Text ?? Organization.Id.Text;

    public string Path => $"{Root}/{Id}";

    /// <summary>An organization as a person calls it: sign-up names one's own after an id.</summary>
    public static string NameOf(Organization organization, Person person) =>
        organization.Id.Text == person.OrganizationId && organization.Name == SignUpDoor.OrganizationName(person.Id)
            ? "Personal"
            : organization.Name;

    /// <summary>Whether to offer it; the write asks again.</summary>
    public bool May(Act act) => RoleTable.May(Caller.Roles, act);

    public static ConsolePlace Of(HttpContext http) =>
        http.Features.Get<ConsolePlace>() ?? throw new InvalidOperationException("No place was found for this page.");
}
