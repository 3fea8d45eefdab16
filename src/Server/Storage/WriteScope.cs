using System.Data.Common;
using System.Runtime.ExceptionServices;
using Dapper;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Storage;

/// <summary>
/// One write in the making: its transaction, its one reading of the clock, who asked for it, and what to do once it is
/// committed. Used by one caller at a time.
/// </summary>
internal sealed class WriteScope(DbConnection connection, DbTransaction transaction, long nowMs, MutationContext context)
{
    private readonly List<Action> _afterCommit = [];
    private readonly List<Action> _afterRollback = [];
    private readonly List<Func<WriteScope, Task>> _afterRefusal = [];

    public DbConnection Connection { get; } = connection;

    public DbTransaction Transaction { get; } = transaction;

    /// <summary>For the few statements that differ.</summary>
    public DatabaseKind Kind { get; } = connection is Microsoft.Data.Sqlite.SqliteConnection
        ? DatabaseKind.Sqlite
        : DatabaseKind.PostgreSql;

    /// <summary>Milliseconds since 1970 UTC; the same for every row of this write.</summary>
    public long NowMs { get; } = nowMs;

    /// <summary>Who asked, for the audit rows.</summary>
    public MutationContext Context { get; private set; } = context;

    /// <summary>The number of the last change this write has appended; 0 for none.</summary>
    public long LastChange { get; private set; }

    /// <summary>The caller as it stands now that the write has its turn; what it was when the request began no longer counts.</summary>
    public void Become(Caller caller) => Context = Context with { Caller = caller };

    /// <summary>The next number of a series, from 1, without gaps: a write that fails takes none.</summary>
    public Task<long> NextNumber(string counter) => NextNumbers(counter, 1);

    /// <summary>The first of the next <paramref name="count"/> numbers of a series.</summary>
    public async Task<long> NextNumbers(string counter, int count) => 1 - count + await Connection.ExecuteScalarAsync<long>(
        """
        INSERT INTO counters (name, value) VALUES (@counter, @count)
        ON CONFLICT (name) DO UPDATE SET value = counters.value + @count
        RETURNING value
        """,
        new { counter, count = (long)count },
        Transaction);

    /// <summary>Lets a series go on above a number that was given elsewhere.</summary>
    public Task RaiseCounter(string name, long value) => Execute(
        """
        INSERT INTO counters (name, value) VALUES (@name, @value)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counters.value < excluded.value
        """,
        new { name, value });

    /// <summary>Appends to the feed by which every replica learns of the change. Numbers rise in commit order.</summary>
    public Task Change(string kind, long targetNo, long version) => Changes(kind, [(targetNo, version)]);

    /// <summary>The same for many at once.</summary>
    public async Task Changes(string kind, IReadOnlyList<(long TargetNo, long Version)> targets)
    {
        var first = await NextNumbers("changes", targets.Count);
        await Execute(
            "INSERT INTO changes (seq, kind, target_no, version, at_ms) VALUES (@seq, @kind, @TargetNo, @Version, @NowMs)",
            targets.Select((target, i) => new { seq = first + i, kind, target.TargetNo, target.Version, NowMs }));
        var last = first + targets.Count - 1;
        LastChange = last;
        Failpoint.Pass("change.row");
        if (last / ChangeLog.TrimEvery != (first - 1) / ChangeLog.TrimEvery)
        {
            await ChangeLogSql.Trim(this, last - ChangeLog.RowsKept, Math.Max(10 * ChangeLog.TrimEvery, 2 * targets.Count));
        }
    }

    /// <summary>Keeps a fact about the database itself; see <see cref="Database.Settings"/>.</summary>
    public Task SetSetting(string name, string value) => Execute(
        """
        INSERT INTO settings (name, value) VALUES (@name, @value)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value
        """,
        new { name, value });

    public Task<string?> FindSetting(string name) => Find<string>("SELECT value FROM settings WHERE name = @name", new { name });

    /// <summary>Runs after the commit, in the order added, before the write returns. Short work in memory only.</summary>
    public void AfterCommit(Action action) => _afterCommit.Add(action);

    /// <summary>
    /// Runs instead when it is certain that nothing of this write stays. After a commit in doubt neither runs: whoever took something in
    /// memory ahead of the write learns of it by <see cref="Database.MemoryInDoubt"/> and looks for its rows. Short work in memory only.
    /// </summary>
    public void AfterRollback(Action action) => _afterRollback.Add(action);

    /// <summary>
    /// What stays of this write if its outcome is a problem and all it did is rolled back: it then runs in a transaction of its own, in the
    /// same turn and at the same reading of the clock, before anybody is told. Such as that somebody tried.
    /// </summary>
    public void AfterRefusal(Func<WriteScope, Task> action) => _afterRefusal.Add(action);

    public Task<int> Execute(string sql, object? parameters = null) => Connection.ExecuteAsync(sql, parameters, Transaction);

    public Task<T?> Find<T>(string sql, object? parameters = null) =>
        Connection.QuerySingleOrDefaultAsync<T>(sql, parameters, Transaction);

    public async Task<IReadOnlyList<T>> Query<T>(string sql, object? parameters = null) =>
        (await Connection.QueryAsync<T>(sql, parameters, Transaction)).AsList();

    /// <summary>What the refusal leaves; null where it leaves nothing.</summary>
    internal Func<WriteScope, Task<Outcome<bool>>>? Remains => _afterRefusal.Count == 0 ? null : async scope =>
    {
        foreach (var action in _afterRefusal)
        {
            await action(scope);
        }

        return true;
    };

    /// <summary>Every action runs: the data is committed, so one that fails must not leave the others' memory behind it.</summary>
    internal void RunAfterCommit() => RunAll(_afterCommit);

    internal void RunAfterRollback() => RunAll(_afterRollback);

    private static void RunAll(List<Action> actions)
    {
        ExceptionDispatchInfo? first = null;
        foreach (var action in actions)
        {
            try
            {
                action();
            }
#pragma warning disable CA1031 // kept and rethrown below
            catch (Exception error)
#pragma warning restore CA1031
            {
                first ??= ExceptionDispatchInfo.Capture(error);
            }
        }

        first?.Throw();
    }
}

/// <summary>Who asked for a write, and from where; it becomes part of the write's audit rows.</summary>
internal sealed record MutationContext
{
    public required Caller Caller { get; init; }

    public string? Address { get; init; }

    public required string RequestId { get; init; }

    public string? UserAgent { get; init; }

    /// <summary>The process itself, such as at the first start.</summary>
    public static MutationContext System { get; } = Of(Caller.System);

    /// <summary>A write that no request asked for.</summary>
    public static MutationContext Of(Caller caller) => new() { Caller = caller, RequestId = "none" };
}
