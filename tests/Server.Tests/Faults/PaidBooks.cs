using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Faults;

/// <summary>What the database itself says of money at one moment, in micros: one statement, so one snapshot on both databases.</summary>
/// <param name="Balance">Of all wallets.</param>
/// <param name="Entries">The sum of the ledger.</param>
/// <param name="Spent">What entries of usage took.</param>
/// <param name="Held">By requests under way.</param>
/// <param name="Logged">What the lines of the log cost.</param>
/// <param name="Summed">What the sums of days say they cost.</param>
/// <param name="Lines">Of the log.</param>
/// <param name="Counted">Requests by the sums of days.</param>
/// <param name="Open">Requests under way.</param>
internal sealed record PaidBooks(
    long Balance, long Entries, long Spent, long Held, long Logged, long Summed, long Lines, long Counted, long Open)
{
    private const string Sql =
        """
        SELECT (SELECT CAST(coalesce(sum(balance_micros), 0) AS BIGINT) FROM wallets) AS Balance,
               (SELECT CAST(coalesce(sum(amount_micros), 0) AS BIGINT) FROM wallet_entries) AS Entries,
               (SELECT CAST(coalesce(sum(-amount_micros), 0) AS BIGINT) FROM wallet_entries WHERE kind = 'usage') AS Spent,
               (SELECT CAST(coalesce(sum(held_micros), 0) AS BIGINT) FROM reservations) AS Held,
               (SELECT CAST(coalesce(sum(cost_micros), 0) AS BIGINT) FROM usage_log) AS Logged,
               (SELECT CAST(coalesce(sum(cost_micros), 0) AS BIGINT) FROM usage_days) AS Summed,
               (SELECT count(*) FROM usage_log) AS Lines,
               (SELECT CAST(coalesce(sum(requests), 0) AS BIGINT) FROM usage_days) AS Counted,
               (SELECT count(*) FROM reservations) AS Open
        """;

    public static async Task<PaidBooks> Of(DbConnection connection) => await connection.QuerySingleAsync<PaidBooks>(Sql);

    public static Task<PaidBooks> Of(Database database) => database.Read(Of);

    /// <summary>What holds at every commit: nothing is spent or held that is not there, and all the books agree.</summary>
    public void Agree(string which)
    {
        Assert.True(Held <= Balance, $"{which}: more is held than there is: {this}");
        Assert.True(Entries == Balance, $"{which}: the ledger does not sum to the balance: {this}");
        Assert.True(Spent == Logged && Logged == Summed, $"{which}: the log and the ledger differ: {this}");
        Assert.True(Lines == Counted, $"{which}: the log and its sums differ: {this}");
    }
}
