using System.Data.Common;
using System.Runtime.CompilerServices;
using Dapper;

namespace Tollgate.Server.Storage;

/// <summary>
/// A database as it was at one moment, to be read in full: beside a running gate that goes on writing, without its lock, and without
/// changing anything.
/// </summary>
internal sealed class DatabaseSnapshot : IAsyncDisposable
{
    private DatabaseSnapshot(DbConnection connection, DatabaseKind kind, IReadOnlyList<TableShape> tables) =>
        (Connection, Kind, Tables) = (connection, kind, tables);

    static DatabaseSnapshot() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    public DbConnection Connection { get; }

    public DatabaseKind Kind { get; }

    /// <summary>Our tables; none in a database that no gate has used yet.</summary>
    public IReadOnlyList<TableShape> Tables { get; }

    public static async Task<DatabaseSnapshot> Open(StorageOptions options, CancellationToken cancel = default)
    {
        DbConnection connection = options.Kind == DatabaseKind.Sqlite
            ? SqliteDriver.OpenBeside(options)
            : await PostgresDriver.OpenBeside(options, cancel);
        try
        {
            // SQLite's moment is that of the first read, which the list of tables is.
            await connection.ExecuteAsync(
                options.Kind == DatabaseKind.Sqlite ? "BEGIN TRANSACTION" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            return new DatabaseSnapshot(connection, options.Kind, await Catalog.Tables(connection, options.Kind));
        }
        catch (DbException error)
        {
            await connection.DisposeAsync();
            throw new StorageException($"The database cannot be read: {error.Message}", error);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it has been through; empty in a database that no gate has used yet.</summary>
    public async Task<IReadOnlyList<AppliedMigration>> Migrations() =>
        Tables.Any(table => table.Name == Migrator.Table) ? await Migrator.Applied(Connection) : [];

    public async Task<Dictionary<string, string>> Settings() => Database.SettingsOf(
        await Connection.QueryAsync<(string Name, string Value)>("SELECT name, value FROM settings"));

    public async Task<Dictionary<string, long>> Counters() =>
        (await Connection.QueryAsync<(string Name, long Value)>("SELECT name, value FROM counters"))
        .ToDictionary(counter => counter.Name, counter => counter.Value, StringComparer.Ordinal);

    /// <summary>The last change's number, and the clock at it; zeros when nothing was changed yet.</summary>
    public Task<(long Seq, long AtMs)> LastChange() => Connection.QuerySingleAsync<(long, long)>(
        "SELECT CAST(coalesce(max(seq), 0) AS BIGINT), CAST(coalesce(max(at_ms), 0) AS BIGINT) FROM changes");

    public Task<long> Highest(TableShape table, string column) => Connection.ExecuteScalarAsync<long>(
        $"SELECT CAST(coalesce(max(\"{column}\"), 0) AS BIGINT) FROM \"{table.Name}\"");

    /// <summary>Rows whose owner is missing, which the database itself should never have let happen.</summary>
    public Task<long> Orphans(Reference reference) => Connection.ExecuteScalarAsync<long>(
        $"""
        SELECT count(*) FROM "{reference.Table}" r
        WHERE r."{reference.Column}" IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM "{reference.Owner}" o WHERE o."{reference.OwnerColumn}" = r."{reference.Column}")
        """);

    /// <summary>What the database finds wrong with its own pages, one sentence each; empty when it finds nothing.</summary>
    public async Task<IReadOnlyList<string>> Damage() => Kind == DatabaseKind.Sqlite
        ? [.. (await Connection.QueryAsync<string>("PRAGMA integrity_check(10)")).Where(line => line != "ok")]
        : [.. await Connection.QueryAsync<string>(
            """
            SELECT 'index ' || c.relname || ' is not valid' FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid
            UNION ALL
            SELECT checksum_failures || ' pages failed their checksum' FROM pg_stat_database
            WHERE datname = current_database() AND checksum_failures > 0
            """)];

    /// <summary>Bytes the database takes.</summary>
    public Task<long> Size() => Connection.ExecuteScalarAsync<long>(
        Kind == DatabaseKind.Sqlite
            ? "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            : "SELECT pg_database_size(current_database())");

    /// <summary>Every row of a table, as it comes, in memory one at a time: long, string, byte[] or null in each column.</summary>
    public async IAsyncEnumerable<object?[]> Rows(TableShape table, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await using var command = Connection.CreateCommand();
#pragma warning disable CA2100 // names from the catalogue
        command.CommandText = table.Select;
#pragma warning restore CA2100
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var row = new object?[table.Columns.Count];
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = reader.GetValue(i) switch
                {
                    DBNull => null,
                    short small => (long)small,
                    int number => (long)number,
                    var value => value,
                };
            }

            yield return row;
        }
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
