using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Mail;

/// <summary>Every statement on the outbox of mails.</summary>
internal static class MailSql
{
    private const string Columns =
        "mail_no, id, template, letter, state, blank, attempts, due_at_ms, until_ms, attempted_at_ms, error, created_at_ms, finished_at_ms";

    public static Task Insert(WriteScope scope, QueuedMail mail) => scope.Execute(
        """
        INSERT INTO mail_outbox (mail_no, id, template, letter, state, blank, attempts, due_at_ms, until_ms, created_at_ms)
        VALUES (@MailNo, @Id, @Template, @Letter, @State, @Blank, @Attempts, @DueAtMs, @UntilMs, @CreatedAtMs)
        """,
        mail);

    /// <summary>Whether so many are waiting; counts no further. By mail_outbox_due.</summary>
    public static async Task<bool> IsFull(WriteScope scope, int most) => await scope.Find<long>(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM mail_outbox WHERE state = 0 LIMIT @most) AS waiting", new { most }) >= most;

    /// <summary>Those to send now, the longest due first. By mail_outbox_due.</summary>
    public static async Task<IReadOnlyList<long>> Due(DbConnection connection, long nowMs, int limit) =>
        (await connection.QueryAsync<long>(
            "SELECT mail_no FROM mail_outbox WHERE state = 0 AND due_at_ms <= @nowMs ORDER BY due_at_ms, mail_no LIMIT @limit",
            new { nowMs, limit })).AsList();

    /// <summary>One that is still to be sent, and due. By the primary key.</summary>
    public static Task<QueuedMail?> FindDue(DbConnection connection, long mailNo, long nowMs) =>
        connection.QuerySingleOrDefaultAsync<QueuedMail>(
            $"SELECT {Columns} FROM mail_outbox WHERE mail_no = @mailNo AND state = 0 AND due_at_ms <= @nowMs", new { mailNo, nowMs });

    /// <summary>By mail_outbox_due.</summary>
    public static Task<OutboxState> State(DbConnection connection) => connection.QuerySingleAsync<OutboxState>(
        """
        SELECT CAST(COUNT(*) AS BIGINT) AS waiting, MIN(created_at_ms) AS oldest_at_ms, MIN(due_at_ms) AS next_due_at_ms
        FROM mail_outbox WHERE state = 0
        """);

    /// <summary>What an attempt came to. By the primary key.</summary>
    public static Task Tried(WriteScope scope, QueuedMail tried) => scope.Execute(
        """
        UPDATE mail_outbox
        SET letter = @Letter, state = @State, attempts = @Attempts, due_at_ms = @DueAtMs, attempted_at_ms = @AttemptedAtMs,
            error = @Error, finished_at_ms = @FinishedAtMs
        WHERE mail_no = @MailNo AND state = 0
        """,
        tried);

    /// <summary>Whether one was finished before a time. By mail_outbox_finished.</summary>
    public static async Task<bool> HasLeftovers(DbConnection connection, long beforeMs) => await connection.ExecuteScalarAsync<long>(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM mail_outbox WHERE state <> 0 AND finished_at_ms < @beforeMs) THEN 1 ELSE 0 END",
        new { beforeMs }) == 1;

    /// <summary>Finished before a time, oldest first; how many. By mail_outbox_finished.</summary>
    public static Task<int> Purge(WriteScope scope, long beforeMs, int limit) => scope.Execute(
        """
        DELETE FROM mail_outbox
        WHERE mail_no IN (
            SELECT mail_no FROM mail_outbox WHERE state <> 0 AND finished_at_ms < @beforeMs ORDER BY finished_at_ms LIMIT @limit)
        """,
        new { beforeMs, limit });
}
