using System.Data.Common;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Reach;

/// <summary>What a person is where a call goes.</summary>
internal sealed record Standing
{
    public required Roles Roles { get; init; }

    /// <summary>The projects reached, by number; null for all of the organization.</summary>
    public IReadOnlyCollection<long>? ProjectNos { get; init; }

    /// <summary>One's own organization, which is no team and goes with the account.</summary>
    public bool IsOwnOrganization { get; init; }

    private static Standing Nothing { get; } = new() { Roles = Roles.None };

    /// <summary>Reads it anew each time, on the transaction of a write where there is one.</summary>
    public static async Task<Standing> Of(
        DbConnection connection, DbTransaction? transaction, Person person, Target target, TeamRules rules)
    {
        if (await ProjectRoster.StandingOf(connection, transaction, target.Organization, person.Id) is { } member)
        {
            return InTeam(person, target, member, rules);
        }

        return person.OrganizationId == target.Organization.Id.Text
            && !await ProjectRoster.IsTeam(connection, transaction, target.Organization)
                ? new Standing { Roles = Roles.Owner, IsOwnOrganization = true }
                : Nothing;
    }

    /// <summary>What the rooms go by, who know rights and no roles.</summary>
    public static Rights RightsOf(Roles roles) =>
        (RoleTable.May(roles, Act.ReadUsage) ? Rights.UsageRead : Rights.None)
        | (RoleTable.May(roles, Act.ReadAudit) ? Rights.AuditRead : Rights.None)
        | (RoleTable.May(roles, Act.SeeKeys) ? Rights.KeysRead : Rights.None)
        | (RoleTable.May(roles, Act.ManageKeys) ? Rights.KeysManage : Rights.None)
        | (RoleTable.May(roles, Act.ManageProjectWebhooks) ? Rights.WebhooksManage : Rights.None);

    private static Standing InTeam(Person person, Target target, TeamStanding member, TeamRules rules)
    {
        var role = member.Role switch
        {
            TeamRole.Owner => Roles.Owner,
            TeamRole.Admin => Roles.Admin,
            TeamRole.Billing => Roles.Billing,
            _ => Roles.Member,
        };
        var seesAll = role != Roles.Member || rules.MembersSeeProjects;
        if (target.ProjectId is null)
        {
            return new Standing { Roles = role, ProjectNos = seesAll ? null : [.. member.Projects.Keys] };
        }

        var inProject = member.Projects.TryGetValue(target.ProjectNo, out var place) ? RolesOf(person, target, place, rules)
            : rules.MembersSeeProjects ? Roles.Viewer
            : Roles.None;
        // A member of the team alone does not see its projects.
        return role == Roles.Member && inProject == Roles.None ? Nothing : new Standing { Roles = role | inProject };
    }

    private static Roles RolesOf(Person person, Target target, ProjectRole place, TeamRules rules) => place switch
    {
        ProjectRole.Admin => Roles.ProjectAdmin,
        ProjectRole.Member when rules.MembersMakeKeys && (target.Key is null || target.Key.CreatedBy == person.Id) =>
            Roles.ProjectMember | Roles.Maker,
        ProjectRole.Member => Roles.ProjectMember,
        _ => Roles.Viewer,
    };
}
