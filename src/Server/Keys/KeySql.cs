using System.Data;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using Tollgate.Engine.Keys;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>Every statement on keys and their secrets.</summary>
internal static class KeySql
{
    private const string Columns =
        "k.key_no AS KeyNo, k.id AS Id, k.project_no AS ProjectNo, o.project_id AS ProjectId, o.organization_id AS OrganizationId, "
        + "k.environment AS Environment, k.type AS Type, k.name AS Name, k.description AS Description, k.permissions AS Permissions, "
        + "k.scopes AS Scopes, k.rights AS Rights, k.allowed_addresses AS AllowedAddresses, k.metadata AS Metadata, "
        + "k.expires_at_ms AS ExpiresAtMs, k.holds AS Holds, k.revoked_at_ms AS RevokedAtMs, k.deleted_at_ms AS DeletedAtMs, "
        + "k.created_at_ms AS CreatedAtMs, k.created_by AS CreatedBy, k.row_version AS RowVersion, "
        + "k.limits AS Limits, o.organization_no AS OrganizationNo, o.plan AS Plan, k.models AS Models";

    private const string Source = "FROM keys k JOIN project_owners o ON o.project_no = k.project_no";

    /// <summary>By the unique index on hash. A check of a key that is not in memory waits for it, so its statement is kept.</summary>
    private static readonly PreparedQuery<KeyRow> ByHash = new(FindByHashText, "Hash", DbType.Binary, KeyRow.OfFindByHash);

    /// <summary>In the order in which <see cref="KeyRow.OfFindByHash"/> reads its columns.</summary>
    internal const string FindByHashText =
        $"SELECT {Columns}, s.ends_at_ms AS EndsAtMs, o.is_operator AS IsOperator, o.state AS OwnerState, o.version AS OwnerVersion "
        + $"{Source} JOIN secrets s ON s.key_no = k.key_no WHERE s.hash = @Hash";

    /// <summary>Written once, so that a list filter and <see cref="Key.Status"/> cannot disagree.</summary>
    private const string Status =
        "CASE WHEN k.deleted_at_ms IS NOT NULL THEN 'deleted' WHEN k.revoked_at_ms IS NOT NULL THEN 'revoked' "
        + "WHEN k.expires_at_ms <= @NowMs THEN 'expired' WHEN k.holds <> 0 THEN 'disabled' ELSE 'active' END";

    public static Task Insert(WriteScope scope, params IEnumerable<Key> keys) => scope.Connection.ExecuteAsync(
        """
        INSERT INTO keys (key_no, id, project_no, environment, type, name, description, permissions, scopes, rights, allowed_addresses,
                          metadata, limits, models, expires_at_ms, holds, created_at_ms, created_by, row_version)
        VALUES (@KeyNo, @Id, @ProjectNo, @Environment, @Type, @Name, @Description, @Permissions, @Scopes, @Rights, @AllowedAddresses,
                @Metadata, @Limits, @Models, @ExpiresAtMs, @Holds, @CreatedAtMs, @CreatedBy, @Version)
        """,
        keys.Select(Parameters),
        scope.Transaction);

    /// <summary>Inserts nothing and answers false when the secret is or was in use. By the unique index on hash.</summary>
    public static async Task<bool> InsertSecret(WriteScope scope, long keyNo, KeySecret secret, byte[] hash, byte[]? @sealed) =>
        await scope.Connection.ExecuteAsync(
            """
            INSERT INTO secrets (key_no, version, hash, mask, sealed, created_at_ms)
            VALUES (@KeyNo, @Version, @Hash, @Mask, @Sealed, @CreatedAtMs)
            ON CONFLICT (hash) DO NOTHING
            """,
            new { KeyNo = keyNo, secret.Version, Hash = hash, secret.Mask, Sealed = @sealed, secret.CreatedAtMs },
            scope.Transaction) == 1;

