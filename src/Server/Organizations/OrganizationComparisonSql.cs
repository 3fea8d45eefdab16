using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Organizations;

/// <summary>Every statement that compares organizations and projects of two databases.</summary>
internal static class OrganizationComparisonSql
{
    /// <summary>The organizations with numbers above one, in order. By the primary key.</summary>
    public static async Task<List<ComparedOwner>> Organizations(
        DbConnection connection, DbTransaction? transaction, long after, int limit) =>
        (await connection.QueryAsync<ComparedOwner>(
            """
            SELECT organization_no AS no, id, name, plan, suspended_at_ms, deleted_at_ms FROM organizations
            WHERE organization_no > @after ORDER BY organization_no LIMIT @limit
            """,
            new { after, limit },
            transaction)).AsList();

    /// <summary>The projects with numbers above one, in order. By the primary key.</summary>
    public static async Task<List<ComparedOwner>> Projects(DbConnection connection, DbTransaction? transaction, long after, int limit) =>
        (await connection.QueryAsync<ComparedOwner>(
            """
            SELECT project_no AS no, id, name, CAST(NULL AS BIGINT) AS suspended_at_ms, deleted_at_ms FROM projects
            WHERE project_no > @after ORDER BY project_no LIMIT @limit
            """,
            new { after, limit },
            transaction)).AsList();

    /// <summary>The states by id, of an organization. By the unique index on id.</summary>
    public static Task<ComparedOwner?> Organization(DbConnection connection, string id) =>
        connection.QuerySingleOrDefaultAsync<ComparedOwner>(
            "SELECT organization_no AS no, id, name, plan, suspended_at_ms, deleted_at_ms FROM organizations WHERE id = @id", new { id });

    /// <summary>The states by id, of a project. By the unique index on id.</summary>
    public static Task<ComparedOwner?> Project(DbConnection connection, string id) =>
        connection.QuerySingleOrDefaultAsync<ComparedOwner>(
            "SELECT project_no AS no, id, name, CAST(NULL AS BIGINT) AS suspended_at_ms, deleted_at_ms FROM projects WHERE id = @id",
            new { id });

    public static Task KeepOrganization(WriteScope scope, ComparedOwner owner) => scope.Execute(
        """
        UPDATE organizations
        SET plan = @Plan, suspended_at_ms = @SuspendedAtMs, deleted_at_ms = @DeletedAtMs, row_version = row_version + 1
        WHERE organization_no = @No
        """,
        owner);

    public static Task KeepProject(WriteScope scope, ComparedOwner owner) => scope.Execute(
        "UPDATE projects SET deleted_at_ms = @DeletedAtMs, row_version = row_version + 1 WHERE project_no = @No", owner);

    public static Task<long> Version(WriteScope scope, string type, long no) => type == "organization"
        ? scope.Find<long>("SELECT row_version FROM organizations WHERE organization_no = @no", new { no })
        : scope.Find<long>("SELECT row_version FROM projects WHERE project_no = @no", new { no });
}

/// <summary>An organization or a project, and what keeps its keys from working; a project cannot be suspended by itself.</summary>
internal sealed record ComparedOwner
{
    public long No { get; init; }

    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>Of an organization, by name; null for the provider file's default.</summary>
    public string? Plan { get; init; }

    public long? SuspendedAtMs { get; init; }

    public long? DeletedAtMs { get; init; }
}
