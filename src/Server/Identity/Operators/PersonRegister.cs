using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Operators;

/// <summary>Who has an account: what the operator sees of all of them. Who is deleted is in no list.</summary>
internal sealed class PersonRegister(Database database)
{
    public const int SearchMax = 200;

    /// <summary>Of one organization; more than one are only those who run the gate.</summary>
    public const int OwnersMax = 20;

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

    /// <summary>Those of these that exist.</summary>
    public Task<List<Person>> Find(IReadOnlyCollection<string> ids, CancellationToken cancel) => database.Read(
        async connection =>
        {
            var people = new List<Person>();
            foreach (var id in ids)
            {
                if (await PersonSql.Find(connection, null, id) is { DeletedAtMs: null } person)
                {
                    people.Add(person);
                }
            }

            return people;
        },
        cancel);

    /// <summary>Whose own organization it is: one person's, the operators' of the gate, or nobody's as with a team.</summary>
    public Task<List<Person>> OwnersOf(string organizationId, CancellationToken cancel) =>
        database.Read(connection => PersonRegisterSql.OwnersOf(connection, organizationId, OwnersMax), cancel);

    public static Problem NoPerson => new(ProblemCode.NotFound, "There is no such person.");
}
