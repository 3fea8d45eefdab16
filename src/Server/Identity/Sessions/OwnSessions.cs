using System.Text.Json.Nodes;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Sessions;

/// <summary>The door for what somebody does to sessions of their own inside a write.</summary>
internal static class OwnSessions
{
    /// <summary>Ends one; another's is as absent as one that never was.</summary>
    public static async Task<Outcome<int>> End(WriteScope scope, Person person, string id)
    {
        if (await SessionSql.End(scope, person.PersonNo, id) == 0)
        {
            return new Problem(ProblemCode.NotFound, "There is no such session.");
        }

        await PersonAudit.Tell(scope, "session.end", person, after: new JsonObject { ["session_id"] = id });
        return 1;
    }
}
