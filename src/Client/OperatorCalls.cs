namespace Tollgate.Client;

/// <summary>What the operator does about itself. For the root key only.</summary>
public sealed class OperatorCalls
{
    private readonly Connection _connection;

    internal OperatorCalls(Connection connection) => _connection = connection;

    /// <summary>Makes a link that signs the first operator in, once, within 15 minutes.</summary>
    public Task<OperatorLink> CreateLinkAsync(string? idempotencyKey = null, CancellationToken cancellationToken = default) =>
        _connection.Change(HttpMethod.Post, "operator/links", idempotencyKey, TollgateJson.Default.OperatorLink, cancellationToken);
}

/// <summary>A link for one use: whoever opens it before its end is signed in as the operator.</summary>
/// <param name="Url">To be opened in a browser.</param>
/// <param name="ExpiresAt">When it ends, used or not.</param>
public sealed record OperatorLink(string Url, DateTimeOffset ExpiresAt)
{
    /// <summary>Without the address, which is a secret.</summary>
    public override string ToString() => $"a link until {ExpiresAt:u}";
}
