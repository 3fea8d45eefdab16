using System.Data.Common;
using System.Globalization;
using Dapper;

namespace Tollgate.Server.Usage;

/// <summary>Every statement that reads usage.</summary>
internal static class UsageQuerySql
{
    /// <summary>Places that are read one by one, each in the order of its index; more are read together, in the order of the log.</summary>
    private const int PlacesApartMax = 20;

    private const string SumColumns =
        "CAST(coalesce(sum(s.requests), 0) AS BIGINT) AS Requests, CAST(coalesce(sum(s.refused), 0) AS BIGINT) AS Refused, "
        + "CAST(coalesce(sum(s.input_tokens), 0) AS BIGINT) AS InputTokens, CAST(coalesce(sum(s.output_tokens), 0) AS BIGINT) "
        + "AS OutputTokens, CAST(coalesce(sum(s.failed), 0) AS BIGINT) AS Failed, "
        + "CAST(coalesce(sum(s.cost_micros), 0) AS BIGINT) AS CostMicros, "
        + "CAST(coalesce(sum(s.priced), 0) AS BIGINT) AS Priced, CAST(coalesce(sum(s.estimated), 0) AS BIGINT) AS Estimated, "
        + "CAST(coalesce(sum(s.cached_tokens), 0) AS BIGINT) AS CachedTokens, "
        + "CAST(coalesce(sum(s.reasoning_tokens), 0) AS BIGINT) AS ReasoningTokens";

    private const string Refused =
        "request_no, key_no, at_ms, model_no, 0 AS price_version, 0 AS input_tokens, 0 AS output_tokens, "
        + "CAST(NULL AS BIGINT) AS cost_micros, 0 AS status, 0 AS latency_ms, 0 AS flags, code, limit_name, limit_amount, "
        + "limit_remaining, retry_at_ms, 0 AS cached_tokens, 0 AS reasoning_tokens FROM refusals";

    private const string Passed =
        "request_no, key_no, at_ms, model_no, price_version, input_tokens, output_tokens, cost_micros, status, latency_ms, flags, "
        + "-1 AS code, CAST(NULL AS TEXT) AS limit_name, 0 AS limit_amount, 0 AS limit_remaining, 0 AS retry_at_ms, "
        + "cached_tokens, reasoning_tokens FROM usage_log";

    private const string Named =
        """
        r.request_no AS RequestNo, r.key_no AS KeyNo, r.at_ms AS AtMs, r.price_version AS PriceVersion, r.input_tokens AS InputTokens,
        r.output_tokens AS OutputTokens, r.cost_micros AS CostMicros, r.status AS Status, r.latency_ms AS LatencyMs, r.flags AS Flags,
        r.code AS Code, r.limit_name AS LimitName, r.limit_amount AS LimitAmount, r.limit_remaining AS LimitRemaining,
        r.retry_at_ms AS RetryAtMs, m.name AS Model, k.key_id AS KeyId, k.key_name AS KeyName, k.environment AS Environment,
        o.project_id AS ProjectId, o.organization_id AS OrganizationId, r.cached_tokens AS CachedTokens,
        r.reasoning_tokens AS ReasoningTokens
        """;

    private const string Names =
        """
        LEFT JOIN key_places k ON k.key_no = r.key_no
        LEFT JOIN project_owners o ON o.project_no = k.project_no
        LEFT JOIN models m ON m.model_no = r.model_no
        """;

    private const string KeyColumns =
        """
        SELECT k.key_no AS KeyNo, k.key_id AS KeyId, k.key_name AS KeyName, k.environment AS Environment, k.project_no AS ProjectNo,
               o.project_id AS ProjectId, o.organization_id AS OrganizationId, o.organization_no AS OrganizationNo
        FROM key_places k JOIN project_owners o ON o.project_no = k.project_no
        """;

    /// <summary>The places of these owners that have used anything. By the unique index of places, or all of the few there are.</summary>
    public static async Task<IReadOnlyList<long>> Places(
        DbConnection connection, string? organizationId, string? projectId, string? environment) => (await connection.QueryAsync<long>(
            """
            SELECT p.place_no FROM usage_places p JOIN project_owners o ON o.project_no = p.project_no
            WHERE (@organizationId IS NULL OR o.organization_id = @organizationId)
              AND (@projectId IS NULL OR o.project_id = @projectId)
              AND (@environment IS NULL OR p.environment = @environment)
            ORDER BY p.place_no
            """,
            new { organizationId, projectId, environment })).AsList();

