using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Server.Organizations;

namespace Tollgate.Server.Keys;

/// <summary>A row of <c>keys</c> as both databases give it: integers as long, lists as JSON text.</summary>
internal sealed class KeyRow
{
    public long KeyNo { get; init; }

    public string Id { get; init; } = "";

    public long ProjectNo { get; init; }

    public string ProjectId { get; init; } = "";

    public string OrganizationId { get; init; } = "";

    public string Environment { get; init; } = "";

    public string Type { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Description { get; init; }

    public string Permissions { get; init; } = "[]";

    public string Scopes { get; init; } = "[]";

    public string Rights { get; init; } = "[]";

    public string AllowedAddresses { get; init; } = "[]";

    public string Metadata { get; init; } = "{}";

    public long? ExpiresAtMs { get; init; }

    public long Holds { get; init; }

    public long? RevokedAtMs { get; init; }

    public long? DeletedAtMs { get; init; }

    public long CreatedAtMs { get; init; }

    public string CreatedBy { get; init; } = "";

    public long RowVersion { get; init; }

    // Filled only where a key is found by a secret's hash: what the check must know of that secret and of its owners.

    /// <summary>When this secret stops, ahead of the key itself.</summary>
    public long? EndsAtMs { get; init; }

    public long IsOperator { get; init; }

    /// <summary>0 open, 1 suspended, 2 deleted: the organization's or the project's, whichever is worse.</summary>
    public long OwnerState { get; init; }

    public long OwnerVersion { get; init; }

    public ProjectOwner Owner => new()
    {
        ProjectNo = ProjectNo,
        ProjectId = ProjectId,
        OrganizationId = OrganizationId,
        State = OwnerState,
        Version = OwnerVersion,
        IsOperator = IsOperator,
    };

    public Key ToRecord(IReadOnlyList<KeySecret> secrets) => new()
    {
        KeyNo = KeyNo,
        Id = KeyId.TryParse(Id, out var id) ? id : throw new InvalidDataException($"keys.id of key {KeyNo} is not an id."),
        ProjectNo = ProjectNo,
        ProjectId = ProjectId,
        OrganizationId = OrganizationId,
        Environment = Environment,
        Type = Type,
        Name = Name,
        Description = Description,
        Permissions = FromJson(Permissions),
        Scopes = FromJson(Scopes),
        Rights = FromJson(Rights),
        AllowedAddresses = FromJson(AllowedAddresses),
        Metadata = Metadata,
        ExpiresAtMs = ExpiresAtMs,
        Holds = (KeyState)Holds,
        RevokedAtMs = RevokedAtMs,
        DeletedAtMs = DeletedAtMs,
        CreatedAtMs = CreatedAtMs,
        CreatedBy = CreatedBy,
        Version = RowVersion,
        Secrets = secrets,
    };

    private static IReadOnlyList<string> FromJson(string json) => JsonSerializer.Deserialize(json, KeyWire.Default.IReadOnlyListString)!;
}
