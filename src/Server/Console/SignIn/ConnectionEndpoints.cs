using Tollgate.Server.Identity;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.SignIn;

/// <summary>The pages of signing in by an account elsewhere: sent there by a form of ours, and back by the provider.</summary>
internal static class ConnectionEndpoints
{
    public static void MapConnections(this IEndpointRouteBuilder pages)
    {
        foreach (var kind in ConnectionKind.All)
        {
            pages.MapPost(kind.StartPath, (HttpContext http, ConnectionBook book, PageMaker maker) => Start(http, book, maker, kind, null));
            pages.MapGet(kind.CallbackPath, (HttpContext http, ConnectionBook book, PageMaker maker) => Finish(http, book, maker, kind));
        }
    }

    /// <summary>Behind the gate of who is signed in.</summary>
    public static void MapOwnConnections(this IEndpointRouteBuilder account)
    {
        account.MapPost("/connections/add", Add);
        account.MapPost("/connections/remove", Remove);
    }

    /// <summary>
    /// A page that sends the browser on, instead of a redirect: a policy that lets forms be sent to us alone would stop one at the first
    /// provider that sends people further to a third.
    /// </summary>
    private static async Task<IResult> Start(HttpContext http, ConnectionBook book, PageMaker pages, ConnectionKind kind, string? askedBy)
    {
        if (await book.Open(http, kind) is not { } handler)
        {
            return pages.Problem(http, new Problem(ProblemCode.NotFound, "There is nothing at this path."));
        }

        var address = await handler.Start(askedBy);
        http.Response.Headers["Refresh"] = $"0; url={address}";
        return pages.Of<ContinuePage>(http, 200, ("Title", kind.Title), ("Href", address));
    }

    private static async Task<IResult> Finish(HttpContext http, ConnectionBook book, PageMaker pages, ConnectionKind kind)
    {
        if (await book.Open(http, kind) is not { } handler)
        {
            return pages.Problem(http, new Problem(ProblemCode.NotFound, "There is nothing at this path."));
        }

        if (!(await handler.Finish()).TryGet(out var proof, out var problem))
        {
            return pages.Problem(http, problem);
        }

        var services = http.RequestServices;
        var (door, cookie) = (services.GetRequiredService<ConnectionDoor>(), services.GetRequiredService<SessionCookie>());
        if (proof.AskedBy is null)
        {
            return (await door.SignIn(Visit.Of(http), proof, cookie.Read(http))).TryGet(out var entry, out problem)
                ? await SignInEndpoints.Enter(http, entry)
                : pages.Problem(http, problem);
        }

        var who = await services.GetRequiredService<SessionBook>().Find(cookie.Read(http), http.RequestAborted);
        return Renewed(http, pages, "connected", who is null
            ? Problem.Of(ProblemCode.ProofNeeded)
            : await door.Connect(Visit.Of(http), who, proof, cookie.Read(http)));
    }

    private static async Task<IResult> Add(HttpContext http, ConnectionBook book, PageMaker pages, SessionBook sessions)
    {
        var who = SignedIn.Of(http);
        return !who.IsFreshAt(sessions.NowMs) ? pages.Problem(http, Problem.Of(ProblemCode.ProofNeeded))
            : ConnectionKind.All.FirstOrDefault(kind => kind.Name == SignInEndpoints.Field(http, "provider")) is { } known
                ? await Start(http, book, pages, known, who.Person.Id)
            : pages.Problem(http, new Problem(ProblemCode.NotFound, "There is no such provider."));
    }

    private static async Task<IResult> Remove(HttpContext http, PageMaker pages, ConnectionDoor door, SessionCookie cookie) => Renewed(
        http, pages, "removed", await door.Remove(
            Visit.Of(http), SignedIn.Of(http), SignInEndpoints.Field(http, "provider"), SignInEndpoints.Field(http, "subject"),
            cookie.Read(http)));

    /// <summary>What a person may do has changed, and its session goes on under another id.</summary>
    public static IResult Renewed(HttpContext http, PageMaker pages, string done, Outcome<string> outcome)
    {
        if (!outcome.TryGet(out var secret, out var problem))
        {
            return pages.Problem(http, problem);
        }

        http.RequestServices.GetRequiredService<SessionCookie>().Set(http, secret);
        return PageMaker.See(http, $"/account?done={done}");
    }
}
