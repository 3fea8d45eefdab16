using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Passkeys;

/// <summary>
/// What a person can still sign in by. A link by mail is not counted: mails are what people lose, and who had nothing else would be out
/// for good.
/// </summary>
internal static class WaysIn
{
    public static Problem Last => new(ProblemCode.Conflict, "This is your last way in. Set a password first.");

    public static async Task<bool> AnyIsLeft(WriteScope scope, Person person) => person.PasswordHash is not null
        || (await ConnectionSql.List(scope.Connection, scope.Transaction, person.PersonNo)).Count > 0
        || (await PasskeySql.List(scope.Connection, scope.Transaction, person.PersonNo)).Count > 0;
}
