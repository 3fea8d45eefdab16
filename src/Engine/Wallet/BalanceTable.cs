using System.Collections.Concurrent;

namespace Tollgate.Engine.Wallet;

/// <summary>
/// The balances of all organizations that ever had money, by number. Filled at start, and whenever an organization's first money
/// arrives; nothing leaves it.
/// </summary>
public sealed class BalanceTable
{
    private readonly ConcurrentDictionary<long, Balance> _balances = new();

    /// <summary>An organization that never had money has a balance of nothing.</summary>
    public Balance Of(long organizationNo) => _balances.GetOrAdd(organizationNo, static no => new Balance(no, Money.Zero, Money.Zero));

    /// <summary>At start, before anything is checked.</summary>
    public void Load(Balance balance)
    {
        ArgumentNullException.ThrowIfNull(balance);
        _balances[balance.OrganizationNo] = balance;
    }
}
