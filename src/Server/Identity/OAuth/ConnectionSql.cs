using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.OAuth;

/// <summary>Every statement on the accounts elsewhere by which people sign in.</summary>
internal static class ConnectionSql
{
    private const string Columns = "connection AS name, subject, person_no, email, created_at_ms, used_at_ms";

    /// <summary>0 rows when somebody has it already. By the primary key.</summary>
    public static Task<int> Insert(WriteScope scope, Connection connection) => scope.Execute(
        """
        INSERT INTO connections (connection, subject, person_no, email, created_at_ms, used_at_ms)
        VALUES (@Name, @Subject, @PersonNo, @Email, @CreatedAtMs, @UsedAtMs)
        ON CONFLICT (connection, subject) DO NOTHING
        """,
        connection);

    /// <summary>By the primary key.</summary>
    public static Task<Connection?> Find(WriteScope scope, string name, string subject) => scope.Find<Connection>(
        $"SELECT {Columns} FROM connections WHERE connection = @name AND subject = @subject", new { name, subject });

    /// <summary>By the primary key.</summary>
    public static Task Used(WriteScope scope, string name, string subject) => scope.Execute(
        "UPDATE connections SET used_at_ms = @NowMs WHERE connection = @name AND subject = @subject", new { name, subject, scope.NowMs });

    /// <summary>By connections_by_person.</summary>
    public static async Task<IReadOnlyList<Connection>> List(DbConnection connection, DbTransaction? transaction, long personNo) =>
        (await connection.QueryAsync<Connection>(
            $"SELECT {Columns} FROM connections WHERE person_no = @personNo ORDER BY connection, subject", new { personNo }, transaction))
        .AsList();

    /// <summary>By the primary key; 0 rows when it is not this person's.</summary>
    public static Task<int> Remove(WriteScope scope, long personNo, string name, string subject) => scope.Execute(
        "DELETE FROM connections WHERE connection = @name AND subject = @subject AND person_no = @personNo",
        new { personNo, name, subject });

    /// <summary>By connections_by_person.</summary>
    public static Task<int> RemoveAll(WriteScope scope, long personNo) =>
        scope.Execute("DELETE FROM connections WHERE person_no = @personNo", new { personNo });
}
