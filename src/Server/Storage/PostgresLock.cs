using System.Data;
using System.Security.Cryptography;
using Npgsql;

namespace Tollgate.Server.Storage;

/// <summary>
/// What makes this process the one owner of a PostgreSQL database: an advisory lock on a connection of its own, and a number in the
/// database, its term, that every write proves in its own transaction. A beat each second shows that the session behind the lock lives and
/// renews the lease, for which memory may be trusted. Where the lock is lost it is taken again; where somebody else has it, the process
/// ends. Time is monotonic and real: sessions do not live by a test's clock.
/// </summary>
internal sealed partial class PostgresLock : IAsyncDisposable
{
    // Advisory locks are numbers shared with every other user of the database: eight ASCII letters each.
    private const long ProcessLock = 0x546F6C6C67617465;
    public const long ChangeLock = 0x544763686E676573;

    /// <summary>The term's name among the counters.</summary>
    public const string TermSql = "SELECT value FROM counters WHERE name = 'owner'";

    /// <summary>How long a start waits for the lock: the server needs a moment to see that the process before has gone.</summary>
    private const int HandOverMs = 2_000;
    private const int BeatMs = 1_000;
    private const int BeatMsMax = 2_000;
    private const int RetryMs = 250;

    private readonly NpgsqlConnectionStringBuilder _settings;
    private readonly ILogger _log;
    private readonly int _leaseMs;
    private readonly int _waitMsMax;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _takenOver = new();

    /// <summary>Touched by <see cref="Watch"/> alone from the first claim on.</summary>
    private NpgsqlConnection _holder;
    private Task _watch = Task.CompletedTask;
    private volatile bool _isHeld = true;

    /// <summary>Ends with the lock that is held now; replaced by the watch.</summary>
    private volatile CancellationTokenSource _lost = new();

    /// <summary>Written by the watch, read by every check and every write.</summary>
    private long _trustedUntilMs;
    private long _term;

    private PostgresLock(NpgsqlConnectionStringBuilder settings, NpgsqlConnection holder, StorageOptions options, ILogger log)
    {
        (_settings, _holder, _log) = (settings, holder, log);
        (_leaseMs, _waitMsMax) = (options.LeaseMs, options.WaitMsMax);
        TakenOver = _takenOver.Token;
    }

    /// <summary>Cancelled when another process was found to hold the lock.</summary>
    public CancellationToken TakenOver { get; }

    /// <summary>False from the moment the loss is noticed until the lock is taken again.</summary>
    public bool IsHeld => _isHeld;

    /// <summary>Cancelled when the lock that is held now is lost, so that nobody waits on for a database that is not there.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Whether the lease runs: the lock was seen to be held less than a lease ago.</summary>
    public bool TrustsMemory => Environment.TickCount64 < Volatile.Read(ref _trustedUntilMs);

    /// <summary>The number that the database must hold when this process writes; 0 before the first claim.</summary>
    public long Term => Volatile.Read(ref _term);

    public static async Task<PostgresLock> Take(
        StorageOptions options, NpgsqlConnectionStringBuilder shared, ILogger log, CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(shared.ConnectionString) { Pooling = false, ApplicationName = OwnName() };
        var holder = await Take(settings, cancel);
        // A start is tried once and has the time that every call has; who lost the lock asks again soon rather than wait for one answer.
        settings.Timeout = Math.Min(settings.Timeout, BeatMsMax / 1_000);
        return new PostgresLock(settings, holder, options, log);
    }

    /// <summary>A connection that holds the lock and is not watched, for work while no gate runs.</summary>
    public static Task<NpgsqlConnection> Hold(NpgsqlConnectionStringBuilder settings, CancellationToken cancel) =>
        Take(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { ApplicationName = OwnName() }, cancel);

    /// <summary>
    /// Begins this process's term, once the schema is there; from here on the lock is watched.
    /// </summary>
    /// <param name="regained">Runs after the lock was taken again and before memory is trusted again.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<Claim> Begin(Func<Claim, Task> regained, CancellationToken cancel)
    {
        var askedMs = Environment.TickCount64;
        var claim = await BeginTerm(_holder, cancel);
        Trust(askedMs);
        _watch = Watch(regained);
        return claim;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watch;
        await Discard(_holder);
        _lost.Dispose();
        _stop.Dispose();
        _takenOver.Dispose();
    }

    /// <summary>By it a session of ours is known that the server has not yet seen to be dead; nobody else's may bear it.</summary>
    private static string OwnName() => "tollgate " + RandomNumberGenerator.GetHexString(16, lowercase: true);

