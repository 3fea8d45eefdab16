using System.Collections.Concurrent;
using System.Data.Common;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Tollgate.Server.Storage;

/// <summary>
/// SQLite: one connection that writes, a few that read beside it (WAL). The lock file is held open and exclusive for as long
/// as the process lives, so a second process is refused whatever it wants to do.
/// </summary>
internal sealed class SqliteDriver : IDatabaseDriver
{
    public const string FileName = "tollgate.db";

    private readonly StorageOptions _options;
    private readonly FileStream _lockFile;
    private readonly SqliteConnection _writer;
    private readonly SemaphoreSlim _readers;
    private readonly ConcurrentStack<SqliteConnection> _idle = new();

    private SqliteDriver(StorageOptions options, FileStream lockFile, SqliteConnection writer)
    {
        _options = options;
        _lockFile = lockFile;
        _writer = writer;
        _readers = new SemaphoreSlim(options.SqliteReadersMax);
    }

    public DatabaseKind Kind => DatabaseKind.Sqlite;

    /// <summary>A file lock cannot be lost while the process lives.</summary>
    public CancellationToken TakenOver => CancellationToken.None;

    public CancellationToken LockLost => CancellationToken.None;

    public bool OwnsLock => true;

    public bool TrustsMemory => true;

    public Task<Claim> Own(Func<Claim, Task> regained, CancellationToken cancel) => Task.FromResult(default(Claim));

