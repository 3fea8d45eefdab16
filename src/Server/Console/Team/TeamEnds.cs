using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Closures;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Wallet;
using AskPage = Tollgate.Server.Console.Frame.AskPage;

namespace Tollgate.Server.Console.Team;

/// <summary>Another name for an organization, and the end of a team.</summary>
internal static class TeamEnds
{
    public static void MapTeamEnds(this IEndpointRouteBuilder team)
    {
        team.MapGet("/name", (HttpContext http, FrameMaker pages, TeamRoster roster) =>
            NameForm(http, pages, roster, 200, ConsolePlace.Of(http).Organization.Name, []));
        team.MapPost("/name", Rename);
        team.MapGet("/delete", (HttpContext http, FrameMaker pages) => AskDeletion(http, pages, 200, []));
        team.MapPost("/delete", Delete);
    }

    /// <summary>Where the place's name is seen: an organization of one's own has no page of members everywhere.</summary>
    private static string HomeOf(ConsolePlace place) => place.IsTeam ? TeamPages.HomeOf(place) : $"{place.Path}/projects";

    private static IResult NameForm(
        HttpContext http, FrameMaker pages, TeamRoster roster, int status, string? name, IReadOnlyList<PageFault> faults)
    {
        var place = ConsolePlace.Of(http);
        return TeamPages.Refusal(http, Act.RunOrganization) is { } problem
            ? pages.Problem(http, problem, HomeOf(place))
            : pages.Of<NamePage>(http, status, ("Faults", faults), ("Form", new NameFacts(
                $"Rename {place.Organization.Name}", place.IsTeam ? "Rename the team" : "Rename the organization",
                $"{TeamPages.HomeOf(place)}/name", HomeOf(place), place.IsTeam ? roster.NameMax : OrganizationRegister.NameMax)
            {
                Value = name, Sentences = ["Its members see the new name at once. Ids, keys and invitations that wait stay as they are."],
            }));
    }

    private static async Task<IResult> Rename(
        HttpContext http, FrameMaker pages, PlaceBook book, TeamRoster roster, OrganizationRegister register)
    {
        var (place, name) = (ConsolePlace.Of(http), SignInEndpoints.Field(http, "name").Trim());
        return (await book.Write(
                http, null, Act.RunOrganization,
                scope => register.Change(scope, place.Organization.Id.Text, new ChangeOrganization(name, null, null))))
            .TryGet(out _, out var problem)
            ? PageMaker.See(http, $"{HomeOf(place)}?done=renamed")
            : problem.Code == ProblemCode.ValidationFailed
                ? NameForm(http, pages, roster, problem.Code.Status, name, KeyForm.Faults(http, problem))
                : pages.Problem(http, problem, HomeOf(place));
    }

    private static async Task<IResult> AskDeletion(HttpContext http, FrameMaker pages, int status, IReadOnlyList<PageFault> faults)
    {
        var (services, place) = (http.RequestServices, ConsolePlace.Of(http));
        var (closure, roster) = (services.GetRequiredService<Closure>(), services.GetRequiredService<TeamRoster>());
        var (id, home) = (place.Organization.Id.Text, TeamPages.HomeOf(place));
        if (Refusal(http) is { } problem)
        {
            return pages.Problem(http, problem, HomeOf(place));
        }

        if (!(await closure.Preview(id, http.RequestAborted)).TryGet(out var ending, out problem)
            || !(await roster.Members(place.Caller, id, http.RequestAborted)).TryGet(out var members, out problem))
        {
            return pages.Problem(http, problem, home);
        }

        var words = new TeamWords(services.GetRequiredService<ProviderModel>());
        var paid = words.MovesBalance ? await PaidOf(http, place) : Money.Zero;
        return pages.Of<AskPage>(http, status, ("Faults", faults), ("Ask", new AskFacts(
            $"Delete {place.Organization.Name}", "Delete the team", $"{home}/delete", home, IsDanger: true)
        {
            Name = place.Organization.Name,
            Sentences = [.. words.OfDeleting(ending.KeysRevoked, members.Count, paid)],
        }));
    }

    private static Problem? Refusal(HttpContext http) =>
        ConsolePlace.Of(http).IsTeam ? TeamPages.Refusal(http, Act.EndOrganization) : TeamPages.NoTeam;

    /// <summary>What would move to who deletes it, with all that has been used up to now.</summary>
    private static async Task<Money> PaidOf(HttpContext http, ConsolePlace place)
    {
        var (database, wallets) = (
            http.RequestServices.GetRequiredService<Database>(), http.RequestServices.GetRequiredService<WalletLedger>());
        await (wallets.CatchUp?.Invoke(http.RequestAborted) ?? Task.CompletedTask);
        return await database.Read(
            connection => wallets.Movable(connection, place.Organization.OrganizationNo), http.RequestAborted);
    }

    private static async Task<IResult> Delete(HttpContext http, FrameMaker pages, PlaceBook book, Closure closure)
    {
        var place = ConsolePlace.Of(http);
        if (Refusal(http) is { } problem)
        {
            return pages.Problem(http, problem, HomeOf(place));
        }

        if (SignInEndpoints.Field(http, "confirm").Trim() != place.Organization.Name.Trim())
        {
            return await AskDeletion(http, pages, 422, [new PageFault("confirm", "Type the team's name, just as it is written.")]);
        }

        await (closure.Ready?.Invoke() ?? Task.CompletedTask);
        return (await book.Write(http, null, Act.EndOrganization, scope => closure.Close(scope, place.Organization.Id.Text)))
            .TryGet(out _, out problem)
            ? await TeamMembers.Gone(http, book, "deleted-team", place.Organization.Name)
            : pages.Problem(http, problem, TeamPages.HomeOf(place));
    }
}
