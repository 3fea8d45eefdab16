using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Tests.Keys;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Verification;

public sealed class AdmissionTests
{
    private static readonly Limit Rpm = MeteredGate.Limit("rpm", LimitCounts.Requests, 60);
    private static readonly Limit Rpd = MeteredGate.Limit("rpd", LimitCounts.Requests, 86_400);
    private static readonly Limit Tpm = MeteredGate.Limit("tpm", LimitCounts.Tokens, 60);
    private static readonly Limit Parallel = MeteredGate.Limit("parallel", LimitCounts.ConcurrentRequests, 0);

    [Fact]
    public void A_window_lets_its_amount_pass_and_refuses_one_more_until_the_moment_it_tells()
    {
        using var gate = new MeteredGate([Rpm], [3]);
        for (int i = 0; i < 3; i++)
        {
            Verdict passed = gate.Take(clockMs: 2_000);
            Assert.Equal(VerdictCode.Allowed, passed.Code);
            Assert.Equal(new LimitState(0, 3, 2 - i, 62_000, 0), passed.Limits[0]);
        }

        Verdict refused = gate.Take(clockMs: 3_500);
        Assert.Equal((VerdictCode.RateLimited, 0, 60_500L), (refused.Code, refused.RefusingLimit, refused.RetryAfterMs));
        Assert.Equal(59, refused.RetryAfterSeconds);
        Assert.Equal(new LimitState(0, 3, 0, 60_500, 60_500), refused.Limits[0]);
        Assert.Equal(VerdictCode.RateLimited, gate.Take(clockMs: 63_999).Code);
        Assert.Equal(VerdictCode.Allowed, gate.Take(clockMs: 64_000).Code);
    }

    [Fact]
    public void Of_several_limits_that_refuse_the_one_that_frees_last_is_told_and_nothing_is_taken_from_any()
    {
        using var gate = new MeteredGate([Rpm, Rpd], [2, 2], new Money(1_000));
        gate.Take();
        gate.Take();
        long noted = gate.Usage.Last;

        Verdict refused = gate.Take();

        Assert.Equal((VerdictCode.RateLimited, 1), (refused.Code, refused.RefusingLimit));
        Assert.Equal(31 * Rpd.SlotMs, refused.RetryAfterMs);
        Assert.Equal(31 * 2_880, refused.RetryAfterSeconds);
        Assert.Equal([62_000, 31 * Rpd.SlotMs], [refused.Limits[0].RetryMs, refused.Limits[1].RetryMs]);
        UsageEvent note = Assert.Single(gate.Events, happened => happened.Sequence > noted);
        Assert.Equal((UsageKind.Refused, (byte)2, 2L, 0L), (note.Kind, note.Limit, note.LimitAmount, note.LimitRemaining));
        Assert.Equal(MeteredGate.NowMs + refused.RetryAfterMs, note.RetryAtMs);
        Assert.Equal(VerdictCode.RateLimited.NumberOf(), note.Code);
        Assert.Equal((MeteredGate.KeyNo, (uint)MeteredGate.OrganizationNo), (note.KeyNo, note.OrganizationNo));
    }

    [Fact]
    public void A_refusal_by_one_takes_nothing_from_the_others()
    {
        using var gate = new MeteredGate([Rpm, Tpm], [5, 100], new Money(50));
        Assert.Equal(VerdictCode.Allowed, gate.Reserve(input: 60, hold: new Money(10)).Code);

        Assert.Equal(VerdictCode.RateLimited, gate.Reserve(input: 60, hold: new Money(10)).Code);
        Assert.Equal(VerdictCode.WalletEmpty, gate.Reserve(input: 10, hold: new Money(60)).Code);
        Assert.Equal(VerdictCode.InFlightHolds, gate.Reserve(input: 10, hold: new Money(45)).Code);

        Verdict look = gate.Reserve(taking: Taking.Look);
        Assert.Equal([4, 40], [look.Limits[0].Remaining, look.Limits[1].Remaining]);
        Assert.Equal((new Money(40), new Money(10)), (gate.Balance!.Available, gate.Balance.Held));
        Assert.Equal(1, gate.Admission.Reservations.Count);
        Assert.Equal([UsageKind.Reserved, UsageKind.Refused, UsageKind.Refused, UsageKind.Refused], gate.Events.Select(e => e.Kind));
    }