    public static SqliteDriver Open(StorageOptions options)
    {
        SystemLibrary.Use();
        var lockFile = TakeLock(options.DataDirectory);
        SqliteConnection? writer = null;
        try
        {
            // SQLite gives its write-ahead log the mode of this file.
            OwnerOnly.Open(Path.Combine(options.DataDirectory, FileName), FileMode.OpenOrCreate, FileShare.ReadWrite).Dispose();
            writer = Connect(options);
            RequireVersion(writer);
            Pragma(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
            Pragma(writer, "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192");
            return new SqliteDriver(options, lockFile, writer);
        }
        catch (Exception error)
        {
            writer?.Dispose();
            lockFile.Dispose();
            throw error is SqliteException or IOException or UnauthorizedAccessException
                ? new StorageException($"The SQLite database in {options.DataDirectory} cannot be opened: {error.Message}", error)
                : error;
        }
    }

    /// <summary>A connection that cannot write, beside a running gate: the lock file keeps out a second gate, not a reader.</summary>
    public static SqliteConnection OpenBeside(StorageOptions options)
    {
        var file = Path.Combine(options.DataDirectory, FileName);
        if (!File.Exists(file))
        {
            throw new StorageException($"There is no database in {options.DataDirectory}.");
        }

        SystemLibrary.Use();
        try
        {
            return Connect(file, options, SqliteOpenMode.ReadOnly);
        }
        catch (SqliteException error)
        {
            throw new StorageException($"The SQLite database in {options.DataDirectory} cannot be opened: {error.Message}", error);
        }
    }

    /// <summary>A new file on its own, which becomes a database when it is renamed to <see cref="FileName"/>.</summary>
    public static SqliteConnection Create(string file, StorageOptions options)
    {
        SystemLibrary.Use();
        OwnerOnly.Open(file, FileMode.CreateNew, FileShare.ReadWrite).Dispose();
        var connection = Connect(file, options, SqliteOpenMode.ReadWrite);
        Pragma(connection, "PRAGMA synchronous = FULL; PRAGMA cache_size = -262144;");
        return connection;
    }

    /// <summary>Brings what the write-ahead log holds into the file itself, so that the file is all there is.</summary>
    public static void FoldLog(StorageOptions options)
    {
        using var connection = Connect(Path.Combine(options.DataDirectory, FileName), options, SqliteOpenMode.ReadWrite);
        Pragma(connection, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
    }

    public async ValueTask<DbConnection> TakeReader(CancellationToken cancel)
    {
        if (!await _readers.WaitAsync(_options.WaitMsMax, cancel))
        {
            throw new TimeoutException("No SQLite read connection became free in time.");
        }

        try
        {
            return _idle.TryPop(out var idle) ? idle : ConnectReader();
        }
        catch
        {
            _readers.Release();
            throw;
        }
    }

    public ValueTask GiveBackReader(DbConnection connection)
    {
        _idle.Push((SqliteConnection)connection);
        _readers.Release();
        return ValueTask.CompletedTask;
    }

    public ValueTask<DbConnection> TakeWriter(CancellationToken cancel) => new(_writer);

    public ValueTask GiveBackWriter(DbConnection connection) => ValueTask.CompletedTask;

    public Task<DbTransaction> Begin(DbConnection connection, CancellationToken cancel) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(deferred: false));

    /// <summary>
    /// When the disk fails a commit, SQLite rolls back by itself and the driver does not notice: its own rollback then fails, and it would
    /// begin no transaction on this connection ever again. So it is given something to roll back.
    /// </summary>
    public async ValueTask End(DbTransaction transaction)
    {
        try
        {
            await transaction.DisposeAsync();
        }
        catch (SqliteException)
        {
            await Quietly(async () =>
            {
                await using var begin = _writer.CreateCommand();
                begin.CommandText = "BEGIN";
                begin.Transaction = (SqliteTransaction)transaction;
                await begin.ExecuteNonQueryAsync();
            });
            await Quietly(() => transaction.DisposeAsync().AsTask());
        }
    }

    /// <summary>What fails here fails again where the next transaction begins, and is told there.</summary>
    private static async Task Quietly(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception error) when (error is SqliteException or InvalidOperationException)
        {
            // The failure that led here is on its way to the caller.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        while (_idle.TryPop(out var idle))
        {
            await idle.DisposeAsync();
        }

        _readers.Dispose();
        await _lockFile.DisposeAsync();
    }

    public static FileStream TakeLock(string folder)
    {
        try
        {
            OwnerOnly.CreateFolder(folder);
            return OwnerOnly.Open(Path.Combine(folder, "tollgate.lock"), FileMode.OpenOrCreate, FileShare.None);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StorageException($"The data folder {folder} cannot be written: {error.Message}", error);
        }
        catch (IOException error) when (Directory.Exists(folder))
        {
            throw new StorageException(
                $"Another Tollgate process is using the data folder {folder}; stop it, or start this one with another folder.", error);
        }
        catch (IOException error)
        {
            throw new StorageException($"The data folder {folder} cannot be made: {error.Message}", error);
        }
    }

    private static SqliteConnection Connect(StorageOptions options) =>
        Connect(Path.Combine(options.DataDirectory, FileName), options, SqliteOpenMode.ReadWrite);

    private static SqliteConnection Connect(string file, StorageOptions options, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = mode,
            ForeignKeys = true,
            Pooling = false,
            DefaultTimeout = Math.Max(1, options.WaitMsMax / 1_000),
        }.ToString());
        try
        {
            connection.Open();
            Pragma(connection, $"PRAGMA busy_timeout = {options.WaitMsMax}; PRAGMA trusted_schema = OFF;");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private SqliteConnection ConnectReader()
    {
        var reader = Connect(_options);
        Pragma(reader, "PRAGMA query_only = ON;");
        return reader;
    }

    private static void RequireVersion(SqliteConnection connection)
    {
        if (Version.Parse(connection.ServerVersion) < new Version(3, 35))
        {
            throw new StorageException($"SQLite {connection.ServerVersion} is too old: 3.35 or newer is needed (Debian: libsqlite3-0).");
        }
    }

    private static void Pragma(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // our own constants and one integer
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// The operating system's SQLite in place of a bundled one: it gets its security updates with the system.
    /// </summary>
    internal static class SystemLibrary
    {
        private static readonly string[] Names = ["libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib"];

        private static readonly Lazy<bool> Used = new(Load);

        public static void Use() => _ = Used.Value;

        private static bool Load()
        {
            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            return true;
        }

        private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
        {
            foreach (var name in library == "e_sqlite3" ? Names : [])
            {
                if (NativeLibrary.TryLoad(name, out var handle))
                {
                    return handle;
                }
            }

            return library == "e_sqlite3"
                ? throw new StorageException("The SQLite library was not found: install it (Debian: apt-get install libsqlite3-0).")
                : 0;
        }
    }
}
