using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;
using AskPage = Tollgate.Server.Console.Frame.AskPage;

namespace Tollgate.Server.Console.Team;

/// <summary>One member of a team: what they are, and how they go; and to whom the team is handed over.</summary>
internal static class TeamMembers
{
    public static void MapTeamMembers(this IEndpointRouteBuilder team)
    {
        team.MapGet("/members/{person}", Show);
        team.MapPost("/members/{person}/role", ChangeRole);
        team.MapGet("/members/{person}/remove", AskRemoval);
        team.MapPost("/members/{person}/remove", Remove);
        team.MapGet("/transfer", AskTransfer);
        team.MapPost("/transfer", Transfer);
    }

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, string person, string? done) =>
        (await Find(http, person)).TryGet(out var member, out var problem)
            ? Page(http, pages, member, 200, null, [], done == "role" ? "The role is changed. It counts from the next click on." : null)
            : pages.Problem(http, problem, TeamPages.HomeOf(ConsolePlace.Of(http)));

    /// <summary>Oneself, or somebody whom one looks after; all others are on the list alone.</summary>
    private static async Task<Outcome<Found>> Find(HttpContext http, string person)
    {
        var place = ConsolePlace.Of(http);
        if (!place.IsTeam)
        {
            return TeamPages.NoTeam;
        }

        var roster = http.RequestServices.GetRequiredService<TeamRoster>();
        if (!(await roster.Members(place.Caller, place.Organization.Id.Text, http.RequestAborted)).TryGet(out var members, out var problem))
        {
            return problem;
        }

        return members.FirstOrDefault(one => one.Member.PersonId == person) is not { } found
            ? new Problem(ProblemCode.NotFound, "There is no such member.")
            : person == SignedIn.Of(http).Person.Id || TeamPages.Manages(place, found.Member.TeamRole)
                ? new Found(found.Member, TeamWords.NameOf(found.Name, found.Email), found.Email, TeamPages.IsLastOwner(members, person))
            : Problem.Of(ProblemCode.RoleMissing);
    }

    private static IResult Page(
        HttpContext http, FrameMaker pages, Found found, int status, string? typed, IReadOnlyList<PageFault> faults,
        string? notice = null)
    {
        var (place, own) = (ConsolePlace.Of(http), SignedIn.Of(http).Person.Id);
        var words = new TeamWords(http.RequestServices.GetRequiredService<ProviderModel>());
        var (member, home) = (found.Member, TeamPages.HomeOf(place));
        var role = member.TeamRole;
        var roles = TeamPages.Manages(place, role) && !found.IsLastOwner
            ? words.Choices(Enum.GetValues<TeamRole>().Where(one => TeamPages.Manages(place, one)), TeamRoles.Parse(typed ?? member.Role))
            : [];
        var touchesOwners = roles.Any(one => one.Name == TeamRole.Owner.Text());
        return pages.Of<MemberPage>(
            http, status, ("Faults", faults), ("Notice", notice),
            ("Member", new MemberFacts(
                found.Name, place.Organization.Name, $"{home}/members/{member.PersonId}/role", home)
            {
                PersonId = member.PersonId, Email = found.Email, Role = words.Role(role), Roles = roles,
                Since = MomentFacts.Of(
                    member.JoinedAtMs, KeyPages.Now(http.RequestServices.GetRequiredService<TimeProvider>())),
                Hint = found.IsLastOwner
                    ? "The last owner stays. To go, or to be something else, hand the team over first, or delete it."
                    : touchesOwners
                        ? "To make somebody an owner, or an owner something else, asks for a sign-in of the last ten minutes."
                        : null,
                Offers = found.IsLastOwner ? [] : [.. Offers(place, home, member, member.PersonId == own)],
            }));
    }

    private static IEnumerable<PlaceOffer> Offers(ConsolePlace place, string home, Member member, bool isSelf)
    {
        if (place.May(Act.HandOver) && member.TeamRole != TeamRole.Owner && !isSelf)
        {
            yield return new PlaceOffer(
                "Hand over", $"{home}/transfer?to={member.PersonId}", "Make them the owner of the team in your place.", false);
        }

        yield return isSelf
            ? new PlaceOffer("Leave", $"{home}/members/{member.PersonId}/remove", "Go; the team stays. You see first what ends.", true)
            : new PlaceOffer(
                "Remove", $"{home}/members/{member.PersonId}/remove", "Put them out at once. You see first what ends.", true);
    }

    private static async Task<IResult> ChangeRole(HttpContext http, FrameMaker pages, PlaceBook book, TeamRoster roster, string person)
    {
        var (place, role) = (ConsolePlace.Of(http), SignInEndpoints.Field(http, "role"));
        var home = $"{TeamPages.HomeOf(place)}/members/{person}";
        if (!(await Find(http, person)).TryGet(out var found, out var problem))
        {
            return pages.Problem(http, problem, TeamPages.HomeOf(place));
        }

        return (await book.Write(
                http, null, Act.ManageMembers, scope => roster.ChangeRole(scope, place.Organization.Id.Text, person, role)))
            .TryGet(out _, out problem)
            ? PageMaker.See(http, $"{home}?done=role")
            : (problem.Code == ProblemCode.ValidationFailed || problem.Code == ProblemCode.Conflict) && !found.IsLastOwner
                ? Page(http, pages, found, problem.Code.Status, role, KeyForm.Faults(http, problem))
                : pages.Problem(http, problem, home);
    }

    private static async Task<IResult> AskRemoval(
        HttpContext http, FrameMaker pages, TeamRoster roster, ProviderModel provider, string person)
    {
        var (place, isSelf) = (ConsolePlace.Of(http), person == SignedIn.Of(http).Person.Id);
        var home = TeamPages.HomeOf(place);
        if (!(await Find(http, person)).TryGet(out var found, out var problem)
            || !(await roster.Preview(place.Caller, place.Organization.Id.Text, person, http.RequestAborted))
                .TryGet(out var leaving, out problem))
        {
            return pages.Problem(http, problem, home);
        }

        return pages.Of<AskPage>(http, 200, ("Ask", new AskFacts(
            isSelf ? $"Leave {place.Organization.Name}" : $"Remove {found.Name} from {place.Organization.Name}",
            isSelf ? "Leave the team" : "Remove from the team", $"{home}/members/{person}/remove", home, IsDanger: true)
        {
            Sentences = [.. new TeamWords(provider).OfLeaving(leaving.KeysDeleted, isSelf)],
        }));
    }

    private static async Task<IResult> Remove(HttpContext http, FrameMaker pages, PlaceBook book, TeamRoster roster, string person)
    {
        var (place, who) = (ConsolePlace.Of(http), SignedIn.Of(http));
        var home = TeamPages.HomeOf(place);
        if (!(await Find(http, person)).TryGet(out var found, out var problem)
            || !(await book.Write(http, null, Act.Leave, scope => roster.Remove(scope, place.Organization.Id.Text, person)))
                .TryGet(out _, out problem))
        {
            return pages.Problem(http, problem, home);
        }

        return person == who.Person.Id
            ? await Gone(http, book, "left-team", place.Organization.Name)
            : PageMaker.See(http, $"{home}?done=removed&name={Uri.EscapeDataString(found.Name)}");
    }

    /// <summary>Where who has no team any more goes on, with a line that says what happened.</summary>
    public static async Task<IResult> Gone(HttpContext http, PlaceBook book, string done, string name) =>
        PageMaker.See(http, await book.First(SignedIn.Of(http), http.RequestAborted) is { } next
            ? $"{ConsolePlace.Root}/{next.Organization.Id.Text}/projects?done={done}&name={Uri.EscapeDataString(name)}"
            : ConsolePlace.Root);

    private static async Task<IResult> AskTransfer(HttpContext http, FrameMaker pages, TeamRoster roster, string? to) =>
        TeamPages.Refusal(http, Act.HandOver) is { } problem
            ? pages.Problem(http, problem, TeamPages.HomeOf(ConsolePlace.Of(http)))
            : await TransferForm(http, pages, roster, 200, to, []);

    private static async Task<IResult> TransferForm(
        HttpContext http, FrameMaker pages, TeamRoster roster, int status, string? to, IReadOnlyList<PageFault> faults)
    {
        var place = ConsolePlace.Of(http);
        var home = TeamPages.HomeOf(place);
        if (!place.IsTeam)
        {
            return pages.Problem(http, TeamPages.NoTeam, home);
        }

        var listed = await roster.Members(place.Caller, place.Organization.Id.Text, http.RequestAborted);
        return listed.TryGet(out var members, out var problem)
            ? pages.Of<HandOverPage>(http, status, ("Faults", faults), ("Form", new HandOverFacts(
                $"{home}/transfer", home, place.Organization.Name)
            {
                // Of many: who was chosen on their own page stands first.
                Heirs =
                [
                    .. members.Where(one => one.Member.TeamRole != TeamRole.Owner && one.MaySignIn)
                        .OrderByDescending(one => one.Member.PersonId == to).Take(TeamPages.MembersShown).Select(one => new FormChoice(
                            one.Member.PersonId, TeamWords.NameOf(one.Name, one.Email), one.Email, one.Member.PersonId == to)),
                ],
                Sentences =
                [
                    "They may do all of it from then on: change roles, put people out, you among them, and delete the team.",
                    place.Caller.IsRoot
                        ? "Every owner of now becomes an admin."
                        : "You become an admin. Only an owner can make you an owner again.",
                    "Keys, projects and balance stay as they are.",
                    .. members.Count > TeamPages.MembersShown ? OfMany : [],
                ],
            }))
            : pages.Problem(http, problem, home);
    }

    private static async Task<IResult> Transfer(HttpContext http, FrameMaker pages, PlaceBook book, TeamRoster roster)
    {
        var (place, to) = (ConsolePlace.Of(http), SignInEndpoints.Field(http, "person"));
        var home = TeamPages.HomeOf(place);
        if (TeamPages.Refusal(http, Act.HandOver) is { } problem)
        {
            return pages.Problem(http, problem, home);
        }

        if (to.Length == 0)
        {
            return await TransferForm(http, pages, roster, 422, null, [new PageFault("person", "Choose who is to own the team.")]);
        }

        if (!(await Find(http, to)).TryGet(out var heir, out problem)
            || !(await book.Write(http, null, Act.HandOver, scope => roster.Transfer(scope, place.Organization.Id.Text, to)))
                .TryGet(out _, out problem))
        {
            return problem.Code == ProblemCode.Conflict || problem.Code == ProblemCode.NotFound
                ? await TransferForm(http, pages, roster, problem.Code.Status, to, [new PageFault("person", problem.Detail)])
                : pages.Problem(http, problem, home);
        }

        return PageMaker.See(http, $"{home}?done=handed&name={Uri.EscapeDataString(heir.Name)}");
    }

    private static readonly string[] OfMany = ["To whoever is not here, hand over from their own page: the team's list leads to it."];

    /// <summary>A member, as people call them.</summary>
    private sealed record Found(Member Member, string Name, string? Email, bool IsLastOwner);
}