    [Fact]
    public void Looking_takes_nothing_opens_nothing_and_notes_nothing()
    {
        using var gate = new MeteredGate([Rpm, Parallel], [1, 1], new Money(10));

        Verdict look = gate.Reserve(hold: new Money(10), taking: Taking.Look);

        Assert.Equal((VerdictCode.Allowed, 2, 1L), (look.Code, look.Limits.Count, look.Limits[0].Remaining));
        Assert.Equal(VerdictCode.WalletEmpty, gate.Reserve(hold: new Money(11), taking: Taking.Look).Code);
        Assert.Equal((0, 0, 0L), (gate.Admission.Limits.Count, gate.Admission.Reservations.Count, gate.Usage.Last));
        Assert.Equal(new Money(10), gate.Balance!.Available);
        Assert.Equal(VerdictCode.Allowed, gate.Reserve(hold: new Money(10)).Code);
        Assert.Equal(VerdictCode.RateLimited, gate.Reserve(taking: Taking.Look).Code);
    }

    [Fact]
    public void Asking_only_who_calls_reads_no_limit_and_no_wallet()
    {
        using var gate = new MeteredGate([Rpm], [0], Money.Zero);
        Verdict verdict = gate.Take(taking: Taking.Nothing);
        Assert.Equal((VerdictCode.Allowed, 0, -1), (verdict.Code, verdict.Limits.Count, verdict.RefusingLimit));
        Assert.Equal(0, gate.Usage.Last);
    }

    [Fact]
    public void A_request_whose_input_alone_is_more_than_a_limit_never_fits()
    {
        using var gate = new MeteredGate([Rpm, Tpm], [5, 100]);
        Verdict refused = gate.Reserve(input: 101);
        Assert.Equal((VerdictCode.ExceedsLimit, 1), (refused.Code, refused.RefusingLimit));
        Assert.Equal((0L, 0), (refused.RetryAfterMs, refused.RetryAfterSeconds));
        Assert.Equal(0, gate.Events[^1].RetryAtMs);
        Assert.Equal(VerdictCode.Allowed, gate.Reserve(input: 100).Code);
    }

    [Fact]
    public void The_first_request_of_a_rested_key_is_not_refused_for_its_worst_case()
    {
        using var gate = new MeteredGate([Tpm], [100]);
        Assert.Equal(0, gate.Reserve(input: 10, output: 500).Limits[0].Remaining);
        Assert.Equal(VerdictCode.RateLimited, gate.Reserve(clockMs: 1, input: 1).Code);
        Assert.Equal(SettleResult.Done, gate.Settle(1, input: 10, output: 20, clockMs: 1_000));
        Assert.Equal(70, gate.Reserve(clockMs: 1_000, taking: Taking.Look).Limits[0].Remaining);
    }

    [Fact]
    public void What_was_used_beyond_its_reservation_counts_in_full_and_blocks_until_it_has_left()
    {
        using var gate = new MeteredGate([Tpm], [100]);
        gate.Reserve(clockMs: 1_000, input: 10);
        gate.Settle(1, input: 10, output: 240, clockMs: 30_000);

        Verdict refused = gate.Reserve(clockMs: 30_000);
        Assert.Equal((VerdictCode.RateLimited, 0L, 32_000L), (refused.Code, refused.Limits[0].Remaining, refused.RetryAfterMs));
        Assert.Equal(VerdictCode.RateLimited, gate.Reserve(clockMs: 61_999).Code);
        Assert.Equal(VerdictCode.Allowed, gate.Reserve(clockMs: 62_000, input: 100).Code);
    }

    [Fact]
    public void An_amount_of_nothing_lets_nothing_pass_and_no_amount_counts_nothing()
    {
        using var gate = new MeteredGate([Rpm, Rpd], [0, LimitPlan.Unlimited]);
        Verdict refused = gate.Take();
        Assert.Equal((VerdictCode.ExceedsLimit, 0, 1), (refused.Code, refused.RefusingLimit, refused.Limits.Count));
    }

    [Fact]
    public void A_keys_own_limits_lower_the_plans_and_never_raise_them()
    {
        var profile = new KeyProfile { Grants = Make.ReadWrite, Limits = [new KeyLimit(0, 1), new KeyLimit(1, 9), new KeyLimit(2, 4)] };
        using var gate = new MeteredGate([Rpm, Rpd, Tpm], [3, 3, LimitPlan.Unlimited], profile: profile);
        Verdict passed = gate.Take();
        Assert.Equal([1, 3, 4], Enumerable.Range(0, passed.Limits.Count).Select(i => passed.Limits[i].Amount));
        Assert.Equal(VerdictCode.RateLimited, gate.Take().Code);
    }

