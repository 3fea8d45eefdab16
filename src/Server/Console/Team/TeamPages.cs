using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Team;

/// <summary>Who is in a team, as what, and who is invited; in an organization of one's own, what a team is and how one is made.</summary>
internal static class TeamPages
{
    /// <summary>Characters of a name that the line on top repeats; longer ones were never a name.</summary>
    public const int NameMax = 320;

    /// <summary>On one page.</summary>
    public const int MembersShown = 100;

    public static void MapTeamPages(this IEndpointRouteBuilder places)
    {
        var team = places.MapGroup("/team").RefusedBy(Refusal);
        team.MapGet("", Show);
        team.MapNewTeam();
        team.MapTeamMembers();
        team.MapTeamInvitations();
        team.MapTeamEnds();
    }

    public static string HomeOf(ConsolePlace place) => $"{place.Path}/team";

    public static Problem NoTeam => new(ProblemCode.NotFound, "This organization is one's own, and no team.");

    /// <summary>What they may do to members: who runs the gate as much as an owner.</summary>
    public static TeamRole? RoleOf(ConsolePlace place) => place.IsTeam && place.Caller.IsRoot ? TeamRole.Owner : place.RoleInTeam;

    /// <summary>Whether they look after members of this role.</summary>
    public static bool Manages(ConsolePlace place, TeamRole whom) =>
        place.May(Act.ManageMembers) && RoleOf(place) is { } who && TeamRoles.MayManage(who, whom);

    /// <summary>Why what is asked for cannot be done now, ahead of the page that asks; the write judges it again.</summary>
    public static Problem? Refusal(HttpContext http, Act act)
    {
        var place = ConsolePlace.Of(http);
        var nowMs = KeyPages.Now(http.RequestServices.GetRequiredService<TimeProvider>());
        return !place.May(act) ? Problem.Of(ProblemCode.RoleMissing)
            : RoleTable.AsksProof(act) && !SignedIn.Of(http).IsFreshAt(nowMs) ? Problem.Of(ProblemCode.ProofNeeded)
            : null;
    }

    /// <summary>Who owns it alone, of those who may sign in, stays its owner, or hands it over first.</summary>
    public static bool IsLastOwner(IReadOnlyList<ListedMember> members, string person)
    {
        var owners = members.Where(one => one.Member.TeamRole == TeamRole.Owner).ToList();
        return owners.Exists(one => one.Member.PersonId == person)
            && !owners.Exists(one => one.Member.PersonId != person && one.MaySignIn);
    }

    private static Problem? Refusal(HttpContext http) => Refusal(http, Act.SeeMembers);

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker pages, TeamRoster roster, InvitationBook book, ProviderModel provider, TimeProvider time, string? done,
        string? name, string? after)
    {
        var (place, nowMs, words) = (ConsolePlace.Of(http), KeyPages.Now(time), new TeamWords(provider));
        if (!place.IsTeam)
        {
            return await NewTeam.Form(http, 200, null, []);
        }

        var (id, home) = (place.Organization.Id.Text, HomeOf(place));
        if (!(await roster.Members(place.Caller, id, http.RequestAborted)).TryGet(out var members, out var problem))
        {
            return pages.Problem(http, problem);
        }

        IReadOnlyList<Invitation>? waiting = null;
        if (Manages(place, TeamRole.Member) && !(await book.List(place.Caller, id, http.RequestAborted)).TryGet(out waiting, out problem))
        {
            return pages.Problem(http, problem);
        }

        var own = SignedIn.Of(http).Person.Id;
        var first = members.ToList().FindIndex(one => one.Member.PersonId == after) + 1;
        var last = Math.Min(members.Count, first + MembersShown);
        return pages.Of<TeamPage>(http, 200, ("Notice", Notice(place, words, done, name)), ("Team", new TeamFacts(
            place.Organization.Name, home)
        {
            Members =
            [
                .. members.Skip(first).Take(MembersShown).Select(one => new MemberLine(
                    Manages(place, one.Member.TeamRole) || one.Member.PersonId == own ? $"{home}/members/{one.Member.PersonId}" : null,
                    TeamWords.NameOf(one.Name, one.Email), one.Email, words.Role(one.Member.TeamRole),
                    MomentFacts.Of(one.Member.JoinedAtMs, nowMs), one.Member.PersonId == own)
                {
                    IsSuspended = !one.MaySignIn,
                }),
            ],
            Part = members.Count <= MembersShown ? null : $"{first + 1} to {last} of {Shown.Number(members.Count)}",
            NextHref = last < members.Count ? $"{home}?after={members[last - 1].Member.PersonId}" : null,
            Invitations = waiting is null || (waiting.Count == 0 && provider.Teams is null) ? null :
            [
                .. waiting.Select(one => new InvitationLine(
                    $"{home}/invitations/{one.Id}/withdraw", one.Email, words.Role(TeamRoles.Parse(one.Role) ?? TeamRole.Member),
                    one.InviterId == own ? "you" : one.Inviter, MomentFacts.Of(one.CreatedAtMs, nowMs),
                    MomentFacts.Of(one.EndsAtMs, nowMs))),
            ],
            MayInvite = provider.Teams is not null && Manages(place, TeamRole.Member),
            Roles = words.Choices(Enum.GetValues<TeamRole>(), null),
            Offers = [.. Offers(place, home, members, own)],
        }));
    }

    private static IEnumerable<PlaceOffer> Offers(ConsolePlace place, string home, IReadOnlyList<ListedMember> members, string own)
    {
        if (place.May(Act.RunOrganization))
        {
            yield return new PlaceOffer("Rename", $"{home}/name", "Another name; ids, keys and links stay.", false);
        }

        if (place.May(Act.HandOver))
        {
            yield return new PlaceOffer("Hand over", $"{home}/transfer", "Another member becomes its owner.", false);
        }

        if (place.RoleInTeam is not null && !IsLastOwner(members, own))
        {
            yield return new PlaceOffer("Leave", $"{home}/members/{own}/remove", "Go; the team stays. You see first what ends.", true);
        }

        if (place.May(Act.EndOrganization))
        {
            yield return new PlaceOffer(
                "Delete", $"{home}/delete", "End it for good, with its projects and keys. You see first what that is.", true);
        }
    }

    private static string? Notice(ConsolePlace place, TeamWords words, string? done, string? name)
    {
        var who = name is { Length: > 0 and <= NameMax } ? name : "Somebody";
        return done switch
        {
            "made" => $"{place.Organization.Name} is made, and you are its owner. Invite those who are to be in it.",
            "renamed" => $"It is called {place.Organization.Name} now.",
            "invited" => $"An invitation to {who} is on its way.",
            "withdrawn" => $"The invitation to {who} is taken back: its link is good no more.",
            "removed" => $"{who} is out of the team.",
            "handed" when place.RoleInTeam is { } role => $"{who} is the owner now. You are: {words.Role(role)}.",
            "handed" => $"{who} is the owner now.",
            _ => null,
        };
    }
}
