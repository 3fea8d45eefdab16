using System.Diagnostics;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

/// <summary>
/// One process owns a database: what it does when it loses the lock, and that no write of an old owner follows a new one.
/// </summary>
public sealed class OwnershipTests(PostgresFixture postgres)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_lost_lock_is_taken_again_and_memory_stays_when_nobody_wrote_meanwhile()
    {
        await using var store = await TestStore.Open(DatabaseKind.PostgreSql, postgres);
        var told = 0;
        store.Database.MemoryInDoubt += () => told++;
        await Change(store.Database);
        var (term, epoch) = (await Term(store), store.Database.Changes.End.Epoch);

        await postgres.CutConnections(store.Options.PostgresConnectionString!);
        await UntilWritable(store, term + 1);

        Assert.Equal(0, told);
        Assert.Equal(epoch, store.Database.Changes.End.Epoch);
        Assert.True(store.Database.TrustsMemory);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_term_of_another_owner_refuses_every_write_until_the_lock_is_taken_anew_and_memory_is_dropped(int moved)
    {
        await using var store = await TestStore.Open(DatabaseKind.PostgreSql, postgres);
        var (told, readAnew) = (0, 0);
        store.Database.MemoryInDoubt += () => told++;
        store.Database.ReadAnew = () => Task.FromResult(readAnew++);
        await Change(store.Database);
        var term = await Term(store);

        await store.Tamper($"UPDATE counters SET value = value + {moved} WHERE name = 'owner'");
        Assert.False(await IsChanged(store.Database));
        await UntilWritable(store, term + moved + 1);

        Assert.Equal(1, told);
        Assert.Equal(1, readAnew);
        Assert.Equal(1 + 1, await store.Count("changes"));
    }

    [Fact]
    public async Task What_could_not_be_read_anew_is_read_again_with_the_next_claim()
    {
        await using var store = await TestStore.Open(DatabaseKind.PostgreSql, postgres);
        var readAnew = 0;
        store.Database.ReadAnew = () => ++readAnew == 1 ? throw new TimeoutException("as an outage would") : Task.CompletedTask;
        await Change(store.Database);

        await store.Tamper("UPDATE counters SET value = value + 1 WHERE name = 'owner'");

        await Until(() => Task.FromResult((long)readAnew), times => times == 2);
    }

    [Fact]
    public async Task Changes_that_are_gone_from_the_database_drop_memory_too()
    {
        await using var store = await TestStore.Open(DatabaseKind.PostgreSql, postgres);
        var told = 0;
        store.Database.MemoryInDoubt += () => told++;
        await Change(store.Database);
        await Change(store.Database);
        await Change(store.Database);
        var end = store.Database.Changes.End;
        await store.Tamper("UPDATE counters SET value = 0 WHERE name = 'changes'; DELETE FROM changes");
        var term = await Term(store);

        await postgres.CutConnections(store.Options.PostgresConnectionString!);
        await UntilWritable(store, term + 1);
        await Until(() => Task.FromResult(store.Database.Changes.Seq), seq => seq < end.Seq);

        Assert.Equal(1, told);
        Assert.NotEqual(end.Epoch, store.Database.Changes.End.Epoch);
    }

    /// <summary>
    /// The lock's connection dies while a write is on its way, and another process waits for the lock: it becomes the owner only after that
    /// write has ended, and the old owner writes nothing more.
    /// </summary>
    [Fact]
    public async Task No_write_of_an_old_owner_comes_after_the_new_owner_has_begun()
    {
        await using var store = await TestStore.Open(DatabaseKind.PostgreSql, postgres);
        var (inside, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var writing = store.Database.Write<string>(async scope =>
        {
            inside.SetResult();
            await release.Task;
            await scope.SetSetting("colour", "blue");
            return "done";
        });
        await inside.Task;
        var opening = Database.Open(store.Options, store.Clock);
        await Until(() => Ask(store, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"), found => found > 0);
        await Ask(store, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            + "WHERE datname = current_database() AND application_name LIKE 'tollgate %' AND query LIKE '%owner%'");
        await Until(() => Task.FromResult(store.Database.OwnsLock ? 0L : 1L), lost => lost == 1);

        Assert.False(opening.IsCompleted);
        Assert.Equal("unavailable", (await Waiting(store.Database, release)).CodeOf());
        Assert.Equal("done", (await writing).Value);
        await using var other = await opening;
        Assert.Equal("blue", (await other.Settings())["colour"]);
        await Until(() => Task.FromResult(store.Database.TakenOver.IsCancellationRequested ? 1L : 0L), over => over == 1);
        Assert.Equal("unavailable", (await store.Database.Write<string>(_ => Task.FromResult<Outcome<string>>("never"))).CodeOf());
        await Assert.ThrowsAsync<NotOwnerException>(() => store.Database.Settings());
    }

    /// <summary>A write that waits for its turn behind the one that is on its way.</summary>
    private static async Task<Outcome<string>> Waiting(Database database, TaskCompletionSource release)
    {
        var next = database.Write<string>(_ => Task.FromResult<Outcome<string>>("never"));
        release.SetResult();
        return await next;
    }

    private static Task<Outcome<bool>> Change(Database database) => database.Write<bool>(async scope =>
    {
        await scope.Change("key", 1, version: 1);
        return true;
    });

    /// <summary>Waits for the term that begins when the lock is taken again, and then for a write and for trust in memory.</summary>
    private static async Task UntilWritable(TestStore store, long term)
    {
        await Until(() => Term(store), found => found == term);
        await Until(async () => store.Database.TrustsMemory && await IsChanged(store.Database) ? 1 : 0, written => written == 1);
    }

    private static async Task<bool> IsChanged(Database database)
    {
        try
        {
            return (await Change(database)).IsOk;
        }
        catch (Exception error) when (Database.IsOutage(error))
        {
            return false;
        }
    }

    private static Task<long> Term(TestStore store) => Ask(store, "SELECT value FROM counters WHERE name = 'owner'");

    private static Task<long> Ask(TestStore store, string sql) => OwnPostgres.Ask<long>(store.Options.PostgresConnectionString!, sql);

    private static async Task Until(Func<Task<long>> question, Func<long, bool> answer)
    {
        for (var waited = Stopwatch.StartNew(); !answer(await question());)
        {
            Assert.InRange(waited.Elapsed, TimeSpan.Zero, Patience);
            await Task.Delay(5);
        }
    }
}
