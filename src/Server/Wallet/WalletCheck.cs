using System.Data.Common;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Organizations;

namespace Tollgate.Server.Wallet;

/// <summary>
/// Adds up again what the ledger says it comes to, on one moment of the data, and names each organization in which something differs. It
/// changes nothing; what differs was changed around the gate.
/// </summary>
/// <param name="Connection">Where it reads; all of it sees one moment.</param>
/// <param name="Held">By organization, what open reservations hold.</param>
/// <param name="Cost">By organization, what the usage log's sums say that requests cost and were billed; null not to compare them.</param>
internal sealed record WalletCheck(
    DbConnection Connection, IReadOnlyDictionary<long, Money> Held, IReadOnlyDictionary<long, Money>? Cost)
{
    /// <summary>Organizations that are named; of what differs beyond, only the number is told.</summary>
    public const int NamedMax = 100;

    public async Task<WalletReport> Run()
    {
        var sums = await WalletCheckSql.Sums(Connection);
        var broken = await WalletCheckSql.BrokenLinks(Connection);
        var found = new List<(long No, string Sentence)>();
        foreach (var sum in sums)
        {
            found.AddRange(Faults(sum, broken.GetValueOrDefault(sum.OrganizationNo)).Select(fault => (sum.OrganizationNo, fault)));
        }

        var known = sums.Select(sum => sum.OrganizationNo).ToHashSet();
        found.AddRange(Held.Where(held => held.Value > Money.Zero && !known.Contains(held.Key))
            .Select(held => (held.Key, $"holds {held.Value} and has no wallet.")));
        found.AddRange((Cost ?? new Dictionary<long, Money>()).Where(cost => cost.Value > Money.Zero && !known.Contains(cost.Key))
            .Select(cost => (cost.Key, $"has usage of {cost.Value} and no wallet.")));
        var (named, moved) = (await Named(found), await WalletCheckSql.TransferSum(Connection));
        if (moved != 0)
        {
            named = [$"All transfers together come to {new Money(moved)}: one side of some is missing.", .. named];
        }

        return new WalletReport(sums.Count, sums.Sum(sum => sum.Entries), found.Count + (moved == 0 ? 0 : 1), named);
    }

    private IEnumerable<string> Faults(WalletSums sum, long brokenAt)
    {
        if (sum.EntrySum != sum.Balance)
        {
            yield return $"has a balance of {new Money(sum.Balance)}, and its entries sum to {new Money(sum.EntrySum)}.";
        }

        if (sum.EntryCount != sum.Entries || sum.EntryLast != sum.Entries)
        {
            yield return $"counts {sum.Entries} entries, and has {sum.EntryCount}, the last of them number {sum.EntryLast}.";
        }

        if (brokenAt > 0)
        {
            yield return $"has an entry {brokenAt} that does not go on from the one before it.";
        }

        if (sum.Granted > sum.Balance)
        {
            yield return $"has a balance of {new Money(sum.Balance)}, of which {new Money(sum.Granted)} is said to be granted.";
        }

        if (Held.GetValueOrDefault(sum.OrganizationNo) is var held && held.Micros > sum.Balance)
        {
            yield return $"has a balance of {new Money(sum.Balance)}, of which {held} is held.";
        }

        if (Cost is not null && Cost.GetValueOrDefault(sum.OrganizationNo) is var cost && cost.Micros != sum.UsageSum)
        {
            yield return $"has usage of {cost}, and entries of usage over {new Money(sum.UsageSum)}.";
        }
    }

    private async Task<IReadOnlyList<string>> Named(IReadOnlyList<(long No, string Sentence)> found)
    {
        var shown = found.Take(NamedMax).ToList();
        if (shown.Count == 0)
        {
            return [];
        }

        var ids = (await OrganizationRegister.OrganizationPlaces(Connection, [.. shown.Select(one => one.No).Distinct()]))
            .ToDictionary(place => place.No, place => place.Id);
        return [.. shown.Select(one => $"{ids.GetValueOrDefault(one.No) ?? $"organization number {one.No}"} {one.Sentence}")];
    }
}

/// <summary>What was looked at, how much of it differs, and the differences by name.</summary>
internal sealed record WalletReport(int Wallets, long Entries, int Differences, IReadOnlyList<string> Named)
{
    public bool IsSound => Differences == 0;

    public string Sentence => IsSound
        ? $"{Wallets} wallets with {Entries} entries: every sum is as it is written down."
        : $"{Differences} differences in {Wallets} wallets with {Entries} entries.";
}