    /// <summary>The first secret of each key, none of which is or was in use (<see cref="IsSecretTaken"/>).</summary>
    public static Task InsertFirstSecrets(WriteScope scope, IEnumerable<(Key Key, MadeSecret Made)> secrets) =>
        scope.Connection.ExecuteAsync(
            """
            INSERT INTO secrets (key_no, version, hash, mask, sealed, created_at_ms)
            VALUES (@KeyNo, 1, @Hash, @Mask, @Sealed, @CreatedAtMs)
            """,
            secrets.Select(one => new { one.Key.KeyNo, one.Made.Hash, one.Made.Mask, one.Made.Sealed, one.Key.CreatedAtMs }),
            scope.Transaction);

    /// <summary>By the unique index on hash.</summary>
    public static async Task<bool> IsSecretTaken(WriteScope scope, byte[] hash) =>
        await scope.Find<long?>("SELECT key_no FROM secrets WHERE hash = @Hash", new { Hash = hash }) is not null;

    public static Task Update(WriteScope scope, Key key) => scope.Connection.ExecuteAsync(
        """
        UPDATE keys
        SET name = @Name, description = @Description, permissions = @Permissions, scopes = @Scopes, rights = @Rights,
            allowed_addresses = @AllowedAddresses, metadata = @Metadata, limits = @Limits, models = @Models, expires_at_ms = @ExpiresAtMs,
            holds = @Holds, revoked_at_ms = @RevokedAtMs, deleted_at_ms = @DeletedAtMs, row_version = @Version
        WHERE key_no = @KeyNo
        """,
        Parameters(key),
        scope.Transaction);

    /// <summary>
    /// Ends every version that would live longer than <paramref name="endsAtMs"/>, but for one when named (0 = none). By the primary key.
    /// </summary>
    public static Task EndSecrets(WriteScope scope, long keyNo, long endsAtMs, long exceptVersion) => scope.Connection.ExecuteAsync(
        """
        UPDATE secrets SET ends_at_ms = @EndsAtMs
        WHERE key_no = @KeyNo AND version <> @ExceptVersion AND (ends_at_ms IS NULL OR ends_at_ms > @EndsAtMs)
        """,
        new { KeyNo = keyNo, EndsAtMs = endsAtMs, ExceptVersion = exceptVersion },
        scope.Transaction);

    /// <summary>
    /// Revokes the first keys of a project that are not final yet; answers them as they were before, none when all are final. By
    /// keys_by_project.
    /// </summary>
    public static async Task<List<Key>> RevokeAllOf(WriteScope scope, long projectNo, int limit)
    {
        var rows = (await scope.Connection.QueryAsync<KeyRow>(
            $"""
            SELECT {Columns} {Source}
            WHERE k.project_no = @ProjectNo AND k.revoked_at_ms IS NULL AND k.deleted_at_ms IS NULL
            ORDER BY k.key_no LIMIT @Limit
            """,
            new { ProjectNo = projectNo, Limit = limit },
            scope.Transaction)).AsList();
        var keys = await WithSecrets(scope.Connection, scope.Transaction, rows);
        await scope.Connection.ExecuteAsync(
            """
            UPDATE keys SET revoked_at_ms = @NowMs, row_version = row_version + 1
            WHERE project_no = @ProjectNo AND key_no <= @Last AND revoked_at_ms IS NULL AND deleted_at_ms IS NULL
            """,
            new { ProjectNo = projectNo, scope.NowMs, Last = rows.Count == 0 ? 0 : rows[^1].KeyNo },
            scope.Transaction);
        return keys;
    }

    /// <summary>By keys_by_project.</summary>
    public static Task<long> CountLiveOf(DbConnection connection, long projectNo) => connection.ExecuteScalarAsync<long>(
        "SELECT COUNT(*) FROM keys WHERE project_no = @projectNo AND revoked_at_ms IS NULL AND deleted_at_ms IS NULL", new { projectNo });

