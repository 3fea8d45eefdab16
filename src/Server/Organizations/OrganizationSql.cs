using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Organizations;

/// <summary>Every statement on organizations and projects.</summary>
internal static class OrganizationSql
{
    private const string OrganizationColumns =
        "organization_no AS OrganizationNo, id AS Id, name AS Name, is_operator AS IsOperator, plan AS Plan, "
        + "suspended_at_ms AS SuspendedAtMs, deleted_at_ms AS DeletedAtMs, created_at_ms AS CreatedAtMs, row_version AS Version";

    private const string ProjectColumns =
        "p.project_no AS ProjectNo, p.id AS Id, p.organization_no AS OrganizationNo, o.id AS OrganizationId, "
        + "o.name AS OrganizationName, o.plan AS OrganizationPlan, o.created_at_ms AS OrganizationCreatedAtMs, "
        + "p.name AS Name, p.created_at_ms AS CreatedAtMs, p.row_version AS Version, "
        + "coalesce(p.deleted_at_ms, o.deleted_at_ms) AS DeletedAtMs, "
        + "CASE WHEN o.suspended_at_ms IS NULL AND o.deleted_at_ms IS NULL THEN 1 ELSE 0 END AS OrganizationIsOpen";

    private const string ProjectSource = "FROM projects p JOIN organizations o ON o.organization_no = p.organization_no";

    public static Task Insert(WriteScope scope, Organization organization) => scope.Connection.ExecuteAsync(
        """
        INSERT INTO organizations (organization_no, id, name, is_operator, created_at_ms, row_version)
        VALUES (@OrganizationNo, @Id, @Name, @IsOperator, @CreatedAtMs, 1)
        """,
        new
        {
            organization.OrganizationNo,
            Id = organization.Id.Text,
            organization.Name,
            IsOperator = organization.IsOperator ? 1 : 0,
            organization.CreatedAtMs,
        },
        scope.Transaction);

    public static Task Insert(WriteScope scope, Project project) => scope.Connection.ExecuteAsync(
        """
        INSERT INTO projects (project_no, id, organization_no, name, created_at_ms, row_version)
        VALUES (@ProjectNo, @Id, @OrganizationNo, @Name, @CreatedAtMs, 1)
        """,
        new { project.ProjectNo, Id = project.Id.Text, project.OrganizationNo, project.Name, project.CreatedAtMs },
        scope.Transaction);

    /// <summary>By the unique index on id.</summary>
    public static async Task<Organization?> Find(DbConnection connection, DbTransaction? transaction, OrganizationId id) =>
        (await connection.QuerySingleOrDefaultAsync<OrganizationRow>(
            $"SELECT {OrganizationColumns} FROM organizations WHERE id = @Id", new { Id = id.Text }, transaction))?.ToRecord();

    /// <summary>Those that are not deleted. By the primary key.</summary>
    public static async Task<List<Organization>> List(
        DbConnection connection, DbTransaction? transaction, IReadOnlyCollection<long> numbers) => numbers.Count == 0
        ? []
        : (await connection.QueryAsync<OrganizationRow>(
            $$"""
            SELECT {{OrganizationColumns}} FROM organizations WHERE organization_no IN {=numbers} AND deleted_at_ms IS NULL
            """,
            new { numbers }, transaction)).Select(row => row.ToRecord()).ToList();

    /// <summary>By the unique index on id.</summary>
    public static async Task<Project?> Find(DbConnection connection, DbTransaction? transaction, ProjectId id) =>
        (await connection.QuerySingleOrDefaultAsync<ProjectRow>(
            $"SELECT {ProjectColumns} {ProjectSource} WHERE p.id = @Id", new { Id = id.Text }, transaction))?.ToRecord();

    /// <summary>The oldest of the operator's. By the primary key: it is the first that was made.</summary>
    public static async Task<Organization?> OperatorsOwn(WriteScope scope) =>
        (await scope.Connection.QueryFirstOrDefaultAsync<OrganizationRow>(
            $"""
            SELECT {OrganizationColumns} FROM organizations
            WHERE is_operator = 1 AND deleted_at_ms IS NULL
            ORDER BY organization_no LIMIT 1
            """,
            transaction: scope.Transaction))?.ToRecord();

