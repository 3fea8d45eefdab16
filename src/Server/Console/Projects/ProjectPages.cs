using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Team;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Projects;

/// <summary>The projects that somebody reaches in an organization, and the form that makes one.</summary>
internal static class ProjectPages
{
    private const int RowsMax = 50;

    public static void MapProjectPages(this IEndpointRouteBuilder places)
    {
        places.MapGet("/projects", List);
        places.MapGet("/projects/new", (HttpContext http, FrameMaker pages) => Form(http, pages, 200, null, []));
        places.MapPost("/projects/new", Create);
        places.MapProjectPage();
    }

    public static string HomeOf(ConsolePlace place) => $"{place.Path}/projects";

    /// <summary>What somebody is in the team and in the projects that they were put into; null in an organization of one's own.</summary>
    public static async Task<TeamStanding?> StandingOf(HttpContext http) =>
        await http.RequestServices.GetRequiredService<Database>().Read(
            connection => ProjectRoster.StandingOf(
                connection, null, ConsolePlace.Of(http).Organization, SignedIn.Of(http).Person.Id),
            http.RequestAborted);

    /// <summary>What somebody is in a project, in words: what the team makes of them first, then the project.</summary>
    public static string RoleOf(ConsolePlace place, TeamStanding? standing, long projectNo, TeamWords words)
    {
        ProjectRole? inside = standing?.Projects.TryGetValue(projectNo, out var role) == true ? role : null;
        return (standing?.Role, inside) switch
        {
            (null, _) => place.Caller.IsRoot ? "operator" : words.Role(TeamRole.Owner),
            (TeamRole.Member, null) => words.Role(ProjectRole.Viewer),
            (TeamRole.Member, { } only) => words.Role(only),
            ({ } above, null) => words.Role(above),
            ({ } above, { } also) => $"{words.Role(above)}, {words.Role(also)}",
        };
    }

    private static async Task<IResult> List(
        HttpContext http, FrameMaker pages, OrganizationRegister register, Pages lists, string? cursor, string? done, string? name)
    {
        var place = ConsolePlace.Of(http);
        if (!lists.Read(http, $"console projects {place.Organization.Id}", RowsMax, cursor).TryGet(out var page, out var problem))
        {
            return pages.Problem(http, problem, HomeOf(place));
        }

        var rows = place.ProjectNosAbove is { } reached
            ? await register.ListProjects(reached, page.Before, page.Limit + 1, http.RequestAborted)
            : await register.ListProjects(place.Organization.Id, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, project => project.ProjectNo);
        var mayRun = RoleTable.May(place.RolesAbove, Act.RunOrganization);
        return pages.Of<ProjectListPage>(http, 200, ("Notice", Notice(place, done, name)), ("List", new ProjectListFacts(
            HomeOf(place), place.Organization.Name)
        {
            Lines = await Lines(http, data),
            Next = next is null ? null : $"{HomeOf(place)}?cursor={Uri.EscapeDataString(next)}",
            MayMake = mayRun,
            Rename = mayRun && !place.IsTeam ? $"{TeamPages.HomeOf(place)}/name" : null,
        }));
    }

    private static async Task<IReadOnlyList<ProjectLine>> Lines(HttpContext http, IReadOnlyList<Project> projects)
    {
        var (services, place, standing) = (http.RequestServices, ConsolePlace.Of(http), await StandingOf(http));
        var (words, nowMs) = (
            new TeamWords(services.GetRequiredService<ProviderModel>()), KeyPages.Now(services.GetRequiredService<TimeProvider>()));
        var seen = projects.Where(one => SeesKeys(place, standing, one.ProjectNo)).Select(one => one.ProjectNo).ToList();
        var keys = await KeysOf(http, seen);
        return
        [
            .. projects.Select(one => new ProjectLine(
                $"{ConsolePlace.Root}/{one.Id.Text}/project", one.Name, one.Id.Text,
                keys.TryGetValue(one.ProjectNo, out var count) ? Shown.Number(count) : null,
                RoleOf(place, standing, one.ProjectNo, words), MomentFacts.Of(one.CreatedAtMs, nowMs))),
        ];
    }

    /// <summary>Billing alone does not, unless put into the project: a member reaches no project but those whose keys they see.</summary>
    private static bool SeesKeys(ConsolePlace place, TeamStanding? standing, long projectNo) =>
        RoleTable.May(place.RolesAbove, Act.SeeKeys) || standing?.Role == TeamRole.Member
        || standing?.Projects.ContainsKey(projectNo) == true;

    /// <summary>How many keys of these projects are not final.</summary>
    public static Task<Dictionary<long, long>> KeysOf(HttpContext http, IReadOnlyList<long> projectNos) =>
        http.RequestServices.GetRequiredService<Database>().Read(
            async connection =>
            {
                var counts = new Dictionary<long, long>();
                foreach (var projectNo in projectNos)
                {
                    counts[projectNo] = await KeyRing.CountLiveOf(connection, projectNo);
                }

                return counts;
            },
            http.RequestAborted);

    private static string? Notice(ConsolePlace place, string? done, string? name)
    {
        var what = name is { Length: > 0 and <= TeamPages.NameMax } ? name : "It";
        return done switch
        {
            "deleted" => $"{what} is deleted, and its keys with it. What they used stays readable.",
            "left" => $"You have left {what}.",
            "left-team" => $"You have left {what}.",
            "deleted-team" => $"{what} is deleted, with its projects and keys.",
            "renamed" => $"The organization is called {place.Organization.Name} now.",
            _ => null,
        };
    }

    private static IResult Form(HttpContext http, FrameMaker pages, int status, string? name, IReadOnlyList<PageFault> faults)
    {
        var place = ConsolePlace.Of(http);
        return TeamPages.Refusal(http, Act.RunOrganization) is { } problem
            ? pages.Problem(http, problem, HomeOf(place))
            : pages.Of<NamePage>(http, status, ("Faults", faults), ("Form", new NameFacts(
                "New project", "Make the project", $"{HomeOf(place)}/new", HomeOf(place), OrganizationRegister.NameMax)
            {
                Value = name,
                Sentences =
                [
                    "A project holds the keys of one application or one group of people, apart from the others. "
                    + "Its usage is told apart too; what it costs is the organization's.",
                ],
            }));
    }

    private static async Task<IResult> Create(HttpContext http, FrameMaker pages, PlaceBook book, OrganizationRegister register)
    {
        var (place, name) = (ConsolePlace.Of(http), SignInEndpoints.Field(http, "name").Trim());
        if ((await book.Write(
                http, null, Act.RunOrganization, scope => register.CreateProject(scope, place.Organization.Id.Text, name)))
            .TryGet(out var made, out var problem))
        {
            return PageMaker.See(http, $"{ConsolePlace.Root}/{made.Id.Text}/project?done=made");
        }

        return problem.Code == ProblemCode.ValidationFailed || problem.Code == ProblemCode.Conflict
            ? Form(http, pages, problem.Code.Status, name, KeyForm.Faults(http, problem))
            : pages.Problem(http, problem, HomeOf(place));
    }
}
