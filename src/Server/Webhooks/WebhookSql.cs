using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>Every statement on webhooks.</summary>
internal static class WebhookSql
{
    private const string Columns =
        "webhook_no, id, organization_no, organization_id, project_id, url, description, events, enabled, disabled_reason, "
        + "disabled_at_ms, secret, old_secret, old_secret_ends_at_ms, pending, dropped, failures, failing_since_ms, rest_until_ms, "
        + "due_at_ms, created_at_ms, row_version";

    public static Task Insert(WriteScope scope, Webhook webhook) => scope.Execute(
        """
        INSERT INTO webhooks (webhook_no, id, organization_no, organization_id, project_id, url, description, events, enabled, secret,
                              pending, dropped, failures, created_at_ms, row_version)
        VALUES (@WebhookNo, @Id, @OrganizationNo, @OrganizationId, @ProjectId, @Url, @Description, @Events, @Enabled, @Secret, 0, 0, 0,
                @CreatedAtMs, @RowVersion)
        """,
        webhook);

    /// <summary>What a person may change, and what follows from it. By the primary key.</summary>
    public static Task Update(WriteScope scope, Webhook webhook) => scope.Execute(
        """
        UPDATE webhooks
        SET url = @Url, description = @Description, events = @Events, enabled = @Enabled, disabled_reason = @DisabledReason,
            disabled_at_ms = @DisabledAtMs, secret = @Secret, old_secret = @OldSecret, old_secret_ends_at_ms = @OldSecretEndsAtMs,
            failures = @Failures, failing_since_ms = @FailingSinceMs, rest_until_ms = @RestUntilMs, due_at_ms = @DueAtMs,
            row_version = @RowVersion
        WHERE webhook_no = @WebhookNo
        """,
        webhook);

    /// <summary>What a run of attempts leaves. By the primary key.</summary>
    public static Task Ran(WriteScope scope, Webhook webhook, long finished) => scope.Execute(
        """
        UPDATE webhooks
        SET pending = pending - @finished, failures = @Failures, failing_since_ms = @FailingSinceMs, rest_until_ms = @RestUntilMs,
            due_at_ms = @DueAtMs, enabled = @Enabled, disabled_reason = @DisabledReason, disabled_at_ms = @DisabledAtMs,
            row_version = @RowVersion
        WHERE webhook_no = @WebhookNo
        """,
        new
        {
            webhook.WebhookNo,
            finished,
            webhook.Failures,
            webhook.FailingSinceMs,
            webhook.RestUntilMs,
            webhook.DueAtMs,
            webhook.Enabled,
            webhook.DisabledReason,
            webhook.DisabledAtMs,
            webhook.RowVersion,
        });

    /// <summary>Its secrets go with it; its row stays until its deliveries are gone.</summary>
    public static Task Delete(WriteScope scope, long webhookNo, byte[] noSecret) => scope.Execute(
        """
        UPDATE webhooks
        SET deleted_at_ms = @NowMs, enabled = 0, secret = @noSecret, old_secret = NULL, due_at_ms = NULL, row_version = row_version + 1
        WHERE webhook_no = @webhookNo
        """,
        new { webhookNo, noSecret, scope.NowMs });

    /// <summary>By the unique index on id.</summary>
    public static Task<Webhook?> Find(DbConnection connection, DbTransaction? transaction, string id, string organizationId) =>
        connection.QuerySingleOrDefaultAsync<Webhook>(
            $"SELECT {Columns} FROM webhooks WHERE id = @id AND organization_id = @organizationId AND deleted_at_ms IS NULL",
            new { id, organizationId },
            transaction);

    /// <summary>By the primary key; a deleted one is found too.</summary>
    public static Task<Webhook?> Find(WriteScope scope, long webhookNo) =>
        scope.Find<Webhook>($"SELECT {Columns} FROM webhooks WHERE webhook_no = @webhookNo", new { webhookNo });

    /// <summary>By the primary key.</summary>
    public static Task<Webhook?> FindEnabled(DbConnection connection, long webhookNo) =>
        connection.QuerySingleOrDefaultAsync<Webhook>(
            $"SELECT {Columns} FROM webhooks WHERE webhook_no = @webhookNo AND enabled = 1 AND deleted_at_ms IS NULL", new { webhookNo });

    /// <summary>
    /// Those of an organization and of all its projects. By webhooks_by_organization_id; at most
    /// <see cref="WebhookRegister.WithProjectsMax"/> rows.
    /// </summary>
    public static async Task<IReadOnlyList<Webhook>> List(DbConnection connection, string organizationId) =>
        (await connection.QueryAsync<Webhook>(
            $"SELECT {Columns} FROM webhooks WHERE organization_id = @organizationId AND deleted_at_ms IS NULL ORDER BY webhook_no",
            new { organizationId })).AsList();

    /// <summary>By webhooks_by_organization_id; at most <see cref="WebhookRegister.PerOwnerMax"/> rows.</summary>
    public static async Task<IReadOnlyList<Webhook>> ListOf(DbConnection connection, string organizationId, string projectId) =>
        (await connection.QueryAsync<Webhook>(
            $"SELECT {Columns} FROM webhooks WHERE organization_id = @organizationId AND project_id = @projectId AND deleted_at_ms IS NULL "
            + "ORDER BY webhook_no",
            new { organizationId, projectId })).AsList();

