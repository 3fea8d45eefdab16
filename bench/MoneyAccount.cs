using System.Globalization;
using System.Text.Json.Nodes;

namespace Tollgate.Bench;

/// <summary>What the clients of <see cref="MoneyLoad"/> were told, beside what the gate has kept.</summary>
internal sealed record MoneyAccount
{
    public required long Orphaned { get; init; }

    public required decimal PaidIn { get; init; }

    public required decimal Spent { get; init; }

    public required decimal Held { get; init; }

    public required long Lost { get; init; }

    public required long Doubled { get; init; }

    public required IReadOnlyList<string> Faults { get; init; }

    public bool IsKept => Lost == 0 && Doubled == 0 && Held == 0 && Faults.Count == 0;

    /// <param name="told">By reservation: what it cost, where it was settled.</param>
    /// <param name="logged">The rows of the log.</param>
    /// <param name="wallet">The wallet at the end.</param>
    /// <param name="ledger">Its entries.</param>
    /// <param name="faults">What went wrong on the way.</param>
    public static MoneyAccount Of(
        IReadOnlyDictionary<string, string?> told,
        IReadOnlyList<JsonNode> logged,
        JsonNode wallet,
        IReadOnlyList<(string Kind, decimal Amount)> ledger,
        IEnumerable<string> faults)
    {
        var found = new List<string>(faults);
        var passed = logged.Where(row => (string)row["outcome"]! != "refused").ToList();
        ILookup<string, JsonNode> rows = passed.ToLookup(row => "rsv_" + ((string)row["request_id"]!)["req_".Length..]);
        long lost = told.Count(request => !rows.Contains(request.Key)
            || (request.Value is { } cost && !rows[request.Key].Any(row => (string?)row["cost"] == cost)));
        decimal paidIn = ledger.Where(entry => entry.Kind != "usage").Sum(entry => entry.Amount);
        decimal spent = -ledger.Where(entry => entry.Kind == "usage").Sum(entry => entry.Amount);
        decimal balance = MoneyLoad.Amount(wallet["balance"]);
        decimal costs = passed.Sum(row => row["cost"] is null ? 0 : MoneyLoad.Amount(row["cost"]));
        Demand(balance == paidIn - spent, $"the balance is {Text(balance)}, the ledger adds up to {Text(paidIn - spent)}");
        Demand(costs == spent, $"the log's costs add up to {Text(costs)}, the ledger's usage to {Text(spent)}");
        Demand(spent <= paidIn, $"{Text(spent)} was spent of {Text(paidIn)}");
        return new MoneyAccount
        {
            Orphaned = told.Count(request => request.Value is null),
            PaidIn = paidIn,
            Spent = spent,
            Held = MoneyLoad.Amount(wallet["held"]),
            Lost = lost,
            Doubled = rows.Count(request => request.Count() > 1),
            Faults = found,
        };

        void Demand(bool isSo, string fault)
        {
            if (!isSo)
            {
                found.Add(fault);
            }
        }
    }

    private static string Text(decimal amount) => amount.ToString(CultureInfo.InvariantCulture);
}
