using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Organizations;

/// <summary>Organizations and projects on the management API. Deleting them, which ends keys, is mapped by the room of closures.</summary>
internal static class OrganizationEndpoints
{
    public static void MapOrganizations(this IEndpointRouteBuilder api)
    {
        var organizations = api.MapGroup("/organizations").WithTags("Organizations").OperatorOnly();
        organizations.MapPost("", Create).WithName("createOrganization").WithSummary("Create an organization")
            .Takes(typeof(CreateOrganization)).Gives(typeof(OrganizationAnswer), 201).Idempotent();
        organizations.MapGet("", List).WithName("listOrganizations").WithSummary("List organizations, newest first")
            .Gives(typeof(OrganizationList));
        organizations.MapGet("/{id}", Get).WithName("getOrganization").WithSummary("Read an organization")
            .Gives(typeof(OrganizationAnswer)).For(Act.SeeOrganization);
        organizations.MapPatch("/{id}", Change).WithName("updateOrganization")
            .WithSummary("Rename, suspend or open an organization, or change its plan")
            .Takes(typeof(ChangeOrganization)).Gives(typeof(OrganizationAnswer)).Idempotent().For(Act.RunOrganization);
        organizations.MapPost("/{id}/projects", CreateProject).WithName("createProject").WithSummary("Create a project")
            .Takes(typeof(CreateProject)).Gives(typeof(ProjectAnswer), 201).Idempotent().For(Act.RunOrganization);
        organizations.MapGet("/{id}/projects", ListOf).WithName("listOrganizationProjects")
            .WithSummary("List the projects of an organization").Gives(typeof(ProjectList)).For(Act.SeeOrganization);

        var projects = api.MapGroup("/projects").WithTags("Projects").OperatorOnly();
        projects.MapGet("", ListAll).WithName("listProjects").WithSummary("List projects, newest first").Gives(typeof(ProjectList));
        projects.MapGet("/{id}", GetProject).WithName("getProject").WithSummary("Read a project").Gives(typeof(ProjectAnswer))
            .Needs(Rights.None).For(Act.SeeProject);
        projects.MapPatch("/{id}", ChangeProject).WithName("updateProject").WithSummary("Rename a project")
            .Takes(typeof(ChangeProject)).Gives(typeof(ProjectAnswer)).Idempotent().For(Act.RunProject);

        api.MapGet("/plans", (PlanBook plans) => Answers.Json(PlanList.Of(plans), OrganizationWire.Default.PlanList))
            .WithName("listPlans").WithTags("Organizations").WithSummary("List the provider's plans").Gives(typeof(PlanList))
            .Needs(Rights.None).For(Act.Oneself);
    }

    private static async Task<IResult> Create(
        HttpContext http, OrganizationRegister register, PlanBook plans, MutationRunner mutations) =>
        (await RequestBody.Read(http, OrganizationWire.Default.CreateOrganization)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Shown(register.Create(scope, body.Value.Name), plans, 201))
            : new ProblemResult(problem);

    private static async Task<IResult> Change(
        HttpContext http, string id, OrganizationRegister register, PlanBook plans, MutationRunner mutations) =>
        (await RequestBody.Read(http, OrganizationWire.Default.ChangeOrganization)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Shown(register.Change(scope, id, body.Value), plans, 200))
            : new ProblemResult(problem);

    private static async Task<IResult> CreateProject(
        HttpContext http, string id, OrganizationRegister register, MutationRunner mutations) =>
        (await RequestBody.Read(http, OrganizationWire.Default.CreateProject)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Shown(register.CreateProject(scope, id, body.Value.Name), 201))
            : new ProblemResult(problem);

    private static async Task<IResult> ChangeProject(
        HttpContext http, string id, OrganizationRegister register, MutationRunner mutations) =>
        (await RequestBody.Read(http, OrganizationWire.Default.ChangeProject)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Shown(register.ChangeProject(scope, id, body.Value.Name), 200))
            : new ProblemResult(problem);

