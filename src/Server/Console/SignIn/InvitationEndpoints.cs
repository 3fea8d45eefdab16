using Tollgate.Engine.Wallet;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.SignIn;

/// <summary>
/// Where the link of an invitation leads. Opening it shows a button and uses nothing up; pressing it joins. What the page says to who is
/// not signed in is the same whether the address that was invited has an account.
/// </summary>
internal static class InvitationEndpoints
{
    public static void MapInvitations(this IEndpointRouteBuilder pages)
    {
        pages.MapGet(InvitationBook.Path + "{token}", Show);
        pages.MapPost(InvitationBook.Path + "{token}", Join);
    }

    private static async Task<IResult> Show(
        HttpContext http, string token, InvitationBook book, TeamRoster roster, ProviderModel provider, SessionBook sessions,
        SessionCookie cookie, BackCookie back, PageMaker pages)
    {
        if (await book.Look(token, http.RequestAborted) is not { } invited)
        {
            back.Clear(http);
            return pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));
        }

        var who = await sessions.Find(cookie.Read(http), http.RequestAborted);
        var isYours = who?.Person.EmailKey == invited.Invitation.EmailKey;
        var crossed = who is not null && isYours ? await roster.PreviewJoining(who.Person, http.RequestAborted) : default;
        var needsSignIn = crossed.Moved > Money.Zero && !who!.IsFreshAt(sessions.NowMs);
        if (who is null || needsSignIn)
        {
            back.Set(http, InvitationBook.Path + token);
        }
        else
        {
            back.Clear(http);
        }

        return pages.Of<InvitationPage>(http, 200, ("Invitation", new InvitationFacts(
            invited.Team.Name, invited.Invitation.Role, invited.Invitation.Inviter, InvitationBook.Path + token, who?.Person.Email,
            isYours)
        {
            IsSignedIn = who is not null,
            Moves = crossed.Moved > Money.Zero ? $"{crossed.Moved} {provider.Wallet!.Currency}" : null,
            KeysHeld = crossed.KeysHeld,
            NeedsSignIn = needsSignIn,
        }));
    }

    private static async Task<IResult> Join(
        HttpContext http, string token, InvitationBook book, TeamRoster roster, Database database, SessionBook sessions,
        SessionCookie cookie, BackCookie back, PageMaker pages)
    {
        if (await sessions.Find(cookie.Read(http), http.RequestAborted) is not { } who)
        {
            if (await book.Look(token, http.RequestAborted) is null)
            {
                return pages.Problem(http, Problem.Of(ProblemCode.LinkEnded));
            }

            back.Set(http, InvitationBook.Path + token);
            return PageMaker.See(http, "/sign-in");
        }

        await roster.Ready();
        var visit = Visit.Of(http);
        var joined = await database.Write<(Joined Place, string Session)>(
            async scope =>
            {
                if (await sessions.Still(scope, who, cookie.Read(http)) is not { } person)
                {
                    return Problem.Of(ProblemCode.ProofNeeded);
                }

                if (!(await book.Accept(scope, person, token)).TryGet(out var entered, out var refused))
                {
                    return refused;
                }

                // Seen here too, where it is known what has moved: a page may have been open for long.
                return entered.Crossed.Moved > Money.Zero && !who.IsFreshAt(scope.NowMs)
                    ? Problem.Of(ProblemCode.ProofNeeded)
                    : (entered, await sessions.Reissue(scope, person, who.Session, visit));
            },
            visit.By(who.Person));
        if (!joined.TryGet(out var done, out var problem))
        {
            // The page itself says what stands in the way of who may come in.
            return (problem.Code == ProblemCode.LinkEnded || problem.Code == ProblemCode.ProofNeeded)
                && await book.Look(token, http.RequestAborted) is not null
                ? PageMaker.See(http, InvitationBook.Path + token)
                : pages.Problem(http, problem);
        }

        back.Clear(http);
        cookie.Set(http, done.Session);
        var (team, member, _) = done.Place;
        return pages.Note(
            http, 200, "Welcome to the team", $"You are in the team {team.Name}, as {InvitationPage.RoleText(member.Role)}.",
            $"{ConsolePlace.Root}/{team.Id.Text}", "To the team");
    }
}
