using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>Every statement that compares keys of two databases.</summary>
internal static class KeyComparisonSql
{
    /// <summary>The next keys in the order of their numbers, in whatever state. By the primary key.</summary>
    public static async Task<List<ComparedKey>> After(WriteScope scope, long after, int limit)
    {
        var keys = await KeySql.Range(scope.Connection, scope.Transaction, after, long.MaxValue, limit);
        return keys.Count == 0 ? [] : await WithHashes(scope.Connection, scope.Transaction, keys, after, keys[^1].KeyNo);
    }

    /// <summary>The keys with numbers above one and up to another. By the primary key.</summary>
    public static async Task<List<ComparedKey>> Between(DbConnection connection, long after, long last) =>
        await WithHashes(connection, null, await KeySql.Range(connection, null, after, last, int.MaxValue), after, last);

    /// <summary>Keys with numbers above this one. By the primary key.</summary>
    public static Task<long> CountAfter(DbConnection connection, long after) =>
        connection.ExecuteScalarAsync<long>("SELECT count(*) FROM keys WHERE key_no > @after", new { after });

    /// <summary>Ends one version, unless it ends earlier. By the primary key.</summary>
    public static Task EndSecret(WriteScope scope, long keyNo, long version, long endsAtMs) => scope.Execute(
        """
        UPDATE secrets SET ends_at_ms = @endsAtMs
        WHERE key_no = @keyNo AND version = @version AND (ends_at_ms IS NULL OR ends_at_ms > @endsAtMs)
        """,
        new { keyNo, version, endsAtMs });

    private static async Task<List<ComparedKey>> WithHashes(
        DbConnection connection, DbTransaction? transaction, List<Key> keys, long after, long last)
    {
        var hashes = (await connection.QueryAsync<(long KeyNo, long Version, byte[] Hash)>(
            "SELECT key_no, version, hash FROM secrets WHERE key_no > @after AND key_no <= @last",
            new { after, last },
            transaction)).ToLookup(row => row.KeyNo);
        return keys.ConvertAll(key => new ComparedKey(
            key, hashes[key.KeyNo].ToDictionary(row => row.Version, row => Convert.ToHexString(row.Hash))));
    }
}

/// <summary>A key and, by version, what is kept of its secrets.</summary>
internal sealed record ComparedKey(Key Key, IReadOnlyDictionary<long, string> Hashes);
