using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>Every statement on deliveries.</summary>
internal static class DeliverySql
{
    private const string Columns =
        "delivery_no, id, webhook_no, message_id, type, body, state, attempts, due_at_ms, attempted_at_ms, response_status, error, "
        + "duration_ms, created_at_ms, finished_at_ms";

    public static Task Insert(WriteScope scope, IReadOnlyList<WebhookDelivery> deliveries) => scope.Execute(
        """
        INSERT INTO webhook_deliveries (delivery_no, id, webhook_no, message_id, type, body, state, attempts, due_at_ms, created_at_ms)
        VALUES (@DeliveryNo, @Id, @WebhookNo, @MessageId, @Type, @Body, @State, @Attempts, @DueAtMs, @CreatedAtMs)
        """,
        deliveries);

    /// <summary>Those of a webhook to send now, the longest due first. By webhook_deliveries_due.</summary>
    public static async Task<IReadOnlyList<WebhookDelivery>> Due(DbConnection connection, long webhookNo, long nowMs, int limit) =>
        (await connection.QueryAsync<WebhookDelivery>(
            $"""
            SELECT {Columns} FROM webhook_deliveries
            WHERE webhook_no = @webhookNo AND state = 0 AND due_at_ms <= @nowMs
            ORDER BY due_at_ms, delivery_no LIMIT @limit
            """,
            new { webhookNo, nowMs, limit })).AsList();

    /// <summary>By webhook_deliveries_due.</summary>
    public static Task<long?> NextDue(WriteScope scope, long webhookNo) => scope.Find<long?>(
        "SELECT MIN(due_at_ms) FROM webhook_deliveries WHERE webhook_no = @webhookNo AND state = 0", new { webhookNo });

    /// <summary>
    /// What an attempt came to. False when it was no longer pending: then something else has been decided meanwhile. By the primary key.
    /// </summary>
    public static async Task<bool> Tried(WriteScope scope, WebhookDelivery tried) => await scope.Execute(
        """
        UPDATE webhook_deliveries
        SET state = @State, attempts = @Attempts, due_at_ms = @DueAtMs, attempted_at_ms = @AttemptedAtMs,
            response_status = @ResponseStatus, error = @Error, duration_ms = @DurationMs, finished_at_ms = @FinishedAtMs
        WHERE delivery_no = @DeliveryNo AND state = 0
        """,
        tried) == 1;

    /// <summary>Newest first, below a number. By webhook_deliveries_by_webhook.</summary>
    public static async Task<List<WebhookDelivery>> List(DbConnection connection, long webhookNo, long? state, long before, int limit) =>
        (await connection.QueryAsync<WebhookDelivery>(
            $"""
            SELECT {Columns} FROM webhook_deliveries
            WHERE webhook_no = @webhookNo AND delivery_no < @before AND (@state IS NULL OR state = @state)
            ORDER BY delivery_no DESC LIMIT @limit
            """,
            new { webhookNo, state, before, limit })).AsList();

    /// <summary>By the unique index on id.</summary>
    public static Task<WebhookDelivery?> Find(WriteScope scope, string id, long webhookNo) => scope.Find<WebhookDelivery>(
        $"SELECT {Columns} FROM webhook_deliveries WHERE id = @id AND webhook_no = @webhookNo", new { id, webhookNo });

    /// <summary>The same for who only looks.</summary>
    public static Task<WebhookDelivery?> Look(DbConnection connection, string id, long webhookNo) =>
        connection.QuerySingleOrDefaultAsync<WebhookDelivery>(
            $"SELECT {Columns} FROM webhook_deliveries WHERE id = @id AND webhook_no = @webhookNo", new { id, webhookNo });