    // Who was shown a key's secret was shown that of each key that it has made.
    private const string Made =
        """
        WITH RECURSIVE made (key_no, id) AS (
            SELECT k.key_no, k.id FROM keys k JOIN project_owners o ON o.project_no = k.project_no
            WHERE k.created_by = @maker AND o.organization_no = @organizationNo
            UNION
            SELECT k.key_no, k.id FROM keys k JOIN made m ON k.created_by = m.id
        )
        SELECT k.key_no FROM keys k JOIN made m ON m.key_no = k.key_no WHERE k.revoked_at_ms IS NULL AND k.deleted_at_ms IS NULL
        """;

    /// <summary>
    /// The keys of an organization that somebody has made, by himself or by a key that he has made, and that are not final. A key makes
    /// keys in its own project alone. By keys_by_maker.
    /// </summary>
    public static async Task<List<long>> MadeBy(WriteScope scope, long organizationNo, string maker) =>
        (await scope.Connection.QueryAsync<long>($"{Made} ORDER BY k.key_no", new { organizationNo, maker }, scope.Transaction)).AsList();

    /// <summary>By keys_by_maker.</summary>
    public static Task<long> CountMadeBy(DbConnection connection, long organizationNo, string maker) =>
        connection.ExecuteScalarAsync<long>($"SELECT COUNT(*) FROM ({Made}) AS those", new { organizationNo, maker });

    /// <summary>Deletes these keys, none of which is final; answers them as they were before. By the primary key.</summary>
    public static async Task<List<Key>> DeleteAll(WriteScope scope, IReadOnlyList<long> numbers)
    {
        var rows = (await scope.Connection.QueryAsync<KeyRow>(
            $$"""SELECT {{Columns}} {{Source}} WHERE k.key_no IN {=Numbers} ORDER BY k.key_no""",
            new { Numbers = numbers },
            scope.Transaction)).AsList();
        var keys = await WithSecrets(scope.Connection, scope.Transaction, rows);
        await scope.Execute(
            "UPDATE keys SET deleted_at_ms = @NowMs, row_version = row_version + 1 WHERE key_no IN {=Numbers}",
            new { Numbers = numbers, scope.NowMs });
        return keys;
    }

    /// <summary>
    /// Places or lifts one hold on every key of an organization that is not final; answers those that changed, with their new versions.
    /// By projects_by_organization and keys_by_project.
    /// </summary>
    public static async Task<IReadOnlyList<(long TargetNo, long Version)>> HoldAllOf(
        WriteScope scope, long organizationNo, KeyState hold, bool isHeld) => await scope.Query<(long, long)>(
        """
        UPDATE keys SET holds = (holds & ~@Hold) | @Held, row_version = row_version + 1
        WHERE project_no IN (SELECT project_no FROM project_owners WHERE organization_no = @organizationNo)
          AND (holds & @Hold) <> @Held AND revoked_at_ms IS NULL AND deleted_at_ms IS NULL
        RETURNING key_no, row_version
        """,
        new { organizationNo, Hold = (long)hold, Held = isHeld ? (long)hold : 0L });

    /// <summary>By the unique index on id.</summary>
    public static async Task<Key?> Find(DbConnection connection, DbTransaction? transaction, KeyId id)
    {
        var row = await connection.QuerySingleOrDefaultAsync<KeyRow>(
            $"SELECT {Columns} {Source} WHERE k.id = @Id", new { Id = id.ToString() }, transaction);
        return row is null ? null : (await WithSecrets(connection, transaction, [row]))[0];
    }

    /// <summary>
    /// Newest first, below <paramref name="filter"/>'s number. By keys_by_project. Without a status, all but the deleted.
    /// </summary>
    public static async Task<List<Key>> List(DbConnection connection, KeyFilter filter)
    {
        var rows = (await connection.QueryAsync<KeyRow>(
            $"""
            SELECT {Columns} {Source}
            WHERE k.project_no = @ProjectNo AND k.key_no < @Before
              AND (@CreatedBy IS NULL OR k.created_by = @CreatedBy) AND (@IsOpen = 0 OR k.revoked_at_ms IS NULL)
              AND (@Environment IS NULL OR k.environment = @Environment)
              AND ((@Status IS NULL AND k.deleted_at_ms IS NULL) OR {Status} = @Status)
            ORDER BY k.key_no DESC LIMIT @Limit
            """,
            filter)).AsList();
        return await WithSecrets(connection, null, rows);
    }

