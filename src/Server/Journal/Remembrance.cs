using System.Data.Common;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>Gives the Engine back what it knew before a restart: lasting windows, and the requests that were under way.</summary>
internal sealed class Remembrance(
    Database database, LastingLimits lasting, Admission admission, BalanceTable balances, WindowClock clock, ProviderModel provider)
{
    /// <summary>What open requests hold of each organization's balance.</summary>
    public Task<IReadOnlyDictionary<long, Money>> Held(CancellationToken cancel = default) => database.Read(Held, cancel);

    /// <inheritdoc cref="Held(CancellationToken)"/>
    public static async Task<IReadOnlyDictionary<long, Money>> Held(DbConnection connection) =>
        (await JournalSql.Held(connection)).ToDictionary(held => held.OrganizationNo, held => new Money(held.Micros));

    /// <summary>What open requests hold of one organization's balance, within a write.</summary>
    public static async Task<Money> HeldIn(WriteScope scope, long organizationNo) =>
        new(await JournalSql.HeldIn(scope, organizationNo));

    /// <summary>
    /// In a restored database, not yet in place, whose wallets keep what was spent since: ends the requests that are no longer open in the
    /// one in place, and takes out the seals that are no longer there. They were billed there.
    /// </summary>
    public static async Task KeepEnded(DbConnection inPlace, WriteScope restored)
    {
        var open = await InPlaceException.Reading(() => JournalSql.OpenNumbers(inPlace, null));
        var back = await JournalSql.OpenNumbers(restored.Connection, restored.Transaction);
        var rows = new RowsBatch(restored);
        JournalSql.End(rows, [.. back.Except(open)]);
        var left = await InPlaceException.Reading(() => SealSql.All(inPlace, null));
        foreach (var (spool, first, _) in (await SealSql.All(restored.Connection, restored.Transaction)).Except(left))
        {
            SealSql.RemoveOne(rows, spool, first);
        }

        await rows.Run();
    }

    /// <summary>
    /// At the start, after the journal was opened and the balances were loaded: takes up every open reservation, with the windows of its
    /// key before it. Tells how many.
    /// </summary>
    /// <exception cref="StorageException">There are more than fit: the last process allowed more.</exception>
    public async Task<int> RestoreReservations(CancellationToken cancel = default)
    {
        var open = await database.Read(JournalSql.Reservations, cancel);
        foreach (var keyNo in open.Select(one => one.KeyNo).Distinct())
        {
            await RestoreWindows(keyNo);
        }

        foreach (var one in open)
        {
            var balance = provider.Wallet is null ? null : balances.Of(one.OrganizationNo);
            if (!admission.TryRestore(one.ToEngine(balance), clock.NowMs))
            {
                throw new StorageException($"{open.Count} requests are under way, more than there is room for in memory.");
            }
        }

        return open.Count;
    }

    /// <summary>
    /// Before a key comes into memory: gives it its lasting windows back. Where one is counted already, memory is newer and stays. What
    /// this process counted never leaves memory while it counts, so only what an earlier one left is read, and that was folded at the
    /// start.
    /// </summary>
    public async Task RestoreWindows(long keyNo)
    {
        var number = checked((uint)keyNo);
        if (!lasting.Any || lasting.Windows(clock.NowMs).All(window => admission.Limits.Has(number, window.Number)))
        {
            return;
        }

        var counts = (await database.Read(connection => JournalSql.WindowsOf(connection, keyNo), CancellationToken.None))
            .ToLookup(count => count.LimitName, StringComparer.Ordinal);
        foreach (var (limit, name, sinceMs) in lasting.Windows(clock.NowMs))
        {
            var slots = counts[name].Where(count => count.SlotMs >= sinceMs && count.Amount > 0)
                .Select(count => new SlotCount(count.SlotMs, count.Amount)).ToArray();
            if (slots.Length > 0)
            {
                admission.Limits.TryRestore(number, limit, slots, clock.NowMs);
            }
        }
    }
}
