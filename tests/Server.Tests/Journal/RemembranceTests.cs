using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Journal;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Usage;
using static Tollgate.Server.Tests.Journal.TestJournal;

namespace Tollgate.Server.Tests.Journal;

/// <summary>What the Engine knew comes back after a restart, and what nobody settled is settled from what it last told.</summary>
public sealed class RemembranceTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Open_requests_and_lasting_windows_are_in_the_engine_again_and_short_ones_begin_anew(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        var nowMs = store.Clock.NowMs;
        await journal.Folded(
            At(nowMs, Reserved(1)), At(nowMs, Marked(1, 20, 90)), At(nowMs, Reserved(2)), At(nowMs, Passed(3, input: 5, output: 6)),
            At(nowMs - (2 * HourMs), Passed(4, input: 100)), At(nowMs, Passed(5, key: 2)));

        var memory = new Memory(store);
        Assert.Equal(2, await memory.Remembrance.RestoreReservations());

        Assert.True(memory.Admission.Reservations.TryGet(1, out var marked));
        Assert.Equal((20u, new Money(90), true, new Money(500)), (
            marked.MarkedOutputTokens, marked.MarkedCost, marked.IsMarked, marked.Held));
        Assert.Equal([false, true, true], Enumerable.Range(0, 3).Select(limit => memory.Admission.Limits.Has(1, limit)));
        Assert.False(memory.Admission.Limits.Has(2, 1));
        await memory.Remembrance.RestoreWindows(2);
        Assert.True(memory.Admission.Limits.Has(2, 1));
        await memory.Remembrance.RestoreWindows(3);
        Assert.False(memory.Admission.Limits.Has(3, 1));
        // A second time nothing changes: what memory counts is newer.
        await memory.Remembrance.RestoreWindows(1);
        var settled = memory.Settle(1, 10, 20, 77);
        Assert.Equal(SettleResult.Done, settled);
        Assert.Equal(SettleResult.NotOpen, memory.Settle(1, 10, 20, 77));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_nobody_settles_is_settled_from_its_last_mark_or_its_input_and_never_for_nothing(DatabaseKind kind)
    {
        await using var store = await Store(kind);
        await using var journal = await Open(store);
        var models = new ModelNames(store.Database);
        await models.Load(["priced"]);
        models.TryFind("priced", out var model);
        var nowMs = store.Clock.NowMs;
        await journal.Folded(
            At(nowMs, Reserved(1)) with { Model = model, PriceVersion = 3 }, At(nowMs, Marked(1, 20, 90)) with { Model = model },
            At(nowMs, Reserved(2)) with { Model = model, PriceVersion = 3 }, At(nowMs, Reserved(3, held: 0)),
            At(nowMs, Reserved(4)) with { PriceVersion = 9 }, At(nowMs, Reserved(5, held: 30)) with { Model = model, PriceVersion = 3 },
            At(nowMs, Extended(5, 60, 40, 55)));
        var memory = new Memory(store, journal.Spool.Buffer);
        await memory.Remembrance.RestoreReservations();
        var sweep = new ReservationSweep(memory.Admission, models, memory.Clock, store.Clock, NullLogger<ReservationSweep>.Instance)
        {
            PriceAt = (version, name) => new((version, name) == (3, "priced") ? new ModelPrice(2_000_000, 1_000_000) : null),
        };

        store.Clock.Advance(TimeSpan.FromMilliseconds(ReservationTable.RestMsDefault - 1));
        Assert.Equal(0, await sweep.Run());
        store.Clock.Advance(TimeSpan.FromMilliseconds(501));
        Assert.Equal(5, await sweep.Run());
        await journal.Fold.WaitAll();

        // By the mark; by the input of ten tokens; without a price; with one that is not found, all that was held; by an extension.
        const string Costs = "SELECT request_no, cost_micros FROM usage_log ORDER BY request_no";
        Assert.Equal("1 90, 2 20, 3 , 4 500, 5 55", await journal.Database.Read(async connection => string.Join(", ",
            (await Dapper.SqlMapper.QueryAsync<(long, long?)>(connection, Costs)).Select(row => $"{row.Item1} {row.Item2}"))));
        Assert.Equal(5, await journal.Ask<long>("SELECT count(*) FROM usage_log WHERE flags IN (3, 7)"));
        Assert.Equal(0, await journal.Ask<long>("SELECT count(*) FROM reservations"));
        Assert.Equal(665, await journal.Ask<long>("SELECT CAST(sum(micros) AS BIGINT) FROM debits"));
        Assert.Equal(5, sweep.Settled);
    }

    private async Task<TestStore> Store(DatabaseKind kind)
    {
        var store = await TestStore.Open(kind, postgres);
        await Seed(store);
        return store;
    }

    private static UsageEvent At(long ms, UsageEvent happened)
    {
        (happened.AtMs, happened.AdmittedAtMs, happened.ClockMs) = (ms, ms, ms);
        return happened;
    }

    /// <summary>An Engine that knows nothing yet.</summary>
    private sealed class Memory
    {
        public Memory(TestStore store, UsageBuffer? usage = null)
        {
            var plan = new LimitPlan("p", [100, 1_000, 1_000_000]);
            Admission = new Admission(new LimitTable(new LimitCatalogue(Limits, [plan])), usage);
            Clock = new WindowClock(store.Clock);
            Remembrance = new Remembrance(
                store.Database, new LastingLimits(Limits), Admission, new BalanceTable(), Clock,
                ProviderFiles.Shipped.Load("default").Model! with { Wallet = null });
        }

        public Admission Admission { get; }

        public WindowClock Clock { get; }

        public Remembrance Remembrance { get; }

        public SettleResult Settle(long request, uint input, uint output, long cost) => Admission.Settle(
            request,
            new Settlement
            {
                InputTokens = input, OutputTokens = output, Cost = new Money(cost), AtMs = Clock.NowMs, ClockMs = Clock.NowMs,
            },
            out _);
    }
}
