using System.Text.Json.Serialization;
using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Reach;

/// <summary>What people do about themselves: their name, and where they are signed in. Keys have neither.</summary>
internal static class MySessionEndpoints
{
    public static void MapMySessions(this IEndpointRouteBuilder api)
    {
        var me = api.MapGroup("/me").WithTags("Me").PeopleOnly(Act.Oneself);
        me.MapPatch("", Rename).WithName("updateMe").WithSummary("Change one's name")
            .Takes(typeof(ChangeMe)).Gives(typeof(MyName)).Idempotent();
        me.MapGet("/sessions", List).WithName("listMySessions").WithSummary("List where one is signed in").Gives(typeof(SessionList));
        me.MapDelete("/sessions/{session}", End).WithName("endMySession").WithSummary("End a session of one's own")
            .Gives(typeof(SessionsEnded)).Idempotent();
        me.MapDelete("/sessions", EndOthers).WithName("endMyOtherSessions").WithSummary("End all of one's sessions but this one")
            .Gives(typeof(SessionsEnded)).Idempotent();
    }

    private static async Task<IResult> Rename(HttpContext http, MutationRunner mutations) =>
        (await RequestBody.Read(http, MySessionWire.Default.ChangeMe)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw, scope => OwnName.Change(scope, scope.Context.Caller.Id, body.Value.Name),
                person => MutationAnswer.Of(200, new MyName(person.Id, person.Name), MySessionWire.Default.MyName))
            : new ProblemResult(problem);

    private static async Task<IResult> List(HttpContext http, SessionBook sessions)
    {
        var who = SignedIn.Of(http);
        var open = await sessions.List(who.Person, http.RequestAborted);
        return Answers.Json(
            new SessionList([.. open.Select(session => SessionAnswer.Of(session, who.Session))], null), MySessionWire.Default.SessionList);
    }

    private static Task<IResult> End(HttpContext http, string session, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
            (await OwnSessions.End(scope, await Myself(scope), session)).TryGet(out var ended, out var problem) ? Shown(ended) : problem);

    private static Task<IResult> EndOthers(HttpContext http, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
        {
            Outcome<MutationAnswer> ended = Shown(
                await SessionBook.EndAll(scope, await Myself(scope), "asked", SignedIn.Of(http).Session.SessionNo));
            return ended;
        });

    private static async Task<Person> Myself(WriteScope scope) => await PersonDirectory.Find(scope, scope.Context.Caller.Id)
        ?? throw new InvalidOperationException("A person who calls exists.");

    private static MutationAnswer Shown(int ended) =>
        MutationAnswer.Of(200, new SessionsEnded(ended), MySessionWire.Default.SessionsEnded);
}

internal sealed record ChangeMe(string? Name);

internal sealed record MyName(string Id, string Name);

internal sealed record SessionsEnded(int Ended);

/// <summary>Where one is signed in.</summary>
internal sealed record SessionAnswer(
    string Id, string Method, string Device, string? Address, DateTimeOffset CreatedAt, DateTimeOffset SeenAt, DateTimeOffset ExpiresAt,
    bool IsThis)
{
    public static SessionAnswer Of(Session session, Session own) => new(
        session.Id, session.Method, session.Device, session.Address, Time(session.CreatedAtMs), Time(session.SeenAtMs),
        Time(session.EndsAtMs), session.SessionNo == own.SessionNo);

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}

internal sealed record SessionList(IReadOnlyList<SessionAnswer> Data, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(ChangeMe))]
[JsonSerializable(typeof(MyName))]
[JsonSerializable(typeof(SessionsEnded))]
[JsonSerializable(typeof(SessionList))]
internal sealed partial class MySessionWire : JsonSerializerContext;
