using Tollgate.Server.Console.Frame;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Passkeys;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.SignIn;

/// <summary>The pages of passkeys: signing in by one, and making and removing one's own.</summary>
internal static class PasskeyEndpoints
{
    public const string SignInPath = "/sign-in/passkey";
    public const string AddPath = "/account/passkeys/add";

    private const string FirstName = "My passkey";

    public static void MapPasskeys(this IEndpointRouteBuilder pages)
    {
        pages.MapGet(
            SignInPath, (HttpContext http, PasskeyCeremony ceremony, PageMaker maker) => ShowSignIn(http, ceremony, maker, 200, []));
        pages.MapPost(SignInPath, SignIn);
    }

    /// <summary>Behind the gate of who is signed in.</summary>
    public static void MapOwnPasskeys(this IEndpointRouteBuilder account)
    {
        account.MapGet("/passkeys/add", (HttpContext http, PasskeyCeremony ceremony, SessionBook sessions, FrameMaker maker) =>
            ShowAdd(http, ceremony, sessions, maker, 200, FirstName, []));
        account.MapPost("/passkeys/add", Add);
        account.MapPost("/passkeys/remove", Remove);
    }

    private static async Task<IResult> ShowSignIn(
        HttpContext http, PasskeyCeremony ceremony, PageMaker pages, int status, IReadOnlyList<PageFault> faults)
    {
        if (!ceremony.IsPossible)
        {
            return pages.Problem(http, NotHere);
        }

        var question = await ceremony.AskToUse(http);
        return pages.Of<PasskeyPage>(
            http, status, ("Action", SignInPath), ("Options", question.Options), ("State", question.State),
            ("Script", PageFile.PasskeyScript.Address), ("Faults", faults));
    }

    private static async Task<IResult> SignIn(
        HttpContext http, PasskeyDoor door, PasskeyCeremony ceremony, SessionCookie cookie, PageMaker pages)
    {
        var outcome = await door.SignIn(
            Visit.Of(http), http, SignInEndpoints.Field(http, "state"), SignInEndpoints.Field(http, "credential"), cookie.Read(http));
        return outcome.TryGet(out var entry, out var problem)
            ? await SignInEndpoints.Enter(http, entry)
            : await ShowSignIn(http, ceremony, pages, problem.Code.Status, PageMaker.Faults(http, problem));
    }

    private static async Task<IResult> ShowAdd(
        HttpContext http, PasskeyCeremony ceremony, SessionBook sessions, FrameMaker pages, int status, string name,
        IReadOnlyList<PageFault> faults)
    {
        var who = SignedIn.Of(http);
        if (!ceremony.IsPossible)
        {
            return pages.Problem(http, NotHere, AccountGate.Root);
        }

        if (!who.IsFreshAt(sessions.NowMs))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.ProofNeeded), AccountGate.Root);
        }

        var question = await ceremony.AskToMake(who.Person, http);
        return pages.Of<PasskeyAddPage>(
            http, status, ("Action", AddPath), ("Options", question.Options), ("State", question.State),
            ("Script", PageFile.PasskeyScript.Address), ("Name", name), ("Faults", faults));
    }

    private static async Task<IResult> Add(
        HttpContext http, PasskeyDoor door, PasskeyCeremony ceremony, SessionBook sessions, SessionCookie cookie, PageMaker pages,
        FrameMaker frames)
    {
        var name = SignInEndpoints.Field(http, "name").Trim();
        if (name.Length is 0 or > PasskeyDoor.NameMax || name.Any(char.IsControl))
        {
            return await Again(422, [new PageFault("name", $"The name must have 1 to {PasskeyDoor.NameMax} characters.")]);
        }

        var outcome = await door.Add(
            Visit.Of(http), SignedIn.Of(http), http, name, SignInEndpoints.Field(http, "state"), SignInEndpoints.Field(http, "credential"),
            cookie.Read(http));
        return outcome.Problem is { } problem && problem.Code == ProblemCode.PasskeyRefused
            ? await Again(problem.Code.Status, PageMaker.Faults(http, problem))
            : ConnectionEndpoints.Renewed(http, pages, "passkey", outcome);

        Task<IResult> Again(int status, IReadOnlyList<PageFault> faults) => ShowAdd(http, ceremony, sessions, frames, status, name, faults);
    }

    private static async Task<IResult> Remove(HttpContext http, PasskeyDoor door, SessionCookie cookie, PageMaker pages) =>
        ConnectionEndpoints.Renewed(http, pages, "removed", await door.Remove(
            Visit.Of(http), SignedIn.Of(http), SignInEndpoints.Field(http, "passkey"), cookie.Read(http)));

    private static Problem NotHere => new(
        ProblemCode.Conflict, "Browsers make passkeys for names alone: open this page by a name, such as localhost, as public_url says.");
}
