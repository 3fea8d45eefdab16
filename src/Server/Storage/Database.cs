using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tollgate.Server.Problems;
using Tollgate.Server.Telemetry;

namespace Tollgate.Server.Storage;

/// <summary>
/// The one door to the data. Reads run side by side; writes run one after another, each a transaction that commits only when its
/// outcome is Ok. One process owns a database from <see cref="Open(StorageOptions, TimeProvider, ILoggerFactory?, CancellationToken)"/>
/// until it is disposed.
/// </summary>
internal sealed partial class Database : IAsyncDisposable
{
    private const int SqliteFull = 13;
    private const string ProvedSetting = "commit_proved_at_ms";

    private readonly IDatabaseDriver _driver;
    private readonly StorageOptions _options;
    private readonly ChangeMark? _mark;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _writeTurn = new(1);
    private int _waitingToWrite;

    /// <summary>Written inside a write, read by <see cref="SettleSoon"/>.</summary>
    private volatile bool _inDoubt;

    /// <summary>Written inside a write, read by <see cref="CanCommit"/>.</summary>
    private volatile bool _commitFailed;

    /// <summary>1 while somebody runs <see cref="SettleSoon"/>.</summary>
    private int _settling;
    private volatile bool _isDisposed;

    /// <summary>True from a claim that found another history until memory obeys it; touched by <see cref="Regained"/> alone.</summary>
    private bool _mustReadAnew;

    /// <summary>The last change that this process knows of; written by the write that has its turn.</summary>
    private long _lastChange;

    static Database() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    private Database(IDatabaseDriver driver, StorageOptions options, TimeProvider time, ILogger log, ChangeMark? mark)
    {
        _driver = driver;
        _mark = mark;
        _log = log;
        _options = options;
        Time = time;
    }

    public DatabaseKind Kind => _driver.Kind;

    public TimeProvider Time { get; }

    /// <summary>How far the change log may be read, and the wait for more.</summary>
    public ChangeLog Changes { get; } = new();

    public WriteMeter Meter { get; } = new();

    /// <summary>Changes that wait for their turn to write, of at most <see cref="WriteQueueMax"/>.</summary>
    public int WriteQueueLength => Volatile.Read(ref _waitingToWrite);

    public int WriteQueueMax => _options.WriteQueueMax;

    /// <inheritdoc cref="StorageOptions.ReadersMax"/>
    public int ReadersMax => _options.ReadersMax;

    /// <inheritdoc cref="StorageOptions.WaitMsMax"/>
    public int WaitMsMax => _options.WaitMsMax;

    /// <summary>Cancelled when another process was found to own the data: the host must stop.</summary>
    public CancellationToken TakenOver => _driver.TakenOver;

    /// <summary>False while the single-process lock is lost: nothing is read or written until it is taken again.</summary>
    public bool OwnsLock => _driver.OwnsLock;

    /// <summary>Cancelled when the lock that is held now is lost. Read before <see cref="OwnsLock"/>, no loss goes unseen.</summary>
    public CancellationToken LockLost => _driver.LockLost;

    /// <summary>
    /// Whether what is in memory may be answered from. While the lock is lost, only to the end of its lease: another process may have
    /// changed what the rows say. Asked after each decision; on SQLite always true.
    /// </summary>
    public bool TrustsMemory => _driver.TrustsMemory;

    /// <summary>
    /// A commit failed, and nobody knows whether it was carried out, or others have written: memory must be read anew.
    /// </summary>
    public event Action? MemoryInDoubt;

    /// <summary>Reads anew what is kept in memory besides rows, after others have written and before memory is trusted again.</summary>
    public Func<Task>? ReadAnew { get; set; }

    public static Task<Database> Open(
        StorageOptions options, TimeProvider time, ILoggerFactory? loggers = null, CancellationToken cancel = default) =>
        Open(options, time, loggers ?? NullLoggerFactory.Instance, Migration.Embedded, cancel);

