namespace Tollgate.Client;

/// <summary>What keys used.</summary>
public sealed class UsageCalls
{
    private readonly Connection _connection;

    internal UsageCalls(Connection connection) => _connection = connection;

    /// <summary>Sums, kept apart by what is named: <c>key</c>, <c>model</c>, <c>day</c>, <c>project</c>. Without a name, one sum.</summary>
    public async Task<IReadOnlyList<UsageSum>> SumAsync(
        UsageFilter? filter = null, IEnumerable<string>? groupBy = null, CancellationToken cancellationToken = default)
    {
        var groups = groupBy is null ? null : string.Join(',', groupBy);
        var query = Query(filter, ("group_by", groups is "" ? null : groups));
        var report = await _connection.Get("usage" + query, TollgateJson.Default.UsageSums, cancellationToken).ConfigureAwait(false);
        return report.Data;
    }

    /// <summary>What one key did, in all its time or between two whole hours.</summary>
    public Task<KeyUsage> OfKeyAsync(
        string id, DateTimeOffset? from = null, DateTimeOffset? to = null, CancellationToken cancellationToken = default) =>
        _connection.Get(
            $"keys/{Address.Segment(id)}/usage" + Query(new UsageFilter { From = from, To = to }),
            TollgateJson.Default.KeyUsage,
            cancellationToken);

    /// <summary>All requests that fit, newest first, page by page.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="outcome"><c>passed</c> or <c>refused</c>; null for both.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public IAsyncEnumerable<UsageLine> ListAsync(
        UsageFilter? filter = null, string? outcome = null, CancellationToken cancellationToken = default) =>
        TollgateClient.Walk((cursor, cancel) => PageAsync(filter, outcome, 100, cursor, cancel), cancellationToken);

    public Task<Page<UsageLine>> PageAsync(
        UsageFilter? filter = null, string? outcome = null, int? limit = null, string? cursor = null,
        CancellationToken cancellationToken = default) =>
        _connection.Get(
            "usage/log" + Query(filter, ("outcome", outcome), ("limit", limit?.ToString()), ("cursor", cursor)),
            TollgateJson.Default.UsagePage,
            cancellationToken);

    /// <summary>What became of a request, step by step; by the id that its answer carried in <c>X-Request-Id</c>.</summary>
    public Task<DecidedRequest> RequestAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.Get($"requests/{Address.Segment(id)}", TollgateJson.Default.DecidedRequest, cancellationToken);

    private static string Query(UsageFilter? filter, params ReadOnlySpan<(string Name, string? Value)> more) => Address.Query(
    [
        ("from", filter?.From is { } from ? WireTime.Text(from) : null),
        ("to", filter?.To is { } to ? WireTime.Text(to) : null),
        ("key_id", filter?.Key),
        ("project_id", filter?.Project),
        ("organization_id", filter?.Organization),
        ("environment", filter?.Environment),
        ("model", filter?.Model),
        .. more,
    ]);
}
