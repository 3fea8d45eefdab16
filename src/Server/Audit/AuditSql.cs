using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Audit;

/// <summary>Every statement on the audit log. Rows are added and read, never changed.</summary>
internal static class AuditSql
{
    private const string Columns =
        """
        seq, at_ms, actor_type, actor_id, actor_name, action, target_type, target_id, organization_id, project_id,
        environment, before_json, after_json, reason, address, user_agent, request_id, prev_hash, hash
        """;

    // A parameter that is null selects everything. Numbers and texts are cast, because PostgreSQL cannot tell the type of a bare null.
    private const string Filter =
        """
        seq < @Before
        AND (CAST(@Environment AS TEXT) IS NULL OR environment IS NULL OR environment = @Environment)
        AND (CAST(@ActorId AS TEXT) IS NULL OR actor_id = @ActorId)
        AND (CAST(@Action AS TEXT) IS NULL OR action = @Action)
        AND (CAST(@FromMs AS BIGINT) IS NULL OR at_ms >= @FromMs)
        AND (CAST(@ToMs AS BIGINT) IS NULL OR at_ms < @ToMs)
        """;

    public static Task<AuditHead?> Head(WriteScope scope) => scope.Find<AuditHead>("SELECT seq, hash FROM audit_head WHERE id = 1");

    public static Task Insert(WriteScope scope, AuditRow row) => scope.Execute(
        """
        INSERT INTO audit (seq, at_ms, actor_type, actor_id, actor_name, action, target_type, target_id, organization_id, project_id,
            environment, before_json, after_json, reason, address, user_agent, request_id, prev_hash, hash)
        VALUES (@Seq, @AtMs, @ActorType, @ActorId, @ActorName, @Action, @TargetType, @TargetId, @OrganizationId, @ProjectId,
            @Environment, @BeforeJson, @AfterJson, @Reason, @Address, @UserAgent, @RequestId, @PrevHash, @Hash)
        """,
        row);

    /// <summary>Answers 0 when the head is not where the new row's predecessor says.</summary>
    public static Task<int> MoveHead(WriteScope scope, AuditRow row) => scope.Execute(
        "UPDATE audit_head SET seq = @Seq, hash = @Hash WHERE id = 1 AND seq = @Seq - 1 AND hash = @PrevHash", row);

    /// <summary>Newest first. By audit_by_target, audit_by_project, audit_by_organization or the primary key.</summary>
    public static async Task<List<AuditRow>> List(DbConnection connection, AuditFilter filter, long before, int limit)
    {
        var sql = filter switch
        {
            { TargetId: not null } =>
                $"""
                SELECT {Columns} FROM audit
                WHERE target_id = @TargetId
                AND (CAST(@ProjectId AS TEXT) IS NULL OR project_id = @ProjectId)
                AND (CAST(@OrganizationId AS TEXT) IS NULL OR organization_id = @OrganizationId)
                AND {Filter}
                ORDER BY seq DESC LIMIT @Limit
                """,
            { ProjectId: not null } =>
                $"""
                SELECT {Columns} FROM audit
                WHERE project_id = @ProjectId
                AND (CAST(@OrganizationId AS TEXT) IS NULL OR organization_id = @OrganizationId)
                AND {Filter}
                ORDER BY seq DESC LIMIT @Limit
                """,
            { OrganizationId: not null } =>
                $"SELECT {Columns} FROM audit WHERE organization_id = @OrganizationId AND {Filter} ORDER BY seq DESC LIMIT @Limit",
            _ => $"SELECT {Columns} FROM audit WHERE {Filter} ORDER BY seq DESC LIMIT @Limit",
        };
        var parameters = new
        {
            filter.OrganizationId,
            filter.ProjectId,
            filter.Environment,
            filter.ActorId,
            filter.TargetId,
            filter.Action,
            filter.FromMs,
            filter.ToMs,
            Before = before,
            Limit = limit,
        };
        return (await connection.QueryAsync<AuditRow>(sql, parameters)).AsList();
    }

    /// <summary>One statement, so that the head and the last row are of one moment. Null when the head is gone.</summary>
    public static Task<AuditEnd?> End(DbConnection connection, DbTransaction? transaction) =>
        connection.QuerySingleOrDefaultAsync<AuditEnd>(
        """
        SELECT seq, hash, CAST(coalesce((SELECT max(seq) FROM audit), 0) AS BIGINT) AS last_seq FROM audit_head WHERE id = 1
        """,
        transaction: transaction);

    /// <summary>One row by its number, as a backup or a replaced database has it. By the primary key.</summary>
    public static Task<AuditRow?> Find(DbConnection connection, long seq) => connection.QuerySingleOrDefaultAsync<AuditRow>(
        $"SELECT {Columns} FROM audit WHERE seq = @seq", new { seq });

    /// <summary>Oldest first. By the primary key.</summary>
    public static async Task<List<AuditRow>> After(
        DbConnection connection, DbTransaction? transaction, long seq, long until, int limit) =>
        (await connection.QueryAsync<AuditRow>(
            $"SELECT {Columns} FROM audit WHERE seq > @seq AND seq <= @until ORDER BY seq LIMIT @limit",
            new { seq, until, limit },
            transaction)).AsList();
}

/// <summary>The last link of the chain.</summary>
internal record AuditHead
{
    public long Seq { get; init; }

    public required string Hash { get; init; }
}

/// <summary>The head, and the highest row there is: the same number unless somebody tampered.</summary>
internal sealed record AuditEnd : AuditHead
{
    public long LastSeq { get; init; }
}
