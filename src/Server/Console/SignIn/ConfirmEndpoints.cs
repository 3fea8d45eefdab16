using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Links;
using Tollgate.Server.Identity.Password;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Console.SignIn;

/// <summary>Where a link leads that proves an address: of a new account, or the one that a person changes to.</summary>
internal static class ConfirmEndpoints
{
    public const string Path = "/verify";

    /// <summary>Where somebody takes an account that was made for the address, with a name and a password of its own.</summary>
    public const string AnewPath = "/verify/anew";

    public static void MapConfirm(this IEndpointRouteBuilder pages)
    {
        pages.MapGet(Path, Show);
        pages.MapPost(Path, Use);
        pages.MapGet(AnewPath, ShowAnew);
        pages.MapPost(AnewPath, UseAnew);
    }

    private static async Task<IResult> Show(HttpContext http, string? token, LinkBook links, PageMaker pages) =>
        await links.Peek(LinkKind.Verify, token, http.RequestAborted) is { Email: { } email }
            ? pages.Of<ConfirmPage>(http, 200, ("Email", email), ("Token", token))
        : await links.Peek(LinkKind.Email, token, http.RequestAborted) is { Email: { } other }
            ? SignInEndpoints.Button(
                http, pages, "Confirm your address",
                $"Your account gets the address {other}. Confirm it only if it was you who gave it there.", Path, "Confirm", token!)
        : pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));

    private static async Task<IResult> Use(
        HttpContext http, LinkBook links, SignUpDoor door, People people, SessionCookie cookie, PageMaker pages)
    {
        var token = SignInEndpoints.Field(http, "token");
        if (await links.Peek(LinkKind.Verify, token, http.RequestAborted) is not { Email: { } email })
        {
            return Answer(http, pages, await people.ConfirmEmail(Visit.Of(http), token, cookie.Read(http)), null);
        }

        var outcome = await door.Confirm(Visit.Of(http), token, SignInEndpoints.Field(http, "password"));
        return Answer(http, pages, outcome, problem => pages.Of<ConfirmPage>(
            http, problem.Code.Status, ("Email", email), ("Token", token), ("Faults", problem.Code == ProblemCode.SignInFailed
                ? [new PageFault("password", "This is not the password that was chosen when this account was made.")]
                : PageMaker.Faults(http, problem))));
    }

    private static async Task<IResult> ShowAnew(HttpContext http, string? token, LinkBook links, PageMaker pages) =>
        await links.Peek(LinkKind.Verify, token, http.RequestAborted) is { Email: { } email }
            ? pages.Of<ConfirmAnewPage>(http, 200, ("Email", email), ("Token", token))
            : pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));

    private static async Task<IResult> UseAnew(HttpContext http, LinkBook links, SignUpDoor door, PageMaker pages)
    {
        var (token, name) = (SignInEndpoints.Field(http, "token"), SignInEndpoints.Field(http, "name").Trim());
        var email = (await links.Peek(LinkKind.Verify, token, http.RequestAborted))?.Email;
        var outcome = await door.ConfirmAnew(Visit.Of(http), token, name, SignInEndpoints.Field(http, "password"));
        return Answer(http, pages, outcome, problem => pages.Of<ConfirmAnewPage>(
            http, problem.Code.Status, ("Email", email ?? ""), ("Token", token), ("Name", name),
            ("Faults", PageMaker.Faults(http, problem))));
    }

    /// <param name="http">The request.</param>
    /// <param name="pages">Makes the page.</param>
    /// <param name="outcome">Of the use of a link.</param>
    /// <param name="again">The page once more, where there is something to be put right.</param>
    private static IResult Answer(HttpContext http, PageMaker pages, Outcome<bool> outcome, Func<Problem, IResult>? again) =>
        outcome.TryGet(out _, out var problem) ? PageMaker.See(http, "/sign-in?done=verified")
        : again is null || problem.Code == ProblemCode.LinkEnded ? pages.Problem(http, problem)
        : again(problem);
}