    private static async Task<NpgsqlConnection> Take(NpgsqlConnectionStringBuilder settings, CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            await RequireFit(connection, cancel);
            // A server that hears nothing from our machine any more lets the lock go within a quarter of a minute.
            await using var command = new NpgsqlCommand(
                $"""
                SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = '{settings.ApplicationName}' AND pid <> pg_backend_pid();
                SET lock_timeout = {HandOverMs}; SELECT pg_advisory_lock({ProcessLock}); SET lock_timeout = 0
                """,
                connection);
            await command.ExecuteNonQueryAsync(cancel);
            return connection;
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await connection.DisposeAsync();
            throw new LockTakenException(
                $"Another Tollgate process is using the PostgreSQL database {settings.Database}; "
                + "stop it, or start this one on another database.",
                error);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public static async Task RequireFit(NpgsqlConnection connection, CancellationToken cancel)
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

    /// <summary>
    /// Under the change lock, so that a write of the owner before, whose commit was on its way, has ended: what is read and written from
    /// here on comes after it, and no write of an older term can follow.
    /// </summary>
    private async Task<Claim> BeginTerm(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancel);
        await using var command = new NpgsqlCommand(
            $"""
            SET LOCAL lock_timeout = {_waitMsMax};
            SELECT pg_advisory_xact_lock({ChangeLock});
            INSERT INTO counters (name, value) VALUES ('owner', 1)
            ON CONFLICT (name) DO UPDATE SET value = counters.value + 1
            RETURNING value, coalesce((SELECT value FROM counters WHERE name = 'changes'), 0)
            """,
            connection,
            transaction);
        long term, changes;
        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            await reader.NextResultAsync(cancel);
            await reader.ReadAsync(cancel);
            (term, changes) = (reader.GetInt64(0), reader.GetInt64(1));
        }

        await transaction.CommitAsync(cancel);
        var isNext = term == _term + 1;
        Volatile.Write(ref _term, term);
        return new Claim(isNext, changes);
    }

    private Task Lose()
    {
        _isHeld = false;
        return _lost.CancelAsync();
    }

    private void Trust(long sinceMs) => Volatile.Write(ref _trustedUntilMs, sinceMs + _leaseMs);

    private async Task Watch(Func<Claim, Task> regained)
    {
        do
        {
            try
            {
                await Beat();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // whatever it was, nobody can say any longer that the lock is held
            catch (Exception fault)
#pragma warning restore CA1031
            {
                await Lose();
                LogLost(fault.Message, _leaseMs / 1_000);
            }
        }
        while (await Regain(regained));
    }

    /// <summary>Nobody notifies on this connection: the wait between two beats ends early only when the connection does.</summary>
    private async Task Beat()
    {
        while (true)
        {
            var sentMs = Environment.TickCount64;
            await using (var command = new NpgsqlCommand(TermSql, _holder))
            {
                var term = await command.ExecuteScalarAsync(_stop.Token).WaitAsync(TimeSpan.FromMilliseconds(BeatMsMax), _stop.Token);
                if (term is not long found || found != _term)
                {
                    throw new NotOwnerException("another process has begun a term, or the database was put back to an older state");
                }
            }

            Trust(sentMs);
            await _holder.WaitAsync(BeatMs, _stop.Token);
        }
    }

    /// <summary>Tries until the lock is held again. False when there is nothing more to try: we stop, or somebody else has it.</summary>
    private async Task<bool> Regain(Func<Claim, Task> regained)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Discard(_holder);
                _holder = await Take(_settings, _stop.Token);
                var askedMs = Environment.TickCount64;
                var claim = await BeginTerm(_holder, _stop.Token);
                _lost = new CancellationTokenSource();
                _isHeld = true;
                await regained(claim);
                Trust(askedMs);
                LogRegained();
                return true;
            }
            catch (LockTakenException)
            {
                await _takenOver.CancelAsync();
                return false;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return false;
            }
#pragma warning disable CA1031 // as in Watch; the next try says whether it is over
            catch (Exception fault)
#pragma warning restore CA1031
            {
                await Lose();
                LogNotYet(fault.Message);
            }

            await Task.Delay(RetryMs, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        return false;
    }

    /// <summary>A connection that hangs may not be waited for, and one that is busy cannot be closed: both end by themselves.</summary>
    private static async Task Discard(NpgsqlConnection connection)
    {
        try
        {
            await connection.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMilliseconds(RetryMs));
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException or TimeoutException or IOException)
        {
            // It was of no use any more.
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The lock on the database is lost: {Reason}. Keys in memory are served for at most {Seconds} s; it is being taken again")]
    private partial void LogLost(string reason, int seconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The lock on the database is not held yet: {Reason}")]
    private partial void LogNotYet(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lock on the database is held again")]
    private partial void LogRegained();
}

/// <summary>
/// What a process found when it became the owner: whether nobody was the owner since its own last term, and the number of the last change.
/// </summary>
internal readonly record struct Claim(bool IsUnbroken, long LastChange);

/// <summary>Another process holds the lock.</summary>
internal sealed class LockTakenException(string message, Exception inner) : Exception(message, inner);

/// <summary>This process cannot say right now that the database is its own: a 503, told at once and in one place.</summary>
internal sealed class NotOwnerException(string message) : Exception(message);
