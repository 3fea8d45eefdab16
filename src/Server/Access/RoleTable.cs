using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Access;

/// <summary>What a person is, seen from an organization or from one of its projects. Somebody has one of the first four at most.</summary>
[Flags]
internal enum Roles
{
    /// <summary>Nothing: to them it is as absent as what never was.</summary>
    None = 0,

    /// <summary>Of a team, or of one's own organization.</summary>
    Owner = 1,
    Admin = 2,
    Billing = 4,
    Member = 8,

    /// <summary>Of the project.</summary>
    ProjectAdmin = 16,
    ProjectMember = 32,
    Viewer = 64,

    /// <summary>A project's member where the provider lets members make keys; of a key, its maker alone.</summary>
    Maker = 128,

    /// <summary>Whoever has signed in.</summary>
    Anybody = 256,

    /// <summary>Runs the gate.</summary>
    Operator = 512,
}

/// <summary>What people do by the calls of the management API.</summary>
internal enum Act
{
    /// <summary>What concerns nobody but who asks.</summary>
    Oneself,
    SeeOrganization,
    RunOrganization,
    EndOrganization,
    HandOver,
    SeeMembers,
    ManageMembers,

    /// <summary>Puts somebody out, or goes: the door lets everybody do the latter.</summary>
    Leave,
    ReadAccount,
    ReadUsage,
    ReadAudit,
    ManageWebhooks,
    ManageProjectWebhooks,
    SeeProject,
    RunProject,
    SeeProjectMembers,
    ManageProjectMembers,
    LeaveProject,
    SeeKeys,
    MakeKeys,
    ManageKeys,
    Operate,

    /// <summary>Puts money in or takes it out, and keeps people from signing in.</summary>
    Rule,

    /// <summary>Makes a link that signs the operator in.</summary>
    LetIn,
}

/// <summary>The one place that says which roles may do what. The guide on teams has the same table, and a test compares them.</summary>
internal static class RoleTable
{
    private const Roles Heads = Roles.Owner | Roles.Admin;
    private const Roles Everybody = Heads | Roles.Billing | Roles.Member;
    private const Roles InProject = Roles.ProjectAdmin | Roles.ProjectMember | Roles.Viewer;

    private static readonly (Act Act, Roles Roles, bool AsksProof)[] Rows =
    [
        (Act.Oneself, Roles.Anybody, false),
        (Act.SeeOrganization, Everybody, false),
        (Act.RunOrganization, Heads, false),
        (Act.EndOrganization, Roles.Owner, true),
        (Act.HandOver, Roles.Owner, true),
        (Act.SeeMembers, Everybody, false),
        (Act.ManageMembers, Heads, false),
        (Act.Leave, Everybody, false),
        (Act.ReadAccount, Heads | Roles.Billing, false),
        (Act.ReadUsage, Heads | Roles.Billing | InProject, false),
        (Act.ReadAudit, Heads | Roles.Billing | Roles.ProjectAdmin, false),
        (Act.ManageWebhooks, Heads, false),
        (Act.ManageProjectWebhooks, Heads | Roles.ProjectAdmin, false),
        (Act.SeeProject, Heads | Roles.Billing | InProject, false),
        (Act.RunProject, Heads | Roles.ProjectAdmin, false),
        (Act.SeeProjectMembers, Heads | InProject, false),
        (Act.ManageProjectMembers, Heads | Roles.ProjectAdmin, false),
        (Act.LeaveProject, Heads | InProject, false),
        (Act.SeeKeys, Heads | InProject, false),
        (Act.MakeKeys, Heads | Roles.ProjectAdmin | Roles.Maker, false),
        (Act.ManageKeys, Heads | Roles.ProjectAdmin | Roles.Maker, false),
        (Act.Operate, Roles.None, false),
        (Act.Rule, Roles.None, true),
        (Act.LetIn, Roles.None, true),
    ];

    /// <summary>
    /// Which roles give a key which right. No row is wider than what the role does itself: the first four rights are of the organization as
    /// a whole.
    /// </summary>
    private static readonly (Rights Right, Roles Roles)[] Gifts =
    [
        (Rights.Verify, Heads),
        (Rights.UsageWrite, Heads),
        (Rights.UsageRead, Heads),
        (Rights.WebhooksManage, Heads),
        (Rights.KeysRead, Heads | InProject),
        (Rights.KeysManage, Heads | Roles.ProjectAdmin),
        (Rights.AuditRead, Heads | Roles.Billing | Roles.ProjectAdmin),
    ];

    /// <summary>The rights that somebody of these roles may give to a key, where they may make one.</summary>
    public static Rights MayGive(Roles roles) =>
        Gifts.Where(gift => (roles & (gift.Roles | Roles.Operator)) != 0).Aggregate(Rights.None, (sum, gift) => sum | gift.Right);

    /// <summary>Who may, but for the operator, who may all of it.</summary>
    public static Roles Of(Act act) => RowOf(act).Roles;

    public static bool May(Roles roles, Act act) => (roles & (Of(act) | Roles.Operator)) != 0;

    /// <summary>Whether a sign-in of the last minutes is asked for, of the operator too.</summary>
    public static bool AsksProof(Act act) => RowOf(act).AsksProof;

    /// <summary>An act that is not in the table is a bug, and fails closed.</summary>
    private static (Act Act, Roles Roles, bool AsksProof) RowOf(Act act) => Rows.First(row => row.Act == act);
}
