using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Quotas;

/// <summary>Every statement on quotas. Each finds its row by the primary key.</summary>
internal static class QuotaSql
{
    /// <summary>
    /// One more, in one statement, where there are fewer than the limit; null, with nothing done, where there are not. Answers how many
    /// there are now.
    /// </summary>
    public static Task<long?> TryTake(WriteScope scope, long organizationNo, string name, long limit) => scope.Find<long?>(
        """
        INSERT INTO quotas (organization_no, name, used, row_version)
        SELECT @organizationNo, @name, 1, 1 WHERE @limit > 0
        ON CONFLICT (organization_no, name) DO UPDATE SET used = quotas.used + 1, row_version = quotas.row_version + 1
        WHERE quotas.used < @limit
        RETURNING used
        """,
        new { organizationNo, name, limit });

    /// <summary>One less, and never fewer than none.</summary>
    public static Task Lower(WriteScope scope, long organizationNo, string name) => scope.Execute(
        """
        UPDATE quotas SET used = used - 1, row_version = row_version + 1
        WHERE organization_no = @organizationNo AND name = @name AND used > 0
        """,
        new { organizationNo, name });

    /// <summary>Answers the row's version.</summary>
    public static async Task<long> Set(WriteScope scope, long organizationNo, string name, long used) => await scope.Find<long>(
        """
        INSERT INTO quotas (organization_no, name, used, row_version) VALUES (@organizationNo, @name, @used, 1)
        ON CONFLICT (organization_no, name) DO UPDATE SET used = excluded.used, row_version = quotas.row_version + 1
        RETURNING row_version
        """,
        new { organizationNo, name, used });

    public static async Task<Dictionary<string, long>> Used(DbConnection connection, DbTransaction? transaction, long organizationNo) =>
        (await connection.QueryAsync<(string Name, long Used)>(
            "SELECT name, used FROM quotas WHERE organization_no = @organizationNo", new { organizationNo }, transaction))
        .ToDictionary(row => row.Name, row => row.Used, StringComparer.Ordinal);
}
