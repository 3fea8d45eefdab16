using System.Data.Common;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Organizations;

/// <summary>
/// The door of the room: who owns keys. What the operator and people may do to organizations and projects is settled before they come
/// here; reading a project is open to the keys in it (the endpoints see to that).
/// </summary>
internal sealed class OrganizationRegister(Database database, ProjectFeed feed, PlanBook plans)
{
    public const int NameMax = 100;

    /// <summary>Characters of what somebody looks for.</summary>
    public const int SearchMax = 200;

    /// <summary>Characters of a reason.</summary>
    public const int ReasonMax = 500;

    /// <summary>Projects of an organization at a time, for people. The operator is not bound.</summary>
    public const int ProjectsMax = 200;

    /// <summary>How long the name of an organization may be that is not like others. Set by the room of teams.</summary>
    public Func<WriteScope, Organization, Task<int>>? NameMaxOf { get; set; }

    public async Task<Outcome<Organization>> Create(WriteScope scope, string? name, bool isOperator = false)
    {
        if (NameFault(name) is { } fault)
        {
            return fault;
        }

        var organization = new Organization
        {
            OrganizationNo = await scope.NextNumber("organization"),
            Id = OrganizationId.New(),
            Name = name!,
            IsOperator = isOperator,
            CreatedAtMs = scope.NowMs,
            Version = 1,
        };
        await OrganizationSql.Insert(scope, organization);
        await Record(scope, "organization.create", null, organization);
        return organization;
    }

    public async Task<Outcome<Project>> CreateProject(WriteScope scope, string organizationId, string? name)
    {
        if (!(await Find(scope, organizationId)).TryGet(out var organization, out var missing))
        {
            return missing;
        }

        if (NameFault(name) is { } fault)
        {
            return fault;
        }

        if (scope.Context.Caller.IsPerson && (await ProjectsOf(scope, organization)).Count >= ProjectsMax)
        {
            return new Problem(
                ProblemCode.Conflict, $"An organization has at most {ProjectsMax} projects. Delete one that you need no more.");
        }

        var project = new Project
        {
            ProjectNo = await scope.NextNumber("project"),
            Id = ProjectId.New(),
            OrganizationNo = organization.OrganizationNo,
            OrganizationId = organization.Id,
            OrganizationName = organization.Name,
            OrganizationCreatedAtMs = organization.CreatedAtMs,
            OrganizationPlan = organization.Plan,
            OrganizationIsOpen = organization.SuspendedAtMs is null,
            Name = name!,
            CreatedAtMs = scope.NowMs,
            Version = 1,
        };
        await OrganizationSql.Insert(scope, project);
        await Record(scope, "project.create", null, project);
        return project;
    }