    /// <summary>
    /// The newest key of a project that somebody made and that has not ended; null where there is none. By keys_by_project, or by
    /// keys_by_maker.
    /// </summary>
    public static async Task<Key?> NewestOf(
        DbConnection connection, DbTransaction? transaction, long projectNo, string createdBy)
    {
        var rows = (await connection.QueryAsync<KeyRow>(
            $"""
            SELECT {Columns} {Source}
            WHERE k.project_no = @projectNo AND k.created_by = @createdBy AND k.deleted_at_ms IS NULL AND k.revoked_at_ms IS NULL
            ORDER BY k.key_no DESC LIMIT 1
            """,
            new { projectNo, createdBy },
            transaction)).AsList();
        return (await WithSecrets(connection, transaction, rows)).FirstOrDefault();
    }

    /// <summary>The ids of these keys and where they are, deleted ones among them. By the primary key.</summary>
    public static async Task<List<KeyPlace>> PlacesOf(DbConnection connection, IReadOnlyCollection<long> numbers) =>
        (await connection.QueryAsync<KeyPlace>(
            $$"""
            SELECT k.key_no AS KeyNo, k.id AS Id, k.environment AS Environment, o.organization_id AS OrganizationId
            {{Source}} WHERE k.key_no IN {=Numbers}
            """,
            new { Numbers = numbers })).AsList();

    /// <summary>In the order of their numbers, above one and up to another, in whatever state. By the primary key.</summary>
    public static async Task<List<Key>> Range(DbConnection connection, DbTransaction? transaction, long after, long last, int limit) =>
        await WithSecrets(
            connection,
            transaction,
            (await connection.QueryAsync<KeyRow>(
                $"SELECT {Columns} {Source} WHERE k.key_no > @after AND k.key_no <= @last ORDER BY k.key_no LIMIT @limit",
                new { after, last, limit },
                transaction)).AsList());

    private const string ToTell =
        "k.expires_at_ms > @nowMs AND k.expires_at_ms <= @untilMs AND k.revoked_at_ms IS NULL AND k.deleted_at_ms IS NULL "
        + "AND (k.expiring_told_ms IS NULL OR k.expiring_told_ms <> k.expires_at_ms)";

    /// <summary>By keys_expiring.</summary>
    public static async Task<bool> HasExpiring(DbConnection connection, long nowMs, long untilMs) =>
        await connection.ExecuteScalarAsync<long>(
            $"SELECT CASE WHEN EXISTS (SELECT 1 FROM keys k WHERE {ToTell}) THEN 1 ELSE 0 END", new { nowMs, untilMs }) == 1;

    /// <summary>
    /// Live keys that expire from now to a time and whose date has not been told, the next first. By keys_expiring.
    /// </summary>
    public static async Task<List<Key>> Expiring(WriteScope scope, long untilMs, int limit) => await WithSecrets(
        scope.Connection,
        scope.Transaction,
        (await scope.Connection.QueryAsync<KeyRow>(
            $"""
            SELECT {Columns} {Source} WHERE {ToTell}
            ORDER BY k.expires_at_ms, k.key_no LIMIT @limit
            """,
            new { nowMs = scope.NowMs, untilMs, limit },
            scope.Transaction)).AsList());

    /// <summary>By the primary key.</summary>
    public static Task ToldExpiring(WriteScope scope, IReadOnlyList<Key> keys) => scope.Execute(
        "UPDATE keys SET expiring_told_ms = @ExpiresAtMs WHERE key_no = @KeyNo",
        keys.Select(key => new { key.KeyNo, key.ExpiresAtMs }));

    /// <summary>What the check needs of the one secret with this hash: its key, its owners, its end.</summary>
    public static Task<KeyRow?> FindByHash(DbConnection connection, byte[] hash) => ByHash.Ask(connection, hash);

