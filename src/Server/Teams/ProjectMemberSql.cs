using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Teams;

/// <summary>Every statement on who is in which project.</summary>
internal static class ProjectMemberSql
{
    private const string Columns = "project_no, member_no, organization_no, role, added_at_ms";

    /// <summary>By the primary key.</summary>
    public static Task Set(WriteScope scope, ProjectMember place) => scope.Execute(
        """
        INSERT INTO project_members (project_no, member_no, organization_no, role, added_at_ms)
        VALUES (@ProjectNo, @MemberNo, @OrganizationNo, @Role, @AddedAtMs)
        ON CONFLICT (project_no, member_no) DO UPDATE SET role = excluded.role
        """,
        place);

    /// <summary>By the primary key.</summary>
    public static Task<ProjectMember?> Find(WriteScope scope, long projectNo, long memberNo) => scope.Find<ProjectMember>(
        $"SELECT {Columns} FROM project_members WHERE project_no = @projectNo AND member_no = @memberNo", new { projectNo, memberNo });

    /// <summary>In the order in which they came to the team. By the primary key.</summary>
    public static async Task<List<ProjectMember>> Of(DbConnection connection, DbTransaction? transaction, long projectNo) =>
        (await connection.QueryAsync<ProjectMember>(
            $"SELECT {Columns} FROM project_members WHERE project_no = @projectNo ORDER BY member_no",
            new { projectNo }, transaction)).AsList();

    /// <summary>The projects somebody is in. By project_members_by_member.</summary>
    public static async Task<List<ProjectMember>> OfMember(DbConnection connection, DbTransaction? transaction, long memberNo) =>
        (await connection.QueryAsync<ProjectMember>(
            $"SELECT {Columns} FROM project_members WHERE member_no = @memberNo ORDER BY project_no",
            new { memberNo }, transaction)).AsList();

    /// <summary>By the primary key.</summary>
    public static Task Remove(WriteScope scope, long projectNo, long memberNo) => scope.Execute(
        "DELETE FROM project_members WHERE project_no = @projectNo AND member_no = @memberNo", new { projectNo, memberNo });

    /// <summary>All of who leaves the team: SQLite lets go of no rows by itself. By project_members_by_member.</summary>
    public static Task RemoveAll(WriteScope scope, long memberNo) => scope.Execute(
        "DELETE FROM project_members WHERE member_no = @memberNo", new { memberNo });

    /// <summary>All of a project. By the primary key.</summary>
    public static Task Empty(WriteScope scope, long projectNo) => scope.Execute(
        "DELETE FROM project_members WHERE project_no = @projectNo", new { projectNo });

    /// <summary>All of a team, ahead of its members. By the unique index on organization_no and project_members_by_member.</summary>
    public static Task EmptyTeam(WriteScope scope, long organizationNo) => scope.Execute(
        """
        DELETE FROM project_members WHERE member_no IN (SELECT member_no FROM team_members WHERE organization_no = @organizationNo)
        """,
        new { organizationNo });
}
