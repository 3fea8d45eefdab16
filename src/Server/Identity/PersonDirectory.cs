using System.Data.Common;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>The door for rooms that refer to people: who somebody is, by id or address, inside a write or beside it.</summary>
internal static class PersonDirectory
{
    /// <summary>Null for nobody, and for who is deleted.</summary>
    public static async Task<Person?> Find(WriteScope scope, string id) =>
        await PersonSql.Find(scope.Connection, scope.Transaction, id) is { DeletedAtMs: null } person ? person : null;

    /// <summary>The same by an address, whether it was confirmed or not.</summary>
    public static async Task<Person?> Find(WriteScope scope, EmailAddress email) =>
        await PersonSql.FindByEmail(scope.Connection, scope.Transaction, email.Key) is { DeletedAtMs: null } person ? person : null;

    /// <summary>Who these are, whatever became of them.</summary>
    public static Task<List<Person>> List(DbConnection connection, IReadOnlyCollection<long> numbers) =>
        PersonSql.List(connection, numbers);
}
