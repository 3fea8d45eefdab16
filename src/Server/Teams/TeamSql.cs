using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Teams;

/// <summary>Every statement on teams, their members and invitations.</summary>
internal static class TeamSql
{
    private const string MemberColumns = "member_no, organization_no, person_no, person_id, role, joined_at_ms, own_organization_no";

    private const string InvitationColumns =
        "invitation_no, id, organization_no, email, email_key, role, inviter, inviter_id, created_at_ms, ends_at_ms";

    private const int PurgeMax = 50;

    public static Task Insert(WriteScope scope, long organizationNo) => scope.Execute(
        "INSERT INTO teams (organization_no, created_at_ms) VALUES (@organizationNo, @NowMs)", new { organizationNo, scope.NowMs });

    /// <summary>By the primary key.</summary>
    public static async Task<bool> IsTeam(DbConnection connection, DbTransaction? transaction, long organizationNo) =>
        await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM teams WHERE organization_no = @organizationNo", new { organizationNo }, transaction) == 1;

    public static Task Insert(WriteScope scope, Member member) => scope.Execute(
        """
        INSERT INTO team_members (member_no, organization_no, person_no, person_id, role, joined_at_ms, own_organization_no)
        VALUES (@MemberNo, @OrganizationNo, @PersonNo, @PersonId, @Role, @JoinedAtMs, @OwnOrganizationNo)
        """,
        member);

    /// <summary>By team_members_by_person.</summary>
    public static Task<Member?> FindMember(DbConnection connection, DbTransaction? transaction, long organizationNo, string personId) =>
        connection.QuerySingleOrDefaultAsync<Member>(
            $"SELECT {MemberColumns} FROM team_members WHERE person_id = @personId AND organization_no = @organizationNo",
            new { organizationNo, personId }, transaction);

    /// <summary>In the order in which they came. By the unique index on organization_no and person_no.</summary>
    public static async Task<List<Member>> Members(DbConnection connection, DbTransaction? transaction, long organizationNo) =>
        (await connection.QueryAsync<Member>(
            $"SELECT {MemberColumns} FROM team_members WHERE organization_no = @organizationNo ORDER BY member_no",
            new { organizationNo }, transaction)).AsList();

    /// <summary>The teams somebody is in. By team_members_by_person.</summary>
    public static async Task<List<Member>> Of(DbConnection connection, DbTransaction? transaction, string personId) =>
        (await connection.QueryAsync<Member>(
            $"SELECT {MemberColumns} FROM team_members WHERE person_id = @personId ORDER BY organization_no",
            new { personId }, transaction)).AsList();

    /// <summary>By the primary key.</summary>
    public static Task SetRole(WriteScope scope, long memberNo, string role) => scope.Execute(
        "UPDATE team_members SET role = @role WHERE member_no = @memberNo", new { memberNo, role });

    /// <summary>By the primary key.</summary>
    public static Task Remove(WriteScope scope, long memberNo) => scope.Execute(
        "DELETE FROM team_members WHERE member_no = @memberNo", new { memberNo });

    public static Task Insert(WriteScope scope, Invitation invitation, byte[] secretHash) => scope.Execute(
        """
        INSERT INTO team_invitations (invitation_no, id, organization_no, email, email_key, role, secret_hash, inviter, inviter_id,
                                      created_at_ms, ends_at_ms)
        VALUES (@InvitationNo, @Id, @OrganizationNo, @Email, @EmailKey, @Role, @secretHash, @Inviter, @InviterId,
                @CreatedAtMs, @EndsAtMs)
        """,
        new
        {
            invitation.InvitationNo, invitation.Id, invitation.OrganizationNo, invitation.Email, invitation.EmailKey, invitation.Role,
            secretHash, invitation.Inviter, invitation.InviterId, invitation.CreatedAtMs, invitation.EndsAtMs,
        });

    /// <summary>Those of a team that can be used, the oldest first. By the unique index on organization_no and email_key.</summary>
    public static async Task<List<Invitation>> Invitations(
        DbConnection connection, DbTransaction? transaction, long organizationNo, long nowMs) =>
        (await connection.QueryAsync<Invitation>(
            $"""
            SELECT {InvitationColumns} FROM team_invitations
            WHERE organization_no = @organizationNo AND ends_at_ms > @nowMs ORDER BY invitation_no
            """,
            new { organizationNo, nowMs }, transaction)).AsList();

    /// <summary>By the unique index on secret_hash.</summary>
    public static Task<Invitation?> FindInvitation(DbConnection connection, DbTransaction? transaction, byte[] secretHash, long nowMs) =>
        connection.QuerySingleOrDefaultAsync<Invitation>(
            $"SELECT {InvitationColumns} FROM team_invitations WHERE secret_hash = @secretHash AND ends_at_ms > @nowMs",
            new { secretHash, nowMs }, transaction);

    /// <summary>Takes one out, so that nobody finds it again. By the unique index on id.</summary>
    public static Task<Invitation?> Take(WriteScope scope, long organizationNo, string id) => scope.Find<Invitation>(
        $"""
        DELETE FROM team_invitations WHERE id = @id AND organization_no = @organizationNo AND ends_at_ms > @NowMs
        RETURNING {InvitationColumns}
        """,
        new { id, organizationNo, scope.NowMs });

