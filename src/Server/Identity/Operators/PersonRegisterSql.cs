using System.Data.Common;
using Dapper;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Operators;

/// <summary>Every statement on lists of people.</summary>
internal static class PersonRegisterSql
{
    private const string Columns =
        "person_no, id, name, email, email_key, verified_at_ms, password_hash, stamp, is_operator, organization_id, disabled_at_ms, "
        + "deleted_at_ms, created_at_ms, row_version";

    /// <summary>Looks at each person: asked for one organization at a time.</summary>
    public static async Task<List<Person>> OwnersOf(DbConnection connection, string organizationId, int limit) =>
        (await connection.QueryAsync<Person>(
            $"""
            SELECT {Columns} FROM people WHERE organization_id = @organizationId AND deleted_at_ms IS NULL ORDER BY person_no LIMIT @limit
            """,
            new { organizationId, limit })).AsList();

    /// <summary>By the primary key, downwards; a search looks at each on its way.</summary>
    public static async Task<List<Person>> List(DbConnection connection, string? search, long before, int limit) =>
        (await connection.QueryAsync<Person>(
            $"""
            SELECT {Columns} FROM people
            WHERE person_no < @before AND deleted_at_ms IS NULL
              AND (@search IS NULL OR id = @search OR email_key LIKE @start ESCAPE '\' OR lower(name) LIKE @part ESCAPE '\')
            ORDER BY person_no DESC LIMIT @limit
            """,
            new { before, limit, search, start = SearchText.Starting(search), part = SearchText.Holding(search) })).AsList();
}
