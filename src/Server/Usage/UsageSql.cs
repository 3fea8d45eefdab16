using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Usage;

/// <summary>Every statement that writes usage; those that read it are in <c>UsageQuerySql</c>.</summary>
internal static class UsageSql
{
    private static readonly string[] SumsOf = ["key_no", "from_ms", "model_no"];

    private static readonly string[] PlaceSumsOf = ["place_no", "from_ms", "model_no"];

    private static readonly string[] KeySumsOf = ["place_no", "from_ms", "key_no"];

    private static readonly string[] Counts =
    [
        "requests", "refused", "input_tokens", "output_tokens", "cost_micros", "loss_micros", "priced", "estimated", "cached_tokens",
        "reasoning_tokens", "failed",
    ];

    private static readonly string[] Sums = [.. SumsOf, "place_no", .. Counts];

    private static readonly RowsStatement LogRows = RowsStatement.InsertNew(
        """
        INSERT INTO usage_log (request_no, key_no, place_no, at_ms, model_no, price_version, input_tokens, output_tokens, cost_micros,
                               loss_micros, status, latency_ms, flags, cached_tokens, reasoning_tokens)
        """,
        15);

    private static readonly RowsStatement RefusalRows = RowsStatement.InsertNew(
        """
        INSERT INTO refusals (request_no, key_no, place_no, at_ms, model_no, code, limit_name, limit_amount, limit_remaining, retry_at_ms)
        """,
        10);

    private static readonly RowsStatement HourRows = RowsStatement.AddUp("usage_hours", SumsOf, Sums, Added("usage_hours"));

    private static readonly RowsStatement DayRows = RowsStatement.AddUp("usage_days", SumsOf, Sums, Added("usage_days"));

    private static readonly RowsStatement PlaceDayRows =
        RowsStatement.AddUp("usage_place_days", PlaceSumsOf, [.. PlaceSumsOf, .. Counts], Added("usage_place_days"));

    private static readonly RowsStatement KeyDayRows =
        RowsStatement.AddUp("usage_key_days", KeySumsOf, [.. KeySumsOf, .. Counts], Added("usage_key_days"));

    private static readonly RowsStatement UseRows = RowsStatement.AddUp(
        "usage_keys",
        ["key_no"],
        ["key_no", "last_used_at_ms"],
        """
        last_used_at_ms = CASE WHEN excluded.last_used_at_ms > usage_keys.last_used_at_ms
                               THEN excluded.last_used_at_ms ELSE usage_keys.last_used_at_ms END
        """);

    private static readonly RowsStatement OldSecretRows = RowsStatement.AddUp(
        "old_secret_uses",
        ["key_no"],
        ["key_no", "used_at_ms"],
        """
        used_at_ms = CASE WHEN excluded.used_at_ms > old_secret_uses.used_at_ms
                          THEN excluded.used_at_ms ELSE old_secret_uses.used_at_ms END
        """);

    private static readonly RowsStatement SpanRows = RowsStatement.Insert(
        "INSERT INTO usage_spans (hour_ms, lowest_no, highest_no)",
        3,
        """
        ON CONFLICT (hour_ms) DO UPDATE SET
            lowest_no = CASE WHEN excluded.lowest_no < usage_spans.lowest_no THEN excluded.lowest_no ELSE usage_spans.lowest_no END,
            highest_no = CASE WHEN excluded.highest_no > usage_spans.highest_no THEN excluded.highest_no ELSE usage_spans.highest_no END
        """);

    /// <summary>Each must be new.</summary>
    public static void InsertRequests(RowsBatch rows, Array[] columns) => rows.Add(LogRows, columns, columns[0].Length);

    /// <inheritdoc cref="InsertRequests"/>
    public static void InsertRefusals(RowsBatch rows, Array[] columns) => rows.Add(RefusalRows, columns, columns[0].Length);

    /// <summary>Adds to the sums of each key, hour and model.</summary>
    public static void AddToHours(RowsBatch rows, Array[] columns) => rows.Add(HourRows, columns);

    public static void AddToDays(RowsBatch rows, Array[] columns) => rows.Add(DayRows, columns);

    /// <summary>Adds to the sums of each place, day and model.</summary>
    public static void AddToPlaceDays(RowsBatch rows, Array[] columns) => rows.Add(PlaceDayRows, columns);

    /// <summary>Adds to the sums of each place, day and key.</summary>
    public static void AddToKeyDays(RowsBatch rows, Array[] columns) => rows.Add(KeyDayRows, columns);

    /// <summary>Never goes back.</summary>
    public static void MoveLastUse(RowsBatch rows, long[] keyNos, long[] atMs) => rows.Add(UseRows, [keyNos, atMs]);

    /// <inheritdoc cref="MoveLastUse"/>
    public static void MoveOldSecretUse(RowsBatch rows, long[] keyNos, long[] atMs) => rows.Add(OldSecretRows, [keyNos, atMs]);

    public static void WidenSpans(RowsBatch rows, long[] hoursMs, long[] lowest, long[] highest) =>
        rows.Add(SpanRows, [hoursMs, lowest, highest]);