    /// <summary>The oldest open project: where the root key acts when it names none. By the primary key.</summary>
    public static async Task<Project?> FirstProject(DbConnection connection) =>
        (await connection.QueryFirstOrDefaultAsync<ProjectRow>(
            $"""
            SELECT {ProjectColumns} {ProjectSource}
            WHERE p.deleted_at_ms IS NULL AND o.deleted_at_ms IS NULL
            ORDER BY p.project_no LIMIT 1
            """))?.ToRecord();

    /// <summary>Newest first, below <paramref name="before"/>. By the primary key, downwards; a search looks at each on its way.</summary>
    public static async Task<List<Organization>> ListOrganizations(
        DbConnection connection, string? search, long before, int limit) =>
        (await connection.QueryAsync<OrganizationRow>(
            $"""
            SELECT {OrganizationColumns} FROM organizations
            WHERE organization_no < @Before AND deleted_at_ms IS NULL
              AND (@search IS NULL OR id = @search OR lower(name) LIKE @part ESCAPE '\')
            ORDER BY organization_no DESC LIMIT @Limit
            """,
            new { Before = before, Limit = limit, search, part = SearchText.Holding(search) })).Select(row => row.ToRecord()).ToList();

    /// <summary>Reads every organization.</summary>
    public static async Task<Dictionary<string, long>> CountByPlan(DbConnection connection) =>
        (await connection.QueryAsync<(string Plan, long Count)>(
            "SELECT coalesce(plan, '') AS Plan, COUNT(*) AS Count FROM organizations WHERE deleted_at_ms IS NULL GROUP BY 1"))
        .ToDictionary(row => row.Plan, row => row.Count, StringComparer.Ordinal);

    /// <summary>
    /// Newest first, below <paramref name="before"/>; of one organization by projects_by_organization, else by the primary key.
    /// </summary>
    public static async Task<List<Project>> ListProjects(DbConnection connection, OrganizationId? organization, long before, int limit) =>
        (await connection.QueryAsync<ProjectRow>(
            organization is null
                ? $"""
                  SELECT {ProjectColumns} {ProjectSource}
                  WHERE p.project_no < @Before AND p.deleted_at_ms IS NULL AND o.deleted_at_ms IS NULL
                  ORDER BY p.project_no DESC LIMIT @Limit
                  """
                : $"""
                  SELECT {ProjectColumns} {ProjectSource}
                  WHERE o.id = @Organization AND p.project_no < @Before AND p.deleted_at_ms IS NULL AND o.deleted_at_ms IS NULL
                  ORDER BY p.project_no DESC LIMIT @Limit
                  """,
            new { Organization = organization?.Text, Before = before, Limit = limit })).Select(row => row.ToRecord()).ToList();

    /// <summary>Those with these numbers. By the primary key.</summary>
    public static async Task<List<Project>> ListProjects(
        DbConnection connection, IReadOnlyCollection<long> numbers, long before, int limit) => numbers.Count == 0
        ? []
        : (await connection.QueryAsync<ProjectRow>(
            $$"""
            SELECT {{ProjectColumns}} {{ProjectSource}}
            WHERE p.project_no IN {=numbers} AND p.project_no < @before AND p.deleted_at_ms IS NULL AND o.deleted_at_ms IS NULL
            ORDER BY p.project_no DESC LIMIT @limit
            """,
            new { numbers, before, limit })).Select(row => row.ToRecord()).ToList();

    /// <summary>Every project of an organization as the check sees it. By projects_by_organization.</summary>
    public static async Task<List<ProjectOwner>> OwnersOf(WriteScope scope, long organizationNo) =>
        (await scope.Connection.QueryAsync<ProjectOwner>(
            """
            SELECT project_no AS ProjectNo, project_id AS ProjectId, organization_id AS OrganizationId, organization_no AS OrganizationNo,
                   plan AS Plan, state AS State, version AS Version, is_operator AS IsOperator
            FROM project_owners WHERE organization_no = @OrganizationNo
            """,
            new { OrganizationNo = organizationNo },
            scope.Transaction)).AsList();

    /// <summary>The ids of these organizations, deleted ones among them. By the primary key.</summary>
    public static async Task<List<OwnerPlace>> PlacesOfOrganizations(
        DbConnection connection, IReadOnlyCollection<long> numbers, DbTransaction? transaction = null) => numbers.Count == 0
        ? []
        : (await connection.QueryAsync<OwnerPlace>(
            """
            SELECT organization_no AS No, id AS Id, id AS OrganizationId, name AS Name
            FROM organizations WHERE organization_no IN {=Numbers}
            """,
            new { Numbers = numbers },
            transaction)).AsList();

