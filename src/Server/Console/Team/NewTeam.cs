using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Team;

/// <summary>What a team is, what making one does to whose it is to be, and the making of it.</summary>
internal static class NewTeam
{
    public static void MapNewTeam(this IEndpointRouteBuilder team)
    {
        team.MapGet("/new", (HttpContext http, FrameMaker pages) => Form(http, 200, null, []));
        team.MapPost("/new", Create);
    }

    /// <summary>The page, with what would move and be held if the button were pressed now.</summary>
    public static async Task<IResult> Form(HttpContext http, int status, string? name, IReadOnlyList<PageFault> faults)
    {
        var (services, place, who) = (http.RequestServices, ConsolePlace.Of(http), SignedIn.Of(http));
        var (pages, provider, roster) = (
            services.GetRequiredService<FrameMaker>(), services.GetRequiredService<ProviderModel>(),
            services.GetRequiredService<TeamRoster>());
        if (provider.Teams is not { } rules)
        {
            return pages.Problem(http, TeamRoster.NoTeams);
        }

        var isHere = !place.IsTeam && http.Request.Path.Value?.EndsWith("/team", StringComparison.Ordinal) == true;
        var crossed = await roster.PreviewJoining(who.Person, http.RequestAborted);
        return pages.Of<NewTeamPage>(http, status, ("Faults", faults), ("Form", new NewTeamFacts(
            $"{TeamPages.HomeOf(place)}/new", roster.NameMax, isHere)
        {
            Name = name, Refusal = Refusal(place, who, rules), Sentences = [.. new TeamWords(provider).OfMaking(crossed)],
        }));
    }

    private static string? Refusal(ConsolePlace place, SignedIn who, TeamRules rules)
    {
        var own = place.Organizations.FirstOrDefault(one => one.Id.Text == who.Person.OrganizationId);
        return place.TeamsOwned >= rules.OwnedMax
            ? rules.OwnedMax == 1
                ? "You own a team already, and nobody owns two. You can join others that you are invited to."
                : $"You own {Shown.Number(place.TeamsOwned)} teams already, and nobody owns more. "
                    + "You can join others that you are invited to."
            : own is { IsOperator: false, SuspendedAtMs: not null }
                ? "Your own organization is suspended. Until it is open again, you make and join no team."
                : null;
    }

    private static async Task<IResult> Create(HttpContext http, FrameMaker pages, PlaceBook book, TeamRoster roster)
    {
        var (own, name) = (SignedIn.Of(http).Person.Id, SignInEndpoints.Field(http, "name").Trim());
        await roster.Ready();
        if ((await book.Write(http, null, Act.Oneself, scope => roster.Create(scope, name, own))).TryGet(out var made, out var problem))
        {
            return PageMaker.See(http, $"{ConsolePlace.Root}/{made.Team.Id.Text}/team?done=made");
        }

        return problem.Code == ProblemCode.ValidationFailed || problem.Code == ProblemCode.Conflict
            ? await Form(http, problem.Code.Status, name, KeyForm.Faults(http, problem))
            : pages.Problem(http, problem);
    }
}
