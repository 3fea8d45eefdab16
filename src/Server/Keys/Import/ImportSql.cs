using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys.Import;

/// <summary>Every statement on what was imported; those on keys and secrets are <see cref="KeySql"/>'s.</summary>
internal static class ImportSql
{
    /// <summary>By the primary key, and that of keys.</summary>
    public static Task<ImportedRow?> Find(WriteScope scope, byte[] externalHash) => scope.Find<ImportedRow>(
        """
        SELECT i.content_hash AS ContentHash, k.id AS Id
        FROM imported_keys i JOIN keys k ON k.key_no = i.key_no
        WHERE i.external_hash = @externalHash
        """,
        new { externalHash });

    public static Task Insert(WriteScope scope, IEnumerable<object> rows) => scope.Execute(
        "INSERT INTO imported_keys (external_hash, content_hash, key_no) VALUES (@ExternalHash, @ContentHash, @KeyNo)", rows);
}

/// <summary>What an external id stands for already.</summary>
internal sealed class ImportedRow
{
    public byte[] ContentHash { get; init; } = [];

    public string Id { get; init; } = "";
}
