using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity.Sessions;

/// <summary>
/// The one place where a session is born, and where it ends. Every way to prove who one is comes here, inside the write of its proof. A
/// session is read from the database with each request, the person with it, so what ended is over at the next one.
/// </summary>
internal sealed class SessionBook(Database database, Pepper pepper, PeopleOptions options, DeviceBook devices, LinkBook links)
{
    /// <summary>The oldest ends when a person signs in once more.</summary>
    public const int PerPersonMax = 100;

    /// <summary>How exactly the last use is known: a write for each look at a page would be too much.</summary>
    private const long SeenEveryMs = 60_000;

    private long IdleMs => (long)options.SessionIdle.TotalMilliseconds;

    public long NowMs => database.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>
    /// What a proof leads to: a session, or the second step where the person has one. Each means to prove who one is comes here, but for
    /// the second step itself and the operator's link.
    /// </summary>
    public async Task<Entry> Enter(WriteScope scope, Person person, string method, Visit visit, string? cookieBefore)
    {
        if (!await SecondStepBook.IsNeeded(scope, person))
        {
            return Entry.Of(await Begin(scope, person, method, visit, cookieBefore));
        }

        var waiting = await links.MakeSecond(scope, person, method);
        scope.Become(person.Caller);
        await PersonAudit.Tell(scope, "sign_in.first_step", person, method);
        return Entry.Waiting(waiting);
    }

    /// <summary>The secret of a new session; the cookie that the request came with ends here, whoever's it was.</summary>
    public async Task<string> Begin(WriteScope scope, Person person, string method, Visit visit, string? cookieBefore)
    {
        if (await Find(scope, cookieBefore) is { } before)
        {
            await SessionSql.End(scope, before.PersonNo, before.Id);
        }

        return await Begin(scope, person, method, visit, scope.NowMs, EndOf(scope));
    }

    private async Task<string> Begin(WriteScope scope, Person person, string method, Visit visit, long provedAtMs, long endsAtMs)
    {
        var session = new Session
        {
            SessionNo = await scope.NextNumber("session"),
            Id = "ses_" + RandomNumberGenerator.GetString(SecretText.Alphabet, 22),
            PersonNo = person.PersonNo,
            Method = method,
            Address = visit.Address,
            Device = visit.Device,
            CreatedAtMs = scope.NowMs,
            ProvedAtMs = provedAtMs,
            SeenAtMs = scope.NowMs,
            EndsAtMs = endsAtMs,
        };
        var secret = SecretText.New();
        await SessionSql.Purge(scope);
        await SessionSql.Insert(scope, session, HashOf(secret));
        await SessionSql.Trim(scope, person.PersonNo, PerPersonMax);
        await devices.Note(scope, person, visit);
        scope.Become(person.Caller);
        await PersonAudit.Tell(scope, "session.begin", person, after: Shape(session));
        return secret;
    }

    /// <summary>
    /// A session that goes on under another id, since what its person may do has changed; all others end, and links that were asked for by
    /// whoever had them. When the person last proved who it is stays.
    /// </summary>
    public async Task<string> Renew(WriteScope scope, Person person, Session session, Visit visit, string reason)
    {
        await LinkBook.EndAll(scope, person);
        await EndAll(scope, person, reason);
        return await Begin(scope, person, session.Method, visit, session.ProvedAtMs, EndOf(scope));
    }

    /// <summary>
    /// The same for what a person has become by its own doing, such as a member of a team: the others go on as they are, since what one may
    /// do is read with each request. It asks for no recent proof, so the session ends when it would have ended.
    /// </summary>
    public async Task<string> Reissue(WriteScope scope, Person person, Session session, Visit visit)
    {
        await SessionSql.End(scope, session.PersonNo, session.Id);
        return await Begin(scope, person, session.Method, visit, session.ProvedAtMs, session.EndsAtMs);
    }

    /// <summary>Who a cookie stands for; null when it is nobody's, has ended, or its person may not sign in.</summary>
    public async Task<SignedIn?> Find(string? cookie, CancellationToken cancel)
    {
        if (!SecretText.IsOne(cookie))
        {
            return null;
        }

        var (hash, nowMs) = (HashOf(cookie!), NowMs);
        var found = await database.Read(
            async connection => await SessionSql.Find(connection, null, hash, nowMs, IdleMs) is { } session
                && await PersonSql.Find(connection, null, session.PersonNo) is { MaySignIn: true } person
                    ? new SignedIn(person, session)
                    : null,
            cancel);
        if (found is not null && nowMs - found.Session.SeenAtMs >= SeenEveryMs)
        {
            await database.Write<bool>(
                async scope =>
                {
                    await SessionSql.Seen(scope, found.Session.SessionNo);
                    return true;
                },
                cancel);
        }

        return found;
    }

    /// <summary>The same inside a write, where no other change can come between; null when it has ended since.</summary>
    public Task<Session?> Find(WriteScope scope, string? cookie) => SecretText.IsOne(cookie)
        ? SessionSql.Find(scope.Connection, scope.Transaction, HashOf(cookie!), scope.NowMs, IdleMs)
        : Task.FromResult<Session?>(null);

    /// <summary>
    /// The person as it stands in this write, by the session that the request came with; null when that was ended or the person changed
    /// since the request began.
    /// </summary>
    public async Task<Person?> Still(WriteScope scope, SignedIn who, string? cookie) =>
        await Find(scope, cookie) is { } session && session.SessionNo == who.Session.SessionNo
        && await PersonSql.Find(scope.Connection, scope.Transaction, session.PersonNo) is { MaySignIn: true } person
        && person.Stamp == who.Person.Stamp
            ? person
            : null;

    public Task<IReadOnlyList<Session>> List(Person person, CancellationToken cancel) =>
        database.Read(connection => SessionSql.List(connection, person.PersonNo, NowMs, IdleMs, PerPersonMax), cancel);

    /// <summary>As <see cref="OwnSessions.End"/>, in a write of its own.</summary>
    public Task<Outcome<int>> End(Visit visit, Person person, string id) =>
        database.Write(scope => OwnSessions.End(scope, person, id), visit.By(person));

    /// <summary>Ends all of a person's but the one that asks, and links that were asked for by whoever had the others.</summary>
    public Task<Outcome<int>> EndOthers(Visit visit, SignedIn who, string? cookie) => database.Write<int>(
        async scope =>
        {
            if (await Still(scope, who, cookie) is not { } person)
            {
                return Problem.Of(ProblemCode.ProofNeeded);
            }

            await LinkBook.EndAll(scope, person);
            return await EndAll(scope, person, "asked", who.Session.SessionNo);
        },
        visit.By(who.Person));

    /// <summary>Ends all of a person's, but for one that is named by its number.</summary>
    public static async Task<int> EndAll(WriteScope scope, Person person, string reason, long butSessionNo = 0)
    {
        var ended = await SessionSql.EndAll(scope, person.PersonNo, butSessionNo);
        await PersonAudit.Tell(scope, "session.end_all", person, reason, after: new JsonObject { ["ended"] = ended });
        return ended;
    }

    private long EndOf(WriteScope scope) => scope.NowMs + (long)options.SessionMost.TotalMilliseconds;

    private byte[] HashOf(string secret) => pepper.HashSecret(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    private static JsonObject Shape(Session session) => new()
    {
        ["session_id"] = session.Id, ["method"] = session.Method, ["device"] = session.Device,
    };
}
