using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>Every statement on seals.</summary>
internal static class SealSql
{
    private static readonly RowsStatement PutRow = RowsStatement.Insert(
        "INSERT INTO journal_seals (spool, first, last, format, events)",
        5,
        "ON CONFLICT (spool, first) DO UPDATE SET last = excluded.last, events = excluded.events");

    private static readonly RowsStatement RemoveRows = new(
        "DELETE FROM journal_seals WHERE spool = @c0 AND first <= @c1",
        "DELETE FROM journal_seals USING unnest(@c0, @c1) AS folded (name, upto) WHERE spool = folded.name AND first <= folded.upto");

    private static readonly RowsStatement RemoveRow = new(
        "DELETE FROM journal_seals WHERE spool = @c0 AND first = @c1",
        "DELETE FROM journal_seals USING unnest(@c0, @c1) AS one (name, start) WHERE spool = one.name AND first = one.start");

    /// <summary>One more; it takes the place of an attempt that began at the same event. By the primary key.</summary>
    public static void Put(RowsBatch rows, SealRow row) => rows.Add(PutRow, [
        new[] { row.Spool }, new[] { row.First }, new[] { row.Last }, new[] { row.Format }, new[] { row.Events },
    ]);

    /// <summary>By the primary key.</summary>
    public static void Remove(RowsBatch rows, string spool, long to) => rows.Add(RemoveRows, [new[] { spool }, new[] { to }]);

    /// <summary>By the primary key.</summary>
    public static void RemoveOne(RowsBatch rows, string spool, long first) =>
        rows.Add(RemoveRow, [new[] { spool }, new[] { first }]);

    /// <summary>Which there are: of what spool, and from which event to which.</summary>
    public static async Task<IReadOnlyList<(string Spool, long First, long Last)>> All(
        DbConnection connection, DbTransaction? transaction) => (await connection.QueryAsync<(string, long, long)>(
            "SELECT spool, first, last FROM journal_seals ORDER BY spool, first", null, transaction)).AsList();

    /// <summary>The oldest one of any spool; null when none is left. By the primary key.</summary>
    public static async Task<SealRow?> First(DbConnection connection) => (await connection.QueryAsync<SealRow>(
        "SELECT spool, first, last, format, events FROM journal_seals ORDER BY spool, first LIMIT 1")).FirstOrDefault();
}
