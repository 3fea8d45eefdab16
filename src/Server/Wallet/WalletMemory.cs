using Tollgate.Engine.Wallet;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Wallet;

/// <summary>
/// Keeps the Engine's balances in step with the ledger. Money comes in after its commit and goes out before it, so that memory never has
/// more than the database; a write that fails gives back what it took. After a commit in doubt the entry itself is looked for, before the
/// next write to the ledger or as soon as the database can be written, and memory follows what is there.
/// </summary>
/// <remarks>Its fields are touched inside writes and what runs right after them, which is one at a time.</remarks>
internal sealed partial class WalletMemory
{
    private readonly BalanceTable _balances;
    private readonly Database _database;
    private readonly ILogger _log;

    /// <summary>What the ledger had of each organization when this process last knew: what differs then was booked by others.</summary>
    private readonly Dictionary<long, Money> _booked = [];

    /// <summary>The write to the ledger that has begun last, until its end is known.</summary>
    private volatile PendingWrite? _pending;

    /// <summary>1 while somebody runs <see cref="SettleSoon"/>.</summary>
    private int _settling;

    public WalletMemory(BalanceTable balances, Database database, ILogger<WalletMemory> log)
    {
        (_balances, _database, _log) = (balances, database, log);
        database.MemoryInDoubt += () => _ = SettleSoon();
    }

    /// <summary>
    /// At start, before anything is checked: every wallet, with what the journal's open reservations hold of it.
    /// </summary>
    public async Task Load(IReadOnlyDictionary<long, Money> held)
    {
        foreach (var wallet in await _database.Read(connection => WalletSql.All(connection, null)))
        {
            var (total, holds) = (new Money(wallet.Balance), held.GetValueOrDefault(wallet.OrganizationNo));
            _booked[wallet.OrganizationNo] = total;
            if (holds > total)
            {
                LogHeldTooMuch(wallet.OrganizationNo, holds, total);
            }

            // Where more is held than there is, nothing is available; wallet check tells of it.
            _balances.Load(new Balance(wallet.OrganizationNo, holds > total ? holds : total, holds));
        }
    }

    /// <summary>After another process has owned the data: what it has booked is told to memory too.</summary>
    public async Task ReadAnew() => _ = (await _database.Write<bool>(async scope =>
    {
        await Settle(scope);
        var there = (await WalletSql.All(scope.Connection, scope.Transaction))
            .ToDictionary(wallet => wallet.OrganizationNo, wallet => new Money(wallet.Balance));
        foreach (var organizationNo in there.Keys.Union(_booked.Keys).ToList())
        {
            var booked = there.GetValueOrDefault(organizationNo);
            Follow(organizationNo, booked - _booked.GetValueOrDefault(organizationNo));
            _booked[organizationNo] = booked;
        }

        return true;
    })).Value;

    /// <summary>Takes money out ahead of its entry; false where that much is not available, holds taken into account.</summary>
    public bool TryTake(WriteScope scope, long organizationNo, Money amount)
    {
        if (!_balances.Of(organizationNo).TryTake(amount))
        {
            return false;
        }

        Of(scope).Take(organizationNo, amount);
        return true;
    }

    /// <summary>Takes as much out ahead of its entry as is available, and no more than is asked for; tells how much that was.</summary>
    public Money TakeUpTo(WriteScope scope, long organizationNo, Money most)
    {
        var taken = _balances.Of(organizationNo).TakeUpTo(most);
        Of(scope).Take(organizationNo, taken);
        return taken;
    }

    /// <summary>An entry of this write: memory follows it when it is committed. Usage was taken when its request was settled.</summary>
    public void Expect(WriteScope scope, WalletEntry entry) => Of(scope).Entries.Add(entry);

    /// <summary>Nothing comes of what was taken, although its write may be committed.</summary>
    public void GiveBack(WriteScope scope, long organizationNo, Money amount) => Of(scope).GiveBack(organizationNo, amount);

