using System.Data;
using System.Data.Common;
using Npgsql;

namespace Tollgate.Server.Storage;

/// <summary>
/// PostgreSQL 15 or newer. One connection outside the pool holds the process lock and is listened to all the time, so that
/// its loss is known at once; every write takes the change lock first, so that the order of numbers is the order of commits.
/// </summary>
internal sealed class PostgresDriver : IDatabaseDriver
{
    // Advisory locks are numbers shared with every other user of the database: eight ASCII letters each.
    private const long ProcessLock = 0x546F6C6C67617465;
    private const long ChangeLock = 0x544763686E676573;

    /// <summary>How long a start waits for the lock: the server needs a moment to see that the process before has gone.</summary>
    private const int HandOverMs = 2_000;

    /// <summary>Statements that a connection keeps parsed once it has seen them twice; the least used one makes room.</summary>
    private const int KeptStatementsMax = 64;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlConnection _lockHolder;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watch;
    private readonly string _begin;

    private PostgresDriver(NpgsqlDataSource source, NpgsqlConnection lockHolder, int waitMsMax)
    {
        _source = source;
        _lockHolder = lockHolder;
        LockLost = _lost.Token;
        _begin = $"SET LOCAL lock_timeout = {waitMsMax}; SELECT pg_advisory_xact_lock({ChangeLock})";
        _watch = WatchLock();
    }

    public DatabaseKind Kind => DatabaseKind.PostgreSql;

    public CancellationToken LockLost { get; }

    /// <summary>Whether a text can be read as a connection string and names a host; nothing is opened.</summary>
    public static bool IsConnectionString(string text)
    {
        try
        {
            return !string.IsNullOrWhiteSpace(new NpgsqlConnectionStringBuilder(text).Host);
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    public static async Task<PostgresDriver> Open(StorageOptions options, CancellationToken cancel)
    {
        NpgsqlDataSource? source = null;
        NpgsqlConnection? holder = null;
        try
        {
            var settings = Settings(options);
            source = NpgsqlDataSource.Create(settings);
            holder = await TakeLock(settings, cancel);
            return new PostgresDriver(source, holder, options.WaitMsMax);
        }
        catch (Exception error)
        {
            await (holder?.DisposeAsync() ?? default);
            await (source?.DisposeAsync() ?? default);
            throw CannotOpen(error);
        }
    }

    /// <summary>A connection of its own without the lock, beside a running gate; who takes it only reads.</summary>
    public static async Task<NpgsqlConnection> OpenBeside(StorageOptions options, CancellationToken cancel)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = new NpgsqlConnection(Alone(Settings(options)).ConnectionString);
            await connection.OpenAsync(cancel);
            await RequireFit(connection, cancel);
            return connection;
        }
        catch (Exception error)
        {
            await (connection?.DisposeAsync() ?? default);
            throw CannotOpen(error);
        }
    }

    /// <summary>A connection that holds the process lock, for work while no gate runs.</summary>
    public static async Task<NpgsqlConnection> OpenLocked(StorageOptions options, CancellationToken cancel)
    {
        try
        {
            return await TakeLock(Alone(Settings(options)), cancel);
        }
        catch (Exception error)
        {
            throw CannotOpen(error);
        }
    }

    public async ValueTask<DbConnection> TakeReader(CancellationToken cancel) => await _source.OpenConnectionAsync(cancel);

    public ValueTask GiveBackReader(DbConnection connection) => connection.DisposeAsync();

    public async ValueTask<DbConnection> TakeWriter(CancellationToken cancel) => await _source.OpenConnectionAsync(cancel);

    public ValueTask GiveBackWriter(DbConnection connection) => connection.DisposeAsync();

    public async Task<DbTransaction> Begin(DbConnection connection, CancellationToken cancel)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancel);
        try
        {
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // two integers of our own
            command.CommandText = _begin;
#pragma warning restore CA2100
            command.Transaction = transaction;
            await command.ExecuteNonQueryAsync(cancel);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    public async ValueTask End(DbTransaction transaction)
    {
        try
        {
            await transaction.DisposeAsync();
        }
        catch (NpgsqlException)
        {
            // The connection has gone, and the transaction with it.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watch;
        await _lockHolder.DisposeAsync();
        await _source.DisposeAsync();
        _stop.Dispose();
        _lost.Dispose();
    }

    private static Exception CannotOpen(Exception error) => error is NpgsqlException or ArgumentException or FormatException
        ? new StorageException($"The PostgreSQL database cannot be opened: {error.Message}", error)
        : error;

    /// <summary>Outside the pool, and with time for statements that read or write everything.</summary>
    private static NpgsqlConnectionStringBuilder Alone(NpgsqlConnectionStringBuilder settings) =>
        new(settings.ConnectionString) { Pooling = false, KeepAlive = 5, CommandTimeout = 0 };

    private static NpgsqlConnectionStringBuilder Settings(StorageOptions options)
    {
        var seconds = Math.Max(1, options.WaitMsMax / 1_000);
        return new NpgsqlConnectionStringBuilder(options.PostgresConnectionString)
        {
            ApplicationName = "tollgate",
            MinPoolSize = 0,
            MaxPoolSize = options.PostgresConnectionsMax,
            Timeout = seconds,
            CommandTimeout = seconds + 5,
            // Nothing of ours outlives its transaction (SET LOCAL, transaction locks), so a connection goes back as it came.
            NoResetOnClose = true,
            MaxAutoPrepare = KeptStatementsMax,
            AutoPrepareMinUsages = 2,
        };
    }

    private static async Task<NpgsqlConnection> TakeLock(NpgsqlConnectionStringBuilder settings, CancellationToken cancel)
    {
        var alone = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false, KeepAlive = 5 };
        var connection = new NpgsqlConnection(alone.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            await RequireFit(connection, cancel);
            await using var command = new NpgsqlCommand(
                $"SET lock_timeout = {HandOverMs}; SELECT pg_advisory_lock({ProcessLock}); SET lock_timeout = 0", connection);
            await command.ExecuteNonQueryAsync(cancel);
            return connection;
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await connection.DisposeAsync();
            throw new StorageException(
                $"Another Tollgate process is using the PostgreSQL database {alone.Database}; "
                + "stop it, or start this one on another database.",
                error);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task RequireFit(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        Require(reader.GetInt32(0) >= 150_000, "PostgreSQL 15 or newer is needed.");
        Require(reader.GetString(1) == "UTF8", "The PostgreSQL database must be encoded in UTF8.");
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new StorageException(otherwise);
        }
    }

    /// <summary>Nobody notifies on this connection: the wait ends only when the connection does, or when we stop.</summary>
    private async Task WatchLock()
    {
        try
        {
            while (true)
            {
                await _lockHolder.WaitAsync(_stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // We are being disposed; the lock goes with the connection.
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException or IOException or OperationCanceledException)
        {
            await _lost.CancelAsync();
        }
    }
}
