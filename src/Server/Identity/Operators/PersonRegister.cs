using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Operators;

/// <summary>Who has an account: what the operator sees of all of them. Who is deleted is in no list.</summary>
internal sealed class PersonRegister(Database database)
{
    public const int SearchMax = 200;

    /// <summary>Newest first, below a number.</summary>
    /// <param name="search">An id, the beginning of an address, or a part of a name; null for everybody.</param>
    /// <param name="before">A number.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancel">Ends the reading.</param>
    public Task<List<Person>> List(string? search, long before, int limit, CancellationToken cancel) =>
        database.Read(connection => PersonRegisterSql.List(connection, search, before, limit), cancel);

    public async Task<Outcome<Person>> Find(string id, CancellationToken cancel) =>
        await database.Read(connection => PersonSql.Find(connection, null, id), cancel) is { DeletedAtMs: null } person
            ? person
            : NoPerson;

    public static Problem NoPerson => new(ProblemCode.NotFound, "There is no such person.");
}
