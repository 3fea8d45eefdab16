using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>Every statement on the journal, open reservations and lasting windows.</summary>
internal static class JournalSql
{
    private const string ReservationColumns =
        "request_no, key_no, organization_no, admitted_at_ms, clock_ms, model_no, price_version, held_micros, input_booked, "
        + "output_booked, input_marked, output_marked, cost_marked, marked_at_ms, limits, lasting_limits, flags";

    private static readonly RowsStatement ReservationRows = RowsStatement.Insert(
        $"INSERT INTO reservations ({ReservationColumns})",
        17,
        """
        ON CONFLICT (request_no) DO UPDATE SET
            input_marked = excluded.input_marked, output_marked = excluded.output_marked, cost_marked = excluded.cost_marked,
            marked_at_ms = excluded.marked_at_ms, held_micros = excluded.held_micros
        """);

    private static readonly RowsStatement MoveRow = new(
        "UPDATE journal SET folded = @c2 WHERE spool = @c0 AND folded = @c1",
        """
        UPDATE journal SET folded = moved.upto FROM unnest(@c0, @c1, @c2) AS moved (name, since, upto)
        WHERE spool = moved.name AND folded = moved.since
        """);

    private static readonly RowsStatement RaiseRow = new(
        "UPDATE journal SET folded = @c1 WHERE spool = @c0 AND folded < @c1",
        """
        UPDATE journal SET folded = raised.upto FROM unnest(@c0, @c1) AS raised (name, upto)
        WHERE spool = raised.name AND folded < raised.upto
        """);

    private static readonly RowsStatement EndedRows = new(
        "DELETE FROM reservations WHERE request_no = @c0", "DELETE FROM reservations WHERE request_no = ANY(@c0)");

    private static readonly RowsStatement WindowRows = RowsStatement.AddUp(
        "window_counts",
        ["key_no", "limit_name", "slot_ms"],
        ["key_no", "limit_name", "slot_ms", "amount"],
        "amount = window_counts.amount + excluded.amount");

    /// <summary>Moves the spool's end on, which must be where the caller thinks. By the primary key.</summary>
    public static void Move(RowsBatch rows, string spool, long from, long to) =>
        rows.Add(MoveRow, [new[] { spool }, new[] { from }, new[] { to }], 1);

    /// <summary>Whether it was <see cref="Move"/> that did not find what it must.</summary>
    public static bool IsMoved(RowsBatch rows) => rows.Missed != MoveRow;

    /// <summary>Moves a spool's end on where it is known and stands before it. By the primary key.</summary>
    public static void Raise(RowsBatch rows, string spool, long to) => rows.Add(RaiseRow, [new[] { spool }, new[] { to }]);

    /// <summary>Null for a spool that this database does not know. By the primary key.</summary>
    public static Task<long?> Folded(DbConnection connection, DbTransaction? transaction, string spool) =>
        connection.QuerySingleOrDefaultAsync<long?>("SELECT folded FROM journal WHERE spool = @spool", new { spool }, transaction);

    /// <summary>Takes a spool into use, new or known.</summary>
    public static Task Open(WriteScope scope, string spool, long folded) => scope.Execute(
        """
        INSERT INTO journal (spool, folded, opened_at_ms) VALUES (@spool, @folded, @NowMs)
        ON CONFLICT (spool) DO UPDATE SET opened_at_ms = excluded.opened_at_ms, closed_at_ms = NULL
        """,
        new { spool, folded, scope.NowMs });

    /// <summary>A gate has ended in order, and left nothing in its spool.</summary>
    public static Task Close(WriteScope scope, string spool) => scope.Execute(
        "UPDATE journal SET closed_at_ms = @NowMs WHERE spool = @spool", new { spool, scope.NowMs });

    /// <summary>Spools other than this one that nobody has closed, with when they were opened.</summary>
    public static Task<IReadOnlyList<(string Spool, long OpenedAtMs)>> OpenBeside(WriteScope scope, string spool) =>
        scope.Query<(string, long)>(
            "SELECT spool, opened_at_ms FROM journal WHERE spool <> @spool AND closed_at_ms IS NULL", new { spool });

    /// <summary>
    /// Other spools that were closed, and so hold nothing. One that was not may come back, where its gate was only frozen, or is started
    /// again, and goes on from where it was. The newest of those are kept.
    /// </summary>
    public static Task ForgetOthers(WriteScope scope, string spool, int kept) => scope.Execute(
        """
        DELETE FROM journal WHERE spool <> @spool AND (closed_at_ms IS NOT NULL OR spool NOT IN (
            SELECT spool FROM journal WHERE closed_at_ms IS NULL ORDER BY opened_at_ms DESC LIMIT @kept))
        """,
        new { spool, kept });

    public static Task ForgetAll(WriteScope scope) => scope.Execute("DELETE FROM journal");

    /// <summary>Nothing of a spool up to here will be taken in, whether or not it ever was.</summary>
    public static Task Pass(WriteScope scope, string spool, long last) => scope.Execute(
        "INSERT INTO journal (spool, folded, opened_at_ms, closed_at_ms) VALUES (@spool, @last, @NowMs, @NowMs)",
        new { spool, last, scope.NowMs });

