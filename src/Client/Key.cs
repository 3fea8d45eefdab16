using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Tollgate.Client;

/// <summary>An API key as the management API shows it: its name, what it may reach and its history, never its secret.</summary>
public sealed record Key
{
    private static readonly IReadOnlyDictionary<string, long> Unlimited = new Dictionary<string, long>();

    /// <summary>Stable through every rotation: <c>key_…</c>.</summary>
    public required string Id { get; init; }

    public required string ProjectId { get; init; }

    public required string OrganizationId { get; init; }

    /// <summary>One of the provider's environments, such as <c>live</c> or <c>test</c>.</summary>
    public string? Environment { get; init; }

    /// <summary>One of the provider's key types; null where the provider has none.</summary>
    public string? Type { get; init; }

    public required string Name { get; init; }

    public string? Description { get; init; }

    /// <summary>The secret's first and last characters, for recognition.</summary>
    public string? Mask { get; init; }

    public KeyStatus Status { get; init; }

    /// <summary>Who keeps the key from working, such as <c>person</c> or <c>suspended</c>. Lifting one hold lifts no other.</summary>
    public IReadOnlyList<string> Holds { get; init => field = value ?? []; } = [];

    /// <summary>What the key may do, in the provider's words, such as <c>read</c> and <c>write</c>.</summary>
    public IReadOnlyList<string> Permissions { get; init => field = value ?? []; } = [];

    /// <summary>What the key may reach, in the provider's words.</summary>
    public IReadOnlyList<string> Scopes { get; init => field = value ?? []; } = [];

    /// <summary>What the key may do on the management API, such as <c>verify</c> or <c>keys:manage</c>.</summary>
    public IReadOnlyList<string> Rights { get; init => field = value ?? []; } = [];

    /// <summary>Addresses and CIDR ranges the key may be used from; empty means from anywhere.</summary>
    public IReadOnlyList<string> AllowedAddresses { get; init => field = value ?? []; } = [];

    /// <summary>Limits of this key below its plan's, by their names in the provider file.</summary>
    public IReadOnlyDictionary<string, long> Limits { get; init => field = value ?? Unlimited; } = Unlimited;

    /// <summary>The ids of the only models the key may be used for; null for every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public JsonObject Metadata { get; init => field = value ?? []; } = [];

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The id of the key that made it, or <c>root</c>.</summary>
    public string? CreatedBy { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>The live versions: one, or two while the grace of a rotation runs.</summary>
    public IReadOnlyList<SecretVersion> Secrets { get; init => field = value ?? []; } = [];
}

/// <summary>A version of a key's secret.</summary>
/// <param name="Mask">Its first and last characters.</param>
/// <param name="CreatedAt">When it was issued.</param>
/// <param name="EndsAt">When the grace of a rotation ends it; null means it lives as long as the key.</param>
public sealed record SecretVersion(string Mask, DateTimeOffset CreatedAt, DateTimeOffset? EndsAt = null);

/// <summary>Whether a key works, and if not, why. <see cref="Unknown"/> is a status this version of the client does not know.</summary>
public enum KeyStatus
{
    Unknown,
    Active,
    Disabled,
    Expired,
    Revoked,
    Deleted,
}

/// <summary>A key together with its secret: the answer to create, rotate and regenerate. Nothing shows the secret again.</summary>
/// <param name="Key">The key.</param>
/// <param name="Secret">The secret; null for an imported hash, whose text the gate never saw.</param>
public sealed record IssuedKey(Key Key, Secret? Secret);

/// <summary>What a new key shall be. Everything but the name has the provider's default.</summary>
public sealed record NewKey
{
    public required string Name { get; init; }

    public string? Environment { get; init; }

    public string? Type { get; init; }

    public IReadOnlyList<string>? Permissions { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>Rights on the management API; none unless given.</summary>
    public IReadOnlyList<string>? Rights { get; init; }

    public string? Description { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    /// <summary>Limits below the plan's, by their names in the provider file.</summary>
    public IReadOnlyDictionary<string, long>? Limits { get; init; }

    /// <summary>The ids of the only models it may be used for, at most 100; null for every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public JsonObject? Metadata { get; init; }

    /// <summary>The SHA-256 of an existing secret in hexadecimal or base64: imports a key without its text. Needs the root key.</summary>
    public string? SecretSha256 { get; init; }
}

/// <summary>What of a key shall change. A null member stays as it is; three can be cleared by their own words.</summary>
public sealed record KeyChange
{
    public string? Name { get; init; }

    public string? Description { get; init; }

    public IReadOnlyList<string>? Permissions { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    public IReadOnlyList<string>? Rights { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    /// <summary>Limits below the plan's, by name; null takes one away, and one that is not named stays.</summary>
    public IReadOnlyDictionary<string, long?>? Limits { get; init; }

    /// <summary>The ids of the only models it may be used for.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public JsonObject? Metadata { get; init; }

    /// <summary>Takes the description away.</summary>
    [JsonIgnore]
    public bool ClearsDescription { get; init; }

    /// <summary>Takes the expiry away.</summary>
    [JsonIgnore]
    public bool ClearsExpiry { get; init; }

    /// <summary>Lets the key be used for every model.</summary>
    [JsonIgnore]
    public bool ClearsModels { get; init; }
}

/// <summary>How a rotation shall go.</summary>
public sealed record Rotation
{
    /// <summary>How long the old secret works on, in whole seconds; null leaves it to the provider file, 0 ends it at once.</summary>
    public long? GraceSeconds { get; init; }

    /// <summary>Rotate although the grace of the last rotation is still running: the oldest secret ends now.</summary>
    public bool? Force { get; init; }

    /// <summary>A new expiry. An expired key can be rotated only with one.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
