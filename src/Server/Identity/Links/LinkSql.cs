using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Links;

/// <summary>Every statement on links. A link that was used has no row any more.</summary>
internal static class LinkSql
{
    private const int PurgeMax = 50;
    private const string Columns = "link_no, kind, person_no, email, email_key, name, password_hash, method, ends_at_ms";

    /// <summary>0 rows when there is one with this secret; secrets are random, and questions are good once.</summary>
    public static Task<int> Insert(WriteScope scope, Link link, byte[] secretHash) => scope.Execute(
        """
        INSERT INTO links (link_no, kind, secret_hash, person_no, email, email_key, name, password_hash, method, created_at_ms,
                           ends_at_ms)
        VALUES (@LinkNo, @Kind, @secretHash, @PersonNo, @Email, @EmailKey, @Name, @PasswordHash, @Method, @NowMs, @EndsAtMs)
        ON CONFLICT (secret_hash) DO NOTHING
        """,
        new
        {
            link.LinkNo, link.Kind, secretHash, link.PersonNo, link.Email, link.EmailKey, link.Name, link.PasswordHash, link.Method,
            scope.NowMs, link.EndsAtMs,
        });

    /// <summary>By the unique index on secret_hash.</summary>
    public static Task<Link?> Find(DbConnection connection, string kind, byte[] secretHash, long nowMs) =>
        connection.QuerySingleOrDefaultAsync<Link>(
            $"""
            SELECT {Columns} FROM links
            WHERE secret_hash = @secretHash AND kind = @kind AND ends_at_ms > @nowMs
            """,
            new { kind, secretHash, nowMs });

    /// <summary>Takes it out, so that nobody finds it again. By the unique index on secret_hash.</summary>
    public static Task<Link?> Take(WriteScope scope, string kind, byte[] secretHash) => scope.Find<Link>(
        $"""
        DELETE FROM links WHERE secret_hash = @secretHash AND kind = @kind AND ends_at_ms > @NowMs
        RETURNING {Columns}
        """,
        new { kind, secretHash, scope.NowMs });

    /// <summary>By links_by_person.</summary>
    public static Task EndAll(WriteScope scope, long personNo) =>
        scope.Execute("DELETE FROM links WHERE person_no = @personNo", new { personNo });

    /// <summary>By links_by_email.</summary>
    public static Task EndSignUps(WriteScope scope, string emailKey) =>
        scope.Execute("DELETE FROM links WHERE email_key = @emailKey", new { emailKey });

    /// <summary>Those past their time, a few with each new one. By links_by_end.</summary>
    public static Task Purge(WriteScope scope) => scope.Execute(
        """
        DELETE FROM links WHERE link_no IN (SELECT link_no FROM links WHERE ends_at_ms <= @NowMs ORDER BY ends_at_ms LIMIT @PurgeMax)
        """,
        new { scope.NowMs, PurgeMax });
}
