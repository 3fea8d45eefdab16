using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Passkeys;

/// <summary>Every statement on passkeys.</summary>
internal static class PasskeySql
{
    private const string Columns =
        "credential_id, person_no, name, public_key, sign_count, transports, is_backup_eligible, is_backed_up, created_at_ms, used_at_ms";

    /// <summary>0 rows when somebody has it already.</summary>
    public static Task<int> Insert(WriteScope scope, Passkey passkey) => scope.Execute(
        """
        INSERT INTO passkeys (credential_id, person_no, name, public_key, sign_count, transports, is_backup_eligible, is_backed_up,
                              created_at_ms, used_at_ms)
        VALUES (@CredentialId, @PersonNo, @Name, @PublicKey, @SignCount, @Transports, @IsBackupEligible, @IsBackedUp, @CreatedAtMs,
                @UsedAtMs)
        ON CONFLICT (credential_id) DO NOTHING
        """,
        passkey);

    /// <summary>By the primary key.</summary>
    public static Task<Passkey?> Find(DbConnection connection, DbTransaction? transaction, byte[] credentialId) =>
        connection.QuerySingleOrDefaultAsync<Passkey>(
            $"SELECT {Columns} FROM passkeys WHERE credential_id = @credentialId", new { credentialId }, transaction);

    /// <summary>By passkeys_by_person.</summary>
    public static async Task<IReadOnlyList<Passkey>> List(DbConnection connection, DbTransaction? transaction, long personNo) =>
        (await connection.QueryAsync<Passkey>(
            $"SELECT {Columns} FROM passkeys WHERE person_no = @personNo ORDER BY created_at_ms, credential_id",
            new { personNo },
            transaction)).AsList();

    /// <summary>
    /// Notes a use: 0 rows when it is gone, or when its device counts and has counted so far before, as a copy of it would. By the primary
    /// key.
    /// </summary>
    public static Task<int> Use(WriteScope scope, long personNo, byte[] credentialId, long signCount, long isBackedUp) => scope.Execute(
        """
        UPDATE passkeys SET sign_count = @signCount, is_backed_up = @isBackedUp, used_at_ms = @NowMs
        WHERE credential_id = @credentialId AND person_no = @personNo
            AND (sign_count < @signCount OR (sign_count = 0 AND @signCount = 0))
        """,
        new { personNo, credentialId, signCount, isBackedUp, scope.NowMs });

    /// <summary>By the primary key; 0 rows when it is not this person's.</summary>
    public static Task<int> Remove(WriteScope scope, long personNo, byte[] credentialId) => scope.Execute(
        "DELETE FROM passkeys WHERE credential_id = @credentialId AND person_no = @personNo", new { personNo, credentialId });

    /// <summary>By passkeys_by_person.</summary>
    public static Task<int> RemoveAll(WriteScope scope, long personNo) =>
        scope.Execute("DELETE FROM passkeys WHERE person_no = @personNo", new { personNo });
}
