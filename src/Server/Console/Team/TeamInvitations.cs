using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Team;

/// <summary>Invites people by mail, and takes invitations back.</summary>
internal static class TeamInvitations
{
    public static void MapTeamInvitations(this IEndpointRouteBuilder team)
    {
        team.MapGet("/invite", (HttpContext http, FrameMaker pages) => Form(http, pages, 200, null, TeamRole.Member.Text(), []));
        team.MapPost("/invite", Invite);
        team.MapPost("/invitations/{invitation}/withdraw", Withdraw);
    }

    private static IResult Form(
        HttpContext http, FrameMaker pages, int status, string? email, string? role, IReadOnlyList<PageFault> faults)
    {
        var (place, provider) = (ConsolePlace.Of(http), http.RequestServices.GetRequiredService<ProviderModel>());
        var home = TeamPages.HomeOf(place);
        if (Refusal(place, provider) is { } problem)
        {
            return pages.Problem(http, problem, home);
        }

        var roles = Enum.GetValues<TeamRole>().Where(one => TeamRoles.Invited.Contains(one.Text()) && TeamPages.Manages(place, one));
        return pages.Of<InvitePage>(http, status, ("Faults", faults), ("Form", new InviteFacts(
            $"{home}/invite", home, place.Organization.Name)
        {
            Email = email, Roles = new TeamWords(provider).Choices(roles, TeamRoles.Parse(role)),
        }));
    }

    private static Problem? Refusal(ConsolePlace place, ProviderModel provider) => !place.IsTeam ? TeamPages.NoTeam
        : provider.Teams is null ? TeamRoster.NoTeams
        : TeamPages.Manages(place, TeamRole.Member) ? null
        : Problem.Of(ProblemCode.RoleMissing);

    private static async Task<IResult> Invite(HttpContext http, FrameMaker pages, PlaceBook book, InvitationBook invitations)
    {
        var place = ConsolePlace.Of(http);
        var (email, role) = (SignInEndpoints.Field(http, "email").Trim(), SignInEndpoints.Field(http, "role"));
        if ((await book.Write(
                http, null, Act.ManageMembers, scope => invitations.Invite(scope, place.Organization.Id.Text, email, role)))
            .TryGet(out var made, out var problem))
        {
            return PageMaker.See(http, $"{TeamPages.HomeOf(place)}?done=invited&name={Uri.EscapeDataString(made.Email)}");
        }

        return problem.Code == ProblemCode.ValidationFailed || problem.Code == ProblemCode.Conflict
            || problem.Code == ProblemCode.TooManyTries
            ? Form(http, pages, problem.Code.Status, email, role, KeyForm.Faults(http, problem))
            : pages.Problem(http, problem, TeamPages.HomeOf(place));
    }

    private static async Task<IResult> Withdraw(HttpContext http, FrameMaker pages, PlaceBook book, string invitation)
    {
        var place = ConsolePlace.Of(http);
        return (await book.Write(
                http, null, Act.ManageMembers, scope => InvitationBook.Withdraw(scope, place.Organization.Id.Text, invitation)))
            .TryGet(out var gone, out var problem)
            ? PageMaker.See(http, $"{TeamPages.HomeOf(place)}?done=withdrawn&name={Uri.EscapeDataString(gone.Email)}")
            : pages.Problem(http, problem, TeamPages.HomeOf(place));
    }
}
