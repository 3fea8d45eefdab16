using Tollgate.Server.Console.Frame;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.SignIn;

/// <summary>The second step of a sign-in, and the pages that set it up.</summary>
internal static class SecondStepEndpoints
{
    public const string Path = "/sign-in/second";

    public static void MapSecondStep(this IEndpointRouteBuilder pages)
    {
        pages.MapGet(Path, Show);
        pages.MapPost(Path, Use);
    }

    /// <summary>Behind the gate of who is signed in.</summary>
    public static void MapOwnSecondStep(this IEndpointRouteBuilder account)
    {
        account.MapGet("/second", Offer);
        account.MapPost("/second", Add);
        account.MapPost("/second/codes", NewCodes);
        account.MapPost("/second/remove", Remove);
    }

    private static async Task<IResult> Show(HttpContext http, SecondStepDoor door, SecondStepCookie waiting, PageMaker pages) =>
        await door.IsWaiting(waiting.Read(http), http.RequestAborted)
            ? pages.Of<SecondStepPage>(http, 200)
            : PageMaker.See(http, "/sign-in");

    private static async Task<IResult> Use(
        HttpContext http, SecondStepDoor door, SecondStepCookie waiting, SessionCookie cookie, PageMaker pages)
    {
        var outcome = await door.Use(Visit.Of(http), waiting.Read(http), SignInEndpoints.Field(http, "code"), cookie.Read(http));
        return outcome.TryGet(out var entry, out var problem) ? await SignInEndpoints.Enter(http, entry)
            : problem.Code == ProblemCode.LinkEnded ? pages.Problem(http, problem)
            : pages.Of<SecondStepPage>(http, problem.Code.Status, ("Faults", problem.Code == ProblemCode.SecondStepFailed
                ? [new PageFault("code", problem.Detail)]
                : PageMaker.Faults(http, problem)));
    }

    private static IResult Offer(HttpContext http, SecondStepDoor door, SessionBook sessions, FrameMaker pages)
    {
        var who = SignedIn.Of(http);
        if (!who.IsFreshAt(sessions.NowMs))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.ProofNeeded), AccountGate.Root);
        }

        var (secret, setup) = door.Offer(who.Person);
        return Setup(http, pages, 200, secret, setup, []);
    }

    private static async Task<IResult> Add(
        HttpContext http, SecondStepDoor door, SessionCookie cookie, PageMaker pages, FrameMaker frames)
    {
        var (who, setup) = (SignedIn.Of(http), SignInEndpoints.Field(http, "setup"));
        if (door.Offered(who.Person, setup) is not { } secret)
        {
            return pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));
        }

        var outcome = await door.Add(Visit.Of(http), who, secret, SignInEndpoints.Field(http, "code"), cookie.Read(http));
        return outcome.Problem is { Errors.Count: > 0 } problem
            ? Setup(http, frames, problem.Code.Status, secret, setup, PageMaker.Faults(http, problem))
            : Made(http, pages, outcome);
    }

    private static async Task<IResult> NewCodes(HttpContext http, SecondStepDoor door, SessionCookie cookie, PageMaker pages) =>
        Made(http, pages, await door.NewCodes(Visit.Of(http), SignedIn.Of(http), cookie.Read(http)));

    private static async Task<IResult> Remove(HttpContext http, SecondStepDoor door, SessionCookie cookie, PageMaker pages)
    {
        if (!(await door.Remove(Visit.Of(http), SignedIn.Of(http), cookie.Read(http))).TryGet(out var made, out var problem))
        {
            return pages.Problem(http, problem);
        }

        cookie.Set(http, made.Secret);
        return PageMaker.See(http, "/account?done=removed");
    }

    /// <summary>The codes are in this answer and nowhere else.</summary>
    private static IResult Made(HttpContext http, PageMaker pages, Outcome<SecondStepMade> outcome)
    {
        if (!outcome.TryGet(out var made, out var problem))
        {
            return pages.Problem(http, problem);
        }

        http.RequestServices.GetRequiredService<SessionCookie>().Set(http, made.Secret);
        return http.RequestServices.GetRequiredService<FrameMaker>().Of<RecoveryCodesPage>(http, 200, ("Codes", made.Codes));
    }

    private static IResult Setup(
        HttpContext http, FrameMaker pages, int status, byte[] secret, string setup, IReadOnlyList<PageFault> faults)
    {
        var (person, provider) = (SignedIn.Of(http).Person, http.RequestServices.GetRequiredService<ProviderModel>());
        var link = TimeCode.Link(secret, provider.DisplayName, person.Email ?? person.Name);
        return pages.Of<SecondStepSetupPage>(
            http, status, ("Square", SquareCode.Of(link)), ("Secret", TimeCode.Text(secret)), ("Link", link), ("Setup", setup),
            ("Faults", faults));
    }
}