    /// <summary>By the unique index on the id of keys.</summary>
    public static Task<UsedKey?> FindKey(DbConnection connection, string keyId) =>
        connection.QuerySingleOrDefaultAsync<UsedKey>($"{KeyColumns} WHERE k.key_id = @keyId", new { keyId });

    /// <summary>By the primary key of keys.</summary>
    public static Task<UsedKey?> FindKey(DbConnection connection, long keyNo, DbTransaction? transaction = null) =>
        connection.QuerySingleOrDefaultAsync<UsedKey>($"{KeyColumns} WHERE k.key_no = @keyNo", new { keyNo }, transaction);

    /// <summary>By the unique index on name.</summary>
    public static Task<long?> FindModel(DbConnection connection, string name) => connection.ExecuteScalarAsync<long?>(
        "SELECT model_no FROM models WHERE name = @name", new { name });

    /// <summary>By the primary key.</summary>
    public static Task<long?> LastUse(DbConnection connection, long keyNo) => connection.ExecuteScalarAsync<long?>(
        "SELECT last_used_at_ms FROM last_uses WHERE key_no = @keyNo", new { keyNo });

    /// <summary>By the primary key.</summary>
    public static Task<long?> OldSecretUse(DbConnection connection, long keyNo) => connection.ExecuteScalarAsync<long?>(
        "SELECT used_at_ms FROM old_secret_uses WHERE key_no = @keyNo", new { keyNo });

    /// <summary>The same for a page of keys.</summary>
    public static async Task<Dictionary<long, long>> LastUses(DbConnection connection, IReadOnlyCollection<long> keyNos) =>
        keyNos.Count == 0 ? [] : (await connection.QueryAsync<(long KeyNo, long AtMs)>(
            "SELECT key_no, last_used_at_ms FROM last_uses WHERE key_no IN {=keyNos}", new { keyNos }))
        .ToDictionary(use => use.KeyNo, use => use.AtMs);

    /// <summary>By organization, what its requests were billed. Adds up every day of every key.</summary>
    public static async Task<IReadOnlyList<(long OrganizationNo, long Micros)>> Billed(DbConnection connection) =>
        (await connection.QueryAsync<(long, long)>(
            """
            SELECT o.organization_no, CAST(sum(s.cost_micros) AS BIGINT)
            FROM usage_days s JOIN key_places k ON k.key_no = s.key_no JOIN project_owners o ON o.project_no = k.project_no
            GROUP BY o.organization_no
            """)).AsList();

    /// <summary>
    /// Sums over hours or days, apart by what is asked for, out of the table that has it in the fewest rows: all keys together, all models
    /// together, or each apart. By the primary keys, or by usage_hours_by_place and usage_days_by_model.
    /// </summary>
    /// <param name="connection">One that reads.</param>
    /// <param name="filter">What is added up.</param>
    /// <param name="groups">What is kept apart.</param>
    /// <param name="limit">The most rows.</param>
    /// <param name="isByCost">Whether the dearest come first, not the newest.</param>
    public static async Task<IReadOnlyList<UsageSumRow>> Sums(
        DbConnection connection, UsageFilter filter, UsageGroups groups, int limit, bool isByCost = false)
    {
        var sums = SumsOf(filter, groups);
        string[] by =
        [
            .. groups.ByKey ? ["s.key_no"] : Array.Empty<string>(), .. groups.ByModel ? ["s.model_no"] : Array.Empty<string>(),
            .. groups.ByDay ? [Day] : Array.Empty<string>(), .. groups.ByProject ? [ProjectNo] : Array.Empty<string>(),
        ];
        return (await connection.QueryAsync<UsageSumRow>(
            $$"""
            SELECT g.KeyNo, g.FromMs, g.Requests, g.Refused, g.InputTokens, g.OutputTokens, g.CostMicros, g.Priced, g.Estimated,
                   g.CachedTokens, g.ReasoningTokens, g.Failed,
                   m.name AS Model, k.key_id AS KeyId, k.key_name AS KeyName, o.project_id AS ProjectId
            FROM (
                SELECT {{(groups.ByKey ? "s.key_no" : "0")}} AS KeyNo, {{(groups.ByModel ? "s.model_no" : "0")}} AS ModelNo,
                       {{(groups.ByDay ? Day : "0")}} AS FromMs, {{(groups.ByProject ? ProjectNo : "0")}} AS ProjectNo, {{SumColumns}}
                FROM {{sums}} s
                {{(groups.ByProject ? "LEFT JOIN usage_places p ON p.place_no = s.place_no" : "")}}
                WHERE {{Whose(filter, "s.")}} AND s.from_ms >= @FromMs AND s.from_ms < @ToMs
                {{OfModel(filter, sums)}}
                {{(by.Length == 0 ? "HAVING count(*) > 0" : $"GROUP BY {string.Join(", ", by)}")}}
            ) g
            LEFT JOIN models m ON m.model_no = g.ModelNo
            LEFT JOIN key_places k ON k.key_no = g.KeyNo
            LEFT JOIN project_owners o ON o.project_no = g.ProjectNo
            ORDER BY {{(isByCost ? "g.CostMicros DESC, g.Requests DESC, " : "")}}g.FromMs DESC, g.ProjectNo, g.KeyNo, g.ModelNo
            LIMIT @limit
            """,
            new { filter.Range.FromMs, filter.Range.ToMs, ModelNo = filter.ModelNo ?? -1, limit })).AsList();
    }