    /// <summary>
    /// Renames, suspends or opens an organization, or puts it on another plan. All of it binds the next check of each of its keys.
    /// </summary>
    public async Task<Outcome<Organization>> Change(WriteScope scope, string id, ChangeOrganization asked)
    {
        if (!(await Find(scope, id)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        var nameMax = NameMaxOf is { } bound ? await bound(scope, before) : NameMax;
        if (asked.Name is not null && NameFault(asked.Name, nameMax) is { } fault)
        {
            return fault;
        }

        if (asked.Plan is not null && !plans.Has(asked.Plan))
        {
            return Problem.Invalid("/plan", $"must be among {string.Join(", ", plans.All.Select(plan => plan.Name))}.");
        }

        if (asked.Reason is { } reason && (string.IsNullOrWhiteSpace(reason) || reason.Length > ReasonMax || reason.Any(char.IsControl)))
        {
            return Problem.Invalid("/reason", $"must have 1 to {ReasonMax} characters, none of them a control character.");
        }

        if (scope.Context.Caller.IsPerson && (asked.Plan ?? asked.Status ?? asked.Reason) is not null)
        {
            return new Problem(ProblemCode.OperatorOnly, "The plan of an organization, and whether it is open, are the operator's to set.");
        }

        if ((asked.Plan is not null || asked.Status is not null) && !scope.Context.Caller.IsFreshAt(scope.NowMs))
        {
            return Problem.Of(ProblemCode.ProofNeeded);
        }

        if (asked.Status is not (null or "active" or "suspended"))
        {
            return Problem.Invalid("/status", "must be \"active\" or \"suspended\".");
        }

        var after = before with
        {
            Name = asked.Name ?? before.Name,
            Plan = asked.Plan ?? before.Plan,
            SuspendedAtMs = asked.Status switch
            {
                "suspended" => before.SuspendedAtMs ?? scope.NowMs,
                "active" => null,
                _ => before.SuspendedAtMs,
            },
            Version = before.Version + 1,
        };
        await OrganizationSql.Update(scope, after);
        await Record(scope, "organization.change", before, after, asked.Reason);
        return after;
    }

    public async Task<Outcome<Project>> ChangeProject(WriteScope scope, string id, string? name)
    {
        if (!(await FindProject(scope, id)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        if (name is not null && NameFault(name) is { } fault)
        {
            return fault;
        }

        var after = before with { Name = name ?? before.Name, Version = before.Version + 1 };
        await OrganizationSql.Update(scope, after);
        await Record(scope, "project.change", before, after);
        return after;
    }

    /// <summary>
    /// Marks an organization deleted, for good. Its keys are the caller's to revoke in the same transaction. Who has suspended it may have
    /// reason to look into it, so until it is open again only the operator ends it.
    /// </summary>
    public async Task<Outcome<Organization>> Delete(WriteScope scope, string id)
    {
        if (!(await Find(scope, id)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        if (before.IsOperator)
        {
            return new Problem(ProblemCode.Conflict, "The operator's own organization cannot be deleted.");
        }

        if (before.SuspendedAtMs is not null && scope.Context.Caller.IsPerson)
        {
            return new Problem(
                ProblemCode.Conflict,
                $"The organization {before.Name} is suspended. Until it is open again, only the operator deletes it.");
        }

        var after = before with { DeletedAtMs = scope.NowMs, Version = before.Version + 1 };
        await OrganizationSql.Update(scope, after);
        await Record(scope, "organization.delete", before, after);
        return after;
    }

    /// <summary>Marks a project deleted, for good. Its keys are the caller's to revoke in the same transaction.</summary>
    public async Task<Outcome<Project>> DeleteProject(WriteScope scope, string id)
    {
        if (!(await FindProject(scope, id)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        var after = before with { DeletedAtMs = scope.NowMs, Version = before.Version + 1 };
        await OrganizationSql.Update(scope, after);
        await Record(scope, "project.delete", before, after);
        return after;
    }

    public async Task<Outcome<Organization>> Find(string id, CancellationToken cancel) =>
        OrganizationId.Parse(id) is { } parsed
        && await database.Read(c => OrganizationSql.Find(c, null, parsed), cancel) is { DeletedAtMs: null } found
            ? found
            : NoOrganization;

    public async Task<Outcome<Project>> FindProject(string id, CancellationToken cancel) =>
        ProjectId.Parse(id) is { } parsed
        && await database.Read(c => OrganizationSql.Find(c, null, parsed), cancel) is { DeletedAtMs: null } found
            ? found
            : NoProject;

    /// <summary>Whoever asks, one that is not deleted, or those too. On a transaction where there is one.</summary>
    public static async Task<Organization?> Look(
        DbConnection connection, DbTransaction? transaction, string id, bool deletedToo = false) =>
        OrganizationId.Parse(id) is { } parsed && await OrganizationSql.Find(connection, transaction, parsed) is { } found
        && (deletedToo || found.DeletedAtMs is null)
            ? found
            : null;

    /// <summary>Those of these that are not deleted, by their numbers.</summary>
    public static Task<List<Organization>> Look(DbConnection connection, DbTransaction? transaction, IReadOnlyCollection<long> numbers) =>
        OrganizationSql.List(connection, transaction, numbers);

    /// <inheritdoc cref="Look(DbConnection, DbTransaction?, string, bool)"/>
    public static async Task<Project?> LookProject(
        DbConnection connection, DbTransaction? transaction, string id, bool deletedToo = false) =>
        ProjectId.Parse(id) is { } parsed && await OrganizationSql.Find(connection, transaction, parsed) is { } found
        && (deletedToo || found.DeletedAtMs is null)
            ? found
            : null;

    /// <summary>Whose webhooks an organization's or a project's id means; that room comes before this one.</summary>
    public static async Task<WebhookOwner?> OwnerOf(DbConnection connection, DbTransaction? transaction, string id) =>
        await Look(connection, transaction, id) is { } organization
            ? new WebhookOwner(organization.OrganizationNo, organization.Id.Text, null)
            : await LookProject(connection, transaction, id) is { } project
            ? new WebhookOwner(project.OrganizationNo, project.OrganizationId.Text, project.Id.Text)
            : null;

    /// <summary>The same inside a mutation, on its own transaction.</summary>
    public static async Task<Outcome<Project>> FindProject(WriteScope scope, string id) =>
        ProjectId.Parse(id) is { } parsed
        && await OrganizationSql.Find(scope.Connection, scope.Transaction, parsed) is { DeletedAtMs: null } found
            ? found
            : NoProject;

    /// <summary>The numbers of an organization's projects, for what must happen to each of them.</summary>
    public static Task<List<long>> ProjectsOf(WriteScope scope, Organization organization) =>
        OrganizationSql.ProjectsOf(scope.Connection, scope.Transaction, organization.OrganizationNo);

    /// <summary>The same beside any write.</summary>
    public static Task<List<long>> ProjectsOf(DbConnection connection, Organization organization) =>
        OrganizationSql.ProjectsOf(connection, null, organization.OrganizationNo);

    /// <summary>The oldest open project, where the root key acts on a provider's own surface when it names none.</summary>
    public Task<Project?> FirstProject(CancellationToken cancel) => database.Read(OrganizationSql.FirstProject, cancel);

    public Task<List<Organization>> List(long before, int limit, CancellationToken cancel) => List(null, before, limit, cancel);

    /// <summary>Newest first, below a number; all, or those with this id or with this in their names.</summary>
    public Task<List<Organization>> List(string? search, long before, int limit, CancellationToken cancel) =>
        database.Read(c => OrganizationSql.ListOrganizations(c, search, before, limit), cancel);

    /// <summary>How many are on each plan, by the name they keep; the empty name is for those that keep none.</summary>
    public Task<Dictionary<string, long>> CountByPlan(CancellationToken cancel) => database.Read(OrganizationSql.CountByPlan, cancel);

    public Task<List<Project>> ListProjects(OrganizationId? organization, long before, int limit, CancellationToken cancel) =>
        database.Read(c => OrganizationSql.ListProjects(c, organization, before, limit), cancel);

    /// <summary>Some of them, by their numbers: those that one person reaches.</summary>
    public Task<List<Project>> ListProjects(IReadOnlyCollection<long> numbers, long before, int limit, CancellationToken cancel) =>
        database.Read(c => OrganizationSql.ListProjects(c, numbers, before, limit), cancel);

    /// <summary>By number, who these organizations are, whatever became of them.</summary>
    public static Task<List<OwnerPlace>> OrganizationPlaces(
        DbConnection connection, IReadOnlyCollection<long> numbers, DbTransaction? transaction = null) =>
        OrganizationSql.PlacesOfOrganizations(connection, numbers, transaction);

    /// <summary>Who an organization is that exists, whatever became of it.</summary>
    public static async Task<OwnerPlace> PlaceOf(WriteScope scope, long organizationNo) =>
        (await OrganizationSql.PlacesOfOrganizations(scope.Connection, [organizationNo], scope.Transaction))[0];

    /// <summary>By number, who these projects are and whose, whatever became of them.</summary>
    public static Task<List<OwnerPlace>> ProjectPlaces(
        DbConnection connection, IReadOnlyCollection<long> numbers, DbTransaction? transaction = null) =>
        OrganizationSql.PlacesOfProjects(connection, numbers, transaction);

    public static Problem NoOrganization => new(ProblemCode.NotFound, "There is no such organization.");

    public static Problem NoProject => new(ProblemCode.NotFound, "There is no such project.");

    /// <summary>The organization that was made at the first start.</summary>
    public static Task<Organization?> OperatorsOwn(WriteScope scope) => OrganizationSql.OperatorsOwn(scope);

    /// <summary>The same inside a mutation, on its own transaction.</summary>
    public static async Task<Outcome<Organization>> Find(WriteScope scope, string id) =>
        OrganizationId.Parse(id) is { } parsed
        && await OrganizationSql.Find(scope.Connection, scope.Transaction, parsed) is { DeletedAtMs: null } found
            ? found
            : NoOrganization;

    private static Problem? NameFault(string? name, int max = NameMax) =>
        string.IsNullOrWhiteSpace(name) || name.Length > max || name.Any(char.IsControl)
            ? Problem.Invalid("/name", $"must have 1 to {max} characters, none of them a control character.")
            : null;

    private async Task Record(WriteScope scope, string action, Organization? before, Organization after, string? reason = null)
    {
        Failpoint.Pass("organization.row");
        await AuditLog.Append(scope, new AuditEntry
        {
            Action = action,
            TargetType = "organization",
            TargetId = after.Id.Text,
            OrganizationId = after.Id.Text,
            Before = before is null ? null : OrganizationWire.Json(before, plans),
            After = OrganizationWire.Json(after, plans),
            Reason = reason,
        });
        await scope.Change("organization", after.OrganizationNo, after.Version);
        var projects = await OrganizationSql.OwnersOf(scope, after.OrganizationNo);
        scope.AfterCommit(() => feed.Apply(projects));
    }

    private async Task Record(WriteScope scope, string action, Project? before, Project after)
    {
        Failpoint.Pass("organization.row");
        await AuditLog.Append(scope, new AuditEntry
        {
            Action = action,
            TargetType = "project",
            TargetId = after.Id.Text,
            OrganizationId = after.OrganizationId.Text,
            ProjectId = after.Id.Text,
            Before = before is null ? null : OrganizationWire.Json(before),
            After = OrganizationWire.Json(after),
        });
        await scope.Change("project", after.ProjectNo, after.Version);
        var project = (await OrganizationSql.OwnersOf(scope, after.OrganizationNo)).Where(owner => owner.ProjectNo == after.ProjectNo)
            .ToList();
        scope.AfterCommit(() => feed.Apply(project));
    }
}
