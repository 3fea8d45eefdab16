using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Verification;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Limits;

public sealed class LimitTableTests
{
    private const long DayMs = 86_400_000;
    private static readonly Limit Rpm = MeteredGate.Limit("rpm", LimitCounts.Requests, 60);
    private static readonly Limit Rpd = MeteredGate.Limit("rpd", LimitCounts.Requests, 86_400);
    private static readonly Limit Parallel = MeteredGate.Limit("parallel", LimitCounts.ConcurrentRequests, 0);

    [Fact]
    public void What_no_longer_counts_is_freed_and_its_memory_given_back()
    {
        LimitTable table = TableOf(200_000, Rpm);
        for (uint key = 1; key <= 50_000; key++)
        {
            Fill(table, key, clockMs: 1_000);
        }

        int room = table.Room;
        Assert.Equal(0, SweepAll(table, 61_999));
        Assert.Equal(50_000, SweepAll(table, 62_000));
        Assert.Equal(0, table.Count);
        Assert.InRange(table.Room, 0, room / 4);
        Assert.False(table.Has(7, 0));
        Fill(table, 7, clockMs: 63_000);
        Assert.True(table.Has(7, 0));
    }

    [Fact]
    public void What_a_key_has_taken_is_told_without_being_taken_and_leaves_with_its_window()
    {
        LimitTable table = TableOf(LimitTable.LimitsMaxLeast, Rpm);
        Assert.Equal(0, table.TakenOf(7, 0, 1_000));

        table.TryRestore(7, 0, [new SlotCount(1_000, 1), new SlotCount(30_000, 1)], 30_000);

        Assert.Equal(2, table.TakenOf(7, 0, 30_000));
        Assert.Equal(2, table.TakenOf(7, 0, 30_000));
        Assert.Equal(0, table.TakenOf(8, 0, 30_000));
        Assert.Equal(1, table.TakenOf(7, 0, 62_000));
        Assert.Equal(0, table.TakenOf(7, 0, 92_000));
    }

    [Fact]
    public void Packing_loses_nothing_of_what_still_counts()
    {
        LimitTable table = TableOf(200_000, Rpm, Rpd);
        for (uint key = 1; key <= 20_000; key++)
        {
            table.TryRestore(key, 0, [new SlotCount(0, key)], 0);
            if (key % 50 == 0)
            {
                table.TryRestore(key, 1, [new SlotCount(0, 1_000 + key)], 0);
            }
        }

        int room = table.Room;
        Assert.Equal(20_000, SweepAll(table, 100_000));
        Assert.InRange(table.Room, 400, room / 2);
        for (uint key = 50; key <= 20_000; key += 50)
        {
            Assert.Equal(1_000 + key, SumOf(table, key, 1, 100_000));
            Assert.False(table.Has(key, 0));
        }
    }

    [Fact]
    public void A_full_stripe_refuses_the_next_key_until_one_of_its_own_rests()
    {
        LimitTable table = TableOf(LimitTable.LimitsMaxLeast, Rpm);
        uint[] keys = [.. Enumerable.Range(1, 100_000).Select(key => (uint)key)
            .Where(key => table.PlaceOf(key, 0).Stripe == table.PlaceOf(1, 0).Stripe).Take(9)];
        foreach (uint key in keys[..8])
        {
            Assert.True(Fill(table, key, clockMs: 1_000));
        }

        Assert.False(Fill(table, keys[8], clockMs: 61_999));
        Assert.Equal(8, table.Count);
        Assert.True(Fill(table, keys[8], clockMs: 62_000));
    }

    [Fact]
    public void A_request_that_finds_no_room_is_busy_and_takes_nothing()
    {
        using var gate = new MeteredGate([Rpm, Rpd], [5, 5], new Money(100));
        LimitPlace place = gate.Admission.Limits.PlaceOf(MeteredGate.KeyNo, 0);
        for (uint key = 100; gate.Admission.Limits.Count < 10_000_000; key++)
        {
            if (gate.Admission.Limits.PlaceOf(key, 0).Stripe == place.Stripe
                && !gate.Admission.Limits.TryRestore(key, 1, [new SlotCount(0, 1)], 0))
            {
                break;
            }
        }

        Verdict busy = gate.Reserve(hold: new Money(60));
        Assert.Equal((VerdictCode.Busy, 2, 5L), (busy.Code, busy.Limits.Count, busy.Limits[0].Remaining));
        Assert.Equal((new Money(100), 0), (gate.Balance!.Available, gate.Admission.Reservations.Count));
        Assert.Equal(UsageKind.Refused, Assert.Single(gate.Events).Kind);
    }