    private const string Days = "usage_days";

    /// <summary>
    /// Of places, days lie together by model: that each has one of those there are, or none, is so anyway, since no model is ever deleted,
    /// and says where to look.
    /// </summary>
    private static string OfModel(UsageFilter filter, string sums) => filter switch
    {
        { ModelNo: not null } => "AND s.model_no = @ModelNo",
        { KeyNo: null, Places: not null } when sums == Days => "AND s.model_no IN (SELECT 0 UNION ALL SELECT model_no FROM models)",
        _ => "",
    };

    private const string Day = "s.from_ms - (s.from_ms % 86400000)";

    private const string ProjectNo = "coalesce(p.project_no, 0)";

    private static string SumsOf(UsageFilter filter, UsageGroups groups) => (filter, groups) switch
    {
        ({ Range.IsOfDays: false }, _) => "usage_hours",
        ({ KeyNo: not null }, _) => Days,
        (_, { ByKey: false }) => "usage_place_days",
        ({ ModelNo: null }, { ByModel: false }) => "usage_key_days",
        _ => Days,
    };

    /// <summary>The numbers that requests of this span can have; nulls when there is none. By the primary key.</summary>
    public static Task<(long? Lowest, long? Highest)> Span(DbConnection connection, UsageRange range) =>
        connection.QuerySingleAsync<(long?, long?)>(
            "SELECT min(lowest_no), max(highest_no) FROM usage_spans WHERE hour_ms >= @FromMs AND hour_ms < @ToMs",
            new { FromMs = range.FromMs - (range.FromMs % UsageRange.HourMs), range.ToMs });

    /// <summary>
    /// Lines of the log, newest first, with the names they stand for. By the indices on key and on place, or the primary keys.
    /// </summary>
    public static async Task<IReadOnlyList<UsageLogRow>> Log(
        DbConnection connection, UsageFilter filter, long lowest, long before, int limit) => (await connection.QueryAsync<UsageLogRow>(
            $"""
            SELECT {Named}
            FROM (SELECT * FROM ({string.Join(" UNION ALL ", Sources(filter))}) w ORDER BY request_no DESC LIMIT @limit) r
            {Names}
            ORDER BY r.request_no DESC
            """,
            new
            {
                lowest, before, limit, filter.Range.FromMs, filter.Range.ToMs, ModelNo = filter.ModelNo ?? -1,
            })).AsList();

    /// <summary>One request that passed or was refused. By the primary keys.</summary>
    public static Task<UsageLogRow?> Find(DbConnection connection, long requestNo) =>
        connection.QueryFirstOrDefaultAsync<UsageLogRow>(
            $"""
            SELECT {Named}
            FROM (SELECT {Passed} WHERE request_no = @requestNo UNION ALL SELECT {Refused} WHERE request_no = @requestNo) r
            {Names}
            """,
            new { requestNo });

    /// <summary>One request that is under way. By the primary key.</summary>
    public static Task<UsageLogRow?> FindOpen(DbConnection connection, long requestNo) =>
        connection.QueryFirstOrDefaultAsync<UsageLogRow>(
            $"""
            SELECT {Named}
            FROM (
                SELECT request_no, key_no, at_ms, model_no, 0 AS price_version, 0 AS input_tokens, 0 AS output_tokens,
                       CAST(NULL AS BIGINT) AS cost_micros, 0 AS status, 0 AS latency_ms, 0 AS flags, -2 AS code,
                       CAST(NULL AS TEXT) AS limit_name, 0 AS limit_amount, 0 AS limit_remaining, 0 AS retry_at_ms,
                       0 AS cached_tokens, 0 AS reasoning_tokens
                FROM open_requests WHERE request_no = @requestNo
            ) r
            {Names}
            """,
            new { requestNo });

