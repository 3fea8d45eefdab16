using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Reach;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Console.Operator;

/// <summary>
/// What a person who runs the gate does at the console: by the rules of the management API, each look told to the audit log before it is
/// shown, each change judged again inside its write.
/// </summary>
internal sealed class OperatorDesk(
    Database database, PersonGate gate, SessionBook sessions, SessionCookie cookie, OperatorLooks looks, FrameMaker pages)
{
    /// <summary>The operator as a caller, or why not: nobody else may, and some of it asks for a fresh sign-in.</summary>
    public Task<Outcome<Caller>> Admit(HttpContext http, Act act)
    {
        var who = SignedIn.Of(http);
        return database.Read(connection => gate.Judge(connection, null, who.Person, who.Session, act, null), http.RequestAborted);
    }

    /// <summary>The page of what stands in the way of a look at a customer; null where it was told and may go on.</summary>
    /// <param name="http">The request.</param>
    /// <param name="id">Of an organization, a project or a key; null for all.</param>
    public async Task<IResult?> Look(HttpContext http, string? id) =>
        Told(http, await looks.NotePage(http, Caller.Of(http), id));

    /// <summary>The same for a person.</summary>
    public async Task<IResult?> LookAtPerson(HttpContext http, string id) =>
        Told(http, await looks.NotePerson(http, Caller.Of(http), id));

    /// <summary>Changes something of a customer. Session, person and the age of the sign-in are judged in the write.</summary>
    public Task<Outcome<T>> Write<T>(HttpContext http, Func<WriteScope, Task<Outcome<T>>> work)
    {
        var who = SignedIn.Of(http);
        return database.Write<T>(
            async scope =>
            {
                if (await sessions.Still(scope, who, cookie.Read(http)) is not { } person)
                {
                    return Problem.Of(ProblemCode.SessionEnded);
                }

                if (!(await gate.Judge(scope.Connection, scope.Transaction, person, who.Session, Act.Rule, null))
                    .TryGet(out var caller, out var problem))
                {
                    return problem;
                }

                scope.Become(caller);
                return await work(scope);
            },
            MutationRunner.ContextOf(http, who.Person.Caller),
            http.RequestAborted);
    }

    private IResult? Told(HttpContext http, Problem? problem) => problem is null ? null : pages.Problem(http, problem, OperatorPages.Root);
}