    [Fact]
    public void What_a_key_took_before_a_restart_counts_on_and_leaves_with_its_slots()
    {
        using var gate = new MeteredGate([Rpm, Rpd], [5, 10]);
        long now = 40 * DayMs;
        long slot = Rpd.SlotMs;
        Assert.True(gate.Admission.Limits.TryRestore(
            MeteredGate.KeyNo, 1, [new SlotCount(now - (30 * slot), 4), new SlotCount(now, 3), new SlotCount(now - (31 * slot), 9)], now));

        Verdict passed = gate.Take(clockMs: now);
        Assert.Equal((1, 2L), (passed.Limits[1].Limit, passed.Limits[1].Remaining));
        Assert.Equal(6, gate.Take(clockMs: now + slot, taking: Taking.Look).Limits[1].Remaining);
        Assert.False(gate.Admission.Limits.TryRestore(MeteredGate.KeyNo, 1, [new SlotCount(now, 5)], now));
        Assert.Equal(6, gate.Take(clockMs: now + slot, taking: Taking.Look).Limits[1].Remaining);
    }

    [Fact]
    public void Restored_slots_that_lie_ahead_of_the_clock_count_as_now()
    {
        LimitTable table = TableOf(4_096, Rpd);
        Assert.True(table.TryRestore(1, 0, [new SlotCount(5 * DayMs, 7)], 4 * DayMs));
        Assert.Equal(7, SumOf(table, 1, 0, 4 * DayMs));
    }

    [Fact]
    public void A_restored_reservation_settles_in_its_slot_and_counts_as_under_way()
    {
        Limit tpd = MeteredGate.Limit("tpd", LimitCounts.Tokens, 86_400);
        using var gate = new MeteredGate([tpd, Parallel, Rpm], [1_000, 1, 5], new Money(90));
        long now = 40 * DayMs;
        Assert.True(gate.Admission.Limits.TryRestore(MeteredGate.KeyNo, 0, [new SlotCount(now - tpd.SlotMs, 300)], now));
        var open = new Reservation
        {
            RequestNo = 77,
            KeyNo = MeteredGate.KeyNo,
            OrganizationNo = 3,
            AdmittedAtMs = MeteredGate.NowMs - 5_000,
            TouchedMs = MeteredGate.NowMs - 5_000,
            ClockMs = now - tpd.SlotMs,
            InputTokens = 100,
            OutputTokens = 100,
            Limits = 0b111,
            LastingLimits = 0b001,
        };
        Assert.True(gate.Admission.TryRestore(in open, now));
        Assert.False(gate.Admission.TryRestore(in open, now));
        Assert.Equal((VerdictCode.RateLimited, 1), (gate.Reserve(clockMs: now).Code, gate.Reserve(clockMs: now).RefusingLimit));

        Assert.Equal(SettleResult.Done, gate.Settle(77, input: 100, output: 20, clockMs: now));
        Verdict passed = gate.Reserve(clockMs: now);
        Assert.Equal((VerdictCode.Allowed, 780L, 4L), (passed.Code, passed.Limits[0].Remaining, passed.Limits[2].Remaining));
    }

    [Fact]
    public void Tokens_that_come_after_a_key_has_rested_are_counted_where_they_belong()
    {
        Limit tpm = MeteredGate.Limit("tpm", LimitCounts.Tokens, 60);
        using var gate = new MeteredGate([tpm], [100]);
        gate.Reserve(clockMs: 1_000);
        SweepAll(gate.Admission.Limits, 2_000);
        Assert.Equal(0, gate.Admission.Limits.Count);

        gate.Settle(1, input: 70, clockMs: 30_000);
        Assert.Equal(30, gate.Reserve(clockMs: 30_000, taking: Taking.Look).Limits[0].Remaining);
        Assert.Equal(100, gate.Reserve(clockMs: 62_000, taking: Taking.Look).Limits[0].Remaining);
    }

    [Fact]
    public void A_plan_number_beyond_the_file_is_the_first_plan()
    {
        var catalogue = new LimitCatalogue([Rpm], [new LimitPlan("a", [4]), new LimitPlan("b", [9])]);
        Assert.Equal([4, 9, 4], [catalogue.Of(0)[0].Amount, catalogue.Of(1)[0].Amount, catalogue.Of(2)[0].Amount]);
        Assert.True(LimitCatalogue.Empty.Of(0).IsEmpty);
    }

