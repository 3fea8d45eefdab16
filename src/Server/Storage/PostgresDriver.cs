using System.Data;
using System.Data.Common;
using Npgsql;

namespace Tollgate.Server.Storage;

/// <summary>
/// PostgreSQL 15 or newer. A connection outside the pool holds the lock that makes this process the owner; every write takes the change
/// lock first, so that the order of numbers is the order of commits, and then proves its term, so that nothing is written for an owner who
/// is none any more.
/// </summary>
internal sealed class PostgresDriver : IDatabaseDriver
{
    /// <summary>Statements that a connection keeps parsed once it has seen them twice; the least used one makes room.</summary>
    private const int KeptStatementsMax = 64;

    private readonly NpgsqlDataSource _source;
    private readonly PostgresLock _lock;
    private readonly string _begin;

    static PostgresDriver() => WholeRows.Ask();

    private PostgresDriver(NpgsqlDataSource source, PostgresLock @lock, int waitMsMax)
    {
        (_source, _lock) = (source, @lock);
        // A process that was frozen inside a write must not keep everybody else from writing.
        _begin = $"SET LOCAL lock_timeout = {waitMsMax}; SET LOCAL idle_in_transaction_session_timeout = {waitMsMax * 2}; "
            + $"SELECT pg_advisory_xact_lock({PostgresLock.ChangeLock})";
    }

    public DatabaseKind Kind => DatabaseKind.PostgreSql;

    public CancellationToken TakenOver => _lock.TakenOver;

    public CancellationToken LockLost => _lock.Lost;

    public bool OwnsLock => _lock.IsHeld;

    public bool TrustsMemory => _lock.TrustsMemory;

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

    public static async Task<PostgresDriver> Open(StorageOptions options, ILogger log, CancellationToken cancel)
    {
        NpgsqlDataSource? source = null;
        try
        {
            var settings = Settings(options);
            source = NpgsqlDataSource.Create(settings);
            return new PostgresDriver(source, await PostgresLock.Take(options, settings, log, cancel), options.WaitMsMax);
        }
        catch (Exception error)
        {
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
            await PostgresLock.RequireFit(connection, cancel);
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
            return await PostgresLock.Hold(Alone(Settings(options)), cancel);
        }
        catch (Exception error)
        {
            throw CannotOpen(error);
        }
    }

    public async Task<Claim> Own(Func<Claim, Task> regained, CancellationToken cancel)
    {
        try
        {
            return await _lock.Begin(Regained, cancel);
        }
        catch (NpgsqlException error)
        {
            throw CannotOpen(error);
        }

        Task Regained(Claim claim)
        {
            // Idle connections of before the outage would each fail once.
            _source.Clear();
            return regained(claim);
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
#pragma warning disable CA2100 // integers and statements of our own
            command.CommandText = _lock.Term == 0 ? _begin : $"{_begin}; {PostgresLock.TermSql}";
#pragma warning restore CA2100
            command.Transaction = transaction;
            await RequireTerm(command, cancel);
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
        await _lock.DisposeAsync();
        await _source.DisposeAsync();
    }

    /// <summary>
    /// The lock's connection can die while a write is on its way, and another process can take the lock before it commits. So the write
    /// itself looks, with the change lock in hand: a new owner begins its term under the same lock, before or after, never in between.
    /// </summary>
    private async Task RequireTerm(DbCommand command, CancellationToken cancel)
    {
        var term = _lock.Term;
        await using var reader = await command.ExecuteReaderAsync(cancel);
        if (term != 0 && !(await reader.NextResultAsync(cancel) && await reader.ReadAsync(cancel) && reader.GetInt64(0) == term))
        {
            throw new NotOwnerException("The database has another owner by now.");
        }
    }

    private static Exception CannotOpen(Exception error) => error switch
    {
        LockTakenException => new StorageException(error.Message, error),
        NpgsqlException or ArgumentException or FormatException =>
            new StorageException($"The PostgreSQL database cannot be opened: {error.Message}", error),
        _ => error,
    };

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
            // Of several statements, the one that met a row that must not be there; see RowsBatch.
            IncludeFailedBatchedCommand = true,
        };
    }
}
