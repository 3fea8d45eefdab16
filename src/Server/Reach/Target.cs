using System.Data.Common;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Reach;

/// <summary>What a call is about: an organization, perhaps a project of it, perhaps a key of that.</summary>
internal sealed record Target
{
    public required Organization Organization { get; init; }

    /// <summary>0 for the organization as a whole.</summary>
    public long ProjectNo { get; init; }

    public string? ProjectId { get; init; }

    public Key? Key { get; init; }

    /// <summary>How to say that it is not there, to who may not know that it is.</summary>
    public required Problem Absent { get; init; }

    private const string Root = "/api/v1/";

    private static Problem NoKey => new(ProblemCode.NotFound, "There is no such key.");

    private static Problem NoRequest => new(ProblemCode.NotFound, "There is no such request, or it is no longer kept.");

    /// <summary>
    /// Reads what a call is about off its route, or off its query where the route names nothing. On the transaction of a write where there
    /// is one.
    /// </summary>
    public static Task<Outcome<Target>> Of(HttpContext http, DbConnection connection, DbTransaction? transaction, bool deletedToo = false)
    {
        var (pattern, id) = (PatternOf(http), http.GetRouteValue("id") as string ?? "");
        var finder = new Finder(connection, transaction, deletedToo);
        return pattern.StartsWith(Root + "organizations/{id}", StringComparison.Ordinal) ? finder.OfOrganization(id)
            : pattern.StartsWith(Root + "projects/{id}", StringComparison.Ordinal) ? finder.OfProject(id)
            : pattern.StartsWith(Root + "keys/{id}", StringComparison.Ordinal) ? finder.OfKey(id, NoKey)
            : pattern.StartsWith(Root + "requests/{id}", StringComparison.Ordinal) ? finder.OfRequest(http, id)
            : finder.OfQuery(name => Named(http, pattern, name));
    }

    /// <summary>The organization, project or key with this id, deleted ones too.</summary>
    public static Task<Outcome<Target>> WithId(DbConnection connection, string id)
    {
        var finder = new Finder(connection, null, deletedToo: true);
        return id.StartsWith(Organizations.OrganizationId.Prefix, StringComparison.Ordinal) ? finder.OfOrganization(id)
            : id.StartsWith(Organizations.ProjectId.Prefix, StringComparison.Ordinal) ? finder.OfProject(id)
            : finder.OfKey(id, NoKey);
    }

    /// <summary>What a call names, as it was sent: in its route, or the narrowest in its query; null for nothing.</summary>
    public static string? NamedBy(HttpContext http) => http.GetRouteValue("id") as string
        ?? QueryNames.Select(name => Named(http, PatternOf(http), name))
            .FirstOrDefault(named => named is not null);

    /// <summary>The narrowest first.</summary>
    private static readonly string[] QueryNames = ["key_id", "project_id", "organization_id"];

    private static string PatternOf(HttpContext http) => (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";

    /// <summary>What an endpoint does not go by names nothing there, whatever is sent.</summary>
    private static string? Named(HttpContext http, string pattern, string name) =>
        (pattern.StartsWith(Root + "usage", StringComparison.Ordinal)
            || (pattern.StartsWith(Root + "audit", StringComparison.Ordinal) && name != "key_id"))
        && http.Request.Query[name] is [{ Length: > 0 } text] ? text : null;

    /// <summary>Reads targets on one connection; those of what was deleted too, or not.</summary>
    private sealed class Finder(DbConnection connection, DbTransaction? transaction, bool deletedToo)
    {
        public async Task<Outcome<Target>> OfOrganization(string id) =>
            await OrganizationRegister.Look(connection, transaction, id, deletedToo) is { } organization
                ? new Target { Organization = organization, Absent = OrganizationRegister.NoOrganization }
                : OrganizationRegister.NoOrganization;

        public async Task<Outcome<Target>> OfProject(string id) =>
            await OrganizationRegister.LookProject(connection, transaction, id, deletedToo) is { } project
            && await OrganizationRegister.Look(connection, transaction, project.OrganizationId.Text, deletedToo) is { } organization
                ? new Target
                {
                    Organization = organization, ProjectNo = project.ProjectNo, ProjectId = project.Id.Text,
                    Absent = OrganizationRegister.NoProject,
                }
                : OrganizationRegister.NoProject;

        /// <summary>A key of a project that was deleted is still somebody's to look at.</summary>
        public async Task<Outcome<Target>> OfKey(string id, Problem absent) =>
            await KeyRing.Look(connection, transaction, id) is { } key
            && await OrganizationRegister.Look(connection, transaction, key.OrganizationId, deletedToo) is { } organization
                ? new Target
                {
                    Organization = organization, ProjectNo = key.ProjectNo, ProjectId = key.ProjectId, Key = key, Absent = absent,
                }
                : absent;

        public async Task<Outcome<Target>> OfRequest(HttpContext http, string id)
        {
            var reader = http.RequestServices.GetRequiredService<UsageReader>();
            return Wire.RequestId.TryParse(id, out var number) && await reader.KeyOf(number, http.RequestAborted) is { } key
                ? await OfKey(key, NoRequest)
                : NoRequest;
        }

        /// <summary>The narrowest that is named; what else is named must hold it.</summary>
        public async Task<Outcome<Target>> OfQuery(Func<string, string?> named)
        {
            var (key, project, organization) = (named("key_id"), named("project_id"), named("organization_id"));
            if ((key ?? project ?? organization) is null)
            {
                return Problem.Invalid("/organization_id", "must be given, or project_id: it says what you want to see.");
            }

            var outcome = key is not null ? await OfKey(key, NoKey)
                : project is not null ? await OfProject(project)
                : await OfOrganization(organization!);
            return outcome.TryGet(out var target, out _)
                && ((project is not null && project != target.ProjectId)
                    || (organization is not null && organization != target.Organization.Id.Text))
                ? target.Absent
                : outcome;
        }
    }
}
