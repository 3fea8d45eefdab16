using System.Data;
using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace Tollgate.Server.Storage;

/// <summary>
/// Restores into a schema of its own and swaps tables between schemas, all in one transaction on the connection that holds the process
/// lock. The tables that were in place are kept in another schema.
/// </summary>
internal sealed class PostgresRestoreTarget : IRestoreTarget
{
    private const string Fresh = "tollgate_restoring";

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly string _home;

    private PostgresRestoreTarget(NpgsqlConnection connection, NpgsqlTransaction transaction, string home, long nowMs)
    {
        (_connection, _transaction, _home) = (connection, transaction, home);
        Scope = new WriteScope(connection, transaction, nowMs, MutationContext.System);
    }

    public DatabaseKind Kind => DatabaseKind.PostgreSql;

    public DatabaseSnapshot? InPlace { get; private set; }

    /// <summary>A PostgreSQL that cannot be read cannot be restored to either.</summary>
    public string? Unreadable => null;

    public WriteScope Scope { get; }

    public static async Task<PostgresRestoreTarget> Open(StorageOptions options, long nowMs, CancellationToken cancel)
    {
        var connection = await PostgresDriver.OpenLocked(options, cancel);
        try
        {
            var home = await connection.ExecuteScalarAsync<string?>("SELECT current_schema()::text")
                ?? throw new StorageException("The PostgreSQL connection has no schema to make tables in: create one, or set search_path.");
            var inPlace = await DatabaseSnapshot.Open(options, cancel);
            if (inPlace.Tables.Count == 0)
            {
                await inPlace.DisposeAsync();
                inPlace = null;
            }

            var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancel);
            await connection.ExecuteAsync($"CREATE SCHEMA {Fresh}; SET LOCAL search_path = {Fresh}", transaction: transaction);
            return new PostgresRestoreTarget(connection, transaction, Quote(home), nowMs) { InPlace = inPlace };
        }
        catch (Exception error)
        {
            await connection.DisposeAsync();
            throw error is NpgsqlException ? new StorageException($"The database cannot be restored to: {error.Message}", error) : error;
        }
    }

    public Task Prepare(IEnumerable<Migration> migrations) => Migrator.Apply(_connection, _transaction, migrations, Scope.NowMs);

    public async Task Load(TableShape table, IAsyncEnumerable<object?[]> rows, CancellationToken cancel)
    {
        await Scope.Execute($"DELETE FROM \"{table.Name}\"");
        await using (var copy = await _connection.BeginBinaryImportAsync(
            $"COPY \"{table.Name}\" ({table.Names}) FROM STDIN (FORMAT BINARY)", cancel))
        {
            await foreach (var row in rows.WithCancellation(cancel))
            {
                await copy.StartRowAsync(cancel);
                for (var i = 0; i < row.Length; i++)
                {
                    await Write(copy, table.Columns[i], row[i], cancel);
                }
            }

            await copy.CompleteAsync(cancel);
        }

        await Scope.Execute($"ANALYZE \"{table.Name}\"");
    }

    public async Task<string?> PutInPlace(string stamp)
    {
        // Its transaction holds the tables that are about to move.
        await (InPlace?.DisposeAsync() ?? default);
        var made = (await Scope.Query<string>(
            "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')"))
            .Select(Quote).ToList();
        var replaced = (await Scope.Query<string>(
            "SELECT relname::text FROM pg_class WHERE relnamespace = CAST(@home AS regnamespace) AND relkind IN ('r', 'v')",
            new { home = _home })).Select(Quote).Intersect(made).ToList();
        var before = $"tollgate_before_{stamp}";
        if (replaced.Count > 0)
        {
            await Scope.Execute($"CREATE SCHEMA {before}");
        }

        foreach (var name in replaced)
        {
            await Scope.Execute($"ALTER TABLE {_home}.{name} SET SCHEMA {before}");
        }

        foreach (var name in made)
        {
            await Scope.Execute($"ALTER TABLE {Fresh}.{name} SET SCHEMA {_home}");
        }

        await Scope.Execute($"DROP SCHEMA {Fresh}");
        Failpoint.Pass("restore-ready");
        await _transaction.CommitAsync(CancellationToken.None);
        Failpoint.Pass("restore-swapped");
        return replaced.Count > 0 ? $"the schema {before}" : null;
    }

    public async ValueTask DisposeAsync()
    {
        await (InPlace?.DisposeAsync() ?? default);
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static Task Write(NpgsqlBinaryImporter copy, ColumnShape column, object? value, CancellationToken cancel) => value switch
    {
        null => copy.WriteNullAsync(cancel),
        long number when column.Type == "SMALLINT" => copy.WriteAsync(checked((short)number), NpgsqlDbType.Smallint, cancel),
        long number when column.Type == "INTEGER" => copy.WriteAsync(checked((int)number), NpgsqlDbType.Integer, cancel),
        long number => copy.WriteAsync(number, NpgsqlDbType.Bigint, cancel),
        byte[] bytes => copy.WriteAsync(bytes, NpgsqlDbType.Bytea, cancel),
        _ => copy.WriteAsync((string)value, NpgsqlDbType.Text, cancel),
    };

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
