namespace Tollgate.Engine.Wallet;

/// <summary>
/// What an organization has. What is available is one number, moved by compare-and-swap, so that holds that race never take more than is
/// there; what is held is kept beside it and told. The database's ledger is the truth; this is what is left of it at this moment.
/// </summary>
public sealed class Balance
{
    private long _available;
    private long _held;

    public Balance(long organizationNo, Money total, Money held)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(total, held);
        OrganizationNo = organizationNo;
        (_available, _held) = ((total - held).Micros, held.Micros);
    }

    public long OrganizationNo { get; }

    /// <summary>What a further request can be paid from; never below nothing.</summary>
    public Money Available => new(Volatile.Read(ref _available));

    /// <summary>What requests that are under way may still cost.</summary>
    public Money Held => new(Volatile.Read(ref _held));

    /// <summary>Sets money aside, or nothing where there is not enough.</summary>
    public bool TryHold(Money amount)
    {
        if (!TryTake(amount))
        {
            return false;
        }

        Interlocked.Add(ref _held, amount.Micros);
        return true;
    }

    /// <summary>Ends a hold: what was billed of it is gone, the rest is available again.</summary>
    public void Settle(Money held, Money billed)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(billed, held);
        Interlocked.Add(ref _held, -held.Micros);
        Interlocked.Add(ref _available, (held - billed).Micros);
    }

    /// <summary>Puts money in.</summary>
    public void Add(Money amount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(amount, Money.Zero);
        Interlocked.Add(ref _available, amount.Micros);
    }

    /// <summary>Takes money out, or nothing where there is not enough available.</summary>
    public bool TryTake(Money amount)
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