    /// <summary>As above, with migrations other than those built in; the tests make old, new and edited databases this way.</summary>
    public static async Task<Database> Open(
        StorageOptions options, TimeProvider time, ILoggerFactory loggers, IReadOnlyList<Migration> migrations, CancellationToken cancel)
    {
        IDatabaseDriver driver = options.Kind == DatabaseKind.Sqlite
            ? SqliteDriver.Open(options)
            : await PostgresDriver.Open(options, loggers.CreateLogger<PostgresLock>(), cancel);
        try
        {
            await Migrator.Run(driver, migrations, time, loggers.CreateLogger<Database>(), cancel);
            var database = new Database(
                driver, options, time, loggers.CreateLogger<Database>(), await OpenMark(driver, options, cancel));
            database._lastChange = (await driver.Own(database.Regained, cancel)).LastChange;
            database.Changes.Publish(await database.Read(connection => ChangeLogSql.Head(connection, null), cancel));
            return database;
        }
        catch
        {
            await driver.DisposeAsync();
            throw;
        }
    }

    /// <summary>False from a commit that the disk or the server failed to make until one has been made again.</summary>
    public bool CanCommit => !_commitFailed;

    /// <summary>Runs a query on a connection that only reads. It sees what was committed before it began.</summary>
    /// <exception cref="NotOwnerException">The lock is lost: nobody could say for how long the answer stays true.</exception>
    public async Task<T> Read<T>(Func<DbConnection, Task<T>> query, CancellationToken cancel = default)
    {
        if (IsAtSockets)
        {
            await Task.Yield();
        }

        if (!_driver.OwnsLock)
        {
            throw LockIsLost;
        }

        var lost = _driver.LockLost;
        try
        {
            // A database that has stopped answering is not waited for longer than it takes to notice; the query ends by its own time-out.
            return await ReadWith(query, cancel).WaitAsync(lost);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw LockIsLost;
        }
    }

    /// <summary>Answers when the database does; otherwise throws as any read would.</summary>
    public Task Ping(CancellationToken cancel = default) =>
        Read(connection => connection.ExecuteScalarAsync<long>("SELECT CAST(1 AS BIGINT)"), cancel);

    /// <summary>Facts about the database itself, by name: its provider, the pepper's check value, the root key's hash.</summary>
    public Task<Dictionary<string, string>> Settings(CancellationToken cancel = default) => Read(
        async connection => SettingsOf(await connection.QueryAsync<(string Name, string Value)>("SELECT name, value FROM settings")),
        cancel);

    public static Dictionary<string, string> SettingsOf(IEnumerable<(string Name, string Value)> rows) =>
        rows.ToDictionary(setting => setting.Name, setting => setting.Value, StringComparer.Ordinal);

    /// <summary>As the other one, on behalf of the process itself.</summary>
    public Task<Outcome<T>> Write<T>(Func<WriteScope, Task<Outcome<T>>> work, CancellationToken cancel = default) =>
        Write(work, MutationContext.System, cancel);

