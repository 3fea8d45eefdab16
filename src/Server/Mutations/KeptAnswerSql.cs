using Tollgate.Server.Storage;

namespace Tollgate.Server.Mutations;

/// <summary>Every statement on kept answers.</summary>
internal static class KeptAnswerSql
{
    /// <summary>Rows per write: clearing up never makes one call wait for a day's leftovers.</summary>
    public const int PurgeMax = 50;

    /// <summary>By the primary key. One past its day counts as forgotten, purged or not.</summary>
    public static Task<KeptAnswer?> Find(WriteScope scope, string id) => scope.Find<KeptAnswer>(
        """
        SELECT id, request_hash, status, holds_secret, answer, created_at_ms
        FROM idempotency
        WHERE id = @id AND created_at_ms > @forgotten
        """,
        new { id, forgotten = scope.NowMs - KeptAnswer.KeptMs });

    public static Task Keep(WriteScope scope, KeptAnswer answer) => scope.Execute(
        """
        INSERT INTO idempotency (id, request_hash, status, holds_secret, answer, created_at_ms)
        VALUES (@Id, @RequestHash, @Status, @HoldsSecret, @Answer, @CreatedAtMs)
        ON CONFLICT (id) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
            holds_secret = excluded.holds_secret, answer = excluded.answer, created_at_ms = excluded.created_at_ms
        """,
        answer);

    /// <summary>Drops sealed secrets past their 10 minutes and rows past their day, oldest first. By the two indexes on age.</summary>
    public static async Task Purge(WriteScope scope)
    {
        await scope.Execute(
            """
            UPDATE idempotency SET answer = NULL
            WHERE id IN (
                SELECT id FROM idempotency
                WHERE holds_secret = 1 AND answer IS NOT NULL AND created_at_ms < @ended
                ORDER BY created_at_ms
                LIMIT @PurgeMax)
            """,
            new { ended = scope.NowMs - KeptAnswer.SecretMs, PurgeMax });
        await scope.Execute(
            """
            DELETE FROM idempotency
            WHERE id IN (
                SELECT id FROM idempotency WHERE created_at_ms <= @forgotten ORDER BY created_at_ms LIMIT @PurgeMax)
            """,
            new { forgotten = scope.NowMs - KeptAnswer.KeptMs, PurgeMax });
    }
}
