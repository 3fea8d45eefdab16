using Tollgate.Server.Access;
using Tollgate.Server.Closures;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Team;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;
using AskPage = Tollgate.Server.Console.Frame.AskPage;

namespace Tollgate.Server.Console.Projects;

/// <summary>One project: who is in it, another name for it, and its end.</summary>
internal static class ProjectOne
{
    public static void MapProjectPage(this IEndpointRouteBuilder places)
    {
        var project = places.MapGroup("/project").RefusedBy(Refusal, ProjectPages.HomeOf);
        project.MapGet("", Show);
        project.MapGet("/name", (HttpContext http, FrameMaker pages) =>
            NameForm(http, pages, 200, ConsolePlace.Of(http).Project!.Name, []));
        project.MapPost("/name", Rename);
        project.MapGet("/delete", (HttpContext http, FrameMaker pages) => AskDeletion(http, pages, 200, []));
        project.MapPost("/delete", Delete);
        project.MapProjectMembers();
    }

    public static string HomeOf(ConsolePlace place) => $"{place.Path}/project";

    private static Problem? Refusal(HttpContext http) => ConsolePlace.Of(http).Project is null
        ? new Problem(ProblemCode.NotFound, "This page is a project's: choose one.")
        : TeamPages.Refusal(http, Act.SeeProject);

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker pages, ProjectRoster roster, ProviderModel provider, TimeProvider time, string? done, string? name)
    {
        var (place, nowMs, words) = (ConsolePlace.Of(http), KeyPages.Now(time), new TeamWords(provider));
        var (project, home, own) = (place.Project!, HomeOf(place), SignedIn.Of(http).Person.Id);
        IReadOnlyList<ListedProjectMember>? members = null;
        if (place.IsTeam && place.May(Act.SeeProjectMembers)
            && !(await roster.List(project.Id.Text, http.RequestAborted)).TryGet(out members, out var problem))
        {
            return pages.Problem(http, problem, ProjectPages.HomeOf(place));
        }

        var standing = await ProjectPages.StandingOf(http);
        var mayManage = place.IsTeam && place.May(Act.ManageProjectMembers);
        return pages.Of<ProjectPage>(http, 200, ("Notice", Notice(project, done, name)), ("Project", new ProjectFacts(
            project.Name, project.Id.Text, home, ProjectPages.RoleOf(place, standing, project.ProjectNo, words))
        {
            Organization = place.Organization.Name,
            Keys = place.May(Act.SeeKeys) ? await Keys(http, project) : null, KeysHref = $"{place.Path}/keys",
            Made = MomentFacts.Of(project.CreatedAtMs, nowMs),
            Members = members is null ? null :
            [
                .. members.Select(one => new MemberLine(
                    mayManage || one.PersonId == own ? $"{home}/members/{one.PersonId}" : null,
                    TeamWords.NameOf(one.Name, one.Email), one.Email, words.Role(one.Place.ProjectRole),
                    MomentFacts.Of(one.Place.AddedAtMs, nowMs), one.PersonId == own)),
            ],
            Others = provider.Teams?.MembersSeeProjects == true
                ? "Owners and admins of the team manage it without being in it; all other members see it."
                : "Owners and admins of the team manage it without being in it.",
            MayAdd = mayManage,
            Offers = [.. Offers(place, home, standing, own)],
        }));
    }

    private static async Task<string> Keys(HttpContext http, Project project) =>
        (await ProjectPages.KeysOf(http, [project.ProjectNo]))[project.ProjectNo] is > 0 and var count ? TeamWords.Keys(count) : "None yet";

    private static IEnumerable<PlaceOffer> Offers(ConsolePlace place, string home, TeamStanding? standing, string own)
    {
        if (place.May(Act.RunProject))
        {
            yield return new PlaceOffer("Rename", $"{home}/name", "Another name; id, keys and links stay.", false);
        }

        if (place.May(Act.LeaveProject) && standing?.Projects.ContainsKey(place.Project!.ProjectNo) == true)
        {
            yield return new PlaceOffer("Leave", $"{home}/members/{own}/remove", "Go; you stay in the team.", true);
        }

        if (place.May(Act.RunOrganization))
        {
            yield return new PlaceOffer("Delete", $"{home}/delete", "End it for good, with its keys. You see first how many.", true);
        }
    }

    private static string? Notice(Project project, string? done, string? name)
    {
        var who = name is { Length: > 0 and <= TeamPages.NameMax } ? name : "Somebody";
        return done switch
        {
            "made" => $"{project.Name} is made. It has no keys yet.",
            "renamed" => $"The project is called {project.Name} now.",
            "added" => $"{who} is in the project.",
            "removed" => $"{who} is in the project no more.",
            _ => null,
        };
    }

    private static IResult NameForm(HttpContext http, FrameMaker pages, int status, string? name, IReadOnlyList<PageFault> faults)
    {
        var place = ConsolePlace.Of(http);
        return TeamPages.Refusal(http, Act.RunProject) is { } problem
            ? pages.Problem(http, problem, HomeOf(place))
            : pages.Of<NamePage>(http, status, ("Faults", faults), ("Form", new NameFacts(
                $"Rename {place.Project!.Name}", "Rename the project", $"{HomeOf(place)}/name", HomeOf(place), OrganizationRegister.NameMax)
            {
                Value = name, Sentences = ["Everybody who reaches it sees the new name at once. Its id and its keys stay as they are."],
            }));
    }

    private static async Task<IResult> Rename(HttpContext http, FrameMaker pages, PlaceBook book, OrganizationRegister register)
    {
        var (place, name) = (ConsolePlace.Of(http), SignInEndpoints.Field(http, "name").Trim());
        return (await book.Write(http, null, Act.RunProject, scope => register.ChangeProject(scope, place.Project!.Id.Text, name)))
            .TryGet(out _, out var problem)
            ? PageMaker.See(http, $"{HomeOf(place)}?done=renamed")
            : problem.Code == ProblemCode.ValidationFailed
                ? NameForm(http, pages, problem.Code.Status, name, KeyForm.Faults(http, problem))
                : pages.Problem(http, problem, HomeOf(place));
    }

    private static async Task<IResult> AskDeletion(HttpContext http, FrameMaker pages, int status, IReadOnlyList<PageFault> faults)
    {
        var place = ConsolePlace.Of(http);
        var (project, home) = (place.Project!, HomeOf(place));
        if (TeamPages.Refusal(http, Act.RunOrganization) is { } problem)
        {
            return pages.Problem(http, problem, home);
        }

        var keys = (await ProjectPages.KeysOf(http, [project.ProjectNo]))[project.ProjectNo];
        return pages.Of<AskPage>(http, status, ("Faults", faults), ("Ask", new AskFacts(
            $"Delete {project.Name}", "Delete the project", $"{home}/delete", home, IsDanger: true)
        {
            Name = project.Name,
            Sentences =
            [
                keys == 0
                    ? "No key ends by it: there is none in it."
                    : $"{TeamWords.Keys(keys)} in it {(keys == 1 ? "is" : "are")} revoked: requests are refused at once.",
                "This cannot be undone. What its keys used stays readable in the organization's usage.",
            ],
        }));
    }

    private static async Task<IResult> Delete(HttpContext http, FrameMaker pages, PlaceBook book, Closure closure)
    {
        var place = ConsolePlace.Of(http);
        if (TeamPages.Refusal(http, Act.RunOrganization) is { } problem)
        {
            return pages.Problem(http, problem, HomeOf(place));
        }

        if (SignInEndpoints.Field(http, "confirm").Trim() != place.Project!.Name.Trim())
        {
            return await AskDeletion(http, pages, 422, [new PageFault("confirm", "Type the project's name, just as it is written.")]);
        }

        return (await book.Write(http, null, Act.RunOrganization, scope => closure.CloseProject(scope, place.Project!.Id.Text)))
            .TryGet(out _, out problem)
            ? Above(http, "deleted")
            : pages.Problem(http, problem, HomeOf(place));
    }

    /// <summary>The list of projects, in the place that is there when the project is not, or not any more for who asks.</summary>
    public static IResult Above(HttpContext http, string done)
    {
        var place = ConsolePlace.Of(http);
        return PageMaker.See(
            http,
            $"{ConsolePlace.Root}/{place.Organization.Id.Text}/projects?done={done}&name={Uri.EscapeDataString(place.Project!.Name)}");
    }
}