    /// <summary>
    /// When something last arrived, and when an attempt last failed, among the newest deliveries. By webhook_deliveries_by_webhook.
    /// </summary>
    public static Task<WebhookPulse> Pulse(DbConnection connection, long webhookNo, int newest) =>
        connection.QuerySingleAsync<WebhookPulse>(
            """
            SELECT MAX(CASE WHEN state = 1 THEN attempted_at_ms END) AS ArrivedAtMs,
                   MAX(CASE WHEN error IS NOT NULL THEN attempted_at_ms END) AS FailedAtMs
            FROM (
                SELECT state, error, attempted_at_ms FROM webhook_deliveries
                WHERE webhook_no = @webhookNo ORDER BY delivery_no DESC LIMIT @newest) AS last_ones
            """,
            new { webhookNo, newest });

    /// <summary>Begins anew, as if it had just been made. By the primary key.</summary>
    public static Task Replay(WriteScope scope, long deliveryNo) => scope.Execute(
        """
        UPDATE webhook_deliveries SET state = 0, attempts = 0, due_at_ms = @NowMs, error = NULL, finished_at_ms = NULL
        WHERE delivery_no = @deliveryNo
        """,
        new { deliveryNo, scope.NowMs });

    /// <summary>
    /// The same with the oldest that failed and were made at a time or later; how many. By webhook_deliveries_by_webhook.
    /// </summary>
    public static Task<int> ReplayFailed(WriteScope scope, long webhookNo, long sinceMs, int limit) => scope.Execute(
        """
        UPDATE webhook_deliveries SET state = 0, attempts = 0, due_at_ms = @NowMs, error = NULL, finished_at_ms = NULL
        WHERE delivery_no IN (
            SELECT delivery_no FROM webhook_deliveries
            WHERE webhook_no = @webhookNo AND state = 2 AND created_at_ms >= @sinceMs
            ORDER BY delivery_no LIMIT @limit)
        """,
        new { webhookNo, sinceMs, limit, scope.NowMs });

    /// <summary>Whether something is past its time. By webhook_deliveries_finished and webhook_deliveries_pending.</summary>
    public static async Task<bool> HasLeftovers(DbConnection connection, long finishedBeforeMs, long madeBeforeMs) =>
        await connection.ExecuteScalarAsync<long>(
            """
            SELECT CASE
                WHEN EXISTS (SELECT 1 FROM webhook_deliveries WHERE state <> 0 AND finished_at_ms < @finishedBeforeMs) THEN 1
                WHEN EXISTS (SELECT 1 FROM webhook_deliveries WHERE state = 0 AND created_at_ms < @madeBeforeMs) THEN 1
                ELSE 0
            END
            """,
            new { finishedBeforeMs, madeBeforeMs }) == 1;

    /// <summary>Finished before a time, oldest first; how many. By webhook_deliveries_finished.</summary>
    public static Task<int> Purge(WriteScope scope, long finishedBeforeMs, int limit) => scope.Execute(
        """
        DELETE FROM webhook_deliveries
        WHERE delivery_no IN (
            SELECT delivery_no FROM webhook_deliveries
            WHERE state <> 0 AND finished_at_ms < @finishedBeforeMs ORDER BY finished_at_ms LIMIT @limit)
        """,
        new { finishedBeforeMs, limit });

    /// <summary>Those of one webhook, whatever they are; how many. By webhook_deliveries_by_webhook.</summary>
    public static Task<int> PurgeOf(WriteScope scope, long webhookNo, int limit) => scope.Execute(
        """
        DELETE FROM webhook_deliveries
        WHERE delivery_no IN (SELECT delivery_no FROM webhook_deliveries WHERE webhook_no = @webhookNo ORDER BY delivery_no LIMIT @limit)
        """,
        new { webhookNo, limit });

    /// <summary>Pending and made before a time, oldest first. By webhook_deliveries_pending.</summary>
    public static Task<IReadOnlyList<WebhookDelivery>> Overdue(WriteScope scope, long madeBeforeMs, int limit) =>
        scope.Query<WebhookDelivery>(
            $"""
            SELECT {Columns} FROM webhook_deliveries
            WHERE state = 0 AND created_at_ms < @madeBeforeMs ORDER BY created_at_ms LIMIT @limit
            """,
            new { madeBeforeMs, limit });
}
