namespace Tollgate.Client;

/// <summary>Wallets of organizations. A key with <c>usage:read</c> may look at its own; money is entered by the root key.</summary>
public sealed class WalletCalls
{
    private readonly Connection _connection;

    internal WalletCalls(Connection connection) => _connection = connection;

    public Task<Wallet> GetAsync(string organizationId, CancellationToken cancellationToken = default) =>
        _connection.Get(Path(organizationId), TollgateJson.Default.Wallet, cancellationToken);

    /// <summary>
    /// Enters a movement of money. Entered again under the same external id it changes nothing and is answered as before; another amount or
    /// kind under it is refused with <c>external_id_mismatch</c>.
    /// </summary>
    public Task<WalletEntry> EnterAsync(
        string organizationId, NewWalletEntry entry, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Post,
            Path(organizationId) + "/entries",
            entry,
            TollgateJson.Default.NewWalletEntry,
            idempotencyKey,
            TollgateJson.Default.WalletEntry,
            cancellationToken);

    /// <summary>All entries, newest first, page by page.</summary>
    public IAsyncEnumerable<WalletEntry> ListAsync(string organizationId, CancellationToken cancellationToken = default) =>
        TollgateClient.Walk((cursor, cancel) => PageAsync(organizationId, null, cursor, cancel), cancellationToken);

    public Task<Page<WalletEntry>> PageAsync(
        string organizationId, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        _connection.Get(
            Path(organizationId) + "/entries" + Address.Query(("limit", limit?.ToString()), ("cursor", cursor)),
            TollgateJson.Default.WalletEntryPage,
            cancellationToken);

    private static string Path(string id) => "organizations/" + Address.Segment(id) + "/wallet";
}
