namespace Tollgate.Engine.Wallet;

/// <summary>
/// What an organization has. What is available is one number, moved by compare-and-swap, so that holds that race never take more than is
/// there; a second one is the total, and what is held is the rest between them. The database's ledger is the truth; this is what is left of
/// it at this moment.
/// </summary>
public sealed class Balance
{
    private long _available;

    // Moves when money comes or goes, not when it is held or given back. It never is less than what is available: it rises before that and
    // falls after it.
    private long _total;

    public Balance(long organizationNo, Money total, Money held)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(total, held);
        ArgumentOutOfRangeException.ThrowIfLessThan(held, Money.Zero);
        OrganizationNo = organizationNo;
        (_available, _total) = ((total - held).Micros, total.Micros);
    }

    public long OrganizationNo { get; }

    /// <summary>What a further request can be paid from; never below nothing.</summary>
    public Money Available => new(Volatile.Read(ref _available));

    /// <summary>What requests that are under way may still cost.</summary>
    public Money Held
    {
        get
        {
            long available = Volatile.Read(ref _available);
            return new Money(Math.Max(0, Volatile.Read(ref _total) - available));
        }
    }

    /// <summary>Sets money aside, or nothing where there is not enough.</summary>
    public bool TryHold(Money amount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(amount, Money.Zero);
        long available = Volatile.Read(ref _available);
        while (available >= amount.Micros)
        {
            long seen = Interlocked.CompareExchange(ref _available, available - amount.Micros, available);
            if (seen == available)
            {
                return true;
            }

            available = seen;
        }

        return false;
    }

    /// <summary>Ends a hold: what was billed of it is gone, the rest is available again.</summary>
    public void Settle(Money held, Money billed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(billed, Money.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(billed, held);
        Interlocked.Add(ref _available, (held - billed).Micros);
        Interlocked.Add(ref _total, -billed.Micros);
    }

    /// <summary>Puts money in.</summary>
    public void Add(Money amount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(amount, Money.Zero);
        Interlocked.Add(ref _total, amount.Micros);
        Interlocked.Add(ref _available, amount.Micros);
    }

    /// <summary>Takes money out, or nothing where there is not enough available.</summary>
    public bool TryTake(Money amount)
    {
        if (!TryHold(amount))
        {
            return false;
        }

        Interlocked.Add(ref _total, -amount.Micros);
        return true;
    }

    /// <summary>Takes money out, as much of it as is available, and tells how much that was.</summary>
    public Money TakeUpTo(Money amount)
    {
        Money part = amount;
        while (!TryTake(part))
        {
            Money available = Available;
            part = available < amount ? available : amount;
        }

        return part;
    }
}
