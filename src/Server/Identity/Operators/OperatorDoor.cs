using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Operators;

/// <summary>
/// How the operator gets in before there is a password or an address: by a link that is printed at the first start, or made by who has the
/// root key.
/// </summary>
internal sealed class OperatorDoor(Database database, LinkBook links, SessionBook sessions)
{
    public const string Method = "once";

    private const string FirstName = "Operator";

    /// <summary>The secret of a new link for the first operator who may sign in, who is made where there is none.</summary>
    /// <param name="scope">The write.</param>
    /// <param name="organizationId">The operator's own organization.</param>
    public async Task<string> MakeLink(WriteScope scope, string organizationId)
    {
        var person = await PersonSql.FirstOperator(scope) ?? await Make(scope, organizationId);
        await PersonAudit.Tell(scope, "operator.link", person);
        return await links.Make(scope, LinkKind.Once, person);
    }

    /// <summary>A new session, without a second step: who has the root key has let its holder in, and may have lost the app.</summary>
    public Task<Outcome<Entry>> Use(Visit visit, string? secret, string? cookie) => database.Write<Entry>(
        async scope => await links.Take(scope, LinkKind.Once, secret) is { } link
            && await LinkBook.Owner(scope, link) is { MaySignIn: true } person
                ? Entry.Of(await sessions.Begin(scope, person, Method, visit, cookie))
                : Problem.Of(ProblemCode.LinkEnded),
        visit.Context);

    private static async Task<Person> Make(WriteScope scope, string organizationId)
    {
        var person = new Person
        {
            PersonNo = await scope.NextNumber("person"),
            Name = FirstName,
            Stamp = SecretText.New(),
            IsOperator = 1,
            OrganizationId = organizationId,
            CreatedAtMs = scope.NowMs,
            RowVersion = 1,
        };
        await PersonSql.Insert(scope, person);
        await PersonAudit.Tell(scope, "person.create", person, after: PersonAudit.Shape(person));
        return person;
    }
}