    [Theory]
    [InlineData(-2, 60_000)]
    [InlineData(Limit.AmountMax + 1, 60_000)]
    [InlineData(5, 0)]
    [InlineData(5, Limit.WindowMsMax + 1)]
    public void Amounts_and_windows_beyond_their_bounds_are_refused_at_start(long amount, long windowMs)
    {
        Limit limit = Rpm with { WindowMs = windowMs };
        Assert.Throws<ArgumentOutOfRangeException>(() => new LimitCatalogue([limit], [new LimitPlan("a", [amount])]));
    }

    [Fact]
    public void The_largest_amounts_and_windows_are_told_whole()
    {
        Limit month = Rpm with { Counts = LimitCounts.Tokens, WindowMs = Limit.WindowMsMax };
        using var gate = new MeteredGate([month], [Limit.AmountMax]);
        gate.Reserve(clockMs: 1, input: int.MaxValue / 3, output: int.MaxValue);
        Verdict refused = gate.Reserve(clockMs: 1, input: 1);
        Assert.Equal(new LimitState(0, Limit.AmountMax, 0, (31 * month.SlotMs) - 1, (31 * month.SlotMs) - 1), refused.Limits[0]);
        gate.Settle(1, input: uint.MaxValue, output: uint.MaxValue, clockMs: 2);
        Assert.Equal(VerdictCode.RateLimited, gate.Reserve(clockMs: 30 * month.SlotMs, input: 1).Code);
        Assert.Equal(VerdictCode.Allowed, gate.Reserve(clockMs: 31 * month.SlotMs, input: 1).Code);
    }

    [Fact]
    public void More_limits_than_a_verdict_tells_of_let_nothing_pass()
    {
        Limit writes = Rpm with { Actions = 0b10 };
        Limit[] limits = [writes, .. Enumerable.Repeat(Rpm, LimitStates.Max)];
        using var gate = new MeteredGate(limits, [.. limits.Select(_ => 9L)]);
        Assert.Equal((VerdictCode.Allowed, LimitStates.Max), (gate.Take().Code, gate.Take().Limits.Count));
        Assert.Equal(VerdictCode.Busy, gate.Take(requirement: new Requirement(0, 0b10)).Code);
    }

    [Fact]
    public void A_keys_windows_are_found_whatever_order_they_were_opened_in()
    {
        var random = new Random(7);
        LimitTable table = TableOf(LimitTable.LimitsMaxLeast * 4, [.. Enumerable.Repeat(Rpd, LimitCatalogue.LimitsMax)]);
        var known = new Dictionary<(uint, int), long>();
        for (int i = 0; i < 4_000; i++)
        {
            (uint key, int limit) = ((uint)random.Next(1, 200), random.Next(LimitCatalogue.LimitsMax));
            bool isNew = table.TryRestore(key, limit, [new SlotCount(0, i + 1)], 0);
            Assert.False(isNew && known.ContainsKey((key, limit)));
            if (isNew)
            {
                known.Add((key, limit), i + 1);
            }
        }

        Assert.Equal(known.Count, table.Count);
        Assert.All(known, item => Assert.Equal(item.Value, SumOf(table, item.Key.Item1, item.Key.Item2, 0)));
    }

    private static LimitTable TableOf(int limitsMax, params Limit[] limits) =>
        new(new LimitCatalogue(limits, [new LimitPlan("free", [.. limits.Select(_ => 1_000L)])]), limitsMax);

    private static bool Fill(LimitTable table, uint key, long clockMs)
    {
        bool filled = true;
        for (int limit = 0; limit < table.Catalogue.Limits.Count; limit++)
        {
            filled &= table.TryRestore(key, limit, [new SlotCount(clockMs, 1)], clockMs);
        }

        return filled;
    }

    private static int SweepAll(LimitTable table, long clockMs) => Enumerable.Range(0, 16).Sum(_ => table.Sweep(clockMs));

    private static long SumOf(LimitTable table, uint key, int limit, long clockMs)
    {
        LimitPlace place = table.PlaceOf(key, clockMs);
        int link = place.Stripe.FirstLocked(place.Bucket);
        int window = place.Stripe.FindLocked(ref link, RollingWindow.OwnerOf(key, (byte)limit));
        return place.Stripe.ReachLocked(window, clockMs, table.Catalogue.Limits[limit].SlotMs).Sum;
    }
}