    private static IEnumerable<string> Sources(UsageFilter filter)
    {
        string[] tables = filter.Outcome switch { "passed" => [Passed], "refused" => [Refused], _ => [Passed, Refused] };
        var whose = filter is { KeyNo: null, Places: { Count: > 0 and <= PlacesApartMax } places }
            ? places.Select(place => string.Create(CultureInfo.InvariantCulture, $"place_no = {place}"))
            // With the addition no index by place is of use, and the log is read in its order.
            : [filter is { KeyNo: null, Places: not null } ? Whose(filter, "0 + ") : Whose(filter, "")];
        return
            from one in whose
            from table in tables
            select $"""
                SELECT * FROM (
                    SELECT {table}
                    WHERE {one} AND request_no >= @lowest AND request_no < @before AND at_ms >= @FromMs AND at_ms < @ToMs
                      AND (@ModelNo < 0 OR model_no = @ModelNo)
                    ORDER BY request_no DESC LIMIT @limit) x
                """;
    }

    /// <summary>Numbers of our own, written out: a plan is made for them.</summary>
    private static string Whose(UsageFilter filter, string prefix) =>
        filter.KeyNo is { } keyNo ? string.Create(CultureInfo.InvariantCulture, $"{prefix}key_no = {keyNo}")
        : filter.Places is { } places ? $"{prefix}place_no IN ({string.Join(", ", places)})"
        : "1 = 1";
}

/// <summary>What of the usage is asked for, in the database's numbers.</summary>
internal sealed record UsageFilter
{
    public required UsageRange Range { get; init; }

    public long? KeyNo { get; init; }

    /// <summary>At least one; null for everywhere.</summary>
    public IReadOnlyList<long>? Places { get; init; }

    public long? ModelNo { get; init; }

    /// <summary><c>passed</c> or <c>refused</c>; null for both.</summary>
    public string? Outcome { get; init; }
}

/// <summary>What sums are kept apart by.</summary>
internal readonly record struct UsageGroups(bool ByKey, bool ByModel, bool ByDay, bool ByProject);

/// <summary>Sums, with the names of what they are kept apart by.</summary>
internal sealed class UsageSumRow
{
    public long KeyNo { get; init; }

    public long FromMs { get; init; }

    public string? Model { get; init; }

    public string? KeyId { get; init; }

    public string? KeyName { get; init; }

    public string? ProjectId { get; init; }

    public long Requests { get; init; }

    public long Refused { get; init; }

    /// <summary>Of <see cref="Requests"/>, those that were answered with an error.</summary>
    public long Failed { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    public long CachedTokens { get; init; }

    public long ReasoningTokens { get; init; }

    public long CostMicros { get; init; }

    public long Priced { get; init; }

    public long Estimated { get; init; }
}

/// <summary>A line of the log, with the names that its numbers stand for.</summary>
internal sealed class UsageLogRow
{
    public long RequestNo { get; init; }

    public long KeyNo { get; init; }

    public long AtMs { get; init; }

    public string? Model { get; init; }

    public long PriceVersion { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    public long CachedTokens { get; init; }

    public long ReasoningTokens { get; init; }

    public long? CostMicros { get; init; }

    public long Status { get; init; }

    public long LatencyMs { get; init; }

    public long Flags { get; init; }

    /// <summary>The number of the code of a refusal; -1 for a request that passed, -2 for one that is under way.</summary>
    public long Code { get; init; }

    public string? LimitName { get; init; }

    public long LimitAmount { get; init; }

    public long LimitRemaining { get; init; }

    public long RetryAtMs { get; init; }

    public string? KeyId { get; init; }

    public string? KeyName { get; init; }

    public string? Environment { get; init; }

    public string? ProjectId { get; init; }

    public string? OrganizationId { get; init; }
}

/// <summary>A key that usage is asked of, whatever became of it.</summary>
internal sealed class UsedKey
{
    public long KeyNo { get; init; }

    public string KeyId { get; init; } = "";

    public string KeyName { get; init; } = "";

    public string Environment { get; init; } = "";

    public long ProjectNo { get; init; }

    public string ProjectId { get; init; } = "";

    public string OrganizationId { get; init; } = "";

    public long OrganizationNo { get; init; }
}
