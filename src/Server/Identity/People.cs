using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Identity;
using Tollgate.Server.Audit;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Identity;

/// <summary>The door of the room for what people are, beside how they prove it: their address, their leave to sign in, their end.</summary>
internal sealed class People(
    Database database, UserManager<Person> users, PersonStore store, LinkBook links, SessionBook sessions,
    PersonMail mail, MailThrottle throttle, OrganizationRegister organizations, KeyRing keys, ConnectionDoor connections,
    SecondStepDoor secondStep, PasskeyDoor passkeys, AuditLog audit, PersonTies ties)
{
    /// <summary>What stands in place of a name when the person is gone.</summary>
    public const string DeletedName = "Deleted person";

    /// <summary>Rows of the audit log that an export holds at most, the newest.</summary>
    public const int ExportRowsMax = 1_000;

    /// <summary>
    /// Uses a link that proves the address that a person changes to. That ends every session and every other link, and tells the address
    /// from before. Only in a session of that person: an address with a slip in it is somebody else's, who must not get the account.
    /// </summary>
    public Task<Outcome<bool>> ConfirmEmail(Visit visit, string? secret, string? cookie) => database.Write<bool>(
        async scope =>
        {
            using var turn = store.Within(scope);
            if (await links.Take(scope, LinkKind.Email, secret) is not { } link
                || await LinkBook.Owner(scope, link) is not { MaySignIn: true } person
                || !EmailAddress.TryRead(link.Email, out var email))
            {
                return Problem.Of(ProblemCode.LinkEnded);
            }

            if (await sessions.Find(scope, cookie) is not { } session || session.PersonNo != person.PersonNo)
            {
                return new Problem(
                    ProblemCode.ProofNeeded, "Sign in to your account in this browser, then open the link from the mail once more.");
            }

            scope.Become(person.Caller);
            return await Move(scope, person, email, visit);
        },
        visit.Context);

    /// <summary>
    /// Sends a link to another address. Nothing changes until it is used, and nobody learns whose the address is. A session that was ended
    /// since the request began asks for nothing: its link would outlive it.
    /// </summary>
    public async Task<Outcome<bool>> AskEmail(Visit visit, SignedIn who, EmailAddress email, string? cookie)
    {
        if (!throttle.TryTake(visit.Network) || !throttle.TryTake(email, LinkKind.Email))
        {
            return Problem.Of(ProblemCode.TooManyTries);
        }

        return await database.Write<bool>(
            async scope =>
            {
                using var turn = store.Within(scope);
                if (await sessions.Still(scope, who, cookie) is not { } person)
                {
                    return Problem.Of(ProblemCode.ProofNeeded);
                }

                await PersonAudit.Tell(scope, "person.email_ask", person);
                if (await users.FindByEmailAsync(email.Text) is { } other && other.Id != person.Id)
                {
                    await links.MakeBlank(scope, LinkKind.Email);
                    await mail.SendNothing(scope, LinkKind.Email, email.Text);
                    return true;
                }

                var secret = await links.Make(scope, LinkKind.Email, person, email.Text);
                await mail.Send(scope, LinkKind.Email, email.Text, person.Name, secret);
                return true;
            },
            visit.By(who.Person));
    }

    /// <summary>Takes a person's leave to sign in, and every session: the next request of each is nobody's. Or gives it back.</summary>
    public async Task<Outcome<Person>> SetDisabled(WriteScope scope, string id, bool isDisabled, string? reason = null)
    {
        using var turn = store.Within(scope);
        if (await PersonSql.Find(scope.Connection, scope.Transaction, id) is not { DeletedAtMs: null } person)
        {
            return NoPerson;
        }

        var before = PersonAudit.Shape(person);
        person.DisabledAtMs = isDisabled ? person.DisabledAtMs ?? scope.NowMs : null;
        await Write(person);
        if (isDisabled)
        {
            await LinkBook.EndAll(scope, person);
            await SessionBook.EndAll(scope, person, "disabled");
            await (ties.Suspended?.Invoke(scope, person) ?? Task.CompletedTask);
        }

        await PersonAudit.Tell(
            scope, isDisabled ? "person.disable" : "person.enable", person, reason, before, PersonAudit.Shape(person));
        return person;
    }

    /// <summary>
    /// Ends all sessions of somebody, and every link that was asked for by whoever had one: for who runs the gate. Answers how many
    /// sessions that were.
    /// </summary>
    public static async Task<Outcome<int>> EndSessions(WriteScope scope, string id)
    {
        if (await PersonSql.Find(scope.Connection, scope.Transaction, id) is not { DeletedAtMs: null } person)
        {
            return NoPerson;
        }

        await LinkBook.EndAll(scope, person);
        return await SessionBook.EndAll(scope, person, "by the operator");
    }

    /// <summary>
    /// For good, and in one transaction: the person leaves its teams, sessions and links end, the personal organization is closed and its
    /// keys are revoked, and what the row told of the person is gone. An operator's organization stays, and so does the last owner of a
    /// team.
    /// </summary>
    public Task<Outcome<bool>> Delete(Visit visit, SignedIn who, string? cookie) => database.Write<bool>(
        async scope =>
        {
            using var turn = store.Within(scope);
            if (await sessions.Still(scope, who, cookie) is not { } person)
            {
                return Problem.Of(ProblemCode.ProofNeeded);
            }

            if (ties.Cut is { } cut && await cut(scope, person) is { } tied)
            {
                return tied;
            }

            if (person.IsOperator == 0 && await Close(scope, person.OrganizationId) is { } problem)
            {
                return problem;
            }

            var before = PersonAudit.Shape(person);
            (person.Name, person.Email, person.EmailKey) = (DeletedName, null, null);
            (person.PasswordHash, person.VerifiedAtMs, person.DeletedAtMs) = (null, null, scope.NowMs);
            await Write(person);
            await LinkBook.EndAll(scope, person);
            await SessionBook.EndAll(scope, person, "deleted");
            await DeviceBook.Forget(scope, person);
            await ConnectionSql.RemoveAll(scope, person.PersonNo);
            await SecondStepBook.Remove(scope, person);
            await PasskeySql.RemoveAll(scope, person.PersonNo);
            await PersonAudit.Tell(scope, "person.delete", person, before: before, after: PersonAudit.Shape(person));
            return true;
        },
        visit.By(who.Person));

    /// <summary>What is kept of a person, as one JSON object.</summary>
    public async Task<JsonObject> Export(Person person, CancellationToken cancel)
    {
        var open = await sessions.List(person, cancel);
        var connected = await connections.List(person, cancel);
        var second = await secondStep.Find(person, cancel);
        var keptPasskeys = await passkeys.List(person, cancel);
        var rows = await audit.List(new AuditFilter { ActorId = person.Id }, long.MaxValue, ExportRowsMax, cancel);
        return new JsonObject
        {
            ["id"] = person.Id,
            ["name"] = person.Name,
            ["email"] = person.Email,
            ["email_verified_at"] = Time(person.VerifiedAtMs),
            ["created_at"] = Time(person.CreatedAtMs),
            ["is_operator"] = person.IsOperator != 0,
            ["has_password"] = person.PasswordHash is not null,
            ["organization_id"] = person.OrganizationId,
            ["teams"] = ties.Teams is { } teams ? await teams(person, cancel) : [],
            ["sessions"] = new JsonArray([.. open.Select(session => new JsonObject
            {
                ["id"] = session.Id,
                ["method"] = session.Method,
                ["device"] = session.Device,
                ["address"] = session.Address,
                ["began_at"] = Time(session.CreatedAtMs),
                ["seen_at"] = Time(session.SeenAtMs),
            })]),
            ["second_step_since"] = Time(second?.SinceMs),
            ["recovery_codes_left"] = second?.CodesLeft ?? 0,
            ["passkeys"] = new JsonArray([.. keptPasskeys.Select(passkey => new JsonObject
            {
                ["id"] = passkey.Id,
                ["name"] = passkey.Name,
                ["created_at"] = Time(passkey.CreatedAtMs),
                ["used_at"] = Time(passkey.UsedAtMs),
            })]),
            ["connections"] = new JsonArray([.. connected.Select(connection => new JsonObject
            {
                ["provider"] = connection.Name,
                ["subject"] = connection.Subject,
                ["email"] = connection.Email,
                ["connected_at"] = Time(connection.CreatedAtMs),
                ["used_at"] = Time(connection.UsedAtMs),
            })]),
            ["audit"] = new JsonArray([.. rows.Select(row => new JsonObject
            {
                ["at"] = Time(row.AtMs),
                ["action"] = row.Action,
                ["target"] = row.TargetId,
                ["address"] = row.Address,
                ["device"] = row.UserAgent,
                ["request_id"] = row.RequestId,
            })]),
        };
    }

    private static Problem NoPerson => new(ProblemCode.NotFound, "There is no such person.");

    private static string? Time(long? ms) => ms is { } known ? Rfc3339Time.Format(DateTimeOffset.FromUnixTimeMilliseconds(known)) : null;

    private async Task<Outcome<bool>> Move(WriteScope scope, Person person, EmailAddress email, Visit visit)
    {
        if (await users.FindByEmailAsync(email.Text) is { } other && other.Id != person.Id)
        {
            return Problem.Of(ProblemCode.LinkEnded);
        }

        var (before, old) = (PersonAudit.Shape(person), person.Email);
        (person.Email, person.EmailKey, person.VerifiedAtMs) = (email.Text, email.Key, scope.NowMs);
        await Write(person);
        await LinkBook.EndAll(scope, person);
        await LinkBook.EndSignUps(scope, email);
        await SessionBook.EndAll(scope, person, "address changed");
        if (old is not null)
        {
            await mail.EmailChanged(scope, old, person.Name, visit);
        }

        await PersonAudit.Tell(scope, "person.email", person, before: before, after: PersonAudit.Shape(person));
        return true;
    }

    /// <summary>With another stamp, as after each change of what a person may do.</summary>
    private async Task Write(Person person)
    {
        var updated = await users.UpdateSecurityStampAsync(person);
        if (!updated.Succeeded)
        {
            throw new InvalidOperationException($"A person was not written: {updated}");
        }
    }

    private async Task<Problem?> Close(WriteScope scope, string organizationId)
    {
        if (!(await organizations.Delete(scope, organizationId)).TryGet(out var organization, out var problem))
        {
            // Somebody has closed it before.
            return problem.Code == ProblemCode.NotFound ? null : problem;
        }

        foreach (var projectNo in await OrganizationRegister.ProjectsOf(scope, organization))
        {
            await keys.RevokeAllOf(scope, projectNo, "person deleted");
        }

        return null;
    }
}