    /// <summary>Which of these requests are booked already. By the primary keys.</summary>
    public static Task<IReadOnlyList<long>> Booked(WriteScope scope, IReadOnlyCollection<long> numbers) => scope.Query<long>(
        """
        SELECT request_no FROM usage_log WHERE request_no IN {=Numbers}
        UNION ALL SELECT request_no FROM refusals WHERE request_no IN {=Numbers}
        """,
        new { Numbers = numbers });

    /// <summary>Where these keys live. By the primary key of keys, and the unique one of places.</summary>
    public static Task<IReadOnlyList<KeyPlaceRow>> PlacesOf(WriteScope scope, IReadOnlyCollection<long> keyNos) => scope.Query<KeyPlaceRow>(
        """
        SELECT k.key_no AS KeyNo, k.project_no AS ProjectNo, k.environment AS Environment, p.place_no AS PlaceNo
        FROM key_places k LEFT JOIN usage_places p ON p.project_no = k.project_no AND p.environment = k.environment
        WHERE k.key_no IN {=KeyNos}
        """,
        new { KeyNos = keyNos });

    public static Task InsertPlace(WriteScope scope, long placeNo, long projectNo, string environment) => scope.Execute(
        "INSERT INTO usage_places (place_no, project_no, environment) VALUES (@placeNo, @projectNo, @environment)",
        new { placeNo, projectNo, environment });

    public static async Task<IReadOnlyList<(long ModelNo, string Name)>> Models(DbConnection connection) =>
        (await connection.QueryAsync<(long, string)>("SELECT model_no, name FROM models ORDER BY model_no")).AsList();

    /// <summary>By the unique index on name.</summary>
    public static Task<long?> FindModel(WriteScope scope, string name) =>
        scope.Find<long?>("SELECT model_no FROM models WHERE name = @name", new { name });

    public static Task InsertModel(WriteScope scope, long modelNo, string name) => scope.Execute(
        "INSERT INTO models (model_no, name) VALUES (@modelNo, @name)", new { modelNo, name });

    /// <summary>The first request number of the hours from this one on; null when there is none. By the primary key.</summary>
    public static Task<long?> LowestFrom(DbConnection connection, long fromMs) => connection.ExecuteScalarAsync<long?>(
        "SELECT min(lowest_no) FROM usage_spans WHERE hour_ms >= @fromMs", new { fromMs });

    /// <summary>Whether there are hours before this one. By the primary key.</summary>
    public static async Task<bool> HasSpansBefore(DbConnection connection, long beforeMs) => await connection.ExecuteScalarAsync<long?>(
        "SELECT hour_ms FROM usage_spans WHERE hour_ms < @beforeMs ORDER BY hour_ms LIMIT 1", new { beforeMs }) is not null;

    /// <summary>By the primary key.</summary>
    public static Task<int> TrimSpans(WriteScope scope, long beforeMs) =>
        scope.Execute("DELETE FROM usage_spans WHERE hour_ms < @beforeMs", new { beforeMs });

    /// <summary>
    /// Removes the oldest lines of the log, so many at most, and tells how many. Rows that were told of late have high numbers and go with
    /// their neighbours. By the primary key.
    /// </summary>
    public static Task<int> TrimLog(WriteScope scope, long below, long beforeMs, int rows) => scope.Execute(
        """
        DELETE FROM usage_log WHERE request_no IN (
            SELECT request_no FROM usage_log WHERE request_no < @below AND at_ms < @beforeMs ORDER BY request_no LIMIT @rows)
        """,
        new { below, beforeMs, rows });

    /// <inheritdoc cref="TrimLog"/>
    public static Task<int> TrimRefusals(WriteScope scope, long below, long beforeMs, int rows) => scope.Execute(
        """
        DELETE FROM refusals WHERE request_no IN (
            SELECT request_no FROM refusals WHERE request_no < @below AND at_ms < @beforeMs ORDER BY request_no LIMIT @rows)
        """,
        new { below, beforeMs, rows });

    private static string Added(string table) =>
        $"""
        requests = {table}.requests + excluded.requests, refused = {table}.refused + excluded.refused,
        input_tokens = {table}.input_tokens + excluded.input_tokens, output_tokens = {table}.output_tokens + excluded.output_tokens,
        cost_micros = {table}.cost_micros + excluded.cost_micros, loss_micros = {table}.loss_micros + excluded.loss_micros,
        priced = {table}.priced + excluded.priced, estimated = {table}.estimated + excluded.estimated,
        cached_tokens = {table}.cached_tokens + excluded.cached_tokens,
        reasoning_tokens = {table}.reasoning_tokens + excluded.reasoning_tokens, failed = {table}.failed + excluded.failed
        """;
}

/// <summary>Where a key lives; no place number where none of its neighbours has been booked yet.</summary>
internal sealed class KeyPlaceRow
{
    public long KeyNo { get; init; }

    public long ProjectNo { get; init; }

    public string Environment { get; init; } = "";

    public long? PlaceNo { get; init; }
}
