using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Sessions;

/// <summary>Every statement on sessions.</summary>
internal static class SessionSql
{
    private const int PurgeMax = 50;

    private const string Columns =
        "session_no, id, person_no, method, address, device, created_at_ms, proved_at_ms, seen_at_ms, ends_at_ms";

    public static Task Insert(WriteScope scope, Session session, byte[] secretHash) => scope.Execute(
        """
        INSERT INTO sessions (session_no, id, secret_hash, person_no, method, address, device, created_at_ms, proved_at_ms, seen_at_ms,
                              ends_at_ms)
        VALUES (@SessionNo, @Id, @secretHash, @PersonNo, @Method, @Address, @Device, @CreatedAtMs, @ProvedAtMs, @SeenAtMs, @EndsAtMs)
        """,
        new
        {
            session.SessionNo,
            session.Id,
            secretHash,
            session.PersonNo,
            session.Method,
            session.Address,
            session.Device,
            session.CreatedAtMs,
            session.ProvedAtMs,
            session.SeenAtMs,
            session.EndsAtMs,
        });

    /// <summary>By the unique index on secret_hash. One that idled too long is as good as none.</summary>
    public static Task<Session?> Find(DbConnection connection, DbTransaction? transaction, byte[] secretHash, long nowMs, long idleMs) =>
        connection.QuerySingleOrDefaultAsync<Session>(
            $"SELECT {Columns} FROM sessions WHERE secret_hash = @secretHash AND ends_at_ms > @nowMs AND seen_at_ms > @nowMs - @idleMs",
            new { secretHash, nowMs, idleMs },
            transaction);

    /// <summary>By sessions_by_person, newest first.</summary>
    public static async Task<IReadOnlyList<Session>> List(DbConnection connection, long personNo, long nowMs, long idleMs, int limit) =>
        (await connection.QueryAsync<Session>(
            $"""
            SELECT {Columns} FROM sessions
            WHERE person_no = @personNo AND ends_at_ms > @nowMs AND seen_at_ms > @nowMs - @idleMs
            ORDER BY session_no DESC LIMIT @limit
            """,
            new { personNo, nowMs, idleMs, limit })).AsList();

    /// <summary>By the primary key.</summary>
    public static Task Seen(WriteScope scope, long sessionNo) => scope.Execute(
        "UPDATE sessions SET seen_at_ms = @NowMs WHERE session_no = @sessionNo AND seen_at_ms < @NowMs", new { sessionNo, scope.NowMs });

    /// <summary>By the unique index on id.</summary>
    public static Task<int> End(WriteScope scope, long personNo, string id) =>
        scope.Execute("DELETE FROM sessions WHERE id = @id AND person_no = @personNo", new { personNo, id });

    /// <summary>By sessions_by_person; how many there were.</summary>
    public static Task<int> EndAll(WriteScope scope, long personNo, long butSessionNo) => scope.Execute(
        "DELETE FROM sessions WHERE person_no = @personNo AND session_no <> @butSessionNo", new { personNo, butSessionNo });

    /// <summary>All but the newest. By sessions_by_person.</summary>
    public static Task Trim(WriteScope scope, long personNo, int most) => scope.Execute(
        """
        DELETE FROM sessions WHERE person_no = @personNo AND session_no NOT IN (
            SELECT session_no FROM sessions WHERE person_no = @personNo ORDER BY session_no DESC LIMIT @most)
        """,
        new { personNo, most });

    /// <summary>Those past their end, a few with each new one. By sessions_by_end.</summary>
    public static Task Purge(WriteScope scope) => scope.Execute(
        """
        DELETE FROM sessions
        WHERE session_no IN (SELECT session_no FROM sessions WHERE ends_at_ms <= @NowMs ORDER BY ends_at_ms LIMIT @PurgeMax)
        """,
        new { scope.NowMs, PurgeMax });
}
