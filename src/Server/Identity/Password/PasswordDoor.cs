using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Password;

/// <summary>Signing in by a password, and choosing another one.</summary>
internal sealed class PasswordDoor(
    Database database, UserManager<Person> users, PersonStore store, HashQueue hashes, LinkBook links, SessionBook sessions,
    PersonMail mail, TryThrottle tries)
{
    public const string Method = "password";

    /// <summary>
    /// A new session, or its second step. Whatever is wrong, one hash is made, one row of audit written, and one thing said, also of an
    /// address that waits for its confirmation: nobody has it yet.
    /// </summary>
    public async Task<Outcome<Entry>> SignIn(Visit visit, string typed, string password, string? cookie)
    {
        // What is no address is guessed at like one that nobody has.
        var key = EmailAddress.TryRead(typed, out var email) ? email.Key : "";
        var device = visit.KnownAs(key);
        if (!tries.TryTake(key, visit.Network, out var seconds, device))
        {
            return TooMany(seconds);
        }

        var person = key.Length == 0 ? null : await users.FindByEmailAsync(email.Text);
        if (!(await hashes.Check(users, person, PasswordRules.Bounded(password), visit.Network)).TryGet(out var isRight, out var busy))
        {
            tries.GiveBack(key, visit.Network, device);
            return busy;
        }

        if (!isRight || person is not { MaySignIn: true, VerifiedAtMs: not null })
        {
            return await Refuse(visit, person, person is { MaySignIn: false } ? "disabled" : "password");
        }

        tries.Forgive(key, visit.Network, device);
        return await database.Write<Entry>(
            async scope => await Again(scope, person) is { } still
                ? await sessions.Enter(scope, still, Method, visit, cookie)
                : Problem.Of(ProblemCode.SignInFailed),
            visit.Context);
    }

    /// <summary>Uses a link to set a password: every session ends, every other link too, and the person is told by mail.</summary>
    public async Task<Outcome<bool>> Reset(Visit visit, string? secret, string password)
    {
        // Nobody makes us hash by a link that is none.
        if (!await links.IsGood(LinkKind.Reset, secret, CancellationToken.None))
        {
            return Problem.Of(ProblemCode.LinkEnded);
        }

        if (!(await hashes.Hash(users.PasswordHasher, new Person(), password, visit.Network)).TryGet(out var hash, out var busy))
        {
            return busy;
        }

        return await database.Write<bool>(
            async scope =>
            {
                using var turn = store.Within(scope);
                if (await links.Take(scope, LinkKind.Reset, secret) is not { } link
                    || await LinkBook.Owner(scope, link) is not { MaySignIn: true } person)
                {
                    return Problem.Of(ProblemCode.LinkEnded);
                }

                if (PasswordRules.Fault(password, person.Name, person.Email) is { } fault)
                {
                    // The refusal undoes the use of the link: it can be tried again.
                    return Problem.Invalid("/password", fault);
                }

                scope.Become(person.Caller);
                var before = PersonAudit.Shape(person);
                await Set(scope, person, hash, visit);
                await SessionBook.EndAll(scope, person, "password reset");
                await PersonAudit.Tell(scope, "person.reset", person, before: before, after: PersonAudit.Shape(person));
                return true;
            },
            visit.Context);
    }

    /// <summary>
    /// Another password for who is signed in, who types the one from before where there is one. The other sessions end, and this one goes
    /// on under a new id.
    /// </summary>
    public async Task<Outcome<string>> Change(Visit visit, SignedIn who, string current, string password, string? cookie)
    {
        var key = "password " + who.Person.Id;
        if (!tries.TryTake(key, visit.Network, out var seconds))
        {
            return TooMany(seconds);
        }

        if (who.Person.PasswordHash is not null)
        {
            var typed = PasswordRules.Bounded(current);
            if (!(await hashes.Check(users, who.Person, typed, visit.Network)).TryGet(out var isRight, out var busy))
            {
                tries.GiveBack(key, visit.Network);
                return busy;
            }

            if (!isRight)
            {
                return await Refuse(visit, who.Person, "current password");
            }
        }

        tries.Forgive(key, visit.Network);
        if (!(await hashes.Hash(users.PasswordHasher, who.Person, password, visit.Network)).TryGet(out var hash, out var full))
        {
            return full;
        }

        return await database.Write<string>(
            async scope =>
            {
                using var turn = store.Within(scope);
                if (await sessions.Find(scope, cookie) is null || await Again(scope, who.Person) is not { } person)
                {
                    return Problem.Of(ProblemCode.SignInFailed);
                }

                var before = PersonAudit.Shape(person);
                await Set(scope, person, hash, visit);
                await PersonAudit.Tell(scope, "person.password", person, before: before, after: PersonAudit.Shape(person));
                return await sessions.Renew(scope, person, who.Session, visit, "password changed");
            },
            visit.By(who.Person));
    }

    private static Problem TooMany(int seconds) => Problem.Of(ProblemCode.TooManyTries) with { RetryAfterSeconds = seconds };

    /// <summary>The person as it stands in this write; null when its password or its leave to sign in has gone meanwhile.</summary>
    private static async Task<Person?> Again(WriteScope scope, Person person) =>
        await PersonSql.Find(scope.Connection, scope.Transaction, person.PersonNo) is { MaySignIn: true } now
        && now.Stamp == person.Stamp && now.PasswordHash == person.PasswordHash
            ? now
            : null;

    private async Task Set(WriteScope scope, Person person, string hash, Visit visit)
    {
        person.PasswordHash = hash;
        // Writes the person too.
        var updated = await users.UpdateSecurityStampAsync(person);
        if (!updated.Succeeded)
        {
            throw new InvalidOperationException($"A password was not taken: {updated}");
        }

        await LinkBook.EndAll(scope, person);
        await mail.PasswordChanged(scope, person, visit);
    }

    private async Task<Problem> Refuse(Visit visit, Person? person, string reason)
    {
        var told = await database.Write<bool>(
            async scope =>
            {
                await PersonAudit.Tell(scope, "sign_in.refuse", person, reason);
                return true;
            },
            visit.Context);
        return told.Problem ?? Problem.Of(ProblemCode.SignInFailed);
    }
}
