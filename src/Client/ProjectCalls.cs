namespace Tollgate.Client;

/// <summary>Projects, which hold the keys.</summary>
public sealed class ProjectCalls
{
    private readonly Connection _connection;

    internal ProjectCalls(Connection connection) => _connection = connection;

    public Task<Project> CreateAsync(
        string organizationId, string name, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Post,
            $"organizations/{Address.Segment(organizationId)}/projects",
            new NewOwner(name),
            TollgateJson.Default.NewOwner,
            idempotencyKey,
            TollgateJson.Default.Project,
            cancellationToken);

    /// <summary>All projects, or those of an organization, newest first, page by page. For the root key only.</summary>
    public IAsyncEnumerable<Project> ListAsync(string? organizationId = null, CancellationToken cancellationToken = default) =>
        TollgateClient.Walk((cursor, cancel) => PageAsync(organizationId, null, cursor, cancel), cancellationToken);

    public Task<Page<Project>> PageAsync(
        string? organizationId = null, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default)
    {
        var path = organizationId is null ? "projects" : $"organizations/{Address.Segment(organizationId)}/projects";
        return _connection.Get(
            path + Address.Query(("limit", limit?.ToString()), ("cursor", cursor)), TollgateJson.Default.ProjectPage, cancellationToken);
    }

    public Task<Project> GetAsync(string projectId, CancellationToken cancellationToken = default) =>
        _connection.Get(Path(projectId), TollgateJson.Default.Project, cancellationToken);

    public Task<Project> RenameAsync(
        string projectId, string name, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Patch,
            Path(projectId),
            new NewOwner(name),
            TollgateJson.Default.NewOwner,
            idempotencyKey,
            TollgateJson.Default.Project,
            cancellationToken);

    /// <summary>Deletes a project; its keys are revoked with it.</summary>
    public Task<Deletion> DeleteAsync(
        string projectId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(HttpMethod.Delete, Path(projectId), idempotencyKey, TollgateJson.Default.Deletion, cancellationToken);

    private static string Path(string id) => "projects/" + Address.Segment(id);
}
