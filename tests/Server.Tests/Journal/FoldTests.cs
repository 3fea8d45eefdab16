using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using static Tollgate.Server.Tests.Journal.TestJournal;

namespace Tollgate.Server.Tests.Journal;

/// <summary>Events become rows once and for good, whatever happens in between.</summary>
public sealed class FoldTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Every_kind_of_event_becomes_what_it_stands_for(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);

        await journal.Folded(
            Passed(1, input: 3, output: 4), Refused(2), Reserved(3), Reserved(4), Marked(4, 20, 90), Settled(3, cost: new Money(200)),
            Passed(5) with { Kind = UsageKind.Recorded, Flags = UsageFlags.Priced | UsageFlags.Estimated, CostMicros = 7 });

        Assert.Equal("1 3 5", await Numbers(journal, "SELECT request_no FROM usage_log ORDER BY request_no"));
        Assert.Equal("2", await Numbers(journal, "SELECT request_no FROM refusals"));
        Assert.Equal(1, await journal.Ask<long>("SELECT count(*) FROM usage_log WHERE cost_micros IS NULL"));
        Assert.Equal(
            (4L, 500L, 20L, 90L),
            await journal.Database.Read(async connection => (await JournalSql.Reservations(connection))
                .Select(open => (open.RequestNo, open.HeldMicros, open.OutputMarked, open.CostMarked)).Single()));
        Assert.Equal((207L, 2L), (await journal.Ask<long>("SELECT sum(micros) FROM debits"), await journal.Ask<long>(
            "SELECT sum(requests) FROM debits")));
        // Requests 1, 3, 4 and 5 in the hour; tokens 7 of the first, 50 settled of the third, 110 booked of the fourth.
        Assert.Equal(4, await journal.Ask<long>("SELECT sum(amount) FROM window_counts WHERE limit_name = 'hourly'"));
        Assert.Equal(167, await journal.Ask<long>("SELECT sum(amount) FROM window_counts WHERE limit_name = 'daily_tokens'"));
        Assert.Equal(0, await journal.Ask<long>("SELECT count(*) FROM window_counts WHERE limit_name = 'rpm'"));
        Assert.Equal("hourly", await journal.Ask<string>("SELECT limit_name FROM refusals"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_reservation_is_settled_after_a_restart_with_the_difference_put_where_it_was_counted(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using (var journal = await Open(store))
        {
            await journal.Folded(Reserved(1), Reserved(2), Marked(1, 5, 50));
            await journal.Fold.StopAsync(CancellationToken.None);
        }

        await using var next = await Open(store);
        Assert.Equal(2, (await next.Database.Read(JournalSql.Reservations)).Count);
        Assert.Equal(220, await next.Ask<long>("SELECT sum(amount) FROM window_counts WHERE limit_name = 'daily_tokens'"));
        await next.Folded(Marked(2, 7, 70), Settled(1, cost: new Money(321)));

        var open = Assert.Single(await next.Database.Read(JournalSql.Reservations));
        Assert.Equal((2L, 7L, 70L, 500L), (open.RequestNo, open.OutputMarked, open.CostMarked, open.HeldMicros));
        Assert.Equal(160, await next.Ask<long>("SELECT sum(amount) FROM window_counts WHERE limit_name = 'daily_tokens'"));
        Assert.Equal(2, await next.Ask<long>("SELECT sum(amount) FROM window_counts WHERE limit_name = 'hourly'"));
        Assert.Equal(321, await next.Ask<long>("SELECT sum(micros) FROM debits"));
        var counts = await next.Database.Read(connection => JournalSql.WindowsOf(connection, 1));
        Assert.Equal([("daily_tokens", 160L), ("hourly", 2L)], counts.Select(count => (count.LimitName, count.Amount)));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_extension_is_the_new_hold_and_mark_of_its_reservation_in_whichever_write_it_comes(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using (var journal = await Open(store))
        {
            await journal.Folded(Reserved(1), Extended(1, 600, 20, 90), Reserved(2), Reserved(3), Marked(3, 5, 50));
            await journal.Fold.StopAsync(CancellationToken.None);
        }

        await using (var killed = await Open(store))
        {
            killed.Append(Extended(2, 700, 30, 110));
            killed.Append(Extended(3, 800, 40, 120));
            killed.Append(Marked(3, 41, 125));
            killed.Append(Reserved(4));
            killed.Append(Extended(4, 900, 1, 2));
            killed.Append(Settled(4, cost: new Money(850)));
        }

        await using var next = await Open(store);
        Assert.Equal(
            [(1L, 600L, 20L, 90L), (2L, 700L, 30L, 110L), (3L, 800L, 41L, 125L)],
            (await next.Database.Read(JournalSql.Reservations))
                .Select(open => (open.RequestNo, open.HeldMicros, open.OutputMarked, open.CostMarked)));
        Assert.Equal(2_100, (await next.Database.Read(Remembrance.Held))[1].Micros);
        Assert.Equal(850, await next.Ask<long>("SELECT CAST(sum(micros) AS BIGINT) FROM debits"));
        // Booked as when it was admitted: a hold is money, and no limit counts that.
        Assert.Equal(4, await next.Ask<long>("SELECT CAST(sum(amount) AS BIGINT) FROM window_counts WHERE limit_name = 'hourly'"));
        await next.Folded(Settled(2, cost: new Money(650)), Extended(2, 9_999, 1, 1));
        Assert.Equal(1_400, (await next.Database.Read(Remembrance.Held))[1].Micros);
        Assert.Equal("1 3", await Numbers(next, "SELECT request_no FROM reservations ORDER BY request_no"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Cached_and_reasoning_tokens_stand_on_the_line_and_in_the_sums(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        await journal.Folded(
            Passed(1, input: 9, output: 9) with { CachedTokens = 3, ReasoningTokens = 4 }, Reserved(2),
            Settled(2) with { CachedTokens = 5, ReasoningTokens = 6 }, Passed(3, key: 2) with { CachedTokens = 7 });
        await journal.Folded(Passed(4) with { CachedTokens = 10, ReasoningTokens = 20 });

        Assert.Equal("3 5 7 10", await Numbers(journal, "SELECT cached_tokens FROM usage_log ORDER BY request_no"));
        Assert.Equal("4 6 0 20", await Numbers(journal, "SELECT reasoning_tokens FROM usage_log ORDER BY request_no"));
        foreach (var table in new[] { "usage_hours", "usage_days", "usage_key_days" })
        {
            Assert.Equal("18 7", await Numbers(journal, $"SELECT sum(cached_tokens) FROM {table} GROUP BY key_no ORDER BY key_no"));
            Assert.Equal("30 0", await Numbers(journal, $"SELECT sum(reasoning_tokens) FROM {table} GROUP BY key_no ORDER BY key_no"));
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_sums_without_keys_and_those_without_models_are_the_sums_of_the_days(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        await journal.Folded(
            Passed(1, input: 9, output: 8) with { CachedTokens = 3 }, Reserved(2), Settled(2) with { ReasoningTokens = 6 },
            Passed(3, key: 2, input: 5) with { Model = 1 }, Passed(4, key: 2, input: 7) with { Model = 2 });
        await journal.Folded(
            Passed(5, key: 3, output: 2) with { Model = 2 }, Passed(6, input: 1), Passed(7, key: 2) with { Model = 1 },
            Refused(8, key: 2));

        const string Sums =
            "sum(requests), sum(refused), sum(input_tokens), sum(output_tokens), sum(cost_micros), sum(loss_micros), sum(priced), "
            + "sum(estimated), sum(cached_tokens), sum(reasoning_tokens)";
        foreach (var (table, third) in new[] { ("usage_place_days", "model_no"), ("usage_key_days", "key_no") })
        {
            Assert.True(await journal.Ask<long>($"SELECT count(*) FROM {table}") > 1);
            foreach (var (one, other) in new[] { (table, "usage_days"), ("usage_days", table) })
            {
                Assert.Equal(0, await journal.Ask<long>(
                    $"""
                    SELECT count(*) FROM (
                        SELECT place_no, from_ms, {third}, {Sums} FROM {one} GROUP BY place_no, from_ms, {third}
                        EXCEPT SELECT place_no, from_ms, {third}, {Sums} FROM {other} GROUP BY place_no, from_ms, {third}) AS different
                    """));
            }
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_is_left_by_a_killed_process_is_in_the_database_before_anything_is_served(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using (var journal = await Open(store))
        {
            // Never started: as killed before its first fold.
            for (var request = 1; request <= Spool.CapacityMin; request++)
            {
                journal.Append(Passed(request, key: (uint)(request % 3) + 1, input: 1));
            }
        }

        await using var next = await Open(store);
        Assert.Equal(Spool.CapacityMin, await next.Ask<long>("SELECT count(*) FROM usage_log"));
        Assert.Equal(Spool.CapacityMin, await next.Ask<long>("SELECT CAST(sum(requests) AS BIGINT) FROM usage_days"));
        Assert.Equal((Spool.CapacityMin, Spool.CapacityMin), (next.Fold.Folded, next.Spool.Freed));
        Assert.Equal(Spool.CapacityMin + 1, next.Append(Passed(9_999)));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Events_behind_a_place_that_was_claimed_and_never_filled_are_taken_in_too(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using (var journal = await Open(store))
        {
            for (var request = 1; request <= 5; request++)
            {
                journal.Append(Passed(request));
            }
        }

        using (var file = new FileStream(SpoolFile.In(store.Options.DataDirectory), FileMode.Open))
        {
            file.Position = SpoolHeader.Bytes + (3 * UsageEvent.Bytes);
            file.Write(new byte[UsageEvent.Bytes]);
        }

        await using var next = await Open(store);
        Assert.Equal("1 2 4 5", await Numbers(next, "SELECT request_no FROM usage_log ORDER BY request_no"));
        await next.Folded(Passed(6));
        Assert.Equal("1 2 4 5 6", await Numbers(next, "SELECT request_no FROM usage_log ORDER BY request_no"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_commit_that_was_made_though_nobody_was_told_is_not_made_again(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        await journal.Folded(Passed(1), Passed(2));
        await journal.Fold.StopAsync(CancellationToken.None);

        // Another two were committed, and the process does not know.
        journal.Append(Passed(3));
        journal.Append(Passed(4));
        await store.Tamper("UPDATE journal SET folded = 4");
        await journal.Start();
        await journal.Fold.WaitAll();

        Assert.Equal("1 2", await Numbers(journal, "SELECT request_no FROM usage_log ORDER BY request_no"));
        Assert.Equal(4, journal.Spool.Freed);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_request_that_is_in_the_log_is_booked_no_second_time_whatever_asks_for_it(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        await journal.Folded(Passed(1, input: 5), Reserved(2), Settled(2, cost: new Money(100)));

        await journal.Folded(
            Passed(1, input: 5), Settled(2, cost: new Money(100)), Refused(1), Passed(3, input: 2), Passed(3, input: 2), Reserved(2));

        Assert.Equal("1 2 3", await Numbers(journal, "SELECT request_no FROM usage_log ORDER BY request_no"));
        Assert.Equal(0, await journal.Ask<long>("SELECT count(*) FROM refusals"));
        Assert.Equal(0, await journal.Ask<long>("SELECT count(*) FROM reservations"));
        Assert.Equal(3, await journal.Ask<long>("SELECT CAST(sum(requests) AS BIGINT) FROM usage_hours"));
        Assert.Equal(17, await journal.Ask<long>("SELECT CAST(sum(input_tokens) AS BIGINT) FROM usage_days"));
        Assert.Equal(100, await journal.Ask<long>("SELECT CAST(sum(micros) AS BIGINT) FROM debits"));
        Assert.Equal(3, await journal.Ask<long>("SELECT CAST(sum(amount) AS BIGINT) FROM window_counts WHERE limit_name = 'hourly'"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task While_the_database_is_out_who_waits_is_told_and_nothing_is_lost(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        journal.Fold.BookUsage = (_, _) => throw new TimeoutException("The database is out.");
        await journal.Start();
        var first = journal.Fold.WaitFolded(journal.Append(Settled(1, cost: new Money(5))));

        var fault = await Assert.ThrowsAsync<TimeoutException>(() => first);
        Assert.True(Database.IsOutage(fault));
        await Assert.ThrowsAsync<TimeoutException>(() => journal.Fold.WaitFolded(journal.Append(Settled(2, cost: new Money(6)))));
        Assert.True(journal.Fold.Failures > 0);
        Assert.Equal((2L, 0L), (journal.Fold.Waiting, await journal.Ask<long>("SELECT count(*) FROM usage_log")));

        journal.Fold.BookUsage = Debit;
        var last = journal.Append(Settled(3, cost: new Money(7)));
        while (journal.Fold.Folded < last)
        {
            await Task.Yield();
        }

        Assert.Equal("1 2 3", await Numbers(journal, "SELECT request_no FROM usage_log ORDER BY request_no"));
        Assert.Equal(18, await journal.Ask<long>("SELECT CAST(sum(micros) AS BIGINT) FROM debits"));
    }

    [Fact]
    public async Task A_full_spool_refuses_and_what_it_took_before_is_all_there()
    {
        await using var store = await Store(DatabaseKind.Sqlite);
        await using var journal = await Open(store);
        for (var request = 1; request <= Spool.CapacityMin; request++)
        {
            journal.Append(Passed(request));
        }

        Assert.False(journal.Spool.Buffer.TryAppend(Passed(5_000), out _));
        await journal.Start();
        await journal.Fold.WaitAll();
        Assert.Equal(Spool.CapacityMin, await journal.Ask<long>("SELECT count(*) FROM usage_log"));
        Assert.True(journal.Spool.Buffer.TryAppend(Passed(5_001), out _));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Many_threads_append_while_it_folds_and_every_event_is_there_once(DatabaseKind kind)
    {
        const int Threads = 4;
        const int Each = 3_000;
        await using var store = await Store(kind);
        await using var journal = await Open(store, 4_096);
        await journal.Start();
        var (spool, fold) = (journal.Spool, journal.Fold);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                long sequence;
                while (!spool.Buffer.TryAppend(Passed((thread * Each) + i + 1, key: (uint)thread + 1, input: 1), out sequence))
                {
                    await Task.Yield();
                }

                if (i % 500 == 0)
                {
                    await fold.WaitFolded(sequence);
                    Assert.True(fold.Folded >= sequence);
                }
            }
        })));
        await fold.WaitAll();

        Assert.Equal(Threads * Each, await journal.Ask<long>("SELECT count(*) FROM usage_log"));
        Assert.Equal(Threads * Each, await journal.Ask<long>("SELECT CAST(sum(requests) AS BIGINT) FROM usage_hours"));
        Assert.Equal(Threads * Each, await journal.Ask<long>("SELECT CAST(sum(input_tokens) AS BIGINT) FROM usage_days"));
        Assert.Equal(Threads * Each, await journal.Ask<long>(
            "SELECT CAST(sum(amount) AS BIGINT) FROM window_counts WHERE limit_name = 'hourly'"));
    }

    [Fact]
    public async Task A_stop_in_order_folds_everything_and_closes_the_spool()
    {
        await using var store = await Store(DatabaseKind.Sqlite);
        await using var journal = await Open(store);
        await journal.Start();
        journal.Append(Passed(1));
        await journal.Fold.StopAsync(CancellationToken.None);

        Assert.Equal(1, await journal.Ask<long>("SELECT count(*) FROM usage_log"));
        Assert.Equal(1, await journal.Ask<long>("SELECT count(*) FROM journal WHERE closed_at_ms IS NOT NULL"));
        await journal.DisposeAsync();
        var facts = SpoolFile.Read(SpoolFile.In(store.Options.DataDirectory));
        Assert.Equal((0, 1L, null), (facts.Left, facts.Freed, facts.Fault));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_spool_with_requests_of_another_database_is_refused_and_an_empty_one_is_taken(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using (var journal = await Open(store))
        {
            journal.Append(Passed(1));
        }

        await store.Tamper("DELETE FROM journal");
        var refused = await Assert.ThrowsAsync<StorageException>(() => Open(store));
        Assert.Contains("1 requests of another database", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, SpoolFile.Read(SpoolFile.In(store.Options.DataDirectory)).Left);

        File.Move(SpoolFile.In(store.Options.DataDirectory), SpoolFile.In(store.Options.DataDirectory) + ".aside");
        await using (var empty = await Open(store))
        {
            await empty.Folded(Passed(2));
        }

        await store.Tamper("DELETE FROM journal");
        await using var taken = await Open(store);
        Assert.Equal(taken.Spool.Buffer.Last, taken.Fold.Folded);
    }

    [Fact]
    public async Task A_database_that_ends_before_its_spool_is_refused()
    {
        await using var store = await Store(DatabaseKind.Sqlite);
        await using (var journal = await Open(store))
        {
            await journal.Folded(Passed(1), Passed(2));
        }

        await store.Tamper("UPDATE journal SET folded = 1");
        var refused = await Assert.ThrowsAsync<StorageException>(() => Open(store));
        Assert.Contains("ends before", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_spool_that_lost_pages_with_the_power_goes_on_under_another_name_and_loses_no_later_event()
    {
        await using var store = await Store(DatabaseKind.Sqlite);
        string before;
        await using (var journal = await Open(store))
        {
            before = journal.Spool.Id;
            await journal.Folded(Passed(1), Passed(2));
        }

        await store.Tamper("UPDATE journal SET folded = 9");
        await using var next = await Open(store);
        Assert.NotEqual(before, next.Spool.Id);
        await next.Folded(Passed(3));
        Assert.Equal("1 2 3", await Numbers(next, "SELECT request_no FROM usage_log ORDER BY request_no"));
    }

    private async Task<TestStore> Store(DatabaseKind kind)
    {
        var store = await TestStore.Open(kind, postgres);
        await Seed(store);
        return store;
    }

    private static Task<string> Numbers(TestJournal journal, string sql) => journal.Database.Read(async connection =>
        string.Join(' ', await Dapper.SqlMapper.QueryAsync<long>(connection, sql)));
}
