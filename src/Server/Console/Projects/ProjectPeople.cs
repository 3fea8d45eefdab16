using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Console.Team;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;
using AskPage = Tollgate.Server.Console.Frame.AskPage;

namespace Tollgate.Server.Console.Projects;

/// <summary>Who is put into a project, what they are there, and how they go.</summary>
internal static class ProjectPeople
{
    public static void MapProjectMembers(this IEndpointRouteBuilder project)
    {
        project.MapGet("/members/add", (HttpContext http, FrameMaker pages) =>
            AddForm(http, pages, 200, null, ProjectRole.Member.Text(), []));
        project.MapPost("/members/add", Add);
        project.MapGet("/members/{person}", Show);
        project.MapPost("/members/{person}/role", ChangeRole);
        project.MapGet("/members/{person}/remove", AskRemoval);
        project.MapPost("/members/{person}/remove", Remove);
    }

    private static async Task<IResult> AddForm(
        HttpContext http, FrameMaker pages, int status, string? chosen, string? role, IReadOnlyList<PageFault> faults)
    {
        var (services, place) = (http.RequestServices, ConsolePlace.Of(http));
        var (teams, roster) = (services.GetRequiredService<TeamRoster>(), services.GetRequiredService<ProjectRoster>());
        var home = ProjectOne.HomeOf(place);
        if (Refusal(http, Act.ManageProjectMembers) is { } problem
            || !(await teams.Members(place.Caller, place.Organization.Id.Text, http.RequestAborted)).TryGet(out var all, out problem)
            || !(await roster.List(place.Project!.Id.Text, http.RequestAborted)).TryGet(out var inside, out problem))
        {
            return pages.Problem(http, problem, home);
        }

        var provider = services.GetRequiredService<ProviderModel>();
        var there = inside.Select(one => one.PersonId).ToHashSet(StringComparer.Ordinal);
        return pages.Of<AddMemberPage>(http, status, ("Faults", faults), ("Form", new AddMemberFacts(
            $"{home}/members/add", home, place.Project!.Name)
        {
            People =
            [
                .. all.Where(one => !there.Contains(one.Member.PersonId)).Select(one => new FormChoice(
                    one.Member.PersonId, TeamWords.NameOf(one.Name, one.Email), one.Email, one.Member.PersonId == chosen)),
            ],
            Roles = new TeamWords(provider).Choices(ProjectRoles.Parse(role)),
            Invite = provider.Teams is not null && TeamPages.Manages(place, TeamRole.Member)
                ? $"{TeamPages.HomeOf(place)}/invite"
                : null,
        }));
    }

    private static Problem? Refusal(HttpContext http, Act act) =>
        ConsolePlace.Of(http).IsTeam ? TeamPages.Refusal(http, act) : TeamPages.NoTeam;

    private static async Task<IResult> Add(HttpContext http, FrameMaker pages, PlaceBook book)
    {
        var (place, person, role) = (
            ConsolePlace.Of(http), SignInEndpoints.Field(http, "person"), SignInEndpoints.Field(http, "role"));
        var home = ProjectOne.HomeOf(place);
        if ((await book.Write(
                http, null, Act.ManageProjectMembers, scope => ProjectRoster.Set(scope, place.Project!.Id.Text, person, role)))
            .TryGet(out _, out var problem))
        {
            var name = (await Find(http, person)).TryGet(out var added, out _) ? TeamWords.NameOf(added.Name, added.Email) : "";
            return PageMaker.See(http, $"{home}?done=added&name={Uri.EscapeDataString(name)}");
        }

        var faults = problem.Code == ProblemCode.ValidationFailed || problem.Code == ProblemCode.Conflict
            ? KeyForm.Faults(http, problem)
            : problem.Code == ProblemCode.NotFound ? [new PageFault("person", "Choose somebody who is in the team.")]
            : null;
        return faults is null
            ? pages.Problem(http, problem, home)
            : await AddForm(http, pages, problem.Code == ProblemCode.NotFound ? 422 : problem.Code.Status, person, role, faults);
    }

    /// <summary>Oneself, or somebody in a project that one looks after.</summary>
    private static async Task<Outcome<ListedProjectMember>> Find(HttpContext http, string person)
    {
        var place = ConsolePlace.Of(http);
        var isSelf = person == SignedIn.Of(http).Person.Id;
        if (Refusal(http, isSelf ? Act.LeaveProject : Act.ManageProjectMembers) is { } refused)
        {
            return refused;
        }

        var roster = http.RequestServices.GetRequiredService<ProjectRoster>();
        return !(await roster.List(place.Project!.Id.Text, http.RequestAborted)).TryGet(out var members, out var problem) ? problem
            : members.FirstOrDefault(one => one.PersonId == person) is { } found ? found
            : new Problem(ProblemCode.NotFound, "There is no such member.");
    }