    /// <summary>The ids of these projects and their organizations', deleted ones among them. By the primary key.</summary>
    public static async Task<List<OwnerPlace>> PlacesOfProjects(
        DbConnection connection, IReadOnlyCollection<long> numbers, DbTransaction? transaction = null) =>
        numbers.Count == 0 ? [] : (await connection.QueryAsync<OwnerPlace>(
            $$"""
            SELECT p.project_no AS No, p.id AS Id, o.id AS OrganizationId, p.name AS Name {{ProjectSource}}
            WHERE p.project_no IN {=Numbers}
            """,
            new { Numbers = numbers },
            transaction)).AsList();

    /// <summary>By projects_by_organization.</summary>
    public static async Task<List<long>> ProjectsOf(DbConnection connection, DbTransaction? transaction, long organizationNo) =>
        (await connection.QueryAsync<long>(
            "SELECT project_no FROM projects WHERE organization_no = @OrganizationNo AND deleted_at_ms IS NULL",
            new { OrganizationNo = organizationNo },
            transaction)).AsList();

    public static Task Update(WriteScope scope, Organization organization) => scope.Connection.ExecuteAsync(
        """
        UPDATE organizations
        SET name = @Name, plan = @Plan, suspended_at_ms = @SuspendedAtMs, deleted_at_ms = @DeletedAtMs, row_version = @Version
        WHERE organization_no = @OrganizationNo
        """,
        new
        {
            organization.OrganizationNo,
            organization.Name,
            organization.Plan,
            organization.SuspendedAtMs,
            organization.DeletedAtMs,
            organization.Version,
        },
        scope.Transaction);

    public static Task Update(WriteScope scope, Project project) => scope.Connection.ExecuteAsync(
        """
        UPDATE projects SET name = @Name, deleted_at_ms = @DeletedAtMs, row_version = @Version WHERE project_no = @ProjectNo
        """,
        new { project.ProjectNo, project.Name, project.DeletedAtMs, project.Version },
        scope.Transaction);

    /// <summary>Dapper reads integers of both databases as long, so a row has longs where the record has booleans.</summary>
    private sealed class OrganizationRow
    {
        public long OrganizationNo { get; init; }

        public string Id { get; init; } = "";

        public string Name { get; init; } = "";

        public long IsOperator { get; init; }

        public string? Plan { get; init; }

        public long? SuspendedAtMs { get; init; }

        public long? DeletedAtMs { get; init; }

        public long CreatedAtMs { get; init; }

        public long Version { get; init; }

        public Organization ToRecord() => new()
        {
            OrganizationNo = OrganizationNo,
            Id = new OrganizationId(Id),
            Name = Name,
            IsOperator = IsOperator != 0,
            Plan = Plan,
            SuspendedAtMs = SuspendedAtMs,
            DeletedAtMs = DeletedAtMs,
            CreatedAtMs = CreatedAtMs,
            Version = Version,
        };
    }

    private sealed class ProjectRow
    {
        public long ProjectNo { get; init; }

        public string Id { get; init; } = "";

        public long OrganizationNo { get; init; }

        public string OrganizationId { get; init; } = "";

        public string OrganizationName { get; init; } = "";

        public long OrganizationCreatedAtMs { get; init; }

        public string? OrganizationPlan { get; init; }

        public string Name { get; init; } = "";

        public long CreatedAtMs { get; init; }

        public long Version { get; init; }

        public long? DeletedAtMs { get; init; }

        public long OrganizationIsOpen { get; init; }

        public Project ToRecord() => new()
        {
            ProjectNo = ProjectNo,
            Id = new ProjectId(Id),
            OrganizationNo = OrganizationNo,
            OrganizationId = new OrganizationId(OrganizationId),
            OrganizationName = OrganizationName,
            OrganizationCreatedAtMs = OrganizationCreatedAtMs,
            OrganizationPlan = OrganizationPlan,
            Name = Name,
            CreatedAtMs = CreatedAtMs,
            Version = Version,
            DeletedAtMs = DeletedAtMs,
            OrganizationIsOpen = OrganizationIsOpen != 0,
        };
    }
}