    /// <summary>Finds out how an earlier write to the ledger ended, where nobody was told. Called ahead of every other one.</summary>
    public async Task Settle(WriteScope scope)
    {
        if (_pending is not { } left || left.Scope == scope)
        {
            return;
        }

        // All of a write is there or nothing is.
        left.End(left.Entries.Count > 0 && await WalletSql.Has(scope, left.Entries[0]));
        _pending = null;
    }

    private PendingWrite Of(WriteScope scope)
    {
        if (_pending is { } pending && pending.Scope == scope)
        {
            return pending;
        }

        if (_pending is not null)
        {
            throw new InvalidOperationException("A write to the ledger has begun before the last one was settled.");
        }

        var begun = new PendingWrite(scope, _balances, _booked);
        _pending = begun;
        scope.AfterCommit(() => End(begun, isThere: true));
        scope.AfterRollback(() => End(begun, isThere: false));
        return begun;
    }

    private void End(PendingWrite write, bool isThere)
    {
        write.End(isThere);
        if (_pending == write)
        {
            _pending = null;
        }
    }

    private async Task SettleSoon()
    {
        if (_pending is null || Interlocked.Exchange(ref _settling, 1) != 0)
        {
            return;
        }

        try
        {
            while (_pending is not null && !_database.TakenOver.IsCancellationRequested && !await TrySettle())
            {
                await Task.Delay(TimeSpan.FromSeconds(1), _database.Time);
            }
        }
        finally
        {
            Volatile.Write(ref _settling, 0);
        }
    }

    private async Task<bool> TrySettle()
    {
        try
        {
            return (await _database.Write<bool>(async scope =>
            {
                await Settle(scope);
                return true;
            })).IsOk;
        }
        catch (ObjectDisposedException)
        {
            // The gate has ended; its next start reads everything.
            return true;
        }
#pragma warning disable CA1031 // nobody awaits this; the next try, or the next entry, says whether it is over
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogNotSettled(error);
            return false;
        }
    }

    /// <summary>
    /// What others have booked. They may have spent what is held here: then nothing is left, and what is settled is booked as loss.
    /// </summary>
    private void Follow(long organizationNo, Money change)
    {
        var balance = _balances.Of(organizationNo);
        if (change >= Money.Zero)
        {
            balance.Add(change);
            return;
        }

        var wanted = -change;
        Money taken;
        do
        {
            taken = balance.Available < wanted ? balance.Available : wanted;
        }
        while (!balance.TryTake(taken));
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Organization number {OrganizationNo} has {Held} held of a balance of {Total}; run tollgate wallet check")]
    private partial void LogHeldTooMuch(long organizationNo, Money held, Money total);

    [LoggerMessage(Level = LogLevel.Error, Message = "Whether an entry of a wallet was stored could not be found out; it is tried again")]
    private partial void LogNotSettled(Exception error);

    /// <summary>One write to the ledger: what it took from memory ahead, and the entries that memory follows once they are there.</summary>
    private sealed class PendingWrite(WriteScope scope, BalanceTable balances, Dictionary<long, Money> booked)
    {
        private readonly List<(long OrganizationNo, Money Amount)> _taken = [];

        public WriteScope Scope => scope;

        public List<WalletEntry> Entries { get; } = [];

        public void Take(long organizationNo, Money amount) => _taken.Add((organizationNo, amount));

        public void GiveBack(long organizationNo, Money amount)
        {
            if (_taken.Remove((organizationNo, amount)))
            {
                balances.Of(organizationNo).Add(amount);
            }
        }

        /// <summary>Once; again does nothing.</summary>
        public void End(bool isThere)
        {
            if (isThere)
            {
                foreach (var entry in Entries)
                {
                    booked[entry.OrganizationNo] = entry.BalanceAfter;
                    if (entry.Kind != EntryKinds.Usage && entry.Amount > Money.Zero)
                    {
                        balances.Of(entry.OrganizationNo).Add(entry.Amount);
                    }
                }
            }
            else
            {
                foreach (var (organizationNo, amount) in _taken)
                {
                    balances.Of(organizationNo).Add(amount);
                }
            }

            _taken.Clear();
            Entries.Clear();
        }
    }
}