    private static async Task<IResult> Show(HttpContext http, FrameMaker pages, string person, string? done) =>
        (await Find(http, person)).TryGet(out var found, out var problem)
            ? Page(http, pages, found, 200, null, [], done == "role" ? "The role is changed. It counts from the next click on." : null)
            : pages.Problem(http, problem, ProjectOne.HomeOf(ConsolePlace.Of(http)));

    private static IResult Page(
        HttpContext http, FrameMaker pages, ListedProjectMember found, int status, string? typed, IReadOnlyList<PageFault> faults,
        string? notice = null)
    {
        var (services, place) = (http.RequestServices, ConsolePlace.Of(http));
        var (words, home) = (new TeamWords(services.GetRequiredService<ProviderModel>()), ProjectOne.HomeOf(place));
        var isSelf = found.PersonId == SignedIn.Of(http).Person.Id;
        return pages.Of<MemberPage>(
            http, status, ("Faults", faults), ("Notice", notice),
            ("Member", new MemberFacts(
                TeamWords.NameOf(found.Name, found.Email), place.Project!.Name, $"{home}/members/{found.PersonId}/role", home)
            {
                PersonId = found.PersonId, Email = found.Email, Role = words.Role(found.Place.ProjectRole),
                Since = MomentFacts.Of(found.Place.AddedAtMs, KeyPages.Now(services.GetRequiredService<TimeProvider>())),
                Roles = place.May(Act.ManageProjectMembers) ? words.Choices(ProjectRoles.Parse(typed ?? found.Place.Role)) : [],
                Offers =
                [
                    isSelf
                        ? new PlaceOffer("Leave", $"{home}/members/{found.PersonId}/remove", "Go; you stay in the team.", true)
                        : new PlaceOffer("Remove", $"{home}/members/{found.PersonId}/remove", "Put them out; they stay in the team.", true),
                ],
            }));
    }

    private static async Task<IResult> ChangeRole(HttpContext http, FrameMaker pages, PlaceBook book, string person)
    {
        var (place, role) = (ConsolePlace.Of(http), SignInEndpoints.Field(http, "role"));
        var home = ProjectOne.HomeOf(place);
        if (!(await Find(http, person)).TryGet(out var found, out var problem))
        {
            return pages.Problem(http, problem, home);
        }

        return (await book.Write(
                http, null, Act.ManageProjectMembers, scope => ProjectRoster.Set(scope, place.Project!.Id.Text, person, role)))
            .TryGet(out _, out problem)
            ? PageMaker.See(http, $"{home}/members/{person}?done=role")
            : problem.Code == ProblemCode.ValidationFailed
                ? Page(http, pages, found, problem.Code.Status, role, KeyForm.Faults(http, problem))
                : pages.Problem(http, problem, home);
    }

    private static async Task<IResult> AskRemoval(HttpContext http, FrameMaker pages, ProviderModel provider, string person)
    {
        var (place, isSelf) = (ConsolePlace.Of(http), person == SignedIn.Of(http).Person.Id);
        var home = ProjectOne.HomeOf(place);
        if (!(await Find(http, person)).TryGet(out var found, out var problem))
        {
            return pages.Problem(http, problem, home);
        }

        var project = place.Project!.Name;
        return pages.Of<AskPage>(http, 200, ("Ask", new AskFacts(
            isSelf ? $"Leave {project}" : $"Remove {TeamWords.NameOf(found.Name, found.Email)} from {project}",
            isSelf ? "Leave the project" : "Remove from the project", $"{home}/members/{person}/remove", home, IsDanger: true)
        {
            Sentences =
            [
                (isSelf, provider.Teams?.MembersSeeProjects == true) switch
                {
                    (true, true) => "You may do there only what every member of the team may. You stay in the team.",
                    (false, true) => "They may do there only what every member of the team may. They stay in the team.",
                    (true, false) =>
                        "You may do there only what your role in the team allows; as a plain member nothing. You stay in the team.",
                    _ => "They may do there only what their role in the team allows; as a plain member nothing. They stay in the team.",
                },
                isSelf
                    ? "The keys that you made there go on working."
                    : "The keys that they made there go on working. Rotate those whose secrets they know.",
            ],
        }));
    }

    private static async Task<IResult> Remove(HttpContext http, FrameMaker pages, PlaceBook book, string person)
    {
        var place = ConsolePlace.Of(http);
        var home = ProjectOne.HomeOf(place);
        if (!(await Find(http, person)).TryGet(out var found, out var problem)
            || !(await book.Write(http, null, Act.LeaveProject, scope => ProjectRoster.Remove(scope, place.Project!.Id.Text, person)))
                .TryGet(out _, out problem))
        {
            return pages.Problem(http, problem, home);
        }

        return person == SignedIn.Of(http).Person.Id
            ? ProjectOne.Above(http, "left")
            : PageMaker.See(http, $"{home}?done=removed&name={Uri.EscapeDataString(TeamWords.NameOf(found.Name, found.Email))}");
    }
}
