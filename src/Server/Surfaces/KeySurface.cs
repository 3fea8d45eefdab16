using System.Buffers;
using System.Globalization;
using System.Text;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Keys;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Verification;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// The provider's own key management and who-am-I, at its paths and in its words. Behind it stands the same <see cref="KeyRing"/> as behind
/// the management API; here are only the names. The root key acts in the first project unless <c>X-Tollgate-Project</c> names another.
/// </summary>
internal sealed class KeySurface(
    ProviderModel provider,
    CallerGate callers,
    KeyRing ring,
    OrganizationRegister organizations,
    MutationRunner mutations,
    Pages pages,
    TimeProvider time)
{
    public const string ProjectHeader = "X-Tollgate-Project";

    /// <summary>On a list that goes on: what to send as <c>cursor</c> for the rest.</summary>
    public const string NextCursorHeader = "X-Next-Cursor";

    public async Task Handle(HttpContext http, SurfaceRoute place, string? id) => await (await Answer(http, place, id)).ExecuteAsync(http);

    private async Task<IResult> Answer(HttpContext http, SurfaceRoute place, string? id)
    {
        if (!(await callers.Identify(http)).TryGet(out var caller, out var problem)
            || !(await ActingProject(http, caller)).TryGet(out var project, out problem))
        {
            return new ProblemResult(problem);
        }

        callers.Establish(http, caller);
        if (place.Needs == SurfaceNeeds.ManageKeys && !caller.Rights.HasFlag(Rights.KeysManage))
        {
            return new ProblemResult(AccessRow.RightMissing(Rights.KeysManage));
        }

        return place.Operation switch
        {
            SurfaceOperation.Whoami => await Whoami(http, place, caller, project),
            SurfaceOperation.List => await List(http, place, caller, project),
            SurfaceOperation.Get => (await ring.Find(caller, id!, http.RequestAborted)).TryGet(out var key, out problem)
                ? Written(place, Values(key, null, project))
                : new ProblemResult(problem),
            SurfaceOperation.Create => await Create(http, place, project),
            SurfaceOperation.Rotate => await Rotate(http, place, project, id!),
            _ => await mutations.RunWithoutBody(http, scope => Done(place, project, Act(scope, place.Operation, id!))),
        };
    }

    private async Task<Outcome<Project>> ActingProject(HttpContext http, Caller caller)
    {
        if (!caller.IsRoot)
        {
            return await organizations.FindProject(caller.ProjectId!, http.RequestAborted);
        }

        return (string?)http.Request.Headers[ProjectHeader] is { Length: > 0 } named
            ? await organizations.FindProject(named, http.RequestAborted)
            : await organizations.FirstProject(http.RequestAborted) is { } first
                ? first
                : new Problem(ProblemCode.NotFound, "There is no project yet.");
    }

    private async Task<IResult> Whoami(HttpContext http, SurfaceRoute place, Caller caller, Project project)
    {
        if (caller.IsRoot)
        {
            return Written(place, RootValues(project));
        }

        return (await ring.Find(caller, caller.Id, http.RequestAborted)).TryGet(out var key, out var problem)
            ? Written(place, Values(key, null, project))
            : new ProblemResult(problem);
    }

    /// <summary>Newest first, by pages. The body stays as the provider documents it: the next page's cursor is in a header.</summary>
    private async Task<IResult> List(HttpContext http, SurfaceRoute place, Caller caller, Project project)
    {
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (!PageOf(http, project).TryGet(out var page, out var problem)
            || !(await ring.List(caller, project.Id.Text, null, page.Before, page.Limit + 1, nowMs, http.RequestAborted))
                .TryGet(out var keys, out problem))
        {
            return new ProblemResult(problem);
        }

        var (data, next) = page.Cut(keys, key => key.KeyNo);
        if (next is not null)
        {
            http.Response.Headers[NextCursorHeader] = next;
        }

        return Written(place, new TemplateValues
        {
            KeyView = provider.Surface.KeyView,
            Keys = [.. data.Select(key => Values(key, null, project))],
        });
    }

    private Outcome<Page> PageOf(HttpContext http, Project project)
    {
        var (limit, cursor) = ((string?)http.Request.Query["limit"], (string?)http.Request.Query["cursor"]);
        var rows = limit is null ? Pages.LimitMax
            : int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : 0;
        return pages.Read(http, $"surface {project.Id.Text}", rows, cursor);
    }

    private async Task<IResult> Create(HttpContext http, SurfaceRoute place, Project project) =>
        (await SurfaceBody.Read(http, place, KeyWire.Default.CreateKey)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, Naming(project, body.Raw), async scope =>
                Worded(place, project, await ring.Issue(scope, project.Id.Text, body.Value ?? new CreateKey()), body))
            : new ProblemResult(problem);

    /// <summary>The project is a part of the request though the body does not name it: an Idempotency-Key is for one.</summary>
    private static byte[] Naming(Project project, ReadOnlyMemory<byte> body) => [.. Encoding.UTF8.GetBytes(project.Id.Text), .. body.Span];

    private async Task<IResult> Rotate(HttpContext http, SurfaceRoute place, Project project, string id) =>
        (await SurfaceBody.Read(http, place, KeyWire.Default.RotateKey)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, async scope =>
                Worded(place, project, await ring.Rotate(scope, id, body.Value ?? new RotateKey(null, null, null)), body))
            : new ProblemResult(problem);

    private async Task<Outcome<IssuedKey>> Act(WriteScope scope, SurfaceOperation operation, string id)
    {
        if (operation == SurfaceOperation.Regenerate)
        {
            return await ring.Regenerate(scope, id);
        }

        var done = operation switch
        {
            SurfaceOperation.Revoke => await ring.Revoke(scope, id),
            SurfaceOperation.Delete => await ring.Delete(scope, id),
            SurfaceOperation.Disable => await ring.Disable(scope, id),
            SurfaceOperation.Enable => await ring.Enable(scope, id),
            _ => throw new InvalidOperationException($"{operation} changes nothing."),
        };
        return done.TryGet(out var key, out var problem) ? new IssuedKey(key, null) : problem;
    }

    private async Task<Outcome<MutationAnswer>> Done(SurfaceRoute place, Project project, Task<Outcome<IssuedKey>> act) =>
        (await act).TryGet(out var issued, out var problem) ? Answered(place, project, issued) : problem;

    /// <summary>The same, with what was wrong in the request named as the provider names it.</summary>
    private Outcome<MutationAnswer> Worded<T>(SurfaceRoute place, Project project, Outcome<IssuedKey> done, SurfaceRequest<T> request) =>
        done.TryGet(out var issued, out var problem) ? Answered(place, project, issued) : request.Worded(problem);

    private MutationAnswer Answered(SurfaceRoute place, Project project, IssuedKey issued) =>
        new(place.Status, Rendered(place, Values(issued.Key, issued.Secret, project)), HoldsSecret: issued.Secret is not null);

    private static IResult Written(SurfaceRoute place, TemplateValues values) => Answers.Json(Rendered(place, values), place.Status);

    private static byte[] Rendered(SurfaceRoute place, TemplateValues values)
    {
        var output = new ArrayBufferWriter<byte>(512);
        place.Answers?.Write(output, values);
        return output.WrittenSpan.ToArray();
    }

    private TemplateValues Values(Key key, string? secret, Project project) => Owners(project) with
    {
        KeyId = key.Id.ToString(),
        KeyName = key.Name,
        KeyMask = key.Mask,
        KeyEnvironment = key.Environment,
        KeyType = key.Type,
        KeyStatus = key.Status(time.GetUtcNow().ToUnixTimeMilliseconds()),
        KeyPermissions = key.Permissions,
        KeyScopes = key.Scopes,
        KeyExpiresAt = key.ExpiresAtMs is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null,
        KeyCreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(key.CreatedAtMs),
        KeyDescription = key.Description,
        KeyProjectId = key.ProjectId,
        KeyOrganizationId = key.OrganizationId,
        Secret = secret,
    };

    /// <summary>The root key as the surface shows it: every permission and scope, no expiry.</summary>
    private TemplateValues RootValues(Project project) => Owners(project) with
    {
        KeyId = Caller.Root.Id,
        KeyName = Caller.Root.Name,
        KeyStatus = "active",
        KeyPermissions = [.. provider.Scopes.Actions.Select(action => action.Name)],
        KeyScopes = [.. provider.Scopes.Scopes.Select(scope => scope.Name)],
        KeyProjectId = project.Id.Text,
        KeyOrganizationId = project.OrganizationId.Text,
    };

    private static TemplateValues Owners(Project project) => new()
    {
        ProjectId = project.Id.Text,
        ProjectName = project.Name,
        OrganizationId = project.OrganizationId.Text,
        OrganizationName = project.OrganizationName,
        OrganizationCreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(project.OrganizationCreatedAtMs),
    };
}
