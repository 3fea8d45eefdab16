namespace Tollgate.Client;

/// <summary>The audit log.</summary>
public sealed class AuditCalls
{
    private readonly Connection _connection;

    internal AuditCalls(Connection connection) => _connection = connection;

    /// <summary>All rows that fit, page by page.</summary>
    public IAsyncEnumerable<AuditRow> ListAsync(AuditFilter? filter = null, CancellationToken cancellationToken = default) =>
        TollgateClient.Walk((cursor, cancel) => PageAsync(filter, null, cursor, cancel), cancellationToken);

    public Task<Page<AuditRow>> PageAsync(
        AuditFilter? filter = null, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default)
    {
        var query = Address.Query(
            ("organization_id", filter?.Organization),
            ("project_id", filter?.Project),
            ("actor_id", filter?.Actor),
            ("target_id", filter?.Target),
            ("action", filter?.Action),
            ("from", filter?.From is { } from ? WireTime.Text(from) : null),
            ("to", filter?.To is { } to ? WireTime.Text(to) : null),
            ("limit", limit?.ToString()),
            ("cursor", cursor));
        return _connection.Get("audit" + query, TollgateJson.Default.AuditPage, cancellationToken);
    }
}
