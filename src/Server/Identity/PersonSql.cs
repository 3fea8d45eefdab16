using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>Every statement on people.</summary>
internal static class PersonSql
{
    private const string Columns =
        "person_no, id, name, email, email_key, verified_at_ms, password_hash, stamp, is_operator, organization_id, disabled_at_ms, "
        + "deleted_at_ms, created_at_ms, row_version";

    public static Task Insert(WriteScope scope, Person person) => scope.Execute(
        """
        INSERT INTO people (person_no, id, name, email, email_key, verified_at_ms, password_hash, stamp, is_operator, organization_id,
                            disabled_at_ms, deleted_at_ms, created_at_ms, row_version)
        VALUES (@PersonNo, @Id, @Name, @Email, @EmailKey, @VerifiedAtMs, @PasswordHash, @Stamp, @IsOperator, @OrganizationId, NULL, NULL,
                @CreatedAtMs, 1)
        """,
        person);

    /// <summary>By the primary key; 0 rows when somebody changed the person since it was read.</summary>
    public static Task<int> Update(WriteScope scope, Person person) => scope.Execute(
        """
        UPDATE people
        SET name = @Name, email = @Email, email_key = @EmailKey, verified_at_ms = @VerifiedAtMs, password_hash = @PasswordHash,
            stamp = @Stamp, disabled_at_ms = @DisabledAtMs, deleted_at_ms = @DeletedAtMs, row_version = row_version + 1
        WHERE person_no = @PersonNo AND row_version = @RowVersion
        """,
        person);

    /// <summary>By the unique index on id.</summary>
    public static Task<Person?> Find(DbConnection connection, DbTransaction? transaction, string id) =>
        connection.QuerySingleOrDefaultAsync<Person>($"SELECT {Columns} FROM people WHERE id = @id", new { id }, transaction);

    /// <summary>By the primary key.</summary>
    public static Task<Person?> Find(DbConnection connection, DbTransaction? transaction, long personNo) =>
        connection.QuerySingleOrDefaultAsync<Person>(
            $"SELECT {Columns} FROM people WHERE person_no = @personNo", new { personNo }, transaction);

    /// <summary>Those with numbers above one, in order. By the primary key.</summary>
    public static async Task<List<Person>> After(WriteScope scope, long after, int limit) =>
        (await scope.Connection.QueryAsync<Person>(
            $"SELECT {Columns} FROM people WHERE person_no > @after ORDER BY person_no LIMIT @limit",
            new { after, limit },
            scope.Transaction)).AsList();

    /// <summary>By people_by_email.</summary>
    public static Task<Person?> FindByEmail(DbConnection connection, DbTransaction? transaction, string emailKey) =>
        connection.QuerySingleOrDefaultAsync<Person>(
            $"SELECT {Columns} FROM people WHERE email_key = @emailKey AND email_key IS NOT NULL", new { emailKey }, transaction);

    /// <summary>By the primary key, in the order of their numbers.</summary>
    public static async Task<List<Person>> List(DbConnection connection, IReadOnlyCollection<long> numbers) => numbers.Count == 0
        ? []
        : (await connection.QueryAsync<Person>(
            $"SELECT {Columns} FROM people WHERE person_no IN {{=numbers}} ORDER BY person_no", new { numbers })).AsList();

    /// <summary>The first operator who may sign in. By people_operators.</summary>
    public static Task<Person?> FirstOperator(WriteScope scope) => scope.Find<Person>(
        $"""
        SELECT {Columns} FROM people
        WHERE is_operator = 1 AND disabled_at_ms IS NULL AND deleted_at_ms IS NULL
        ORDER BY person_no LIMIT 1
        """);
}
