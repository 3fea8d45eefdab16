using System.Data.Common;
using Tollgate.Engine.Keys;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Reach;

/// <summary>
/// Tells the audit log whatever a person who runs the gate looks at of customers, one or all, there or not: a row a look, before the look.
/// The root key is a program's, which asks again and again: the same look of it is a row an hour. Where a row cannot be written, nothing is
/// shown. What they change is in the log as every change is.
/// </summary>
internal sealed class OperatorLooks(Database database, PersonRegister people, TimeProvider time)
{
    /// <summary>How long a look of the root key stands for those that follow.</summary>
    public static readonly TimeSpan RootEvery = TimeSpan.FromHours(1);

    /// <summary>Looks of the root key that are known; where there are more, each of the others is a row.</summary>
    public const int RootLooksMax = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string? What, string Id), long> _notedAtMs = [];

    public const string Action = "operator.look";

    /// <summary>In the place of an id, where none is named: what was asked for tells of all customers.</summary>
    public const string Everything = "all";

    /// <summary>In the place of what has not even the shape of an id: a stranger's text stays out of the log.</summary>
    public const string Unknown = "unknown";

    /// <summary>Null where the look may go on.</summary>
    public async Task<Problem?> Note(HttpContext http, Caller caller) =>
        HttpMethods.IsGet(http.Request.Method) && await EntryOf(http) is { } entry ? await Write(http, caller, entry) : null;

    /// <summary>The same for a page that shows a customer by the id of an organization, a project or a key; null for all of them.</summary>
    public async Task<Problem?> NotePage(HttpContext http, Caller caller, string? id)
    {
        var look = LookOf(http);
        return (id is null ? look : await AtTarget(look, id, connection => Target.WithId(connection, id), http.RequestAborted)) is { } entry
            ? await Write(http, caller, entry)
            : null;
    }

    /// <summary>The same for a page that shows a person.</summary>
    public async Task<Problem?> NotePerson(HttpContext http, Caller caller, string id) =>
        await Write(http, caller, await AtPerson(http, LookOf(http), id));

    /// <summary>The same for the root key.</summary>
    public async Task<Problem?> NoteRoot(HttpContext http)
    {
        if (http.GetEndpoint()!.Metadata.GetMetadata<PeopleRow>()?.Act is null || await EntryOf(http) is not { } entry)
        {
            return null;
        }

        var (look, nowMs) = ((entry.Reason, entry.TargetId), time.GetUtcNow().ToUnixTimeMilliseconds());
        lock (_gate)
        {
            if (_notedAtMs.TryGetValue(look, out var notedAtMs) && nowMs - notedAtMs < RootEvery.TotalMilliseconds)
            {
                return null;
            }
        }

        if (await Write(http, Caller.Root, entry) is { } problem)
        {
            return problem;
        }

        Remember(look, nowMs);
        return null;
    }

    private async Task<Problem?> Write(HttpContext http, Caller caller, AuditEntry entry)
    {
        var noted = await database.Write<bool>(
            async scope =>
            {
                await AuditLog.Append(scope, entry);
                return true;
            },
            MutationRunner.ContextOf(http, caller),
            http.RequestAborted);
        return noted.Problem;
    }

    private void Remember((string?, string) look, long nowMs)
    {
        lock (_gate)
        {
            if (_notedAtMs.Count >= RootLooksMax)
            {
                foreach (var old in _notedAtMs.Where(one => nowMs - one.Value >= RootEvery.TotalMilliseconds).ToList())
                {
                    _notedAtMs.Remove(old.Key);
                }
            }

            if (_notedAtMs.Count < RootLooksMax || _notedAtMs.ContainsKey(look))
            {
                _notedAtMs[look] = nowMs;
            }
        }
    }

    /// <summary>
    /// Null for what concerns oneself, or the operator's own organization. All else is a look: at one customer, at what was deleted, at
    /// what is not there, or at all.
    /// </summary>
    private async Task<AuditEntry?> EntryOf(HttpContext http)
    {
        if (http.GetEndpoint()!.Metadata.GetMetadata<PeopleRow>()?.Act == Act.Oneself)
        {
            return null;
        }

        var look = LookOf(http);
        return http.GetRouteValue("person") is string person && http.GetRouteValue("id") is null ? await AtPerson(http, look, person)
            : Target.NamedBy(http) is not { } named ? look
            : await AtTarget(look, named, connection => Target.Of(http, connection, null, deletedToo: true), http.RequestAborted);
    }

    private static AuditEntry LookOf(HttpContext http) => new()
    {
        Action = Action, TargetType = "organization", TargetId = Everything,
        Reason = $"{http.Request.Method} {((RouteEndpoint)http.GetEndpoint()!).RoutePattern.RawText}",
    };

    private async Task<AuditEntry> AtPerson(HttpContext http, AuditEntry look, string id) =>
        (await people.Find(id, http.RequestAborted)).TryGet(out var person, out _)
            ? look with { TargetType = "person", TargetId = person.Id, OrganizationId = person.OrganizationId }
            : look with { TargetType = "person", TargetId = Unknown };

    private async Task<AuditEntry?> AtTarget(
        AuditEntry look, string named, Func<DbConnection, Task<Outcome<Target>>> find, CancellationToken cancel)
    {
        var found = await database.Read(find, cancel);
        if (found.TryGet(out var target, out _))
        {
            return target.Organization.IsOperator ? null : look with
            {
                TargetType = target.Key is not null ? "key" : target.ProjectId is not null ? "project" : "organization",
                TargetId = target.Key?.Id.ToString() ?? target.ProjectId ?? target.Organization.Id.Text,
                OrganizationId = target.Organization.Id.Text,
                ProjectId = target.ProjectId,
                Environment = target.Key?.Environment,
            };
        }

        return KeyId.TryParse(named, out var key) ? look with { TargetType = "key", TargetId = key.ToString() }
            : ProjectId.Parse(named) is { } project ? look with { TargetType = "project", TargetId = project.Text }
            : OrganizationId.Parse(named) is { } organization ? look with { TargetId = organization.Text }
            : look with { TargetId = Unknown };
    }
}