    /// <summary>
    /// Runs <paramref name="work"/> in a transaction of its own, alone. Commits when its outcome is Ok and then runs the scope's
    /// after-commit actions before the next write begins; otherwise, or when it throws, nothing stays. <paramref name="cancel"/>
    /// ends only the wait for the turn: what has begun is finished, even when its client has gone. What a refusal leaves behind all the
    /// same is said by <see cref="WriteScope.AfterRefusal"/>.
    /// </summary>
    /// <param name="work">Must not write through this door itself: it would wait for its own turn.</param>
    /// <param name="context">Who asks, for the audit rows.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<Outcome<T>> Write<T>(
        Func<WriteScope, Task<Outcome<T>>> work, MutationContext context, CancellationToken cancel = default)
    {
        if (IsAtSockets)
        {
            await Task.Yield();
        }

        if (!await TakeTurn(cancel))
        {
            Meter.TurnedAway();
            return new Problem(ProblemCode.Unavailable, "Too many changes are waiting; try again in a moment.");
        }

        try
        {
            return !_driver.OwnsLock
                ? new Problem(ProblemCode.Unavailable, "The lock on the database is lost and is being taken again; try again in a moment.")
                : await WriteAlone(work, context, cancel);
        }
        finally
        {
            _writeTurn.Release();
        }
    }

    /// <summary>Whether the exception means that the database cannot be reached or cannot write right now: a 503, not a bug.</summary>
    public static bool IsOutage(Exception error) => error switch
    {
        TimeoutException or NotOwnerException => true,
        PostgresException postgres => postgres.IsTransient || postgres.SqlState is "55P03" or "25006",
        NpgsqlException => true,
        // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL
        SqliteException sqlite => sqlite.SqliteErrorCode is 5 or 6 or 8 or 10 or 13 or 14 or 15,
        _ => false,
    };

    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        await _driver.DisposeAsync();
        _mark?.Dispose();
        _writeTurn.Dispose();
    }

    private static NotOwnerException LockIsLost => new("The lock on the database is lost and is being taken again.");

    private async Task<T> ReadWith<T>(Func<DbConnection, Task<T>> query, CancellationToken cancel)
    {
        var connection = await _driver.TakeReader(cancel);
        try
        {
            return await query(connection);
        }
        finally
        {
            await _driver.GiveBackReader(connection);
        }
    }

    /// <summary>SQLite's mark, after it was found that the database is not behind it.</summary>
    private static async Task<ChangeMark?> OpenMark(IDatabaseDriver driver, StorageOptions options, CancellationToken cancel)
    {
        if (driver.Kind != DatabaseKind.Sqlite)
        {
            return null;
        }

        var connection = await driver.TakeWriter(cancel);
        try
        {
            return ChangeMark.Fault(options.DataDirectory, await LastChange(connection)) is { } fault
                ? throw new StorageException(fault)
                : ChangeMark.Open(options.DataDirectory);
        }
        catch (DbException error)
        {
            throw new StorageException($"The database cannot be read: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{ChangeMark.FileName} cannot be written: {error.Message}", error);
        }
        finally
        {
            await driver.GiveBackWriter(connection);
        }
    }

    private static Task<long> LastChange(DbConnection connection) =>
        connection.ExecuteScalarAsync<long>("SELECT CAST(coalesce(max(seq), 0) AS BIGINT) FROM changes");

    /// <summary>
    /// A request may be served on the thread that waits for all sockets of its core; a database that takes its time, as SQLite's calls do,
    /// must not hold that one up. Who finds itself there yields in its own body: what another method has yielded for it may be over before
    /// it is looked at, and nothing has moved.
    /// </summary>
    private static bool IsAtSockets => !Thread.CurrentThread.IsThreadPoolThread;

    private async Task<bool> TakeTurn(CancellationToken cancel)
    {
        try
        {
            return Interlocked.Increment(ref _waitingToWrite) <= _options.WriteQueueMax
                && await _writeTurn.WaitAsync(_options.WaitMsMax, cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _waitingToWrite);
        }
    }

    private async Task<Outcome<T>> WriteAlone<T>(
        Func<WriteScope, Task<Outcome<T>>> work, MutationContext context, CancellationToken cancel)
    {
        using var write = Meter.Begin();
        var connection = await _driver.TakeWriter(cancel);
        try
        {
            var (outcome, scope) = await Transact(connection, work, context, null, write, cancel);
            if (!outcome.IsOk && scope.Remains is { } remains)
            {
                using var rest = Meter.Begin();
                await Transact(connection, remains, scope.Context, scope.NowMs, rest, CancellationToken.None);
            }

            return outcome;
        }
        finally
        {
            await _driver.GiveBackWriter(connection);
        }
    }

    private async Task<(Outcome<T> Outcome, WriteScope Scope)> Transact<T>(
        DbConnection connection, Func<WriteScope, Task<Outcome<T>>> work, MutationContext context, long? nowMs, WriteMeter.Write write,
        CancellationToken cancel)
    {
        Outcome<T> outcome;
        WriteScope? scope = null;
        var transaction = await _driver.Begin(connection, cancel);
        try
        {
            Failpoint.Pass("write.begun");
            scope = new WriteScope(connection, transaction, nowMs ?? Time.GetUtcNow().ToUnixTimeMilliseconds(), context);
            await Settle(scope);
            outcome = await work(scope);
            if (!outcome.IsOk)
            {
                write.Ended(isCommitted: false);
                await transaction.RollbackAsync(CancellationToken.None);
                scope.RunAfterRollback();
                return (outcome, scope);
            }

            Failpoint.Pass("write.before_commit");
            await Commit(transaction);
            Failpoint.Pass("write.committed");
            Volatile.Write(ref _lastChange, Math.Max(_lastChange, scope.LastChange));
        }
        catch when (!_inDoubt)
        {
            scope?.RunAfterRollback();
            throw;
        }
        finally
        {
            await _driver.End(transaction);
        }

        if (scope.LastChange > 0)
        {
            _mark?.Raise(scope.LastChange);
        }

        write.Ended(isCommitted: true);
        try
        {
            scope.RunAfterCommit();
        }
        finally
        {
            Changes.Publish(scope.LastChange);
        }

        return (outcome, scope);
    }

    /// <summary>A commit that fails may have been carried out all the same; who keeps rows in memory can believe none of them.</summary>
    private async Task Commit(DbTransaction transaction)
    {
        try
        {
            var began = Stopwatch.GetTimestamp();
            await transaction.CommitAsync(CancellationToken.None);
            Meter.Commits.RecordSince(began);
            _commitFailed = false;
        }
        catch (SqliteException full) when (full.SqliteErrorCode == SqliteFull)
        {
            // There was no room to write it: it was certainly not carried out, and the next one finds room or does not.
            throw;
        }
        catch
        {
            (_inDoubt, _commitFailed) = (true, true);
            MemoryInDoubt?.Invoke();
            _ = SettleSoon();
            throw;
        }
    }

    /// <summary>
    /// Called with the lock in hand under which commits are made: the one in doubt has ended by now, one way or the other, so what was
    /// read in the meantime is dropped once more and from here on memory is right.
    /// </summary>
    private async Task Settle(WriteScope scope)
    {
        if (_inDoubt)
        {
            MemoryInDoubt?.Invoke();
            Changes.Publish(await ChangeLogSql.Head(scope.Connection, scope.Transaction));
            _inDoubt = false;
        }
    }

    /// <summary>
    /// Does not leave it to the next change: takes the lock as soon as it is to be had, and commits something of its own, so that it is
    /// known when commits can be made again.
    /// </summary>
    private async Task SettleSoon()
    {
        // Asked anew after the place is given back: a commit that failed just before that found it taken and started nobody.
        while (MustSettle && Interlocked.Exchange(ref _settling, 1) == 0)
        {
            try
            {
                await ProveCommit();
            }
            finally
            {
                Volatile.Write(ref _settling, 0);
            }
        }
    }

    private bool MustSettle => (_inDoubt || _commitFailed) && !TakenOver.IsCancellationRequested && !_isDisposed;

    private async Task ProveCommit()
    {
        while (MustSettle)
        {
            try
            {
                if ((await Write<bool>(Prove)).IsOk)
                {
                    continue;
                }
            }
            catch (Exception error) when (IsOutage(error) || error is ObjectDisposedException)
            {
                // The database is away; so is the answer.
            }
#pragma warning disable CA1031 // nobody awaits this, and giving up would leave the gate not ready for ever
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogNotProved(error);
            }

            await Task.Delay(TimeSpan.FromSeconds(1), Time);
        }

        static async Task<Outcome<bool>> Prove(WriteScope scope)
        {
            await scope.SetSetting(ProvedSetting, scope.NowMs.ToString(CultureInfo.InvariantCulture));
            return true;
        }
    }

    /// <summary>
    /// The lock is ours again. Where nobody owned the database in between and the last change is the one we know of, memory is right. What
    /// fails here is tried again with the next claim, which finds itself unbroken: so it is remembered that memory is still to be read.
    /// </summary>
    private async Task Regained(Claim claim)
    {
        if (!_mustReadAnew && claim.IsUnbroken && claim.LastChange == Volatile.Read(ref _lastChange))
        {
            return;
        }

        _mustReadAnew = true;
        Volatile.Write(ref _lastChange, claim.LastChange);
        MemoryInDoubt?.Invoke();
        Changes.BeginEpoch(claim.LastChange);
        await (ReadAnew?.Invoke() ?? Task.CompletedTask);
        _mustReadAnew = false;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Whether commits can be made could not be found out; it is tried again")]
    private partial void LogNotProved(Exception error);
}
