using System.Data.Common;
using Dapper;

namespace Tollgate.Server.Storage;

/// <summary>Every statement on the change log but the insert, which is <see cref="WriteScope.Change"/>'s.</summary>
internal static class ChangeLogSql
{
    /// <summary>The number of the last change, 0 before the first. By the primary key.</summary>
    public static Task<long> Head(DbConnection connection, DbTransaction? transaction) => connection.ExecuteScalarAsync<long>(
        "SELECT coalesce((SELECT value FROM counters WHERE name = 'changes'), 0)", null, transaction);

    /// <summary>In commit order. By the primary key.</summary>
    public static async Task<List<ChangeRow>> After(DbConnection connection, long after, long upTo, int limit) =>
        (await connection.QueryAsync<ChangeRow>(
            """
            SELECT seq AS Seq, kind AS Kind, target_no AS TargetNo, version AS Version, at_ms AS AtMs
            FROM changes WHERE seq > @After AND seq <= @UpTo ORDER BY seq LIMIT @Limit
            """,
            new { After = after, UpTo = upTo, Limit = limit })).AsList();

    /// <summary>Removes the oldest rows up to <paramref name="last"/>, so many at most. By the primary key.</summary>
    public static Task Trim(WriteScope scope, long last, int rows) => scope.Execute(
        "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE seq <= @Last ORDER BY seq LIMIT @Rows)",
        new { Last = last, Rows = rows });
}
