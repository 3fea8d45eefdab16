using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.OAuth;

/// <summary>
/// Signing in by an account elsewhere. Who it is says the provider's name with its id of the person, never the address. An address finds an
/// account once, when the two are connected, and only one that the provider has confirmed, as ours are.
/// </summary>
internal sealed class ConnectionDoor(
    Database database, UserManager<Person> users, PersonStore store, SessionBook sessions, SignUpDoor signUps, PersonMail mail,
    MailThrottle throttle)
{
    /// <summary>Subjects elsewhere are shorter.</summary>
    public const int SubjectLengthMax = 255;

    /// <summary>A person has a few; each is a row of a page.</summary>
    public const int PerPersonMax = 10;

    /// <summary>A new session, or its second step.</summary>
    public async Task<Outcome<Entry>> SignIn(Visit visit, ConnectionProof proof, string? cookie)
    {
        var outcome = await database.Write<Entry>(
            async scope =>
            {
                using var turn = store.Within(scope);
                return (await PersonOf(scope, visit, proof)).TryGet(out var person, out var problem)
                    ? await sessions.Enter(scope, person, proof.Kind.Name, visit, cookie)
                    : problem;
            },
            visit.Context);
        if (outcome.Problem is not null)
        {
            await Refuse(visit, proof);
        }

        return outcome;
    }

    /// <summary>Connects it to who is signed in. The address plays no part: the person has both accounts open.</summary>
    public Task<Outcome<string>> Connect(Visit visit, SignedIn who, ConnectionProof proof, string? cookie) => database.Write<string>(
        async scope =>
        {
            using var turn = store.Within(scope);
            if (proof.AskedBy != who.Person.Id || !who.IsFreshAt(scope.NowMs) || await sessions.Still(scope, who, cookie) is not { } person)
            {
                return Problem.Of(ProblemCode.ProofNeeded);
            }

            var open = await ConnectionSql.List(scope.Connection, scope.Transaction, person.PersonNo);
            if (open.Count >= PerPersonMax)
            {
                return new Problem(ProblemCode.Conflict, $"There are {PerPersonMax} already; remove one first.");
            }

            return await Add(scope, person, proof, visit)
                ? await Renew(scope, person, who, visit, "connection added")
                : new Problem(
                    ProblemCode.Conflict, $"This account at {proof.Kind.Title} is connected already, to this account or to another.");
        },
        visit.By(who.Person));

    /// <summary>Not the last one of who has no password: who cannot read mails any more would be out for good.</summary>
    public Task<Outcome<string>> Remove(Visit visit, SignedIn who, string name, string subject, string? cookie) => database.Write<string>(
        async scope =>
        {
            using var turn = store.Within(scope);
            if (!who.IsFreshAt(scope.NowMs) || await sessions.Still(scope, who, cookie) is not { } person)
            {
                return Problem.Of(ProblemCode.ProofNeeded);
            }

            if (await ConnectionSql.Remove(scope, person.PersonNo, name, subject) == 0)
            {
                return new Problem(ProblemCode.NotFound, "There is no such connection.");
            }

            if (!await WaysIn.AnyIsLeft(scope, person))
            {
                return WaysIn.Last;
            }

            await mail.WaysChanged(scope, person, "the connection to an account elsewhere was removed", visit);
            await PersonAudit.Tell(scope, "connection.remove", person, before: new JsonObject { ["connection"] = name });
            return await Renew(scope, person, who, visit, "connection removed");
        },
        visit.By(who.Person));

    public Task<IReadOnlyList<Connection>> List(Person person, CancellationToken cancel) =>
        database.Read(connection => ConnectionSql.List(connection, null, person.PersonNo), cancel);

    /// <summary>The person whose it is, who is made or found by the address where it is nobody's yet.</summary>
    private async Task<Outcome<Person>> PersonOf(WriteScope scope, Visit visit, ConnectionProof proof)
    {
        if (proof.Subject.Length > SubjectLengthMax || proof.Subject.Any(char.IsControl))
        {
            return Problem.Of(ProblemCode.ConnectionRefused);
        }

        if (await ConnectionSql.Find(scope, proof.Kind.Name, proof.Subject) is { } known)
        {
            await ConnectionSql.Used(scope, known.Name, known.Subject);
            return await PersonSql.Find(scope.Connection, scope.Transaction, known.PersonNo) is { MaySignIn: true } owner
                ? owner
                : Problem.Of(ProblemCode.ConnectionRefused);
        }

        if (Address(proof, out var email) is { } fault)
        {
            return new Problem(ProblemCode.ConnectionEmail, fault);
        }

        var person = await users.FindByEmailAsync(email.Text);
        var isNew = person is null;
        if (person is null)
        {
            // As many new accounts from one network as by the form.
            if (!throttle.TryTake(visit.Network))
            {
                return Problem.Of(ProblemCode.TooManyTries);
            }

            if (!(await signUps.Make(scope, NameOf(proof, email), email, passwordHash: null)).TryGet(out person, out var problem))
            {
                return problem;
            }

            scope.Become(person.Caller);
            await PersonAudit.Tell(scope, "person.verify", person, proof.Kind.Name);
        }

        if (person is not { MaySignIn: true, VerifiedAtMs: not null })
        {
            return Problem.Of(ProblemCode.ConnectionRefused);
        }

        if (await SecondStepBook.IsNeeded(scope, person))
        {
            // A mailbox alone must not give an account another way in that stays.
            return new Problem(
                ProblemCode.ConnectionRefused,
                $"Your account asks for a second step. Sign in to it as before, and connect {proof.Kind.Title} on its page.");
        }

        scope.Become(person.Caller);
        await Add(scope, person, proof, visit, isNew);
        return person;
    }

    private async Task<bool> Add(WriteScope scope, Person person, ConnectionProof proof, Visit visit, bool isNew = false)
    {
        var added = await ConnectionSql.Insert(scope, new Connection
        {
            Name = proof.Kind.Name, Subject = proof.Subject, PersonNo = person.PersonNo, Email = ShownEmail(proof),
            CreatedAtMs = scope.NowMs, UsedAtMs = scope.NowMs,
        });
        if (added == 0)
        {
            return false;
        }

        // Of an account that was just made with it nobody needs to be told.
        if (!isNew)
        {
            await mail.WaysChanged(scope, person, $"an account at {proof.Kind.Title} was connected", visit);
        }

        await PersonAudit.Tell(scope, "connection.add", person, after: new JsonObject { ["connection"] = proof.Kind.Name });
        return true;
    }

    /// <summary>What a person may do has changed: the other sessions end, and this one goes on under a new id.</summary>
    private async Task<string> Renew(WriteScope scope, Person person, SignedIn who, Visit visit, string reason)
    {
        var updated = await users.UpdateSecurityStampAsync(person);
        if (!updated.Succeeded)
        {
            throw new InvalidOperationException($"A person was not written: {updated}");
        }

        return await sessions.Renew(scope, person, who.Session, visit, reason);
    }

    private Task<Outcome<bool>> Refuse(Visit visit, ConnectionProof proof) => database.Write<bool>(
        async scope =>
        {
            await PersonAudit.Tell(scope, "sign_in.refuse", null, proof.Kind.Name);
            return true;
        },
        visit.Context);

    /// <summary>What is wrong with the address that the provider told; null for nothing.</summary>
    private static string? Address(ConnectionProof proof, out EmailAddress email)
    {
        email = default;
        return proof.Email is null ? $"{proof.Kind.Title} told us no e-mail address of yours. Let it tell one, or sign up by a password."
            : !proof.IsVerified ? $"Your e-mail address is not confirmed at {proof.Kind.Title}. Confirm it there, and come back."
            : !EmailAddress.TryRead(proof.Email, out email) ? $"The address that {proof.Kind.Title} told us {EmailAddress.Expected}"
            : null;
    }

    private static string? ShownEmail(ConnectionProof proof) => EmailAddress.TryRead(proof.Email, out var email) ? email.Text : null;

    private static string NameOf(ConnectionProof proof, EmailAddress email) =>
        proof.Name?.Trim() is { } name && PersonRules.IsName(name) ? name : email.Text.Split('@')[0];
}
