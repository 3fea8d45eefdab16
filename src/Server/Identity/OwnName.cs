using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>The door for what somebody is called. The audit log has no names: it says that there is another one.</summary>
internal static class OwnName
{
    public static async Task<Outcome<Person>> Change(WriteScope scope, string personId, string? name)
    {
        if (!PersonRules.IsName(name ?? ""))
        {
            return Problem.Invalid("/name", PersonRules.NameExpected);
        }

        if (await PersonDirectory.Find(scope, personId) is not { } person)
        {
            throw new InvalidOperationException("A person who calls exists.");
        }

        if (person.Name != name)
        {
            person.Name = name!;
            if (await PersonSql.Update(scope, person) != 1)
            {
                throw new InvalidOperationException("A person changed inside a write of another.");
            }

            await PersonAudit.Tell(scope, "person.rename", person);
        }

        return person;
    }
}
