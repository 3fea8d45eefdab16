namespace Tollgate.Client;

/// <summary>Organizations. For the root key only.</summary>
public sealed class OrganizationCalls
{
    private readonly Connection _connection;

    internal OrganizationCalls(Connection connection) => _connection = connection;

    public Task<Organization> CreateAsync(
        string name, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Post,
            "organizations",
            new NewOwner(name),
            TollgateJson.Default.NewOwner,
            idempotencyKey,
            TollgateJson.Default.Organization,
            cancellationToken);

    /// <summary>All organizations, page by page.</summary>
    public IAsyncEnumerable<Organization> ListAsync(CancellationToken cancellationToken = default) =>
        TollgateClient.Walk((cursor, cancel) => PageAsync(null, cursor, cancel), cancellationToken);

    public Task<Page<Organization>> PageAsync(
        int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        _connection.Get(
            "organizations" + Address.Query(("limit", limit?.ToString()), ("cursor", cursor)),
            TollgateJson.Default.OrganizationPage,
            cancellationToken);

    public Task<Organization> GetAsync(string organizationId, CancellationToken cancellationToken = default) =>
        _connection.Get(Path(organizationId), TollgateJson.Default.Organization, cancellationToken);

    public Task<Organization> RenameAsync(
        string organizationId, string name, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Change(organizationId, new OrganizationChange(name, null, null), idempotencyKey, cancellationToken);

    /// <summary>Stops every key below until <see cref="ResumeAsync"/>.</summary>
    public Task<Organization> SuspendAsync(
        string organizationId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Change(organizationId, new OrganizationChange(null, OwnerStatus.Suspended, null), idempotencyKey, cancellationToken);

    public Task<Organization> ResumeAsync(
        string organizationId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Change(organizationId, new OrganizationChange(null, OwnerStatus.Active, null), idempotencyKey, cancellationToken);

    /// <summary>Puts an organization on another plan, which holds from the next request of each of its keys on.</summary>
    public Task<Organization> ChangePlanAsync(
        string organizationId, string plan, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Change(organizationId, new OrganizationChange(null, null, plan), idempotencyKey, cancellationToken);

    /// <summary>How much of each quota of its plan an organization uses.</summary>
    public async Task<IReadOnlyList<Quota>> QuotasAsync(string organizationId, CancellationToken cancellationToken = default) =>
        (await _connection.Get(Path(organizationId) + "/quotas", TollgateJson.Default.QuotaList, cancellationToken).ConfigureAwait(false))
            .Data;

    /// <summary>Says how many there are of what a quota bounds, for who counts by himself. It may be more than the plan allows.</summary>
    public Task<Quota> SetQuotaAsync(
        string organizationId, string quota, long used, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Put,
            $"{Path(organizationId)}/quotas/{Address.Segment(quota)}",
            new QuotaUse(used),
            TollgateJson.Default.QuotaUse,
            idempotencyKey,
            TollgateJson.Default.Quota,
            cancellationToken);

    /// <summary>Deletes an organization and its projects; their keys are revoked with it.</summary>
    public Task<Deletion> DeleteAsync(
        string organizationId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Delete, Path(organizationId), idempotencyKey, TollgateJson.Default.Deletion, cancellationToken);

    private Task<Organization> Change(string id, OrganizationChange change, string? idempotencyKey, CancellationToken cancel) =>
        _connection.Change(
            HttpMethod.Patch,
            Path(id),
            change,
            TollgateJson.Default.OrganizationChange,
            idempotencyKey,
            TollgateJson.Default.Organization,
            cancel);

    private static string Path(string id) => "organizations/" + Address.Segment(id);
}
