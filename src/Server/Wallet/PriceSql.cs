using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Wallet;

/// <summary>Every statement on price lists.</summary>
internal static class PriceSql
{
    /// <summary>Newest first. By the primary key.</summary>
    public static async Task<List<PriceRow>> Newest(DbConnection connection, int limit) => (await connection.QueryAsync<PriceRow>(
        "SELECT version AS Version, content AS Content FROM price_lists ORDER BY version DESC LIMIT @limit", new { limit })).AsList();

    /// <summary>By the primary key.</summary>
    public static Task<PriceRow?> Find(DbConnection connection, long version) => connection.QuerySingleOrDefaultAsync<PriceRow>(
        "SELECT version AS Version, content AS Content FROM price_lists WHERE version = @version", new { version });

    public static Task Insert(WriteScope scope, PriceRow list) => scope.Execute(
        "INSERT INTO price_lists (version, content, since_ms) VALUES (@Version, @Content, @NowMs)",
        new { list.Version, list.Content, scope.NowMs });
}

/// <summary>A version of the prices as the database has it; the one before the first is empty.</summary>
internal sealed class PriceRow
{
    public long Version { get; init; }

    public string Content { get; init; } = "";
}
