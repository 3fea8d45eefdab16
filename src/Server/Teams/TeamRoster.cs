using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Identity;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Teams;

/// <summary>
/// The door of the room: who is in a team, and as what. Who asks is the caller of the write, as it stands in that write: the root key may
/// do what an owner may; a person what their role allows; to everybody else a team is as absent as one that never was.
/// </summary>
internal sealed partial class TeamRoster(
    Database database, OrganizationRegister organizations, ProviderModel provider, Crossing crossing)
{
    public const int MembersMax = 500;

    /// <summary>The project that a new team begins with.</summary>
    private const string FirstProject = "First project";

    private readonly TeamRules _rules = provider.Teams ?? new TeamRules();

    public static Problem NoTeams { get; } = new(ProblemCode.NotFound, "This provider has no teams.");

    /// <summary>Characters in a team's name.</summary>
    public int NameMax => _rules.NameMax;

    /// <summary>Whether what was paid for goes with who comes in.</summary>
    public bool MovesBalance => _rules.MovesBalance && provider.Wallet is not null;

    /// <inheritdoc cref="Crossing.Ready"/>
    public Task Ready() => crossing.Ready();

    /// <inheritdoc cref="Crossing.Preview"/>
    public Task<Crossed> PreviewJoining(Person person, CancellationToken cancel) => crossing.Preview(person, cancel);

    /// <summary>A new organization with its first owner.</summary>
    public async Task<Outcome<Joined>> Create(WriteScope scope, string? name, string? ownerId)
    {
        if (provider.Teams is null)
        {
            return NoTeams;
        }

        if (name?.Length > NameMax)
        {
            return Problem.Invalid("/name", $"must have 1 to {NameMax} characters, none of them a control character.");
        }

        // Who makes a team owns it.
        if (scope.Context.Caller is { IsPerson: true, Id: var own })
        {
            if (ownerId is not null && ownerId != own)
            {
                return Problem.Invalid("/owner_id", "must be your own id, or left out.");
            }

            ownerId = own;
        }

        if (await PersonDirectory.Find(scope, ownerId ?? "") is not { MaySignIn: true } owner)
        {
            return Problem.Invalid("/owner_id", "must be the id of a person who may sign in.");
        }

        if (await OwnsEnough(scope, owner.Id))
        {
            return OwnsAlready;
        }

        if (!(await organizations.Create(scope, name)).TryGet(out var team, out var problem)
            || !(await organizations.CreateProject(scope, team.Id.Text, FirstProject)).TryGet(out _, out problem))
        {
            return problem;
        }

        await TeamSql.Insert(scope, team.OrganizationNo);
        return await Join(scope, team, owner, TeamRole.Owner);
    }

    /// <summary>In the order in which they came.</summary>
    public async Task<Outcome<IReadOnlyList<ListedMember>>> Members(Caller caller, string organizationId, CancellationToken cancel)
    {
        if (!(await organizations.Find(organizationId, cancel)).TryGet(out var team, out var problem))
        {
            return problem;
        }

        return await database.Read<Outcome<IReadOnlyList<ListedMember>>>(
            async connection =>
            {
                if (await RoleOf(connection, null, team, caller) is null)
                {
                    return OrganizationRegister.NoOrganization;
                }

                var members = await TeamSql.Members(connection, null, team.OrganizationNo);
                var people = (await PersonDirectory.List(connection, [.. members.Select(member => member.PersonNo)]))
                    .ToDictionary(person => person.PersonNo);
                return members.ConvertAll(member => Listed(member, people[member.PersonNo]));
            },
            cancel);
    }

    /// <summary>Makes somebody something else. The last owner stays one.</summary>
    public async Task<Outcome<Member>> ChangeRole(WriteScope scope, string organizationId, string personId, string? role)
    {
        if (TeamRoles.Parse(role) is not { } after)
        {
            return Problem.Invalid("/role", $"must be among {string.Join(", ", TeamRoles.Names)}.");
        }

        if (!(await Managed(scope, organizationId, personId, after)).TryGet(out var found, out var problem))
        {
            return problem;
        }

        var (team, member) = found;
        if (member.TeamRole == after)
        {
            return member;
        }

        // To make an owner, or to unmake one, is a hand-over by another way.
        if ((after == TeamRole.Owner || member.TeamRole == TeamRole.Owner) && !scope.Context.Caller.IsFreshAt(scope.NowMs))
        {
            return Problem.Of(ProblemCode.ProofNeeded);
        }

        if (member.TeamRole == TeamRole.Owner && await IsLastOwner(scope, member))
        {
            return LastOwner;
        }

        if (after == TeamRole.Owner && await OwnsEnough(scope, personId))
        {
            return OwnsAlready;
        }

        return await SetRole(scope, team, member, after);
    }

    /// <summary>The teams that somebody is in, as an export tells them.</summary>
    public async Task<JsonArray> Export(Person person, CancellationToken cancel) =>
        new([.. (await database.Read(connection => ProjectRoster.TeamsOf(connection, null, person.Id), cancel)).Select(of => new JsonObject
        {
            ["organization_id"] = of.Team.Id.Text,
            ["name"] = of.Team.Name,
            ["role"] = of.Member.Role,
            ["joined_at"] = Rfc3339Time.Format(DateTimeOffset.FromUnixTimeMilliseconds(of.Member.JoinedAtMs)),
        })]);

    /// <summary>
    /// Hands the team over to another member: an owner who does so becomes an admin; the root key makes all owners admins.
    /// </summary>
    public async Task<Outcome<Member>> Transfer(WriteScope scope, string organizationId, string? personId)
    {
        if (!(await Managed(scope, organizationId, personId ?? "", TeamRole.Owner)).TryGet(out var found, out var problem))
        {
            return problem;
        }

        var (team, heir) = found;
        if (heir.TeamRole == TeamRole.Owner)
        {
            return new Problem(ProblemCode.Conflict, "This member is an owner already.");
        }

        if (await OwnsEnough(scope, heir.PersonId))
        {
            return OwnsAlready;
        }

        var caller = scope.Context.Caller;
        var owners = (await TeamSql.Members(scope.Connection, scope.Transaction, team.OrganizationNo))
            .Where(member => member.TeamRole == TeamRole.Owner && (caller.IsRoot || member.PersonId == caller.Id)).ToList();
        var after = await SetRole(scope, team, heir, TeamRole.Owner);
        foreach (var owner in owners)
        {
            await SetRole(scope, team, owner, TeamRole.Admin);
        }

        return after;
    }

    /// <summary>The team, if the caller of the write may look after people who have this role, or are to have it.</summary>
    public static async Task<Outcome<Organization>> Managed(WriteScope scope, string organizationId, TeamRole role)
    {
        if (!(await OrganizationRegister.Find(scope, organizationId)).TryGet(out var team, out var problem))
        {
            return problem;
        }

        return await RoleOf(scope.Connection, scope.Transaction, team, scope.Context.Caller) switch
        {
            null => OrganizationRegister.NoOrganization,
            { } who when TeamRoles.MayManage(who, role) => team,
            _ => Problem.Of(ProblemCode.RoleMissing),
        };
    }

    /// <summary>What a caller is in a team; null for nothing, and where it is no team.</summary>
    public static async Task<TeamRole?> RoleOf(DbConnection connection, DbTransaction? transaction, Organization team, Caller caller) =>
        !await TeamSql.IsTeam(connection, transaction, team.OrganizationNo) ? null
        : caller.IsRoot ? TeamRole.Owner
        : caller.Kind == CallerKind.Person
            ? (await TeamSql.FindMember(connection, transaction, team.OrganizationNo, caller.Id))?.TeamRole
            : null;

    /// <summary>How long the name of an organization may be, by whether it is a team.</summary>
    public async Task<int> NameMaxOf(WriteScope scope, Organization organization) =>
        await TeamSql.IsTeam(scope.Connection, scope.Transaction, organization.OrganizationNo) ? NameMax : OrganizationRegister.NameMax;

    /// <summary>Enters a member, unless a suspension stands against it; the caller has seen that it is none yet.</summary>
    public async Task<Outcome<Joined>> Join(WriteScope scope, Organization team, Person person, TeamRole role)
    {
        var own = await Crossing.Own(scope.Connection, scope.Transaction, person);
        if (Crossing.Refuse(team, own) is { } problem)
        {
            return problem;
        }

        var member = new Member
        {
            MemberNo = await scope.NextNumber("member"),
            OrganizationNo = team.OrganizationNo,
            PersonNo = person.PersonNo,
            PersonId = person.Id,
            Role = role.Text(),
            JoinedAtMs = scope.NowMs,
            OwnOrganizationNo = own?.OrganizationNo,
        };
        await TeamSql.Insert(scope, member);
        Failpoint.Pass("team.member");
        await Tell(scope, "member.join", team, null, member);
        return new Joined(team, member, await crossing.Enter(scope, team, own));
    }

    private static ListedMember Listed(Member member, Person person) => new(member, person.Name, person.Email, person.MaySignIn);

    private static Problem LastOwner => new(
        ProblemCode.Conflict, "The last owner of a team stays its owner. Make somebody else one first, or delete the team.");

    private Problem OwnsAlready => new(ProblemCode.Conflict, _rules.OwnedMax == 1
        ? "This person owns a team already, and nobody owns two."
        : $"This person owns {_rules.OwnedMax} teams already, and nobody owns more.");

    /// <param name="scope">The write.</param>
    /// <param name="organizationId">Of the team.</param>
    /// <param name="personId">The member to be changed.</param>
    /// <param name="after">What the member is to be at the most; null where one does it to oneself, which asks for no role.</param>
    private static async Task<Outcome<(Organization Team, Member Member)>> Managed(
        WriteScope scope, string organizationId, string personId, TeamRole? after)
    {
        if (!(await OrganizationRegister.Find(scope, organizationId)).TryGet(out var team, out var problem))
        {
            return problem;
        }

        var member = await Managed(scope.Connection, scope.Transaction, scope.Context.Caller, team, personId, after);
        return member.TryGet(out var found, out problem) ? (team, found) : problem;
    }

    private static async Task<Outcome<Member>> Managed(
        DbConnection connection, DbTransaction? transaction, Caller caller, Organization team, string personId, TeamRole? after)
    {
        if (await RoleOf(connection, transaction, team, caller) is not { } who)
        {
            return OrganizationRegister.NoOrganization;
        }

        // Nothing is told of members to who may not look after any.
        if (after is not null && !TeamRoles.MayManage(who, TeamRole.Member))
        {
            return Problem.Of(ProblemCode.RoleMissing);
        }

        if (await TeamSql.FindMember(connection, transaction, team.OrganizationNo, personId) is not { } member)
        {
            return new Problem(ProblemCode.NotFound, "There is no such member.");
        }

        return after is { } role && !(TeamRoles.MayManage(who, role) && TeamRoles.MayManage(who, member.TeamRole))
            ? Problem.Of(ProblemCode.RoleMissing)
            : member;
    }

    /// <summary>Whether nobody else owns the team who could look after it: who may not sign in cannot.</summary>
    private static async Task<bool> IsLastOwner(WriteScope scope, Member owner)
    {
        var members = await TeamSql.Members(scope.Connection, scope.Transaction, owner.OrganizationNo);
        foreach (var other in members.Where(member => member.TeamRole == TeamRole.Owner && member.MemberNo != owner.MemberNo))
        {
            if (await PersonDirectory.Find(scope, other.PersonId) is { MaySignIn: true })
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A team that was deleted has no owner any more.</summary>
    private async Task<bool> OwnsEnough(WriteScope scope, string personId) =>
        (await TeamSql.Of(scope.Connection, scope.Transaction, personId)).Count(member => member.TeamRole == TeamRole.Owner)
        >= _rules.OwnedMax;

    private static async Task<Member> SetRole(WriteScope scope, Organization team, Member before, TeamRole role)
    {
        var after = before with { Role = role.Text() };
        await TeamSql.SetRole(scope, after.MemberNo, after.Role);
        await Tell(scope, "member.role", team, before, after);
        if (!TeamRoles.MayManage(role, TeamRole.Member))
        {
            await InvitationBook.WithdrawAllOf(scope, team, after);
        }

        return after;
    }

    private static Task Tell(WriteScope scope, string action, Organization team, Member? before, Member? after) =>
        AuditLog.Append(scope, new AuditEntry
        {
            Action = action,
            TargetType = "member",
            TargetId = (after ?? before)!.PersonId,
            OrganizationId = team.Id.Text,
            Before = Json(before),
            After = Json(after),
        });

    private static string? Json(Member? member) => member is null
        ? null
        : new JsonObject { ["person_id"] = member.PersonId, ["role"] = member.Role }.ToJsonString(JsonSerializerOptions.Default);
}
