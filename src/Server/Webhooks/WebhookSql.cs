using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>Every statement on webhooks.</summary>
internal static class WebhookSql
{
    private const string Columns =
        "webhook_no, id, organization_no, organization_id, url, description, events, enabled, disabled_reason, disabled_at_ms, secret, "
        + "old_secret, old_secret_ends_at_ms, pending, dropped, failures, failing_since_ms, rest_until_ms, created_at_ms, row_version";

    /// <summary>By webhooks_by_organization; at most twenty rows.</summary>
    public static Task<IReadOnlyList<Webhook>> Listening(WriteScope scope, long organizationNo) => scope.Query<Webhook>(
        $"SELECT {Columns} FROM webhooks WHERE organization_no = @organizationNo AND deleted_at_ms IS NULL AND enabled = 1 "
        + "ORDER BY webhook_no",
        new { organizationNo });

    /// <summary>The same by webhooks_by_organization_id.</summary>
    public static Task<IReadOnlyList<Webhook>> Listening(WriteScope scope, string organizationId) => scope.Query<Webhook>(
        $"SELECT {Columns} FROM webhooks WHERE organization_id = @organizationId AND deleted_at_ms IS NULL AND enabled = 1 "
        + "ORDER BY webhook_no",
        new { organizationId });

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
}
