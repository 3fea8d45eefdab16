using System.Runtime.InteropServices;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using static Tollgate.Server.Tests.Journal.TestJournal;

namespace Tollgate.Server.Tests.Journal;

/// <summary>Who waits for a seal has his event in the database before it is booked; whatever happens then, it is booked once.</summary>
public sealed class SealTests(PostgresFixture postgres)
{
    private const int AsksMax = 100;
    private const string Numbers = "SELECT request_no FROM usage_log ORDER BY request_no";

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Who_waits_for_a_seal_is_told_before_anything_is_booked_and_the_next_fold_books_it(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Sealed(store, Paid(1), Paid(2));

        var left = (await journal.Database.Read(SealSql.First))!;
        Assert.Equal((journal.Spool.Id, 1L, 2L), (left.Spool, left.First, left.Last));
        Assert.Equal([1L, 2L], Seals.EventsOf(left).ToArray().Select(happened => happened.RequestNo));
        Assert.Equal((0L, 0L, 1L), (journal.Fold.Folded, await store.Count("usage_log"), journal.Fold.Sealings));
        Assert.Equal((0L, 0L), (await store.Count("debits"), await store.Count("usage_days")));

        journal.Fold.BookUsage = Debit;
        await Folded(journal, 2);
        Assert.Equal("1 2", await Said(store, Numbers));
        await BookedOnce(store, requests: 2, journal.Spool.Id, folded: 2);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task With_the_spool_lost_after_a_seal_the_next_start_books_all_of_it_once(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        string lost;
        await using (var journal = await Sealed(store, Paid(1), Paid(2)))
        {
            lost = journal.Spool.Id;
        }

        File.Delete(SpoolFile.In(store.Options.DataDirectory));
        await using (var next = await Open(store))
        {
            Assert.NotEqual(lost, next.Spool.Id);
            Assert.Equal("1 2", await Said(store, Numbers));
            await BookedOnce(store, requests: 2, lost, folded: 2);
        }

        await using var again = await Open(store);
        await again.Folded(Paid(3));
        await BookedOnce(store, requests: 3, again.Spool.Id, folded: 1);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task With_the_spool_kept_each_event_is_booked_once_those_behind_the_seal_too(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using (var journal = await Sealed(store, Paid(1), Reserved(2), Paid(3)))
        {
            journal.Append(Settled(2, cost: new Money(5)));
            journal.Append(Paid(4));
        }

        await using var next = await Open(store);
        Assert.Equal("1 2 3 4", await Said(store, Numbers));
        Assert.Equal((0L, 5L), (await store.Count("reservations"), next.Spool.Freed));
        await BookedOnce(store, requests: 4, next.Spool.Id, folded: 5);
        Assert.Equal(4, await next.Ask<long>("SELECT CAST(sum(amount) AS BIGINT) FROM window_counts WHERE limit_name = 'hourly'"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_seal_that_was_committed_though_nobody_was_told_gives_way_to_the_next_attempt(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        foreach (var request in Enumerable.Range(1, 3))
        {
            journal.Append(Paid(request));
        }

        await Put(store, journal.Spool.Id, 1, [Paid(1), Paid(2)]);
        await Seal(journal, 3);
        Assert.Equal("1", await Said(store, "SELECT first FROM journal_seals"));
        Assert.Equal("3", await Said(store, "SELECT last FROM journal_seals"));

        journal.Fold.BookUsage = Debit;
        await Folded(journal, 3);
        Assert.Equal("1 2 3", await Said(store, Numbers));
        await BookedOnce(store, requests: 3, journal.Spool.Id, folded: 3);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_attempt_of_which_nobody_knows_how_it_ended_is_removed_by_the_fold_that_books_its_events(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        var seals = new Seals(store.Database, journal.Spool);
        await seals.Add(Numbered(1, Paid(1), Paid(2)));
        await store.Tamper("ALTER TABLE journal_seals RENAME TO out_of_reach");
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => seals.Add(Numbered(3, Paid(3), Paid(4))));
        await store.Tamper("ALTER TABLE out_of_reach RENAME TO journal_seals");
        await Put(store, journal.Spool.Id, 3, [Paid(3), Paid(4)]);

        // The first seal is folded without the second attempt, whose row is there all the same.
        await Remove(seals, store, 2);
        Assert.Equal("3", await Said(store, "SELECT first FROM journal_seals"));
        await Remove(seals, store, 5);
        Assert.Equal(0, await store.Count("journal_seals"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Seals_of_another_spool_are_booked_at_a_start_and_its_place_is_raised(DatabaseKind kind)
    {
        const string Other = "0123456789abcdef0123456789abcdef";
        await using var store = await Store(kind);
        await store.Tamper($"INSERT INTO journal (spool, folded, opened_at_ms) VALUES ('{Other}', 4, 1)");
        await Put(store, Other, 5, [Paid(1), Paid(2)]);
        await Put(store, Other, 7, [Paid(3)]);

        await using var journal = await Open(store);
        Assert.Equal("1 2 3", await Said(store, Numbers));
        await BookedOnce(store, requests: 3, Other, folded: 7);
        await journal.Folded(Paid(4));
        await BookedOnce(store, requests: 4, journal.Spool.Id, folded: 1);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_seal_of_another_format_is_refused_with_what_to_do_and_stays(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await Put(store, "0123456789abcdef0123456789abcdef", 1, [Paid(1)], SpoolHeader.FormatVersion + 1);

        var refused = await Assert.ThrowsAsync<StorageException>(() => Open(store));
        Assert.Contains(
            $"in format {SpoolHeader.FormatVersion + 1}; this version reads {SpoolHeader.FormatVersion}. Start the version that wrote them",
            refused.Message, StringComparison.Ordinal);
        Assert.Equal((1L, 0L), (await store.Count("journal_seals"), await store.Count("usage_log")));

        await store.Tamper($"UPDATE journal_seals SET format = {SpoolHeader.FormatVersion}");
        await using var journal = await Open(store);
        Assert.Equal("1", await Said(store, Numbers));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task While_the_database_is_out_nobody_who_waits_for_a_seal_fails_and_nothing_is_lost(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        journal.Fold.BookUsage = (_, _) => throw new TimeoutException("The database is out.");
        var never = journal.Append(Paid(1)) + 1_000;
        var (sealing, folding) = (journal.Fold.WaitSealed(never, underWay: 1), journal.Fold.WaitFolded(1));
        await journal.Start();

        await sealing;
        Assert.True(Database.IsOutage(await Assert.ThrowsAsync<TimeoutException>(() => folding)));
        Assert.Equal((1L, 0L), (journal.Fold.Waiting, await store.Count("usage_log")));
        journal.Append(Paid(2));

        journal.Fold.BookUsage = Debit;
        await Folded(journal, 2);
        Assert.Equal("1 2", await Said(store, Numbers));
        await BookedOnce(store, requests: 2, journal.Spool.Id, folded: 2);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_fold_never_ends_inside_a_seal_and_a_crash_between_two_folds_loses_and_doubles_nothing(DatabaseKind kind)
    {
        const int Each = 1_500;
        const int Count = 3;
        const int Behind = Fold.EventsSealedMax;
        await using var store = await Store(kind);
        string spool;
        await using (var journal = await Open(store, 16_384))
        {
            spool = journal.Spool.Id;
            for (var seal = 0; seal < Count; seal++)
            {
                Append(journal, Each);
                await Seal(journal, (seal + 1) * Each);
            }

            Append(journal, Behind);
            Assert.Equal($"{Each} {2 * Each} {3 * Each}", await Said(store, "SELECT last FROM journal_seals ORDER BY last"));

            await FoldOnceWhileSomebodyWaits(journal);
            Assert.Equal(
                (2 * Each, $"{(2 * Each) + 1}"), (journal.Fold.Folded, await Said(store, "SELECT min(first) FROM journal_seals")));
        }

        Assert.Equal(2 * Each, await store.Count("usage_log"));
        Assert.Equal($"{2 * Each}", await Said(store, "SELECT CAST(sum(requests) AS BIGINT) FROM debits"));
        await using var next = await Open(store, 16_384);
        const int All = (Count * Each) + Behind;
        await BookedOnce(store, All, spool, All);
        Assert.Equal(All, await store.Count("usage_log"));
    }

    /// <summary>Each costs a micro.</summary>
    private static UsageEvent Paid(long request) => Passed(request) with { Flags = UsageFlags.Priced, CostMicros = 1 };

    /// <summary>
    /// While somebody waits for a seal no fold takes more than a seal may: two whole ones of three. An attempt that began before has read
    /// more, and fails.
    /// </summary>
    private static async Task FoldOnceWhileSomebodyWaits(TestJournal journal)
    {
        var folds = 0;
        journal.Fold.BookUsage = (scope, debits) => debits.Sum(debit => debit.Requests) <= Fold.EventsSealedMax && ++folds == 1
            ? Debit(scope, debits)
            : throw new TimeoutException("It began too early, or is about to be killed.");
        while (journal.Fold.Folded == 0)
        {
            _ = journal.Fold.WaitSealed(1_000_000, underWay: int.MaxValue);
            try
            {
                await journal.Fold.WaitFolded(1);
            }
            catch (TimeoutException)
            {
                // Who waits is told; another one waits now.
            }
        }
    }

    private static void Append(TestJournal journal, int count)
    {
        for (var i = 0; i < count; i++)
        {
            journal.Append(Paid(journal.Spool.Buffer.Last + 1));
        }
    }

    private static ReadOnlyMemory<UsageEvent> Numbered(long first, params UsageEvent[] events) =>
        events.Select((happened, i) => happened with { Sequence = first + i }).ToArray();

    /// <summary>A row of seals made by hand.</summary>
    private static async Task Put(
        TestStore store, string spool, long first, UsageEvent[] events, long format = SpoolHeader.FormatVersion)
    {
        var numbered = Numbered(first, events);
        var done = await store.Database.Write<bool>(async scope =>
        {
            var rows = new RowsBatch(scope);
            SealSql.Put(rows, new SealRow
            {
                Spool = spool, First = first, Last = first + events.Length - 1, Format = format,
                Events = MemoryMarshal.AsBytes(numbered.Span).ToArray(),
            });
            return await rows.Run();
        });
        Assert.True(done.IsOk && done.Value);
    }

    private static async Task Remove(Seals seals, TestStore store, long to)
    {
        var done = await store.Database.Write<bool>(async scope =>
        {
            var rows = new RowsBatch(scope);
            seals.Remove(rows, to);
            return await rows.Run();
        });
        Assert.True(done.IsOk && done.Value);
        seals.Removed(to);
    }

    /// <summary>A journal that has sealed these events, and books none for now.</summary>
    private static async Task<TestJournal> Sealed(TestStore store, params UsageEvent[] events)
    {
        var journal = await Open(store);
        foreach (var happened in events)
        {
            journal.Append(happened);
        }

        await Seal(journal, events.Length);
        return journal;
    }

    /// <summary>
    /// Seals up to here, and books nothing: a fold in between fails, which tells those too who wait for a seal; so it is asked for until it
    /// is there.
    /// </summary>
    private static async Task Seal(TestJournal journal, long sequence)
    {
        journal.Fold.BookUsage = (_, _) => throw new TimeoutException("Not yet.");
        for (var asked = 0; await journal.Ask<long?>("SELECT max(last) FROM journal_seals") != sequence; asked++)
        {
            Assert.True(asked < AsksMax, "Who waited for a seal was told, and there is none.");
            var told = journal.Fold.WaitSealed(sequence, underWay: 1);
            await AtOnce(journal);
            await told;
        }
    }

    private static Task AtOnce(TestJournal journal) => journal.Fold.ExecuteTask is null ? journal.Start() : Task.CompletedTask;

    /// <summary>Asks until it is folded: an attempt under way may fail yet, as those before.</summary>
    private static async Task Folded(TestJournal journal, long sequence)
    {
        while (journal.Fold.Folded < sequence)
        {
            try
            {
                await journal.Fold.WaitFolded(sequence);
            }
            catch (TimeoutException)
            {
                // As the test had it.
            }
        }
    }

    private static async Task BookedOnce(TestStore store, long requests, string spool, long folded)
    {
        Assert.Equal((requests, 0), (await store.Count("usage_log"), await store.Count("journal_seals")));
        Assert.Equal($"{requests}", await Said(store, "SELECT CAST(sum(requests) AS BIGINT) FROM debits"));
        Assert.Equal($"{requests}", await Said(store, "SELECT CAST(sum(requests) AS BIGINT) FROM usage_days"));
        Assert.Equal(
            await Said(store, "SELECT CAST(sum(micros) AS BIGINT) FROM debits"),
            await Said(store, "SELECT CAST(sum(cost_micros) AS BIGINT) FROM usage_log"));
        Assert.Equal($"{folded}", await Said(store, $"SELECT folded FROM journal WHERE spool = '{spool}'"));
    }

    private async Task<TestStore> Store(DatabaseKind kind)
    {
        var store = await TestStore.Open(kind, postgres);
        await Seed(store);
        return store;
    }

    private static Task<string> Said(TestStore store, string sql) => store.Database.Read(async connection =>
        string.Join(' ', await Dapper.SqlMapper.QueryAsync<long>(connection, sql)));
}