    [Fact]
    public void A_limit_counts_the_requests_it_is_meant_for()
    {
        Limit writes = Rpm with { Name = "writes", Actions = 0b10 };
        Limit chat = Rpm with { Name = "chat", Scopes = 0b001 };
        Limit other = Rpm with { Name = "other", ExceptScopes = 0b001 };
        using var gate = new MeteredGate([writes, chat, other], [9, 9, 9]);

        Assert.Equal([1], Counting(new Requirement(0b001, 0b01)));
        Assert.Equal([0, 1], Counting(new Requirement(0b001, 0b10)));
        Assert.Equal([2], Counting(new Requirement(0b100, 0b01)));
        Assert.Equal([0, 2], Counting(new Requirement(0, 0b10)));

        List<int> Counting(Requirement requirement)
        {
            Verdict verdict = gate.Take(requirement: requirement);
            Assert.True(verdict.IsAllowed);
            return [.. Enumerable.Range(0, verdict.Limits.Count).Select(i => (int)verdict.Limits[i].Limit)];
        }
    }

    [Fact]
    public void Concurrent_requests_are_those_that_are_not_settled()
    {
        using var gate = new MeteredGate([Parallel], [2]);
        Assert.Equal(VerdictCode.Allowed, gate.Reserve().Code);
        Assert.Equal(VerdictCode.Allowed, gate.Reserve(clockMs: 1_000_000).Code);
        Verdict refused = gate.Reserve();
        Assert.Equal((VerdictCode.RateLimited, 1), (refused.Code, refused.RetryAfterSeconds));
        Assert.Equal(0, gate.Take().Limits.Count);

        Assert.Equal(SettleResult.Done, gate.Settle(1));
        Assert.Equal(VerdictCode.Allowed, gate.Reserve().Code);
    }

    [Fact]
    public void A_settlement_happens_once_bills_at_most_what_was_held_and_gives_the_rest_back()
    {
        using var gate = new MeteredGate(balance: new Money(100));
        Assert.Equal(new Money(60), gate.Reserve(input: 3, output: 9, hold: new Money(60)).Held);
        Assert.Equal(SettleResult.Done, gate.Settle(1, input: 3, output: 2, cost: new Money(25)));
        Assert.Equal(SettleResult.NotOpen, gate.Settle(1, input: 3, output: 2, cost: new Money(25)));
        Assert.Equal((new Money(75), Money.Zero), (gate.Balance!.Available, gate.Balance.Held));

        gate.Reserve(hold: new Money(75));
        Assert.Equal(SettleResult.Done, gate.Settle(2, cost: new Money(80)));
        Assert.Equal((Money.Zero, Money.Zero), (gate.Balance.Available, gate.Balance.Held));
        UsageEvent last = gate.Events[^1];
        Assert.Equal((UsageKind.Settled, 2L, 75L, 5L), (last.Kind, last.RequestNo, last.CostMicros, last.LossMicros));
        Assert.Equal((MeteredGate.NowMs, MeteredGate.NowMs + 5), (last.AdmittedAtMs, last.AtMs));
        Assert.Equal(4, gate.Usage.Last);
    }

    [Fact]
    public void Without_a_price_something_must_be_left_and_a_request_that_pays_at_once_pays()
    {
        using var gate = new MeteredGate(balance: new Money(10));
        Assert.Equal((VerdictCode.Allowed, Money.Zero), (gate.Take().Code, gate.Take().Held));
        var request = new CheckRequest { Secret = gate.Secret, NowMs = 1, Taking = Taking.Take, RequestNo = 9, Hold = new Money(10) };
        Assert.Equal(new Money(10), gate.Keeper.Check(in request).Held);
        Assert.Equal((10L, UsageFlags.Priced), (gate.Events[^1].CostMicros, gate.Events[^1].Flags));

        Assert.Equal(VerdictCode.WalletEmpty, gate.Take().Code);
        Assert.Equal(VerdictCode.Allowed, gate.Reserve(hold: Money.Zero).Code);
    }

