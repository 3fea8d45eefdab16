using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.SecondStep;

/// <summary>Every statement on the second step of people's sign-ins.</summary>
internal static class AuthenticatorSql
{
    /// <summary>0 rows when there is one already.</summary>
    public static Task<int> Insert(WriteScope scope, Authenticator authenticator) => scope.Execute(
        """
        INSERT INTO authenticators (person_no, secret, last_step, created_at_ms)
        VALUES (@PersonNo, @Secret, @LastStep, @CreatedAtMs)
        ON CONFLICT (person_no) DO NOTHING
        """,
        authenticator);

    /// <summary>By the primary key.</summary>
    public static Task<Authenticator?> Find(DbConnection connection, DbTransaction? transaction, long personNo) =>
        connection.QuerySingleOrDefaultAsync<Authenticator>(
            "SELECT person_no, secret, last_step, created_at_ms FROM authenticators WHERE person_no = @personNo",
            new { personNo },
            transaction);

    /// <summary>Takes a span's code: 0 rows when it, or a later one, was used. By the primary key.</summary>
    public static Task<int> Use(WriteScope scope, long personNo, long step) => scope.Execute(
        "UPDATE authenticators SET last_step = @step WHERE person_no = @personNo AND last_step < @step", new { personNo, step });

    /// <summary>By the primary key.</summary>
    public static Task<int> Remove(WriteScope scope, long personNo) =>
        scope.Execute("DELETE FROM authenticators WHERE person_no = @personNo", new { personNo });

    public static Task InsertCode(WriteScope scope, long personNo, byte[] codeHash) => scope.Execute(
        "INSERT INTO recovery_codes (person_no, code_hash) VALUES (@personNo, @codeHash)", new { personNo, codeHash });

    /// <summary>By the primary key; at most as many as are given out at a time.</summary>
    public static async Task<IReadOnlyList<byte[]>> Codes(DbConnection connection, DbTransaction? transaction, long personNo) =>
        (await connection.QueryAsync<byte[]>(
            "SELECT code_hash FROM recovery_codes WHERE person_no = @personNo ORDER BY code_hash", new { personNo }, transaction)).AsList();

    /// <summary>Takes one out, so that nobody finds it again: 0 rows when it was used or is none. By the primary key.</summary>
    public static Task<int> UseCode(WriteScope scope, long personNo, byte[] codeHash) => scope.Execute(
        "DELETE FROM recovery_codes WHERE person_no = @personNo AND code_hash = @codeHash", new { personNo, codeHash });

    /// <summary>By the primary key.</summary>
    public static Task<int> RemoveCodes(WriteScope scope, long personNo) =>
        scope.Execute("DELETE FROM recovery_codes WHERE person_no = @personNo", new { personNo });
}
