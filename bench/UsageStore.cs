using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;

namespace Tollgate.Bench;

/// <summary>An empty database of either kind with what usage refers to: an organization, a project, keys and models.</summary>
internal sealed class UsageStore : IAsyncDisposable
{
    private const int Keys = 10_000;

    private readonly DirectoryInfo _folder;

    private UsageStore(DirectoryInfo folder, PostgresServer? postgres, Database database) =>
        (_folder, Postgres, Database) = (folder, postgres, database);

    public PostgresServer? Postgres { get; }

    public Database Database { get; }

    public string Folder => _folder.FullName;

    public string Name => Postgres is null ? "SQLite" : "PostgreSQL";

    /// <summary>Null when there is no PostgreSQL on this machine.</summary>
    public static async Task<UsageStore?> Open(bool isSqlite)
    {
        PostgresServer? postgres = isSqlite ? null : await PostgresServer.Start();
        if (!isSqlite && postgres is null)
        {
            return null;
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("tollgate-bench-usage-");
        Database database = await Database.Open(
            new StorageOptions { DataDirectory = folder.FullName, PostgresConnectionString = postgres?.Connection }, TimeProvider.System);
        var seeded = await database.Write<bool>(async scope =>
        {
            await scope.Execute(
                """
                INSERT INTO organizations (organization_no, id, name, is_operator, created_at_ms, row_version)
                VALUES (1, 'org_1', 'O', 0, 1, 1)
                """);
            await scope.Execute(
                """
                INSERT INTO projects (project_no, id, organization_no, name, created_at_ms, row_version)
                VALUES (1, 'prj_1', 1, 'P', 1, 1)
                """);
            await scope.Execute(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @Keys)
                INSERT INTO keys (key_no, id, project_no, environment, type, name, permissions, scopes, rights, allowed_addresses,
                                  metadata, holds, created_at_ms, created_by, row_version)
                SELECT i, 'key_' || i, 1, 'live', 'standard', 'Key', '[]', '[]', '[]', '[]', '{}', 0, 1, 'root', 1 FROM n
                """,
                new { Keys });
            await scope.Execute("INSERT INTO models (model_no, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')");
            return true;
        });
        _ = seeded.Value;
        return new UsageStore(folder, postgres, database);
    }

    public Fold NewFold(Spool spool) => new(
        Database, spool, new UsageBook(), new LastingLimits([]), new RequestNumbers(), NullLogger<Fold>.Instance);

    /// <summary>Lines of thirty days, spread evenly over keys and hours, and their sums as the fold would have made them.</summary>
    public async Task Fill(int lines, int keys, int models, long beganMs)
    {
        const int Step = 500_000;
        await Run("INSERT INTO usage_places (place_no, project_no, environment) VALUES (1, 1, 'live')");
        for (int first = 0; first < lines; first += Step)
        {
            await Run(
                """
                WITH RECURSIVE n (i) AS (SELECT @First + 1 UNION ALL SELECT i + 1 FROM n WHERE i < @First + @Step)
                INSERT INTO usage_log (request_no, key_no, place_no, at_ms, model_no, price_version, input_tokens, output_tokens,
                                       cost_micros, loss_micros, status, latency_ms, flags)
                SELECT i, (i % @keys) + 1, 1, @beganMs + (i * (@monthMs / @lines)), (i / @keys % @models) + 1, 1, 120, 480, 77, 0, 200,
                       850, 4
                FROM n
                """,
                new
                {
                    First = (long)first, Step = (long)Step, keys, models, beganMs, monthMs = 30 * UsageRange.DayMs, lines = (long)lines,
                });
        }

        foreach ((string table, long span) in new[] { ("usage_hours", UsageRange.HourMs), ("usage_days", UsageRange.DayMs) })
        {
            await Run(
                $"""
                INSERT INTO {table} (key_no, from_ms, model_no, place_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                     loss_micros, priced, estimated)
                SELECT key_no, at_ms - (at_ms % @span), model_no, 1, count(*), 0, sum(input_tokens), sum(output_tokens),
                       sum(cost_micros), 0, count(*), 0
                FROM usage_log GROUP BY 1, 2, 3
                """,
                new { span });
        }

        await Run(
            """
            INSERT INTO usage_spans (hour_ms, lowest_no, highest_no)
            SELECT at_ms - (at_ms % 3600000), min(request_no), max(request_no) FROM usage_log GROUP BY 1
            """);
        await Run("INSERT INTO usage_keys (key_no, last_used_at_ms) SELECT key_no, max(at_ms) FROM usage_log GROUP BY key_no");
        foreach (string table in new[] { "usage_log", "usage_hours", "usage_days", "usage_spans", "usage_keys" })
        {
            await Run($"ANALYZE {table}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await (Postgres?.DisposeAsync() ?? default);
        _folder.Delete(recursive: true);
    }

    private async Task Run(string sql, object? parameters = null)
    {
        var done = await Database.Write<int>(async scope => await Dapper.SqlMapper.ExecuteAsync(
            scope.Connection, sql, parameters, scope.Transaction, commandTimeout: 3_600));
        _ = done.Value;
    }
}
