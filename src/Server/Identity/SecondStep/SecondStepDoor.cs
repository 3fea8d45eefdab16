using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.SecondStep;

/// <summary>
/// The second step of a sign-in, and setting it up. Whoever comes here has proved who it is by one means, which a link of ten minutes in a
/// cookie says. Tries are counted by themselves, by account and by network: a right password does not forgive wrong codes.
/// </summary>
internal sealed class SecondStepDoor(
    Database database, UserManager<Person> users, PersonStore store, LinkBook links, SessionBook sessions, SecondStepBook book,
    Sealer sealer, PersonMail mail, TryThrottle tries)
{
    private const string SetupPurpose = "authenticator setup";
    private const long SetupLifeMs = 15 * 60_000;

    /// <summary>Longer is no code, and not worth a look.</summary>
    private const int TypedLengthMax = 64;

    public Task<bool> IsWaiting(string? waiting, CancellationToken cancel) => links.IsGood(LinkKind.Second, waiting, cancel);

    /// <summary>The secret of a new session, whose id is none that was there before the code.</summary>
    public async Task<Outcome<Entry>> Use(Visit visit, string? waiting, string typed, string? cookie)
    {
        if (await links.Peek(LinkKind.Second, waiting) is not { PersonNo: { } personNo }
            || await database.Read(connection => PersonSql.Find(connection, null, personNo)) is not { } asked)
        {
            return Problem.Of(ProblemCode.LinkEnded);
        }

        var (key, device) = ($"second {asked.Id}", asked.EmailKey is { } email ? visit.KnownAs(email) : null);
        if (!tries.TryTake(key, visit.Network, out var seconds, device))
        {
            return Problem.Of(ProblemCode.TooManyTries) with { RetryAfterSeconds = seconds };
        }

        var outcome = await database.Write<Entry>(
            async scope =>
            {
                if (await links.Take(scope, LinkKind.Second, waiting) is not { } link
                    || await LinkBook.Owner(scope, link) is not { MaySignIn: true } person)
                {
                    return Problem.Of(ProblemCode.LinkEnded);
                }

                if (typed.Length > TypedLengthMax || await book.Prove(scope, person, typed) is not { } by)
                {
                    // The refusal brings the link back: it can be tried again.
                    return Problem.Of(ProblemCode.SecondStepFailed);
                }

                if (by == "recovery")
                {
                    await mail.WaysChanged(scope, person, "a recovery code was used", visit);
                }

                return Entry.Of(await sessions.Begin(scope, person, $"{link.Method}+{by}", visit, cookie));
            },
            visit.Context);
        if (outcome.IsOk)
        {
            tries.Forgive(key, visit.Network, device);
        }
        else
        {
            await Refuse(visit, asked);
        }

        return outcome;
    }

    /// <summary>
    /// A secret to set up, as the page carries it until the first code: sealed, for this person, for a quarter of an hour.
    /// </summary>
    public (byte[] Secret, string Sealed) Offer(Person person)
    {
        var plain = new byte[8 + 20];
        var secret = TimeCode.NewSecret();
        BinaryPrimitives.WriteInt64BigEndian(plain, sessions.NowMs + SetupLifeMs);
        secret.CopyTo(plain, 8);
        return (secret, Base64Url.EncodeToString(sealer.Seal(SetupPurpose, plain, Encoding.ASCII.GetBytes(person.Id))));
    }

    /// <summary>The secret of such a page again; null when it is another person's, has ended, or is none.</summary>
    public byte[]? Offered(Person person, string carried)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(carried.Length)];
        return Base64Url.IsValid(carried) && Base64Url.TryDecodeFromChars(carried, bytes, out var length)
            && sealer.TryOpen(SetupPurpose, bytes.AsSpan(0, length), Encoding.ASCII.GetBytes(person.Id), out var plain)
            && BinaryPrimitives.ReadInt64BigEndian(plain) > sessions.NowMs
                ? plain[8..]
                : null;
    }

    /// <summary>Sets it up, once a code has shown that the app has the secret. All other sessions end: they began without it.</summary>
    public Task<Outcome<SecondStepMade>> Add(Visit visit, SignedIn who, byte[] secret, string code, string? cookie) =>
        Change(visit, who, cookie, async (scope, person) =>
        {
            if (TimeCode.Match(secret, code.Replace(" ", "", StringComparison.Ordinal), scope.NowMs) is not { } step)
            {
                return Problem.Invalid("/code", "must be the six digits that the app shows now.");
            }

            if (!await book.Add(scope, person, secret, step))
            {
                return new Problem(ProblemCode.Conflict, "There is a second step already. Remove it first.");
            }

            return await Made(scope, person, who, visit, "second_step.add", "a second step with codes of an app was set up");
        });

    /// <summary>Other recovery codes: those of before are good no more.</summary>
    public Task<Outcome<SecondStepMade>> NewCodes(Visit visit, SignedIn who, string? cookie) =>
        Change(visit, who, cookie, async (scope, person) => await SecondStepBook.IsNeeded(scope, person)
            ? await Made(scope, person, who, visit, "second_step.codes", "new recovery codes were made")
            : NoStep);

    public Task<Outcome<SecondStepMade>> Remove(Visit visit, SignedIn who, string? cookie) =>
        Change(visit, who, cookie, async (scope, person) =>
        {
            if (!await SecondStepBook.Remove(scope, person))
            {
                return NoStep;
            }

            await Tell(scope, person, visit, "second_step.remove", "the second step was removed");
            return new SecondStepMade(await Renew(scope, person, who, visit), []);
        });

    /// <summary>
    /// Takes away the step of somebody who has lost the app and the codes: for who runs the gate, having made sure who asks. Every session
    /// and link ends with it, so that who had the account has to prove it anew, and a mail tells.
    /// </summary>
    public async Task<Outcome<Person>> TakeAway(WriteScope scope, string id, string? reason)
    {
        using var turn = store.Within(scope);
        if (await PersonSql.Find(scope.Connection, scope.Transaction, id) is not { DeletedAtMs: null } person)
        {
            return new Problem(ProblemCode.NotFound, "There is no such person.");
        }

        if (!await SecondStepBook.Remove(scope, person))
        {
            return NoStep;
        }

        var updated = await users.UpdateSecurityStampAsync(person);
        if (!updated.Succeeded)
        {
            throw new InvalidOperationException($"A person was not written: {updated}");
        }

        await LinkBook.EndAll(scope, person);
        await SessionBook.EndAll(scope, person, "second step taken away");
        await mail.SecondStepTaken(scope, person);
        await PersonAudit.Tell(scope, "second_step.take_away", person, reason);
        return person;
    }

    /// <summary>Null for who has none.</summary>
    public Task<SecondStepState?> Find(Person person, CancellationToken cancel) => database.Read(
        async connection => await AuthenticatorSql.Find(connection, null, person.PersonNo) is { } found
            ? new SecondStepState(found.CreatedAtMs, (await AuthenticatorSql.Codes(connection, null, person.PersonNo)).Count)
            : null,
        cancel);

    private static Problem NoStep => new(ProblemCode.Conflict, "There is no second step.");

    private Task<Outcome<SecondStepMade>> Change(
        Visit visit, SignedIn who, string? cookie, Func<WriteScope, Person, Task<Outcome<SecondStepMade>>> change) =>
        database.Write<SecondStepMade>(
            async scope =>
            {
                using var turn = store.Within(scope);
                return who.IsFreshAt(scope.NowMs) && await sessions.Still(scope, who, cookie) is { } person
                    ? await change(scope, person)
                    : Problem.Of(ProblemCode.ProofNeeded);
            },
            visit.By(who.Person));

    private async Task<SecondStepMade> Made(
        WriteScope scope, Person person, SignedIn who, Visit visit, string action, string change)
    {
        var codes = await book.NewCodes(scope, person);
        await Tell(scope, person, visit, action, change);
        return new SecondStepMade(await Renew(scope, person, who, visit), codes);
    }

    private async Task Tell(WriteScope scope, Person person, Visit visit, string action, string change)
    {
        await mail.WaysChanged(scope, person, change, visit);
        await PersonAudit.Tell(scope, action, person);
    }

    private async Task<string> Renew(WriteScope scope, Person person, SignedIn who, Visit visit)
    {
        var updated = await users.UpdateSecurityStampAsync(person);
        return updated.Succeeded
            ? await sessions.Renew(scope, person, who.Session, visit, "second step changed")
            : throw new InvalidOperationException($"A person was not written: {updated}");
    }

    private Task<Outcome<bool>> Refuse(Visit visit, Person person) => database.Write<bool>(
        async scope =>
        {
            await PersonAudit.Tell(scope, "sign_in.refuse", person, "second step");
            return true;
        },
        visit.Context);
}