    /// <summary>The numbers of open reservations, in order.</summary>
    public static async Task<IReadOnlyList<long>> OpenNumbers(DbConnection connection, DbTransaction? transaction) =>
        (await connection.QueryAsync<long>("SELECT request_no FROM reservations ORDER BY request_no", null, transaction)).AsList();

    public static async Task<IReadOnlyList<OpenReservation>> Reservations(DbConnection connection) =>
        (await connection.QueryAsync<OpenReservation>($"SELECT {ReservationColumns} FROM reservations ORDER BY request_no")).AsList();

    /// <summary>By organization, what open requests hold.</summary>
    public static async Task<IReadOnlyList<(long OrganizationNo, long Micros)>> Held(DbConnection connection) =>
        (await connection.QueryAsync<(long, long)>(
            "SELECT organization_no, CAST(sum(held_micros) AS BIGINT) FROM reservations GROUP BY organization_no")).AsList();

    /// <summary>Reads all of them: there are as many as requests under way.</summary>
    public static Task<long> HeldIn(WriteScope scope, long organizationNo) => scope.Find<long>(
        "SELECT CAST(coalesce(sum(held_micros), 0) AS BIGINT) FROM reservations WHERE organization_no = @organizationNo",
        new { organizationNo });

    /// <summary>By the primary key.</summary>
    public static Task<IReadOnlyList<OpenReservation>> Reservations(WriteScope scope, IReadOnlyCollection<long> numbers) =>
        scope.Query<OpenReservation>(
            $$"""SELECT {{ReservationColumns}} FROM reservations WHERE request_no IN {=Numbers}""", new { Numbers = numbers });

    /// <summary>New ones, and known ones with another mark or hold.</summary>
    public static void Keep(RowsBatch rows, IReadOnlyCollection<OpenReservation> open)
    {
        rows.Add(ReservationRows, [
            Column(row => row.RequestNo), Column(row => row.KeyNo), Column(row => row.OrganizationNo), Column(row => row.AdmittedAtMs),
            Column(row => row.ClockMs), Column(row => row.ModelNo), Column(row => row.PriceVersion), Column(row => row.HeldMicros),
            Column(row => row.InputBooked), Column(row => row.OutputBooked), Column(row => row.InputMarked),
            Column(row => row.OutputMarked), Column(row => row.CostMarked), Column(row => row.MarkedAtMs), Column(row => row.Limits),
            Column(row => row.LastingLimits), Column(row => row.Flags),
        ]);

        long[] Column(Func<OpenReservation, long> of) => [.. open.Select(of)];
    }

    public static void End(RowsBatch rows, IReadOnlyCollection<long> numbers) => rows.Add(EndedRows, [numbers.ToArray()]);

    public static void AddToWindows(RowsBatch rows, IReadOnlyCollection<WindowCount> counts) => rows.Add(WindowRows, [
        counts.Select(count => count.KeyNo).ToArray(), counts.Select(count => count.LimitName).ToArray(),
        counts.Select(count => count.SlotMs).ToArray(), counts.Select(count => count.Amount).ToArray(),
    ]);

    /// <summary>By the primary key.</summary>
    public static async Task<IReadOnlyList<WindowCount>> WindowsOf(DbConnection connection, long keyNo) =>
        (await connection.QueryAsync<WindowCount>(
            """
            SELECT key_no AS KeyNo, limit_name AS LimitName, slot_ms AS SlotMs, amount AS Amount
            FROM window_counts WHERE key_no = @keyNo ORDER BY limit_name, slot_ms
            """,
            new { keyNo })).AsList();

    /// <summary>By window_counts_by_slot.</summary>
    public static async Task<bool> HasWindowsBefore(DbConnection connection, long beforeMs) => await connection.ExecuteScalarAsync<long?>(
        "SELECT slot_ms FROM window_counts WHERE slot_ms < @beforeMs ORDER BY slot_ms LIMIT 1", new { beforeMs }) is not null;

    /// <summary>Slots that no window reaches any more, so many at most. By window_counts_by_slot.</summary>
    public static Task<int> TrimWindows(WriteScope scope, string limitName, long beforeMs, int rows) => scope.Execute(
        """
        DELETE FROM window_counts WHERE (key_no, limit_name, slot_ms) IN (
            SELECT key_no, limit_name, slot_ms FROM window_counts
            WHERE slot_ms < @beforeMs AND limit_name = @limitName ORDER BY slot_ms LIMIT @rows)
        """,
        new { limitName, beforeMs, rows });

    /// <summary>Those of limits that the file no longer has, and that no window is as long as.</summary>
    public static Task<int> TrimAllWindows(WriteScope scope, long beforeMs, int rows) => scope.Execute(
        """
        DELETE FROM window_counts WHERE (key_no, limit_name, slot_ms) IN (
            SELECT key_no, limit_name, slot_ms FROM window_counts WHERE slot_ms < @beforeMs ORDER BY slot_ms LIMIT @rows)
        """,
        new { beforeMs, rows });
}

/// <summary>What was counted of one key and limit in the slot that begins there.</summary>
internal sealed record WindowCount
{
    public long KeyNo { get; init; }

    public string LimitName { get; init; } = "";

    public long SlotMs { get; init; }

    public long Amount { get; init; }
}
