using Tollgate.Engine.Limits;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Verification;

public sealed class AdmissionRaceTests
{
    private static readonly Limit Rpm = MeteredGate.Limit("rpm", LimitCounts.Requests, 60);
    private static readonly Limit Rpd = MeteredGate.Limit("rpd", LimitCounts.Requests, 86_400);

    // K9
    [Fact]
    public void Of_1000_parallel_requests_a_limit_of_100_lets_exactly_100_pass()
    {
        using var gate = new MeteredGate([Rpd, Rpm], [700, 100], new Money(1_000_000), capacity: 2_048);
        int passed = 0;
        int others = 0;
        InParallel(20, thread =>
        {
            for (int i = 0; i < 50; i++)
            {
                VerdictCode code = thread % 2 == 0 ? gate.Take(clockMs: thread).Code : gate.Reserve(clockMs: i, hold: new Money(7)).Code;
                Interlocked.Add(ref passed, code == VerdictCode.Allowed ? 1 : 0);
                Interlocked.Add(ref others, code is VerdictCode.Allowed or VerdictCode.RateLimited ? 0 : 1);
            }
        });

        Assert.Equal((100, 0), (passed, others));
        Verdict look = gate.Take(clockMs: 50, taking: Taking.Look);
        Assert.Equal([600, 0], [look.Limits[0].Remaining, look.Limits[1].Remaining]);
        Assert.Equal(100, gate.Events.Count(happened => happened.Kind is UsageKind.Passed or UsageKind.Reserved));
        Assert.Equal(1_000, gate.Events.Count + gate.Admission.Unlogged);
        Assert.Equal(new Money(7 * gate.Admission.Reservations.Count), gate.Balance!.Held);
    }

    [Fact]
    public void Of_1000_parallel_paid_requests_as_many_pass_as_the_money_pays_for()
    {
        using var gate = new MeteredGate([Rpm], [1_000], new Money(1_005), capacity: 2_048);
        int passed = 0;
        InParallel(20, _ =>
        {
            for (int i = 0; i < 50; i++)
            {
                Interlocked.Add(ref passed, gate.Reserve(hold: new Money(10)).IsAllowed ? 1 : 0);
            }
        });

        Assert.Equal((100, new Money(5), new Money(1_000)), (passed, gate.Balance!.Available, gate.Balance.Held));
        Assert.Equal(900, gate.Take(taking: Taking.Look).Limits[0].Remaining);
    }

