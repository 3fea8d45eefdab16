using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Closures;

/// <summary>
/// The door of the room: ends an organization or a project with every key inside, in one transaction, and tells how many there were.
/// </summary>
internal sealed class Closure(Database database, OrganizationRegister register, KeyRing ring)
{
    /// <summary>
    /// What else ends with an organization that has just been deleted in this write; or why it cannot be deleted now. Set by the room of
    /// teams.
    /// </summary>
    public Func<WriteScope, Organization, Task<Problem?>>? Closed { get; set; }

    /// <summary>What else ends with a project. Set there too.</summary>
    public Func<WriteScope, Project, Task>? ProjectClosed { get; set; }

    /// <summary>What is done ahead of the write that closes one: nothing is to be thought held that is free. Set there too.</summary>
    public Func<Task>? Ready { get; set; }

    public async Task<Outcome<Closed>> Close(WriteScope scope, string id)
    {
        if (!(await register.Delete(scope, id)).TryGet(out var organization, out var problem))
        {
            return problem;
        }

        var revoked = 0;
        foreach (var projectNo in await OrganizationRegister.ProjectsOf(scope, organization))
        {
            revoked += await ring.RevokeAllOf(scope, projectNo, "organization deleted");
        }

        return Closed is { } close && await close(scope, organization) is { } refused
            ? refused
            : new Closed(organization.Id.Text, revoked);
    }

    public async Task<Outcome<Closed>> CloseProject(WriteScope scope, string id)
    {
        if (!(await register.DeleteProject(scope, id)).TryGet(out var project, out var problem))
        {
            return problem;
        }

        var revoked = await ring.RevokeAllOf(scope, project.ProjectNo, "project deleted");
        await (ProjectClosed?.Invoke(scope, project) ?? Task.CompletedTask);
        return new Closed(project.Id.Text, revoked);
    }

    /// <summary>What <see cref="Close"/> would answer now.</summary>
    public async Task<Outcome<Closed>> Preview(string id, CancellationToken cancel)
    {
        if (!(await register.Find(id, cancel)).TryGet(out var organization, out var problem))
        {
            return problem;
        }

        var keys = await database.Read(
            async connection =>
            {
                var count = 0L;
                foreach (var projectNo in await OrganizationRegister.ProjectsOf(connection, organization))
                {
                    count += await KeyRing.CountLiveOf(connection, projectNo);
                }

                return count;
            },
            cancel);
        return new Closed(organization.Id.Text, (int)keys);
    }
}

/// <summary>What was deleted, and how many keys were revoked with it.</summary>
internal sealed record Closed(string Id, int KeysRevoked);
