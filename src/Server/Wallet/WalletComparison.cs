using System.Data.Common;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Wallet;

/// <summary>
/// Compares a restored database, not yet in place, with the one that it is to replace: which organizations would have money again that they
/// have spent. Told what to keep, it takes it out again by an adjustment, as an audited change of the restored database.
/// </summary>
internal sealed class WalletComparison(DbConnection inPlace, WriteScope restored, bool keep)
{
    private const int Batch = 500;
    private const string KeptReason = "kept by a restore";

    /// <summary>Organizations that have more now than they would: money has come in since, and would be gone.</summary>
    public long OnlyInPlace { get; private set; }

    public async IAsyncEnumerable<UndoneChange> Find()
    {
        var after = 0L;
        while (await WalletComparisonSql.After(restored.Connection, restored.Transaction, after, Batch) is { Count: > 0 } page)
        {
            var last = page[^1].OrganizationNo;
            var places = await Places(page);
            var now = await InPlaceException.Reading(() => Now(after, last));
            foreach (var back in page)
            {
                var place = places[back.OrganizationNo];
                // A number may have been given anew in another history of the same data: the id tells.
                if (!now.TryGetValue(place.Id, out var balance) || balance == new Money(back.Balance))
                {
                    continue;
                }

                var more = new Money(back.Balance) - balance;
                if (more < Money.Zero)
                {
                    OnlyInPlace++;
                    continue;
                }

                yield return new UndoneChange(
                    "balance", "organization", place.Id, place.Name, null, $"would have {more} again that was spent since");
                if (keep)
                {
                    await Keep(place, more);
                }
            }

            after = last;
        }
    }

    private async Task<Dictionary<long, OwnerPlace>> Places(IReadOnlyList<WalletRow> wallets) =>
        (await OrganizationRegister.OrganizationPlaces(
            restored.Connection, [.. wallets.Select(wallet => wallet.OrganizationNo)], restored.Transaction))
        .ToDictionary(place => place.No);

    /// <summary>By the ids of their organizations, the balances in place with these numbers.</summary>
    private async Task<Dictionary<string, Money>> Now(long after, long last)
    {
        var wallets = await WalletComparisonSql.Between(inPlace, after, last);
        var places = (await OrganizationRegister.OrganizationPlaces(inPlace, [.. wallets.Select(wallet => wallet.OrganizationNo)]))
            .ToDictionary(place => place.No, place => place.Id);
        return wallets.ToDictionary(wallet => places[wallet.OrganizationNo], wallet => new Money(wallet.Balance));
    }

    private async Task Keep(OwnerPlace place, Money spent)
    {
        var moved = await WalletComparisonSql.Take(restored, place.No, spent);
        var entry = new WalletEntry
        {
            OrganizationNo = place.No,
            EntryNo = moved.Entries,
            Kind = EntryKinds.Adjustment,
            Amount = -spent,
            BalanceAfter = new Money(moved.Balance),
            Note = KeptReason,
            CreatedAtMs = restored.NowMs,
            Actor = restored.Context.Caller.Id,
        };
        await WalletSql.Insert(restored, entry);
        await AuditLog.Append(restored, new AuditEntry
        {
            Action = "wallet.adjustment",
            TargetType = "wallet",
            TargetId = place.Id,
            OrganizationId = place.Id,
            After = WalletWire.Json(entry),
            Reason = KeptReason,
        });
    }
}