    [Fact]
    public void Taking_marking_settling_sweeping_and_reading_at_once_end_in_balance()
    {
        Limit parallel = MeteredGate.Limit("parallel", LimitCounts.ConcurrentRequests, 0);
        Limit tpm = MeteredGate.Limit("tpm", LimitCounts.Tokens, 1);
        using var gate = new MeteredGate([parallel, tpm, Rpd], [6, 1_000, Limit.AmountMax], new Money(100_000_000), capacity: 256);
        long billed = 0;
        int passed = 0;
        bool wasOver = false;
        using var stop = new CancellationTokenSource();
        var fold = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                gate.Usage.Free(gate.Usage.Last);
                gate.Admission.Limits.Sweep(0);
                gate.Admission.Reservations.Expired(0, new Reservation[4]);
                Thread.Yield();
            }
        });
        fold.Start();
        int open = 0;
        InParallel(8, thread =>
        {
            for (int i = 0; i < 3_000; i++)
            {
                Verdict verdict = gate.Keeper.Check(new CheckRequest
                {
                    Secret = gate.Secret,
                    NowMs = MeteredGate.NowMs,
                    ClockMs = i,
                    Taking = Taking.Take,
                    RequestNo = (thread * 10_000) + i + 1,
                    Reserves = true,
                    InputTokens = 3,
                    Hold = new Money(100),
                });
                if (!verdict.IsAllowed)
                {
                    continue;
                }

                wasOver |= Interlocked.Increment(ref open) > 6;
                Until(() => gate.Admission.TryMark((thread * 10_000) + i + 1, 3, 1, new Money(5), MeteredGate.NowMs, 0));
                Interlocked.Decrement(ref open);
                Until(() => gate.Settle((thread * 10_000) + i + 1, 3, 2, new Money(i % 90), clockMs: i));
                Interlocked.Add(ref billed, i % 90);
                Interlocked.Increment(ref passed);
            }
        });
        stop.Cancel();
        fold.Join();

        Assert.False(wasOver);
        Assert.True(passed > 0);
        Assert.Equal((100_000_000 - billed, Money.Zero), (gate.Balance!.Available.Micros, gate.Balance.Held));
        Verdict look = gate.Reserve(clockMs: 3_000, taking: Taking.Look);
        Assert.Equal([6, Limit.AmountMax - passed], [look.Limits[0].Remaining, look.Limits[2].Remaining]);
        Assert.Equal(0, gate.Admission.Reservations.Count);
    }

    [Fact]
    public void Of_many_that_settle_the_same_reservation_one_does()
    {
        using var gate = new MeteredGate(balance: new Money(1_000), capacity: 4_096);
        for (int round = 0; round < 200; round++)
        {
            long no = round + 1;
            gate.Reserve(hold: new Money(3));
            int done = 0;
            InParallel(4, _ => Interlocked.Add(ref done, gate.Settle(no, cost: new Money(2)) == SettleResult.Done ? 1 : 0));
            Assert.Equal(1, done);
        }

        Assert.Equal((new Money(600), Money.Zero), (gate.Balance!.Available, gate.Balance.Held));
    }

    [Fact]
    public void Extending_and_settling_at_once_never_hold_and_spend_more_than_there_is()
    {
        const long money = 5_000;
        using var gate = new MeteredGate(balance: new Money(money), capacity: 1 << 16);
        long spent = 0;
        long extended = 0;
        for (int round = 0; round < 300; round++)
        {
            long no = round + 1;
            if (!gate.Reserve(hold: new Money(1)).IsAllowed)
            {
                break;
            }

            long held = 1;
            InParallel(4, thread =>
            {
                for (int i = 0; i < 6; i++)
                {
                    long total = (thread * 10) + (i * 3);
                    SettleResult result = thread == 3 && i == 4
                        ? gate.Settle(no, cost: new Money(17))
                        : gate.Extend(no, held: total);
                    Assert.NotEqual(SettleResult.Full, result);
                    if (result == SettleResult.Done && !(thread == 3 && i == 4))
                    {
                        Interlocked.Increment(ref extended);
                    }
                }
            });
            held = gate.Events.Where(happened => happened.RequestNo == no && happened.Kind == UsageKind.Extended)
                .Select(happened => happened.CostMicros).Append(held).Max();
            UsageEvent settled = Assert.Single(gate.Events, happened => happened.RequestNo == no && happened.Kind == UsageKind.Settled);
            Assert.Equal((Math.Min(17, held), 17), (settled.CostMicros, settled.CostMicros + settled.LossMicros));
            Assert.DoesNotContain(gate.Events, happened => happened.RequestNo == no && happened.Sequence > settled.Sequence);
            spent += settled.CostMicros;
            Assert.Equal((money - spent, Money.Zero), (gate.Balance!.Available.Micros, gate.Balance.Held));
            gate.Usage.Free(gate.Usage.Last);
        }

        Assert.True(extended > 0);
    }

    [Fact]
    public void Extensions_that_race_for_the_last_money_hold_no_more_than_there_is()
    {
        using var gate = new MeteredGate(balance: new Money(1_000), capacity: 1 << 16);
        const int count = 8;
        for (int i = 0; i < count; i++)
        {
            gate.Reserve(hold: new Money(10));
        }

        var held = new long[count];
        bool wasOver = false;
        InParallel(count, thread =>
        {
            held[thread] = 10;
            for (long total = 20; total <= 1_000; total += 10)
            {
                SettleResult result = gate.Extend(thread + 1, held: total);
                held[thread] = result == SettleResult.Done ? total : held[thread];
                wasOver |= gate.Balance!.Held > new Money(1_000) || gate.Balance.Available < Money.Zero;
            }
        });

        Assert.False(wasOver);
        Assert.Equal((Money.Zero, new Money(1_000)), (gate.Balance!.Available, gate.Balance.Held));
        Assert.Equal(1_000, held.Sum());
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(SettleResult.Done, gate.Settle(i + 1, cost: new Money(1_000)));
        }

        Assert.Equal((Money.Zero, Money.Zero), (gate.Balance.Available, gate.Balance.Held));
    }

    private static void Until(Func<SettleResult> act)
    {
        while (act() is var result && result != SettleResult.Done)
        {
            Assert.Equal(SettleResult.Full, result);
            Thread.Yield();
        }
    }

    private static void InParallel(int count, Action<int> act)
    {
        using var start = new Barrier(count);
        Exception? thrown = null;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                start.SignalAndWait();
                act(i);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                thrown = e;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Null(thrown);
    }
}