    /// <summary>Those of the organization itself. By webhooks_by_organization.</summary>
    public static Task<long> Count(WriteScope scope, long organizationNo) => scope.Find<long>(
        "SELECT COUNT(*) FROM webhooks WHERE organization_no = @organizationNo AND project_id IS NULL AND deleted_at_ms IS NULL",
        new { organizationNo });

    /// <summary>Those of its projects too. By webhooks_by_organization.</summary>
    public static Task<long> CountWithProjects(WriteScope scope, long organizationNo) => scope.Find<long>(
        "SELECT COUNT(*) FROM webhooks WHERE organization_no = @organizationNo AND deleted_at_ms IS NULL", new { organizationNo });

    /// <summary>By webhooks_by_organization.</summary>
    public static Task<long> CountOf(WriteScope scope, long organizationNo, string projectId) => scope.Find<long>(
        "SELECT COUNT(*) FROM webhooks WHERE organization_no = @organizationNo AND project_id = @projectId AND deleted_at_ms IS NULL",
        new { organizationNo, projectId });

    /// <summary>
    /// Those that hear of a project, and with none of what is the organization's alone. By webhooks_by_organization; at most twice
    /// <see cref="WebhookRegister.PerOwnerMax"/> rows.
    /// </summary>
    public static Task<IReadOnlyList<Webhook>> Listening(WriteScope scope, long organizationNo, string? projectId) => scope.Query<Webhook>(
        $"SELECT {Columns} FROM webhooks WHERE organization_no = @organizationNo AND (project_id IS NULL OR project_id = @projectId) "
        + "AND deleted_at_ms IS NULL AND enabled = 1 ORDER BY webhook_no",
        new { organizationNo, projectId });

    /// <summary>The same by webhooks_by_organization_id.</summary>
    public static Task<IReadOnlyList<Webhook>> Listening(WriteScope scope, string organizationId, string projectId) => scope.Query<Webhook>(
        $"SELECT {Columns} FROM webhooks WHERE organization_id = @organizationId AND (project_id IS NULL OR project_id = @projectId) "
        + "AND deleted_at_ms IS NULL AND enabled = 1 ORDER BY webhook_no",
        new { organizationId, projectId });

    /// <summary>Deliveries were added, due now: it is due as well, but not before its rest is over. By the primary key.</summary>
    public static Task Filled(WriteScope scope, long webhookNo, int added, int dropped) => scope.Execute(
        """
        UPDATE webhooks
        SET pending = pending + @added, dropped = dropped + @dropped,
            due_at_ms = CASE
                WHEN @added = 0 THEN due_at_ms
                WHEN due_at_ms <= @NowMs OR due_at_ms <= rest_until_ms THEN due_at_ms
                WHEN rest_until_ms > @NowMs THEN rest_until_ms
                ELSE @NowMs
            END
        WHERE webhook_no = @webhookNo
        """,
        new { webhookNo, added = (long)added, dropped = (long)dropped, scope.NowMs });

    /// <summary>
    /// Those to send to now, the longest due first: only such as failed last, or only the others. By webhooks_due.
    /// </summary>
    public static async Task<IReadOnlyList<Webhook>> Due(DbConnection connection, long nowMs, bool failing, int limit) =>
        (await connection.QueryAsync<Webhook>(
            $"""
            SELECT {Columns} FROM webhooks
            WHERE enabled = 1 AND deleted_at_ms IS NULL AND due_at_ms IS NOT NULL AND due_at_ms <= @nowMs
              AND ((@failing = 1 AND failures > 0) OR (@failing = 0 AND failures = 0))
            ORDER BY due_at_ms LIMIT @limit
            """,
            new { nowMs, failing = failing ? 1L : 0L, limit })).AsList();

    /// <summary>When the next one is due; null when nothing waits. By webhooks_due.</summary>
    public static Task<long?> NextDue(DbConnection connection) => connection.ExecuteScalarAsync<long?>(
        "SELECT MIN(due_at_ms) FROM webhooks WHERE enabled = 1 AND deleted_at_ms IS NULL AND due_at_ms IS NOT NULL");

    /// <summary>Deleted ones, some of which may still have deliveries. By webhooks_deleted.</summary>
    public static Task<IReadOnlyList<long>> Deleted(WriteScope scope, int limit) => scope.Query<long>(
        "SELECT webhook_no FROM webhooks WHERE deleted_at_ms IS NOT NULL ORDER BY webhook_no LIMIT @limit", new { limit });

    /// <summary>By webhooks_deleted.</summary>
    public static async Task<bool> HasDeleted(DbConnection connection) => await connection.ExecuteScalarAsync<long>(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM webhooks WHERE deleted_at_ms IS NOT NULL) THEN 1 ELSE 0 END") == 1;

    /// <summary>By the primary key.</summary>
    public static Task Forget(WriteScope scope, long webhookNo) =>
        scope.Execute("DELETE FROM webhooks WHERE webhook_no = @webhookNo AND deleted_at_ms IS NOT NULL", new { webhookNo });

    /// <summary>Deliveries expired. By the primary key.</summary>
    public static Task Expired(WriteScope scope, long webhookNo, long count, long? dueAtMs) => scope.Execute(
        "UPDATE webhooks SET pending = pending - @count, due_at_ms = @dueAtMs WHERE webhook_no = @webhookNo",
        new { webhookNo, count, dueAtMs });
}
