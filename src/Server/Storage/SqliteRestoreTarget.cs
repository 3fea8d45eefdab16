using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Tollgate.Server.Storage;

/// <summary>Restores into a file beside the database's, and swaps the two by one rename. The lock file keeps every gate out.</summary>
internal sealed class SqliteRestoreTarget : IRestoreTarget
{
    public const string FreshName = SqliteDriver.FileName + ".restoring";

    private readonly StorageOptions _options;
    private readonly FileStream _lockFile;
    private readonly string _fresh;
    private readonly SqliteConnection _connection;
    private readonly SqliteTransaction _transaction;

    private SqliteRestoreTarget(StorageOptions options, FileStream lockFile, long nowMs)
    {
        (_options, _lockFile, _fresh) = (options, lockFile, Path.Combine(options.DataDirectory, FreshName));
        DeleteFresh();
        _connection = SqliteDriver.Create(_fresh, options);
        _transaction = _connection.BeginTransaction(deferred: false);
        Scope = new WriteScope(_connection, _transaction, nowMs, MutationContext.System);
    }

    public DatabaseKind Kind => DatabaseKind.Sqlite;

    public DatabaseSnapshot? InPlace { get; private set; }

    public string? Unreadable { get; private set; }

    public WriteScope Scope { get; }

    private string InPlaceFile => Path.Combine(_options.DataDirectory, SqliteDriver.FileName);

    public static async Task<SqliteRestoreTarget> Open(StorageOptions options, long nowMs, CancellationToken cancel)
    {
        var lockFile = SqliteDriver.TakeLock(options.DataDirectory);
        SqliteRestoreTarget target;
        try
        {
            target = new SqliteRestoreTarget(options, lockFile, nowMs);
        }
        catch
        {
            await lockFile.DisposeAsync();
            throw;
        }

        if (File.Exists(target.InPlaceFile))
        {
            try
            {
                target.InPlace = await DatabaseSnapshot.Open(options, cancel);
            }
            catch (StorageException error)
            {
                target.Unreadable = error.Message;
            }
        }

        return target;
    }

    public Task Prepare(IEnumerable<Migration> migrations) => Migrator.Apply(_connection, _transaction, migrations, Scope.NowMs);

    public async Task Load(TableShape table, IAsyncEnumerable<object?[]> rows, CancellationToken cancel)
    {
        await Scope.Execute($"DELETE FROM \"{table.Name}\"");
        await using var command = _connection.CreateCommand();
        command.Transaction = _transaction;
        var values = table.Columns.Select((_, i) => command.Parameters.Add(Name(i), default(SqliteType))).ToList();
#pragma warning disable CA2100 // names from the catalogue, values as parameters
        var names = string.Join(", ", values.Select(value => value.ParameterName));
        command.CommandText = $"INSERT INTO \"{table.Name}\" ({table.Names}) VALUES ({names})";
#pragma warning restore CA2100
        for (var i = 0; i < values.Count; i++)
        {
            var column = table.Columns[i];
            values[i].SqliteType = column.IsInteger ? SqliteType.Integer : column.IsText ? SqliteType.Text : SqliteType.Blob;
        }

        command.Prepare();
        await foreach (var row in rows.WithCancellation(cancel))
        {
            for (var i = 0; i < row.Length; i++)
            {
                values[i].Value = row[i] ?? DBNull.Value;
            }

            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    public async Task<string?> PutInPlace(string stamp)
    {
        await _transaction.CommitAsync(CancellationToken.None);
        await _connection.DisposeAsync();
        await (InPlace?.DisposeAsync() ?? default);
        Failpoint.Pass("restore-ready");
        var before = $"{InPlaceFile}.before-{stamp}";
        SetLogAside(before);
        var isReplaced = File.Exists(InPlaceFile);
        if (isReplaced)
        {
            // A second name for the old file first, then one rename over it: at every moment there is a whole database in place.
            File.Replace(_fresh, InPlaceFile, before);
        }
        else
        {
            File.Move(_fresh, InPlaceFile, overwrite: false);
        }

        DiskSync.Folder(_options.DataDirectory);
        Failpoint.Pass("restore-swapped");
        return isReplaced ? before : null;
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
        await (InPlace?.DisposeAsync() ?? default);
        DeleteFresh();
        await _lockFile.DisposeAsync();
    }

    /// <summary>The write-ahead log of the old database must not be taken for one of the new.</summary>
    private void SetLogAside(string before)
    {
        try
        {
            if (File.Exists(InPlaceFile) && Unreadable is null)
            {
                SqliteDriver.FoldLog(_options);
            }
        }
        catch (SqliteException)
        {
            // A damaged database is kept as it is, its log beside it.
        }

        if (File.Exists(InPlaceFile + "-wal"))
        {
            File.Move(InPlaceFile + "-wal", before + "-wal", overwrite: false);
        }

        File.Delete(InPlaceFile + "-shm");
    }

    private void DeleteFresh()
    {
        File.Delete(_fresh);
        File.Delete(_fresh + "-journal");
    }

    private static string Name(int column) => string.Create(CultureInfo.InvariantCulture, $"@c{column}");
}
