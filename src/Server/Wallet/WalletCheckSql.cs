using System.Data.Common;
using Dapper;

namespace Tollgate.Server.Wallet;

/// <summary>Every statement that adds the ledger up again. Each reads all of it.</summary>
internal static class WalletCheckSql
{
    public static async Task<List<WalletSums>> Sums(DbConnection connection) => (await connection.QueryAsync<WalletSums>(
        """
        SELECT w.organization_no AS OrganizationNo, w.balance_micros AS Balance, w.entries AS Entries, w.granted_micros AS Granted,
               CAST(count(e.entry_no) AS BIGINT) AS EntryCount, CAST(coalesce(max(e.entry_no), 0) AS BIGINT) AS EntryLast,
               CAST(coalesce(sum(e.amount_micros), 0) AS BIGINT) AS EntrySum,
               CAST(coalesce(sum(CASE WHEN e.kind = 'usage' THEN e.uncovered_micros - e.amount_micros ELSE 0 END), 0) AS BIGINT) AS UsageSum
        FROM wallets w LEFT JOIN wallet_entries e ON e.organization_no = w.organization_no
        GROUP BY w.organization_no, w.balance_micros, w.entries, w.granted_micros
        ORDER BY w.organization_no
        """)).AsList();

    /// <summary>What was moved from one organization to another, which comes to nothing over all of them.</summary>
    public static Task<long> TransferSum(DbConnection connection) => connection.ExecuteScalarAsync<long>(
        "SELECT CAST(coalesce(sum(amount_micros), 0) AS BIGINT) FROM wallet_entries WHERE kind = 'transfer'");

    /// <summary>By organization, the first entry whose balance is not that of the one before it and its own amount.</summary>
    public static async Task<Dictionary<long, long>> BrokenLinks(DbConnection connection) =>
        (await connection.QueryAsync<(long OrganizationNo, long EntryNo)>(
            """
            SELECT organization_no, min(entry_no) FROM (
                SELECT organization_no, entry_no, amount_micros, balance_after_micros,
                       coalesce(lag(balance_after_micros) OVER (PARTITION BY organization_no ORDER BY entry_no), 0) AS before_micros
                FROM wallet_entries
            ) AS links
            WHERE balance_after_micros <> before_micros + amount_micros
            GROUP BY organization_no
            """)).ToDictionary(row => row.OrganizationNo, row => row.EntryNo);
}

/// <summary>A wallet beside what its entries come to, in micros.</summary>
internal sealed class WalletSums
{
    public long OrganizationNo { get; init; }

    public long Balance { get; init; }

    public long Entries { get; init; }

    public long Granted { get; init; }

    public long EntryCount { get; init; }

    public long EntryLast { get; init; }

    public long EntrySum { get; init; }

    /// <summary>Of usage: what was billed, whether or not it was there.</summary>
    public long UsageSum { get; init; }
}
