using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Client;

/// <summary>
/// Keys. Every change takes an <c>idempotencyKey</c>: give one to repeat a change safely across processes; without it the client
/// makes one for the tries of that call.
/// </summary>
public sealed class KeyCalls
{
    private readonly Connection _connection;

    internal KeyCalls(Connection connection) => _connection = connection;

    /// <summary>Creates a key, or imports one. Its secret is in the answer and nowhere else, ever.</summary>
    public Task<IssuedKey> CreateAsync(
        string projectId, NewKey key, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Issue(
            $"projects/{Address.Segment(projectId)}/keys",
            JsonSerializer.SerializeToUtf8Bytes(key, TollgateJson.Default.NewKey),
            idempotencyKey,
            cancellationToken);

    /// <summary>All keys of a project, page by page.</summary>
    public IAsyncEnumerable<Key> ListAsync(string projectId, KeyStatus? status = null, CancellationToken cancellationToken = default) =>
        TollgateClient.Walk((cursor, cancel) => PageAsync(projectId, status, null, cursor, cancel), cancellationToken);

    /// <summary>One page of the keys of a project.</summary>
    public Task<Page<Key>> PageAsync(
        string projectId,
        KeyStatus? status = null,
        int? limit = null,
        string? cursor = null,
        CancellationToken cancellationToken = default)
    {
        var query = Address.Query(
            ("status", status is { } wanted ? OpenEnum<KeyStatus>.Word(wanted) : null), ("limit", limit?.ToString()), ("cursor", cursor));
        return _connection.Get(
            $"projects/{Address.Segment(projectId)}/keys{query}", TollgateJson.Default.KeyPage, cancellationToken);
    }

    public Task<Key> GetAsync(string keyId, CancellationToken cancellationToken = default) =>
        _connection.Get(Path(keyId), TollgateJson.Default.Key, cancellationToken);

    /// <summary>Renames a key or changes what it may reach.</summary>
    public Task<Key> ChangeAsync(
        string keyId, KeyChange change, string? idempotencyKey = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        var members = (JsonObject)JsonSerializer.SerializeToNode(change, TollgateJson.Default.KeyChange)!;
        if (change.ClearsDescription)
        {
            members["description"] = null;
        }

        if (change.ClearsExpiry)
        {
            members["expires_at"] = null;
        }

        if (change.ClearsModels)
        {
            members["models"] = null;
        }

        return _connection.Change(
            HttpMethod.Patch,
            Path(keyId),
            members,
            TollgateJson.Default.JsonObject,
            idempotencyKey,
            TollgateJson.Default.Key,
            cancellationToken);
    }

    /// <summary>Stops a key until it is enabled: the next request with it is refused.</summary>
    public Task<Key> DisableAsync(string keyId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Post(keyId, "disable", idempotencyKey, cancellationToken);

    /// <summary>Lifts the hold that <see cref="DisableAsync"/> put, and no other.</summary>
    public Task<Key> EnableAsync(string keyId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Post(keyId, "enable", idempotencyKey, cancellationToken);

    /// <summary>Stops a key for good. It stays readable.</summary>
    public Task<Key> RevokeAsync(string keyId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        Post(keyId, "revoke", idempotencyKey, cancellationToken);

    /// <summary>The same for a key whose secret others may have: the requests that are under way with it are cut, too.</summary>
    public Task<Key> RevokeCompromisedAsync(
        string keyId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(
            HttpMethod.Post,
            Path(keyId) + "/revoke",
            new JsonObject { ["reason"] = "compromised" },
            TollgateJson.Default.JsonObject,
            idempotencyKey,
            TollgateJson.Default.Key,
            cancellationToken);

    /// <summary>Deletes a key for good. Its history stays readable.</summary>
    public Task<Key> DeleteAsync(string keyId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(HttpMethod.Delete, Path(keyId), idempotencyKey, TollgateJson.Default.Key, cancellationToken);

    /// <summary>A new secret under the same id; the old one goes on working for the grace.</summary>
    public Task<IssuedKey> RotateAsync(
        string keyId, Rotation? rotation = null, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Issue(
            Path(keyId) + "/rotate",
            JsonSerializer.SerializeToUtf8Bytes(rotation ?? new(), TollgateJson.Default.Rotation),
            idempotencyKey,
            cancellationToken);

    /// <summary>A new secret under the same id; the old one stops at once.</summary>
    public Task<IssuedKey> RegenerateAsync(
        string keyId, string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Issue(Path(keyId) + "/regenerate", null, idempotencyKey, cancellationToken);

    /// <summary>The secret again, where the provider keeps secrets revealable. Each reveal is in the audit log.</summary>
    public async Task<Secret> RevealAsync(string keyId, string? idempotencyKey = null, CancellationToken cancellationToken = default)
    {
        var answer = await _connection.Change(
            HttpMethod.Post, Path(keyId) + "/reveal", idempotencyKey, TollgateJson.Default.SecretAnswer, cancellationToken)
            .ConfigureAwait(false);
        return answer.Secret ?? throw new TollgateException(new Problem { Title = "The answer holds no secret." });
    }

    private Task<Key> Post(string keyId, string verb, string? idempotencyKey, CancellationToken cancel) =>
        _connection.Change(HttpMethod.Post, $"{Path(keyId)}/{verb}", idempotencyKey, TollgateJson.Default.Key, cancel);

    private static string Path(string keyId) => "keys/" + Address.Segment(keyId);
}
