using Tollgate.Engine.Keys;

namespace Tollgate.Server.Keys;

/// <summary>
/// An entry with a stable id, name, permissions and history. Its secrets are versions of it. Names of scopes and actions are kept as
/// given, in their order; bits exist only in the Engine.
/// </summary>
internal sealed record Key
{
    public required long KeyNo { get; init; }

    public required KeyId Id { get; init; }

    public required long ProjectNo { get; init; }

    public required string ProjectId { get; init; }

    public required string OrganizationId { get; init; }

    public required long OrganizationNo { get; init; }

    /// <summary>Its organization's, by name; null for the provider file's default.</summary>
    public string? Plan { get; init; }

    public required string Environment { get; init; }

    public required string Type { get; init; }

    public required string Name { get; init; }

    public string? Description { get; init; }

    public required IReadOnlyList<string> Permissions { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required IReadOnlyList<string> Rights { get; init; }

    public required IReadOnlyList<string> AllowedAddresses { get; init; }

    /// <summary>Below the plan's, by the name of the limit; see <see cref="KeyLimits"/>.</summary>
    public IReadOnlyDictionary<string, long> Limits { get; init; } = KeyLimits.None;

    /// <summary>The only models it may be used for; null for every model. See <see cref="KeyModels"/>.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>A JSON object, as text.</summary>
    public required string Metadata { get; init; }

    public long? ExpiresAtMs { get; init; }

    public KeyState Holds { get; init; }

    public long? RevokedAtMs { get; init; }

    public long? DeletedAtMs { get; init; }

    public required long CreatedAtMs { get; init; }

    public required string CreatedBy { get; init; }

    public required long Version { get; init; }

    /// <summary>Newest first; at most two of them live.</summary>
    public required IReadOnlyList<KeySecret> Secrets { get; init; }

    /// <summary>Revoked or deleted: nothing brings it back.</summary>
    public bool IsFinal => RevokedAtMs is not null || DeletedAtMs is not null;

    public string Mask => Secrets.Count > 0 ? Secrets[0].Mask : "";

    public bool IsExpired(long nowMs) => ExpiresAtMs <= nowMs;

    public string Status(long nowMs) =>
        DeletedAtMs is not null ? "deleted"
        : RevokedAtMs is not null ? "revoked"
        : IsExpired(nowMs) ? "expired"
        : Holds != KeyState.Active ? "disabled"
        : "active";
}

/// <summary>One secret of a key. The text itself is known to its holder alone.</summary>
internal sealed record KeySecret
{
    /// <summary>1 for the first, counting up.</summary>
    public required long Version { get; init; }

    public required string Mask { get; init; }

    public required long CreatedAtMs { get; init; }

    /// <summary>When this version stops, ahead of the key itself; null while it is the current one.</summary>
    public long? EndsAtMs { get; init; }

    public bool IsLive(long nowMs) => EndsAtMs is null || EndsAtMs > nowMs;
}

/// <summary>A key together with a secret that is being shown now and never kept in clear.</summary>
internal sealed record IssuedKey(Key Key, string? Secret)
{
    public override string ToString() => $"{Key.Id} (secret redacted)";
}

/// <summary>The names of what can hold a key, as the API writes them.</summary>
internal static class HoldNames
{
    private static readonly (string Name, KeyState Hold)[] Rows =
    [
        ("person", KeyState.HeldByPerson),
        ("balance", KeyState.HeldByBalance),
        ("leak", KeyState.HeldByLeak),
        ("archived", KeyState.HeldByArchive),
        ("suspended", KeyState.HeldBySuspension),
    ];

    public static IReadOnlyList<string> Of(KeyState state) => [.. Rows.Where(row => state.HasFlag(row.Hold)).Select(row => row.Name)];
}
