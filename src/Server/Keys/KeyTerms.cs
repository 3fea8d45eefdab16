namespace Tollgate.Server.Keys;

/// <summary>
/// What somebody asks a key to be, after the provider's rules were applied: every value is allowed, every default filled in.
/// </summary>
internal sealed record KeyTerms
{
    public required string Environment { get; init; }

    public required string Type { get; init; }

    public required string Name { get; init; }

    public required string? Description { get; init; }

    public required IReadOnlyList<string> Permissions { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required IReadOnlyList<string> Rights { get; init; }

    public required IReadOnlyList<string> AllowedAddresses { get; init; }

    public required IReadOnlyDictionary<string, long> Limits { get; init; }

    /// <summary>Null for every model.</summary>
    public required IReadOnlyList<string>? Models { get; init; }

    public required string Metadata { get; init; }

    public required long? ExpiresAtMs { get; init; }

    public static KeyTerms Of(Key key) => new()
    {
        Environment = key.Environment,
        Type = key.Type,
        Name = key.Name,
        Description = key.Description,
        Permissions = key.Permissions,
        Scopes = key.Scopes,
        Rights = key.Rights,
        AllowedAddresses = key.AllowedAddresses,
        Limits = key.Limits,
        Models = key.Models,
        Metadata = key.Metadata,
        ExpiresAtMs = key.ExpiresAtMs,
    };
}
