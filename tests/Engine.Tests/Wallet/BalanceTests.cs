using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Tests.Wallet;

public sealed class BalanceTests
{
    [Fact]
    public void A_hold_is_taken_whole_or_not_at_all_and_ends_in_a_bill_and_the_rest()
    {
        var balance = new Balance(1, new Money(100), new Money(30));
        Assert.Equal((new Money(70), new Money(30)), (balance.Available, balance.Held));
        Assert.False(balance.TryHold(new Money(71)));
        Assert.True(balance.TryHold(new Money(70)));
        Assert.Equal((Money.Zero, new Money(100)), (balance.Available, balance.Held));

        balance.Settle(new Money(70), new Money(20));
        Assert.Equal((new Money(50), new Money(30)), (balance.Available, balance.Held));
        Assert.Throws<ArgumentOutOfRangeException>(() => balance.Settle(new Money(5), new Money(6)));
        Assert.Throws<ArgumentOutOfRangeException>(() => balance.Settle(new Money(5), new Money(-1)));
    }

    [Fact]
    public void Money_is_put_in_and_taken_out_without_touching_what_is_held()
    {
        var balance = new Balance(1, new Money(10), new Money(10));
        Assert.False(balance.TryTake(Money.Least));
        balance.Add(new Money(5));
        Assert.True(balance.TryTake(new Money(2)));
        Assert.Equal((new Money(3), new Money(10)), (balance.Available, balance.Held));
        Assert.Throws<ArgumentOutOfRangeException>(() => balance.Add(new Money(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => balance.TryTake(new Money(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => balance.TryHold(new Money(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Balance(1, new Money(1), new Money(2)));
    }

    [Fact]
    public void Threads_that_hold_settle_take_and_add_at_once_neither_overspend_nor_lose_a_cent()
    {
        var balance = new Balance(1, new Money(1_000), Money.Zero);
        long gone = 0;
        long come = 0;
        bool wasBelow = false;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(seed => new Thread(() =>
        {
            var random = new Random(seed);
            for (int i = 0; i < 100_000; i++)
            {
                var amount = new Money(random.Next(1, 400));
                if (random.Next(8) == 0)
                {
                    balance.Add(amount);
                    Interlocked.Add(ref come, amount.Micros);
                }
                else if (random.Next(8) == 0 && balance.TryTake(amount))
                {
                    Interlocked.Add(ref gone, amount.Micros);
                }
                else if (balance.TryHold(amount))
                {
                    var billed = new Money(random.NextInt64(amount.Micros + 1));
                    balance.Settle(amount, billed);
                    Interlocked.Add(ref gone, billed.Micros);
                }

                wasBelow |= balance.Available < Money.Zero || balance.Held < Money.Zero;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.False(wasBelow);
        Assert.Equal((1_000 + come - gone, 0L), (balance.Available.Micros, balance.Held.Micros));
    }

    [Fact]
    public void An_organization_without_money_has_one_balance_of_nothing()
    {
        var table = new BalanceTable();
        Balance loaded = new(2, new Money(5), Money.Zero);
        table.Load(loaded);
        Assert.Same(loaded, table.Of(2));
        Assert.Same(table.Of(1), table.Of(1));
        Assert.Equal(Money.Zero, table.Of(1).Available);
    }
}