    [Fact]
    public void Marks_never_fall_and_tell_how_far_a_reservation_has_come()
    {
        using var gate = new MeteredGate(balance: new Money(100));
        gate.Reserve(input: 7, output: 50, hold: new Money(90));
        Assert.True(gate.Admission.Reservations.TryGet(1, out Reservation open));
        Assert.Equal((7u, 0u, false), (open.MarkedInputTokens, open.MarkedOutputTokens, open.IsMarked));

        Assert.Equal(SettleResult.Done, gate.Admission.TryMark(1, 8, 20, new Money(30), MeteredGate.NowMs, 20));
        Assert.Equal(SettleResult.Done, gate.Admission.TryMark(1, 8, 10, new Money(15), MeteredGate.NowMs, 10));
        Assert.Equal(SettleResult.NotOpen, gate.Admission.TryMark(2, 8, 10, new Money(15), MeteredGate.NowMs, 0));

        Assert.True(gate.Admission.Reservations.TryGet(1, out open));
        Assert.Equal((8u, 20u, new Money(30), true), (open.MarkedInputTokens, open.MarkedOutputTokens, open.MarkedCost, open.IsMarked));
        Assert.Equal(20, open.TouchedMs);
        Assert.Equal((5, 2, MeteredGate.KeyNo, 3u), (open.Model, open.PriceVersion, open.KeyNo, open.OrganizationNo));
        Assert.Equal((UsageKind.Marked, 30L, 20u), (gate.Events[^1].Kind, gate.Events[^1].CostMicros, gate.Events[^1].OutputTokens));
    }

    [Fact]
    public void A_hold_is_raised_with_a_mark_and_never_falls()
    {
        using var gate = new MeteredGate(balance: new Money(100));
        gate.Reserve(input: 7, output: 50, hold: new Money(20));

        Assert.Equal(SettleResult.Done, gate.Extend(1, held: 50, output: 20, cost: 18));
        Assert.Equal((new Money(50), new Money(50)), (gate.Balance!.Available, gate.Balance.Held));
        UsageEvent last = gate.Events[^1];
        Assert.Equal((UsageKind.Extended, 50L, 18L, 20u), (last.Kind, last.CostMicros, last.LossMicros, last.OutputTokens));

        Assert.Equal(SettleResult.Done, gate.Extend(1, held: 50, output: 30, cost: 25));
        Assert.Equal(SettleResult.Done, gate.Extend(1, held: 10, output: 25, cost: 20));
        last = gate.Events[^1];
        Assert.Equal((UsageKind.Marked, 25L, 0L, 30u), (last.Kind, last.CostMicros, last.LossMicros, last.OutputTokens));
        Assert.True(gate.Admission.Reservations.TryGet(1, out Reservation open));
        Assert.Equal((new Money(50), new Money(25), 30u), (open.Held, open.MarkedCost, open.MarkedOutputTokens));

        Assert.Equal(SettleResult.Done, gate.Settle(1, input: 7, output: 40, cost: new Money(45)));
        Assert.Equal((new Money(55), Money.Zero), (gate.Balance.Available, gate.Balance.Held));
        Assert.Equal(SettleResult.NotOpen, gate.Extend(1, held: 50));
        Assert.Equal(55, gate.Balance.Available.Micros);
    }

    [Fact]
    public void A_hold_that_the_balance_cannot_pay_takes_nothing_and_notes_nothing()
    {
        using var gate = new MeteredGate(balance: new Money(100));
        gate.Reserve(hold: new Money(20));
        long noted = gate.Usage.Last;

        Assert.Equal(SettleResult.Unpaid, gate.Extend(1, held: 101, output: 9, cost: 8));

        Assert.Equal((new Money(80), new Money(20), noted), (gate.Balance!.Available, gate.Balance.Held, gate.Usage.Last));
        Assert.True(gate.Admission.Reservations.TryGet(1, out Reservation open));
        Assert.Equal((new Money(20), false), (open.Held, open.IsMarked));
        Assert.Equal(SettleResult.Done, gate.Extend(1, held: 100));
        Assert.Equal((Money.Zero, new Money(100)), (gate.Balance.Available, gate.Balance.Held));
    }

    [Fact]
    public void Without_a_balance_an_extension_is_a_mark()
    {
        using var gate = new MeteredGate();
        gate.Reserve(input: 7);
        Assert.Equal(SettleResult.Done, gate.Extend(1, held: 1_000, output: 9, cost: 8));
        Assert.Equal((UsageKind.Marked, 8L), (gate.Events[^1].Kind, gate.Events[^1].CostMicros));
        Assert.True(gate.Admission.Reservations.TryGet(1, out Reservation open));
        Assert.Equal((Money.Zero, 9u), (open.Held, open.MarkedOutputTokens));
    }

