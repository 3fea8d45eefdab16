using System.Data.Common;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Wallet;

/// <summary>
/// The door of the room: every movement of an organization's money is an entry made here, by hand or by the journal, and the balance is
/// their sum. An external id is used once in an organization, for good: told again, it changes nothing.
/// </summary>
internal sealed class WalletLedger(
    Database database, BalanceTable balances, WalletMemory memory, ProviderModel provider, WebhookOutbox outbox)
{
    private readonly WalletRules? _rules = provider.Wallet;

    /// <summary>A balance has come down to <see cref="WalletRules.DisableAt"/> in this write. Set by the room of keys.</summary>
    public Func<WriteScope, OwnerPlace, Task>? Drained { get; set; }

    /// <summary>A balance has risen above <see cref="WalletRules.DisableAt"/> in this write. Set by the room of keys.</summary>
    public Func<WriteScope, OwnerPlace, Task>? Funded { get; set; }

    /// <summary>What requests under way hold of an organization's balance, by the database. Set by the journal.</summary>
    public Func<WriteScope, long, Task<Money>>? HeldIn { get; set; }

    /// <summary>Brings everything that has happened into the database. Set by the journal.</summary>
    public Func<Task>? TakeIn { get; set; }

    /// <summary>The same for who only looks, and is told what there is where that takes too long.</summary>
    public Func<CancellationToken, Task>? CatchUp { get; set; }

    public static Problem NoWallet { get; } = new(ProblemCode.NotFound, "This provider has no wallets: requests are not paid for.");

    /// <summary>Puts money in or corrects what is there. Money goes out of memory first: what is held or spent cannot be taken.</summary>
    public async Task<Outcome<Entered>> Enter(WriteScope scope, Organization organization, EntryTerms terms)
    {
        if (_rules is null)
        {
            return NoWallet;
        }

        await memory.Settle(scope);
        var (no, amount) = (organization.OrganizationNo, terms.Amount);
        if (amount < Money.Zero && await Again(scope, no, terms) is { } known)
        {
            // Nothing is taken for what was entered before, not even for a moment.
            return known;
        }

        var isTaken = amount < Money.Zero && memory.TryTake(scope, no, -amount);
        if (amount < Money.Zero && !isTaken)
        {
            return NotAvailable(no);
        }

        await WalletSql.Open(scope, no);
        if (isTaken && !await IsFree(scope, no, -amount))
        {
            memory.GiveBack(scope, no, -amount);
            return await Again(scope, no, terms) ?? NotAvailable(no);
        }

        // What is taken out, is taken of what was granted first, as if it had been spent.
        var granted = terms.Kind == EntryKinds.Grant || amount < Money.Zero ? amount : Money.Zero;
        if (await WalletSql.Move(scope, no, amount, granted, terms.ExternalId) is not { } moved)
        {
            if (isTaken)
            {
                memory.GiveBack(scope, no, -amount);
            }

            return await Again(scope, no, terms) ?? NotMoved(no, amount);
        }

        return new Entered(await Write(scope, organization, terms.Kind, amount, moved, terms.ExternalId, terms.Note), IsNew: true);
    }

    /// <summary>
    /// Moves what was paid for and is neither spent nor held to another organization, as an entry in each; answers how much that was. What
    /// was granted stays, and so does what requests under way hold, which is covered before and after. It counts once because whatever it
    /// comes with, in the same write, does.
    /// </summary>
    public async Task<Money> MovePaid(WriteScope scope, Organization from, Organization to)
    {
        if (_rules is null || await Paid(scope, from.OrganizationNo) is not { } paid)
        {
            return Money.Zero;
        }

        await memory.Settle(scope);
        await WalletSql.Open(scope, to.OrganizationNo);
        var room = new Money(Money.MicrosMax) - await WalletSql.BalanceOf(scope, to.OrganizationNo);
        var amount = memory.TakeUpTo(scope, from.OrganizationNo, paid < room ? paid : room);
        if (amount == Money.Zero)
        {
            return amount;
        }

        await Transfer(scope, from, -amount, $"to {to.Id}");
        await Transfer(scope, to, amount, $"from {from.Id}");
        return amount;
    }

    /// <summary>What was paid for and is not spent, by the database, whether it is held or not.</summary>
    public static async Task<Money> PaidOf(DbConnection connection, DbTransaction? transaction, long organizationNo) =>
        await WalletSql.FindWallet(connection, transaction, organizationNo) is { } wallet && wallet.Balance > wallet.Granted
            ? new Money(wallet.Balance - wallet.Granted)
            : Money.Zero;

    /// <summary>What <see cref="MovePaid"/> would move now.</summary>
    public async Task<Money> Movable(DbConnection connection, long organizationNo)
    {
        if (_rules is null)
        {
            return Money.Zero;
        }

        var (paid, available) = (await PaidOf(connection, null, organizationNo), FiguresOf(organizationNo).Available);
        return paid < available ? paid : available;
    }

    private async Task Transfer(WriteScope scope, Organization organization, Money amount, string note)
    {
        var moved = await WalletSql.Move(scope, organization.OrganizationNo, amount, Money.Zero, null)
            ?? throw new InvalidOperationException("What is there and not held can be moved.");
        await Write(scope, organization, EntryKinds.Transfer, amount, moved, null, note);
    }

    /// <summary>What can be moved by the database; null for nothing.</summary>
    private async Task<Money?> Paid(WriteScope scope, long organizationNo)
    {
        if (await WalletSql.FindWallet(scope.Connection, scope.Transaction, organizationNo) is not { } wallet)
        {
            return null;
        }

        var held = HeldIn is null ? Money.Zero : await HeldIn(scope, organizationNo);
        var kept = held.Micros > wallet.Granted ? held.Micros : wallet.Granted;
        return wallet.Balance > kept ? new Money(wallet.Balance - kept) : null;
    }

    private async Task<WalletEntry> Write(
        WriteScope scope, Organization organization, string kind, Money amount, WalletRow moved, string? externalId, string? note)
    {
        Failpoint.Pass("wallet.moved");
        var entry = new WalletEntry
        {
            OrganizationNo = organization.OrganizationNo,
            EntryNo = moved.Entries,
            Kind = kind,
            Amount = amount,
            BalanceAfter = new Money(moved.Balance),
            ExternalId = externalId,
            Note = note,
            CreatedAtMs = scope.NowMs,
            Actor = scope.Context.Caller.Id,
        };
        await WalletSql.Insert(scope, entry);
        Failpoint.Pass("wallet.entry");
        memory.Expect(scope, entry);
        await Record(scope, organization, entry);
        return entry;
    }

    /// <summary>
    /// Books what requests have cost, one entry an organization, in the write of whoever knows that each is booked once. Memory had it
    /// taken when they were settled. What is not there is not booked but told beside the entry: a balance never falls below nothing.
    /// </summary>
    public async Task BookUsage(WriteScope scope, IReadOnlyList<UsageDebit> debits)
    {
        if (provider.Wallet is null)
        {
            // Prices without wallets tell what was used, and nobody pays.
            return;
        }

        UsageDebit[] billed =
        [
            .. debits.GroupBy(debit => debit.OrganizationNo)
                .Select(group => group.Aggregate((a, b) => new UsageDebit(a.OrganizationNo, a.Amount + b.Amount, a.Requests + b.Requests)))
                .Where(debit => debit.Amount > Money.Zero),
        ];
        if (billed.Length == 0)
        {
            return;
        }

        await memory.Settle(scope);
        var entries = await WalletSql.Book(scope, billed);
        Failpoint.Pass("wallet.entry");
        await WalletSql.MoveBooked(scope, billed);
        Failpoint.Pass("wallet.moved");
        foreach (var entry in entries)
        {
            memory.Expect(scope, entry);
            await Follow(scope, entry);
        }
    }

    /// <summary>What is left, held and available at this moment, by memory, which knows of requests before they are booked.</summary>
    public WalletFigures FiguresOf(long organizationNo) => WalletFigures.Of(balances.Of(organizationNo));

    /// <summary>Why no key may be made for the organization now; null when it may. It binds every caller.</summary>
    public Problem? RefuseKey(long organizationNo)
    {
        if (_rules?.ToCreateAbove is not { } floor)
        {
            return null;
        }

        var balance = FiguresOf(organizationNo).Balance;
        return balance > floor ? null : new Problem(
            ProblemCode.BalanceNeeded,
            $"A key is made only where the balance is above {floor} {_rules.Currency}; it is {balance}."
            + (_rules.TopUpUrl is { } url ? $" Money can be put in at {url}." : ""))
        {
            TopUpUrl = _rules.TopUpUrl,
        };
    }

    /// <summary>
    /// Whether the ledger has the organization at or below the threshold, so that a key that comes to it must carry the hold: asked in the
    /// write that makes the key, where no booking can come between.
    /// </summary>
    public async Task<bool> IsDrained(WriteScope scope, long organizationNo) =>
        _rules?.DisableAt is { } floor && await WalletSql.BalanceOf(scope, organizationNo) <= floor;

    /// <summary>Holds or lifts by where the balance stands, whether or not anything has crossed the threshold.</summary>
    public async Task Weigh(WriteScope scope, long organizationNo)
    {
        var hook = await IsDrained(scope, organizationNo) ? Drained : Funded;
        await (hook?.Invoke(scope, await OrganizationRegister.PlaceOf(scope, organizationNo)) ?? Task.CompletedTask);
    }

    /// <summary>Newest first, below a number.</summary>
    public Task<List<WalletEntry>> List(long organizationNo, long before, int limit, CancellationToken cancel) =>
        List(organizationNo, new EntryFilter(), before, limit, cancel);

    /// <summary>The same of those that a filter selects.</summary>
    public async Task<List<WalletEntry>> List(
        long organizationNo, EntryFilter filter, long before, int limit, CancellationToken cancel)
    {
        await (CatchUp?.Invoke(cancel) ?? Task.CompletedTask);
        return await database.Read(connection => WalletSql.List(connection, organizationNo, filter, before, limit), cancel);
    }

    /// <summary>How much of what is left was granted, by the database.</summary>
    public async Task<Money> GrantedOf(long organizationNo, CancellationToken cancel) =>
        await database.Read(connection => WalletSql.FindWallet(connection, null, organizationNo), cancel) is { } wallet
            ? new Money(wallet.Granted)
            : Money.Zero;

    /// <summary>
    /// Memory gives out what a settlement has freed before that settlement is in the database; where the two would then cross, the
    /// database has the last word, so that at no commit more is held than there is.
    /// </summary>
    private async Task<bool> IsFree(WriteScope scope, long organizationNo, Money amount) =>
        HeldIn is null
        || await WalletSql.BalanceOf(scope, organizationNo) - await HeldIn(scope, organizationNo) >= amount;

    /// <summary>The same entry once more; null when the external id is new.</summary>
    private static async Task<Outcome<Entered>?> Again(WriteScope scope, long organizationNo, EntryTerms terms) =>
        await WalletSql.Find(scope, organizationNo, terms.ExternalId) is not { } known ? null
        : known.Kind == terms.Kind && known.Amount == terms.Amount ? new Entered(known, IsNew: false)
        : new Problem(
            ProblemCode.ExternalIdMismatch,
            $"This external id stands for entry {known.EntryNo}, a {known.Kind} of {known.Amount}. "
            + "Another movement needs an id of its own.");

    private Problem NotAvailable(long organizationNo)
    {
        var figures = FiguresOf(organizationNo);
        return new Problem(
            ProblemCode.Conflict,
            $"Only {figures.Available} of the balance of {figures.Balance} is available; {figures.Held} is held for requests under way.");
    }

    private Outcome<Entered> NotMoved(long organizationNo, Money amount) => amount < Money.Zero
        ? NotAvailable(organizationNo)
        : Problem.Invalid("/amount", $"would bring the balance above {new Money(Money.MicrosMax)}.");

    private async Task Record(WriteScope scope, Organization organization, WalletEntry entry)
    {
        await AuditLog.Append(scope, new AuditEntry
        {
            Action = $"wallet.{entry.Kind}",
            TargetType = "wallet",
            TargetId = organization.Id.Text,
            OrganizationId = organization.Id.Text,
            After = WalletWire.Json(entry),
        });
        if (entry.Kind == EntryKinds.TopUp)
        {
            await Tell(scope, organization.Id.Text, WebhookEvents.WalletToppedUp, entry, amount: entry.Amount);
        }

        await Follow(scope, entry);
    }

    /// <summary>What an entry sets off: by crossing a threshold, so once, until the balance has been on the other side again.</summary>
    private async Task Follow(WriteScope scope, WalletEntry entry)
    {
        var floor = _rules?.DisableAt ?? Money.Zero;
        var low = _rules?.LowAt;
        var (hasFallen, hasRisen) = (Fell(entry, floor), Fell(entry.BalanceAfter, entry.BalanceBefore, floor));
        if (_rules is null || (!hasFallen && !hasRisen && (low is null || !Fell(entry, low.Value))))
        {
            return;
        }

        var place = await OrganizationRegister.PlaceOf(scope, entry.OrganizationNo);
        if (low is not null && Fell(entry, low.Value))
        {
            await Tell(scope, place.Id, WebhookEvents.WalletLow, entry, threshold: low);
        }

        if (hasFallen)
        {
            await Tell(scope, place.Id, WebhookEvents.WalletEmpty, entry);
        }

        var hook = _rules.DisableAt is null ? null : hasFallen ? Drained : hasRisen ? Funded : null;
        await (hook?.Invoke(scope, place) ?? Task.CompletedTask);
    }

    private static bool Fell(WalletEntry entry, Money to) => Fell(entry.BalanceBefore, entry.BalanceAfter, to);

    private static bool Fell(Money before, Money after, Money to) => before > to && after <= to;

    private Task Tell(
        WriteScope scope, string organizationId, string what, WalletEntry entry, Money? amount = null, Money? threshold = null) =>
        outbox.Add(
            scope,
            entry.OrganizationNo,
            what,
            new WalletEvent(
                organizationId, entry.BalanceAfter.ToString(), _rules!.Currency, amount?.ToString(), threshold?.ToString()));
}

/// <summary>The three figures of one wallet: what is left is what is held and what is available.</summary>
internal readonly record struct WalletFigures(Money Held, Money Available)
{
    /// <summary>Money moves between the two in two steps; a look that saw the same before and after saw no step half done.</summary>
    private const int LooksMax = 100;

    public Money Balance => Held + Available;

    public static WalletFigures Of(Balance balance)
    {
        var figures = Look(balance);
        for (var look = 1; look < LooksMax && Look(balance) is var again && again != figures; look++)
        {
            figures = again;
        }

        return figures;
    }

    private static WalletFigures Look(Balance balance) => new(balance.Held, balance.Available);
}