    /// <summary>Takes out those that somebody has sent. By the unique index on organization_no and email_key.</summary>
    public static Task<IReadOnlyList<Invitation>> TakeAllOf(WriteScope scope, long organizationNo, string inviterId) =>
        scope.Query<Invitation>(
            $"""
            DELETE FROM team_invitations WHERE organization_no = @organizationNo AND inviter_id = @inviterId
            RETURNING {InvitationColumns}
            """,
            new { organizationNo, inviterId });

    /// <summary>Everybody and every invitation of a team that was deleted. By the unique indexes on organization_no.</summary>
    public static async Task Empty(WriteScope scope, long organizationNo)
    {
        await ProjectMemberSql.EmptyTeam(scope, organizationNo);
        await scope.Execute("DELETE FROM team_members WHERE organization_no = @organizationNo", new { organizationNo });
        await scope.Execute("DELETE FROM team_invitations WHERE organization_no = @organizationNo", new { organizationNo });
    }

    /// <summary>Whether the keys of somebody's own organization rest. By the primary key.</summary>
    public static async Task<bool> IsArchived(DbConnection connection, DbTransaction? transaction, long organizationNo) =>
        await connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM team_archives WHERE organization_no = @organizationNo", new { organizationNo }, transaction) == 1;

    /// <summary>False where they rest already. By the primary key.</summary>
    public static async Task<bool> Archive(WriteScope scope, long organizationNo) => await scope.Execute(
        "INSERT INTO team_archives (organization_no, since_ms) VALUES (@organizationNo, @NowMs) ON CONFLICT DO NOTHING",
        new { organizationNo, scope.NowMs }) == 1;

    /// <summary>False where they do not rest. By the primary key.</summary>
    public static async Task<bool> BringBack(WriteScope scope, long organizationNo) => await scope.Execute(
        "DELETE FROM team_archives WHERE organization_no = @organizationNo", new { organizationNo }) == 1;

    /// <summary>Whether the owner of an organization of one's own is in a team. By team_members_by_own.</summary>
    public static async Task<bool> IsInAny(WriteScope scope, long ownOrganizationNo) => await scope.Find<long>(
        "SELECT COUNT(*) FROM team_members WHERE own_organization_no = @ownOrganizationNo", new { ownOrganizationNo }) > 0;

    /// <summary>Organizations whose keys rest, above a number. By the primary key.</summary>
    public static async Task<List<long>> Archives(DbConnection connection, DbTransaction? transaction, long after, int limit) =>
        (await connection.QueryAsync<long>(
            "SELECT organization_no FROM team_archives WHERE organization_no > @after ORDER BY organization_no LIMIT @limit",
            new { after, limit }, transaction)).AsList();

    /// <summary>Organizations whose owners are in a team and whose keys do not rest. Reads every member.</summary>
    public static async Task<List<long>> ToArchive(DbConnection connection, DbTransaction? transaction, int limit) =>
        (await connection.QueryAsync<long>(
            """
            SELECT DISTINCT m.own_organization_no FROM team_members m
            WHERE m.own_organization_no IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM team_archives a WHERE a.organization_no = m.own_organization_no)
            ORDER BY m.own_organization_no LIMIT @limit
            """,
            new { limit }, transaction)).AsList();

    /// <summary>Organizations whose keys rest and whose owners are in no team. Reads every one that rests.</summary>
    public static async Task<List<long>> ToBringBack(DbConnection connection, DbTransaction? transaction, int limit) =>
        (await connection.QueryAsync<long>(
            """
            SELECT a.organization_no FROM team_archives a
            WHERE NOT EXISTS (SELECT 1 FROM team_members m WHERE m.own_organization_no = a.organization_no)
            ORDER BY a.organization_no LIMIT @limit
            """,
            new { limit }, transaction)).AsList();

    /// <summary>The next members in the order of their numbers. By the primary key.</summary>
    public static Task<IReadOnlyList<Member>> After(WriteScope scope, long after, int limit) => scope.Query<Member>(
        $"SELECT {MemberColumns} FROM team_members WHERE member_no > @after ORDER BY member_no LIMIT @limit", new { after, limit });

    /// <summary>The one before to the same address. By the unique index on organization_no and email_key.</summary>
    public static Task<int> Replace(WriteScope scope, long organizationNo, string emailKey) => scope.Execute(
        "DELETE FROM team_invitations WHERE organization_no = @organizationNo AND email_key = @emailKey", new { organizationNo, emailKey });

    /// <summary>Those past their time, a few with each new one. By team_invitations_by_end.</summary>
    public static Task Purge(WriteScope scope) => scope.Execute(
        """
        DELETE FROM team_invitations WHERE invitation_no IN (
            SELECT invitation_no FROM team_invitations WHERE ends_at_ms <= @NowMs ORDER BY ends_at_ms LIMIT @PurgeMax)
        """,
        new { scope.NowMs, PurgeMax });
}
