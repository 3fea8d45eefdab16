using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys;

/// <summary>What a caller asks of a new key. Absent members take the provider file's defaults.</summary>
internal sealed record CreateKey
{
    public string? Name { get; init; }

    public string? Environment { get; init; }

    public string? Type { get; init; }

    public IReadOnlyList<string>? Permissions { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    public IReadOnlyList<string>? Rights { get; init; }

    public string? Description { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public IReadOnlyList<string>? AllowedAddresses { get; init; }

    /// <summary>Below the plan's, by the name of the limit. Null, for one or for all, asks for none.</summary>
    public Dictionary<string, long?>? Limits { get; init; }

    /// <summary>The only models it may be used for; null for every model.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    public JsonElement? Metadata { get; init; }

    /// <summary>The SHA-256 of a secret made elsewhere, which then is this key's, in hexadecimal or base64.</summary>
    public string? SecretSha256 { get; init; }
}

/// <summary>
/// Changes to a key. An absent member stays as it is; <c>null</c> clears <c>description</c>, <c>expires_at</c>, <c>models</c>,
/// <c>limits</c> and each of those in it, and is refused elsewhere.
/// </summary>
internal sealed class ChangeKey
{
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);
    private string? _name, _description;
    private IReadOnlyList<string>? _permissions, _scopes, _rights, _allowedAddresses, _models;
    private DateTimeOffset? _expiresAt;
    private Dictionary<string, long?>? _limits;
    private JsonElement? _metadata;

    public string? Name
    {
        get => _name;
        set => (_name, _) = (value, _given.Add("/name"));
    }

    public string? Description
    {
        get => _description;
        set => (_description, _) = (value, _given.Add("/description"));
    }

    public IReadOnlyList<string>? Permissions
    {
        get => _permissions;
        set => (_permissions, _) = (value, _given.Add("/permissions"));
    }

    public IReadOnlyList<string>? Scopes
    {
        get => _scopes;
        set => (_scopes, _) = (value, _given.Add("/scopes"));
    }

    public IReadOnlyList<string>? Rights
    {
        get => _rights;
        set => (_rights, _) = (value, _given.Add("/rights"));
    }

    public IReadOnlyList<string>? AllowedAddresses
    {
        get => _allowedAddresses;
        set => (_allowedAddresses, _) = (value, _given.Add("/allowed_addresses"));
    }

    public DateTimeOffset? ExpiresAt
    {
        get => _expiresAt;
        set => (_expiresAt, _) = (value, _given.Add("/expires_at"));
    }

    public Dictionary<string, long?>? Limits
    {
        get => _limits;
        set => (_limits, _) = (value, _given.Add("/limits"));
    }

    public IReadOnlyList<string>? Models
    {
        get => _models;
        set => (_models, _) = (value, _given.Add("/models"));
    }

    public JsonElement? Metadata
    {
        get => _metadata;
        set => (_metadata, _) = (value, _given.Add("/metadata"));
    }

    public bool Has(string pointer) => _given.Contains(pointer);
}

/// <summary>How a new secret version comes in. <c>expires_at</c> is needed only to rotate a key that has expired.</summary>
internal sealed record RotateKey(long? GraceSeconds, bool? Force, DateTimeOffset? ExpiresAt);

/// <summary>Why a key is revoked: one of <see cref="RevokeReasons.All"/>.</summary>
internal sealed record RevokeKey(string? Reason);

/// <summary>A secret version as the management API shows it.</summary>
internal sealed record SecretAnswer(string Mask, DateTimeOffset CreatedAt, DateTimeOffset? EndsAt);

/// <summary>A key as the management API shows it; <see cref="Secret"/> only in the answer that makes it.</summary>
internal sealed record KeyAnswer
{
    public required string Id { get; init; }

    /// <summary>The secret in clear, in the one answer that may show it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }

    public required string ProjectId { get; init; }

    public required string OrganizationId { get; init; }

    public required string Environment { get; init; }

    public required string Type { get; init; }

    public required string Name { get; init; }

    public required string? Description { get; init; }

    public required string Mask { get; init; }

    public required string Status { get; init; }

    public required IReadOnlyList<string> Holds { get; init; }

    public required IReadOnlyList<string> Permissions { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required IReadOnlyList<string> Rights { get; init; }

    public required IReadOnlyList<string> AllowedAddresses { get; init; }

    public required IReadOnlyDictionary<string, long> Limits { get; init; }

    /// <summary>The only models it may be used for; null for every model.</summary>
    public required IReadOnlyList<string>? Models { get; init; }

    public required JsonElement Metadata { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required string CreatedBy { get; init; }

    public required DateTimeOffset? ExpiresAt { get; init; }

    public required DateTimeOffset? RevokedAt { get; init; }

    public required DateTimeOffset? DeletedAt { get; init; }

    public required IReadOnlyList<SecretAnswer> Secrets { get; init; }

    public static KeyAnswer Of(Key key, long nowMs, string? secret = null) => new()
    {
        Id = key.Id.ToString(),
        Secret = secret,
        ProjectId = key.ProjectId,
        OrganizationId = key.OrganizationId,
        Environment = key.Environment,
        Type = key.Type,
        Name = key.Name,
        Description = key.Description,
        Mask = key.Mask,
        Status = key.Status(nowMs),
        Holds = HoldNames.Of(key.Holds),
        Permissions = key.Permissions,
        Scopes = key.Scopes,
        Rights = key.Rights,
        AllowedAddresses = key.AllowedAddresses,
        Limits = key.Limits,
        Models = key.Models,
        Metadata = JsonElement.Parse(key.Metadata),
        CreatedAt = Time(key.CreatedAtMs),
        CreatedBy = key.CreatedBy,
        ExpiresAt = Time(key.ExpiresAtMs),
        RevokedAt = Time(key.RevokedAtMs),
        DeletedAt = Time(key.DeletedAtMs),
        Secrets = [.. key.Secrets.Select(s => new SecretAnswer(s.Mask, Time(s.CreatedAtMs), Time(s.EndsAtMs)))],
    };

    public override string ToString() => $"{Id} {Mask} {Status}";

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);

    private static DateTimeOffset? Time(long? ms) => ms is null ? null : Time(ms.Value);
}

internal sealed record KeyList(IReadOnlyList<KeyAnswer> Data, string? NextCursor);

internal sealed record RevealedSecret(string Id, string Secret)
{
    public override string ToString() => $"{Id} (secret redacted)";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(CreateKey))]
[JsonSerializable(typeof(ChangeKey))]
[JsonSerializable(typeof(RotateKey))]
[JsonSerializable(typeof(RevokeKey))]
[JsonSerializable(typeof(KeyAnswer))]
[JsonSerializable(typeof(KeyList))]
[JsonSerializable(typeof(RevealedSecret))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, long>))]
internal sealed partial class KeyWire : JsonSerializerContext
{
    /// <summary>The record as the audit log keeps it: no secret has a place in it.</summary>
    public static string Json(Key key, long nowMs) => JsonSerializer.Serialize(Keys.KeyAnswer.Of(key, nowMs), Default.KeyAnswer);
}
