using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Passkeys;

/// <summary>
/// Signing in by a passkey, and having some. No tries are counted here: nothing can be guessed, and strangers who guess elsewhere keep
/// nobody out who has one.
/// </summary>
internal sealed class PasskeyDoor(
    Database database, UserManager<Person> users, PersonStore store, PasskeyCeremony ceremony, LinkBook links, SessionBook sessions,
    PersonMail mail)
{
    public const string Method = "passkey";
    public const int NameMax = 48;

    /// <summary>A person has a few devices; each is a row of a page.</summary>
    public const int PerPersonMax = 20;

    /// <summary>A new session, without a second step: the device has known its owner.</summary>
    public async Task<Outcome<Entry>> SignIn(Visit visit, HttpContext http, string state, string answer, string? cookie)
    {
        if (await ceremony.Used(http, state, answer) is not { } used)
        {
            return Problem.Of(ProblemCode.PasskeyRefused);
        }

        return await database.Write<Entry>(
            async scope => await links.Spend(scope, used.Question)
                && await PersonSql.Find(scope.Connection, scope.Transaction, used.Person.PersonNo) is { MaySignIn: true } person
                && await PasskeySql.Use(
                    scope, person.PersonNo, used.Passkey.CredentialId, used.Passkey.SignCount, used.Passkey.IsBackedUp ? 1 : 0) == 1
                    ? Entry.Of(await sessions.Begin(scope, person, Method, visit, cookie))
                    : Problem.Of(ProblemCode.PasskeyRefused),
            visit.Context);
    }

    /// <summary>The secret of the session, which goes on under another id.</summary>
    public async Task<Outcome<string>> Add(
        Visit visit, SignedIn who, HttpContext http, string name, string state, string answer, string? cookie)
    {
        if (await ceremony.Made(who.Person, http, state, answer) is not { } made)
        {
            return Problem.Of(ProblemCode.PasskeyRefused);
        }

        made.Name = name;
        return await Change(visit, who, cookie, async (scope, person) =>
        {
            if ((await PasskeySql.List(scope.Connection, scope.Transaction, person.PersonNo)).Count >= PerPersonMax)
            {
                return new Problem(ProblemCode.Conflict, $"There are {PerPersonMax} already; remove one first.");
            }

            if (await PasskeySql.Insert(scope, Passkey.Of(person, made, scope.NowMs)) == 0)
            {
                return Problem.Of(ProblemCode.PasskeyRefused);
            }

            return await Tell(scope, person, who, visit, "passkey.add", made.CredentialId, "a passkey was added");
        });
    }

    /// <summary>Not the last way in, as with <see cref="ConnectionDoor.Remove"/>.</summary>
    public Task<Outcome<string>> Remove(Visit visit, SignedIn who, string id, string? cookie) =>
        Change(visit, who, cookie, async (scope, person) =>
        {
            var own = await PasskeySql.List(scope.Connection, scope.Transaction, person.PersonNo);
            if (own.FirstOrDefault(passkey => passkey.Id == id) is not { } passkey
                || await PasskeySql.Remove(scope, person.PersonNo, passkey.CredentialId) == 0)
            {
                return new Problem(ProblemCode.NotFound, "There is no such passkey.");
            }

            return await WaysIn.AnyIsLeft(scope, person)
                ? await Tell(scope, person, who, visit, "passkey.remove", passkey.CredentialId, "a passkey was removed")
                : WaysIn.Last;
        });

    public Task<IReadOnlyList<Passkey>> List(Person person, CancellationToken cancel) =>
        database.Read(connection => PasskeySql.List(connection, null, person.PersonNo), cancel);

    private Task<Outcome<string>> Change(
        Visit visit, SignedIn who, string? cookie, Func<WriteScope, Person, Task<Outcome<string>>> change) => database.Write<string>(
        async scope =>
        {
            using var turn = store.Within(scope);
            return who.IsFreshAt(scope.NowMs) && await sessions.Still(scope, who, cookie) is { } person
                ? await change(scope, person)
                : Problem.Of(ProblemCode.ProofNeeded);
        },
        visit.By(who.Person));

    private async Task<string> Tell(
        WriteScope scope, Person person, SignedIn who, Visit visit, string action, byte[] credentialId, string change)
    {
        await mail.WaysChanged(scope, person, change, visit);
        await PersonAudit.Tell(
            scope, action, person, after: new JsonObject { ["passkey"] = Convert.ToHexStringLower(credentialId) });
        var updated = await users.UpdateSecurityStampAsync(person);
        return updated.Succeeded
            ? await sessions.Renew(scope, person, who.Session, visit, change)
            : throw new InvalidOperationException($"A person was not written: {updated}");
    }
}