    private static async Task<IResult> Get(HttpContext http, string id, OrganizationRegister register, PlanBook plans) =>
        (await register.Find(id, http.RequestAborted)).TryGet(out var found, out var problem)
            ? Answers.Json(OrganizationAnswer.Of(found, plans), OrganizationWire.Default.OrganizationAnswer)
            : new ProblemResult(problem);

    /// <summary>A key may read its own project; any other is as absent as one that never was.</summary>
    private static async Task<IResult> GetProject(HttpContext http, string id, OrganizationRegister register)
    {
        var caller = Caller.Of(http);
        if (!(await register.FindProject(id, http.RequestAborted)).TryGet(out var found, out var problem))
        {
            return new ProblemResult(problem);
        }

        return caller.IsRoot || caller.ProjectNo == found.ProjectNo
            ? Answers.Json(ProjectAnswer.Of(found), OrganizationWire.Default.ProjectAnswer)
            : new ProblemResult(OrganizationRegister.NoProject);
    }

    private static async Task<IResult> List(
        HttpContext http, OrganizationRegister register, PlanBook plans, Pages pages, string? search, int? limit, string? cursor)
    {
        if (search is { Length: > OrganizationRegister.SearchMax } || search?.Contains('\0', StringComparison.Ordinal) == true)
        {
            return new ProblemResult(
                Problem.Invalid("/search", $"must have at most {OrganizationRegister.SearchMax} characters and no U+0000."));
        }

        if (!pages.Read(http, $"organizations {search}", limit, cursor).TryGet(out var page, out var problem))
        {
            return new ProblemResult(problem);
        }

        var (data, next) = page.Cut(await register.List(search, page.Before, page.Limit + 1, http.RequestAborted), o => o.OrganizationNo);
        return Answers.Json(
            new OrganizationList([.. data.Select(one => OrganizationAnswer.Of(one, plans))], next),
            OrganizationWire.Default.OrganizationList);
    }

    private static Task<IResult> ListAll(HttpContext http, OrganizationRegister register, Pages pages, int? limit, string? cursor) =>
        ListProjects(http, register, pages, null, limit, cursor);

    private static async Task<IResult> ListOf(
        HttpContext http, string id, OrganizationRegister register, Pages pages, int? limit, string? cursor) =>
        (await register.Find(id, http.RequestAborted)).TryGet(out var found, out var problem)
            ? await ListProjects(http, register, pages, found.Id, limit, cursor)
            : new ProblemResult(problem);

    private static async Task<IResult> ListProjects(
        HttpContext http, OrganizationRegister register, Pages pages, OrganizationId? of, int? limit, string? cursor)
    {
        if (!pages.Read(http, $"projects {of}", limit, cursor).TryGet(out var page, out var problem))
        {
            return new ProblemResult(problem);
        }

        var rows = Caller.Of(http).ProjectNos is { } reached
            ? await register.ListProjects(reached, page.Before, page.Limit + 1, http.RequestAborted)
            : await register.ListProjects(of, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, p => p.ProjectNo);
        return Answers.Json(new ProjectList([.. data.Select(ProjectAnswer.Of)], next), OrganizationWire.Default.ProjectList);
    }

    private static async Task<Outcome<MutationAnswer>> Shown(Task<Outcome<Organization>> change, PlanBook plans, int status) =>
        (await change).TryGet(out var organization, out var problem)
            ? MutationAnswer.Of(status, OrganizationAnswer.Of(organization, plans), OrganizationWire.Default.OrganizationAnswer)
            : problem;

    private static async Task<Outcome<MutationAnswer>> Shown(Task<Outcome<Project>> change, int status) =>
        (await change).TryGet(out var project, out var problem)
            ? MutationAnswer.Of(status, ProjectAnswer.Of(project), OrganizationWire.Default.ProjectAnswer)
            : problem;
}