    [Fact]
    public void Cached_and_reasoning_tokens_are_noted_apart()
    {
        using var gate = new MeteredGate();
        gate.Reserve(input: 7);
        var settlement = new Settlement
        {
            InputTokens = 7, OutputTokens = 9, CachedTokens = 3, ReasoningTokens = 4, AtMs = MeteredGate.NowMs, ClockMs = 0,
        };
        gate.Admission.Settle(1, in settlement, out _);
        Assert.Equal((7u, 9u, 3u, 4u), Tokens(gate.Events[^1]));

        var use = new RecordedUse
        {
            RequestNo = 2, KeyNo = 7, OrganizationNo = 3, InputTokens = 8, OutputTokens = 6, CachedTokens = 5, ReasoningTokens = 2,
            MadeAtMs = 1, AtMs = 2, ClockMs = 3,
        };
        gate.Admission.Record(in use, out _, out _);
        Assert.Equal((8u, 6u, 5u, 2u), Tokens(gate.Events[^1]));

        static (uint Input, uint Output, uint Cached, uint Reasoning) Tokens(UsageEvent happened) =>
            (happened.InputTokens, happened.OutputTokens, happened.CachedTokens, happened.ReasoningTokens);
    }

    [Fact]
    public void With_the_usage_buffer_full_nothing_passes_settles_or_is_taken()
    {
        using var gate = new MeteredGate([Rpm, Parallel], [9, 9], new Money(100), capacity: 4);
        gate.Reserve(hold: new Money(10));
        gate.Take();
        gate.Take();
        gate.Take();

        Assert.Equal(VerdictCode.Busy, gate.Take().Code);
        Assert.Equal(VerdictCode.Busy, gate.Reserve(hold: new Money(10)).Code);
        Assert.Equal(SettleResult.Full, gate.Settle(1, cost: new Money(1)));
        Assert.Equal(SettleResult.Full, gate.Admission.TryMark(1, 1, 1, Money.Zero, 0, 0));
        Assert.Equal(SettleResult.Full, gate.Extend(1, held: 50));
        Assert.Equal((new Money(90), new Money(10)), (gate.Balance!.Available, gate.Balance.Held));
        Assert.Equal([5, 8], [.. Remaining()]);

        gate.Usage.Free(2);
        Assert.Equal(SettleResult.Done, gate.Settle(1, cost: new Money(1)));
        Assert.Equal(VerdictCode.Allowed, gate.Take().Code);
        Assert.Equal([4, 9], [.. Remaining()]);

        IEnumerable<long> Remaining()
        {
            Verdict look = gate.Reserve(taking: Taking.Look);
            return [look.Limits[0].Remaining, look.Limits[1].Remaining];
        }
    }

    [Fact]
    public void Refusals_fill_half_of_the_usage_buffer_and_are_counted_beyond()
    {
        using var gate = new MeteredGate([Rpm], [0], capacity: 8);
        for (int i = 0; i < 7; i++)
        {
            Assert.Equal(VerdictCode.ExceedsLimit, gate.Take().Code);
        }

        Assert.Equal((4L, 3L), (gate.Usage.Last, gate.Admission.Unlogged));
    }

    [Theory]
    [InlineData(KeyState.Deleted, VerdictCode.KeyDeleted, VerdictCode.KeyDeleted)]
    [InlineData(KeyState.HeldByPerson, VerdictCode.KeyDisabled, VerdictCode.KeyDisabled)]
    [InlineData(KeyState.HeldByBalance, VerdictCode.KeyDisabled, VerdictCode.WalletEmpty)]
    public void Every_refusal_of_a_known_key_that_wanted_to_take_is_noted(KeyState state, VerdictCode code, VerdictCode told)
    {
        using var gate = new MeteredGate(balance: new Money(5));
        gate.Change(entry => entry with { State = state });
        Assert.Equal(code, gate.Take(taking: Taking.Look).Code);
        Verdict refused = gate.Take();
        Assert.Equal((code, state == KeyState.HeldByBalance), (refused.Code, refused.IsUnfunded));
        UsageEvent note = Assert.Single(gate.Events);
        Assert.True(VerdictCodes.TryFromNumber(note.Code, out VerdictCode noted));
        Assert.Equal((UsageKind.Refused, told, (byte)0, 2L), (note.Kind, noted, note.Limit, note.RequestNo));
    }

    [Fact]
    public void A_key_held_by_more_than_the_balance_is_not_told_to_pay()
    {
        using var gate = new MeteredGate();
        gate.Change(entry => entry with { State = KeyState.HeldByBalance | KeyState.HeldByPerson });
        Assert.False(gate.Take().IsUnfunded);
    }

    [Fact]
    public void No_more_reservations_are_open_than_there_is_room_for()
    {
        using var gate = new MeteredGate(balance: new Money(1_000), capacity: 4_096, reservations: 64);
        int passed = Enumerable.Range(0, 1_000).Count(_ => gate.Reserve(hold: new Money(1)).IsAllowed);
        Assert.InRange(passed, 2, 64);
        Assert.Equal((passed, new Money(passed)), (gate.Admission.Reservations.Count, gate.Balance!.Held));
    }
}
