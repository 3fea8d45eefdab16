using System.Text.Json.Nodes;

namespace Tollgate.Cli.Import;

/// <summary>
/// Unkey's table <c>keys</c>, or what its API lists. <c>hash</c> is the SHA-256 of the key in base64, <c>start</c> its first characters;
/// times are milliseconds since 1970, in older tables date and time in UTC. A row with a time of deletion is a revoked key.
/// </summary>
internal static class UnkeyShape
{
    public static ExportShape Shape { get; } = new()
    {
        System = "unkey",
        Taken = new HashSet<string>
        {
            "id", "keyId", "key_id", "hash", "plaintext", "start", "name", "expires", "enabled", "created_at_m", "created_at", "createdAt",
            "deleted_at_m", "deleted_at", "deletedAt",
        },
        Kept = new HashSet<string>
        {
            "owner_id", "ownerId", "identity_id", "identity", "external_id", "externalId", "meta", "roles", "permissions", "environment",
            "key_auth_id", "apiId",
        },
        NotEnforced = new HashSet<string> { "roles", "permissions", "environment" },
        Immaterial = new HashSet<string>
        {
            "workspace_id", "workspaceId", "updated_at_m", "updated_at", "updatedAt", "last_used_at", "lastUsedAt", "pk",
        },
        Map = Map,
    };

    private static JsonObject? Map(TableRow row)
    {
        if (row["deleted_at_m", "deleted_at", "deletedAt"] is not null)
        {
            return null;
        }

        var id = Cell.Text(row["id", "keyId", "key_id"]);
        var text = Cell.Text(row["plaintext"]);
        return new JsonObject
        {
            ["external_id"] = id,
            ["name"] = Cell.Text(row["name"]) ?? id,
            ["secret"] = text,
            ["secret_sha256"] = text is null ? Cell.Text(row["hash"]) : null,
            ["start"] = text is null ? Cell.Text(row["start"]) : null,
            ["disabled"] = Cell.Flag(row["enabled"]) is { } enabled
                ? enabled.GetValueKind() is System.Text.Json.JsonValueKind.String ? enabled : !enabled.GetValue<bool>()
                : null,
            ["expires_at"] = Cell.Time(row["expires"]),
            ["created_at"] = Cell.Time(row["created_at_m", "created_at", "createdAt"]),
        };
    }
}
