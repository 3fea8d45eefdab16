using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Storage;

/// <summary>What of the change log may be read when, and how long it is kept.</summary>
public sealed class ChangeLogTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_change_is_not_shown_before_memory_obeys_it(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var before = store.Database.Changes.Seq;
        var woken = store.Database.Changes.MovedBeyond(store.Database.Changes.End);
        var seen = -1;
        await store.Database.Write<int>(
            async scope =>
            {
                await scope.Change("key", 1, 1);
                // Committed by now, as another connection would find.
                scope.AfterCommit(() => seen = After(store, before).GetAwaiter().GetResult().Count);
                return 0;
            },
            Cancel);

        Assert.Equal(0, seen);
        await woken;
        Assert.Equal([before + 1], (await After(store, before)).Select(row => row.Seq));
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_change_is_shown_even_when_an_after_commit_action_fails(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        var before = store.Database.Changes.Seq;

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Database.Write<int>(
            async scope =>
            {
                await scope.Change("key", 1, 1);
                scope.AfterCommit(() => throw new InvalidOperationException("as a bug would"));
                return 0;
            },
            Cancel));

        Assert.Equal(before + 1, store.Database.Changes.Seq);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_that_fails_shows_nothing_and_a_start_goes_on_where_the_log_ended(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        await Change(store);
        var before = store.Database.Changes.Seq;
        await store.Database.Write<int>(
            async scope =>
            {
                await scope.Change("key", 1, 1);
                return new Problems.Problem(Problems.ProblemCode.Conflict, "No.");
            },
            Cancel);

        Assert.Equal(before, store.Database.Changes.Seq);
        await store.Reopen();
        Assert.Equal(before, store.Database.Changes.Seq);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_log_keeps_its_last_rows_and_lets_older_ones_go_in_small_batches(DatabaseKind kind)
    {
        await using var store = await TestStore.Open(kind, postgres);
        const int old = 700;
        const long head = ChangeLog.RowsKept + old;
        await store.Tamper(
            $"""
            WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {old + 200})
            INSERT INTO changes (seq, kind, target_no, version, at_ms) SELECT n, 'key', 1, 1, 0 FROM numbers
            """);
        await store.Tamper(
            $"""
            INSERT INTO counters (name, value) VALUES ('changes', {head})
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """);

        var round = (head / ChangeLog.TrimEvery * ChangeLog.TrimEvery) + ChangeLog.TrimEvery;
        await Until(store, round - 1);
        Assert.Equal(1, await Oldest(store));
        await Until(store, round);
        Assert.Equal((10 * ChangeLog.TrimEvery) + 1, await Oldest(store));
        await Until(store, round + ChangeLog.TrimEvery);
        Assert.Equal(round + ChangeLog.TrimEvery - ChangeLog.RowsKept + 1, await Oldest(store));
    }

    [Fact]
    public async Task Another_epoch_wakes_who_waits_even_where_the_log_ends_earlier()
    {
        var log = new ChangeLog();
        log.Publish(7);
        var end = log.End;
        var woken = log.MovedBeyond(end);

        log.Publish(6);
        Assert.False(woken.IsCompleted);
        log.BeginEpoch(5);

        await woken;
        Assert.True(log.MovedBeyond(end).IsCompleted);
        Assert.Equal(5, log.Seq);
        Assert.NotEqual(end.Epoch, log.End.Epoch);
    }

    private static Task<List<ChangeRow>> After(TestStore store, long before) => store.Database.Read(
        connection => ChangeLogSql.After(connection, before, store.Database.Changes.Seq, 10), Cancel);

    private static async Task Until(TestStore store, long seq)
    {
        while (store.Database.Changes.Seq < seq)
        {
            await Change(store);
        }
    }

    private static Task<Problems.Outcome<int>> Change(TestStore store) => store.Database.Write<int>(
        async scope =>
        {
            await scope.Change("key", 1, 1);
            return 0;
        },
        Cancel);

    private static async Task<long> Oldest(TestStore store) =>
        (await store.Database.Write<long>(async scope => await scope.Find<long>("SELECT MIN(seq) FROM changes"), Cancel)).Value;
}