    /// <summary>The same of a key, whatever its secrets are. By the primary key.</summary>
    public static Task<KeyRow?> FindForCheck(DbConnection connection, long keyNo) => connection.QuerySingleOrDefaultAsync<KeyRow>(
        $"""
        SELECT {Columns}, o.is_operator AS IsOperator, o.state AS OwnerState, o.version AS OwnerVersion
        {Source} WHERE k.key_no = @KeyNo
        """,
        new { KeyNo = keyNo });

    /// <summary>The newest version's hash and sealed text. By the primary key.</summary>
    public static Task<SealedRow?> SealedSecret(WriteScope scope, long keyNo) => scope.Connection.QueryFirstOrDefaultAsync<SealedRow>(
        "SELECT hash AS Hash, sealed AS Sealed FROM secrets WHERE key_no = @KeyNo ORDER BY version DESC LIMIT 1",
        new { KeyNo = keyNo },
        scope.Transaction);

    private static async Task<List<Key>> WithSecrets(DbConnection connection, DbTransaction? transaction, List<KeyRow> rows)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        var secrets = (await connection.QueryAsync<SecretRow>(
            """
            SELECT key_no AS KeyNo, version AS Version, mask AS Mask, created_at_ms AS CreatedAtMs, ends_at_ms AS EndsAtMs
            FROM secrets WHERE key_no IN {=KeyNos} ORDER BY key_no, version DESC
            """,
            new { KeyNos = rows.ConvertAll(row => row.KeyNo) },
            transaction)).ToLookup(row => row.KeyNo, row => row.ToRecord());
        return rows.ConvertAll(row => row.ToRecord([.. secrets[row.KeyNo]]));
    }

    private static object Parameters(Key key) => new
    {
        key.KeyNo,
        Id = key.Id.ToString(),
        key.ProjectNo,
        key.Environment,
        key.Type,
        key.Name,
        key.Description,
        Permissions = ToJson(key.Permissions),
        Scopes = ToJson(key.Scopes),
        Rights = ToJson(key.Rights),
        AllowedAddresses = ToJson(key.AllowedAddresses),
        key.Metadata,
        Limits = KeyLimits.ToJson(key.Limits),
        Models = KeyModels.ToJson(key.Models),
        key.ExpiresAtMs,
        Holds = (long)key.Holds,
        key.RevokedAtMs,
        key.DeletedAtMs,
        key.CreatedAtMs,
        key.CreatedBy,
        key.Version,
    };

    private static string ToJson(IReadOnlyList<string> names) => JsonSerializer.Serialize(names, KeyWire.Default.IReadOnlyListString);

    private sealed class SecretRow
    {
        public long KeyNo { get; init; }

        public long Version { get; init; }

        public string Mask { get; init; } = "";

        public long CreatedAtMs { get; init; }

        public long? EndsAtMs { get; init; }

        public KeySecret ToRecord() => new() { Version = Version, Mask = Mask, CreatedAtMs = CreatedAtMs, EndsAtMs = EndsAtMs };
    }
}

/// <summary>
/// What is kept of a secret; sealed only where the provider file says revealable, and under the hash, so that rows cannot be swapped.
/// </summary>
internal sealed class SealedRow
{
    public byte[] Hash { get; init; } = [];

    public byte[]? Sealed { get; init; }
}

/// <summary>Which keys a list holds: of one project, of one environment if named, in one status if named, below a number.</summary>
internal sealed record KeyFilter(
    long ProjectNo, string? Environment, string? Status, string? CreatedBy, long Before, int Limit, long NowMs)
{
    /// <summary>1 leaves out what is revoked.</summary>
    public int IsOpen { get; init; }
}

/// <summary>Which key a number stands for, and whose it is.</summary>
internal sealed class KeyPlace
{
    public long KeyNo { get; init; }

    public string Id { get; init; } = "";

    public string Environment { get; init; } = "";

    public string OrganizationId { get; init; } = "";
}
