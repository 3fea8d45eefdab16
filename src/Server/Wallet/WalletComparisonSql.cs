using System.Data.Common;
using Dapper;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Wallet;

/// <summary>Every statement that compares wallets of two databases.</summary>
internal static class WalletComparisonSql
{
    private const string Columns = "organization_no AS OrganizationNo, balance_micros AS Balance, entries AS Entries";

    /// <summary>The next wallets in the order of their organizations. By the primary key.</summary>
    public static async Task<List<WalletRow>> After(DbConnection connection, DbTransaction? transaction, long after, int limit) =>
        (await connection.QueryAsync<WalletRow>(
            $"SELECT {Columns} FROM wallets WHERE organization_no > @after ORDER BY organization_no LIMIT @limit",
            new { after, limit },
            transaction)).AsList();

    /// <summary>Those of organizations with numbers above one and up to another. By the primary key.</summary>
    public static async Task<List<WalletRow>> Between(DbConnection connection, long after, long last) =>
        (await connection.QueryAsync<WalletRow>(
            $"SELECT {Columns} FROM wallets WHERE organization_no > @after AND organization_no <= @last", new { after, last })).AsList();

    /// <summary>
    /// Takes out what is there more than in place, which is never more than there is, as if it had been spent. By the primary key.
    /// </summary>
    public static Task<WalletRow> Take(WriteScope scope, long organizationNo, Money amount) => scope.Connection.QuerySingleAsync<WalletRow>(
        $"""
        UPDATE wallets SET balance_micros = balance_micros - @Amount, entries = entries + 1,
               granted_micros = CASE WHEN granted_micros > @Amount THEN granted_micros - @Amount ELSE 0 END
        WHERE organization_no = @organizationNo
        RETURNING {Columns}
        """,
        new { organizationNo, Amount = amount.Micros },
        scope.Transaction);
}
