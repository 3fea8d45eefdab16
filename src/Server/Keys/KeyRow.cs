using System.Data.Common;
using System.Text.Json;
using Tollgate.Engine.Keys;
using Tollgate.Server.Organizations;

namespace Tollgate.Server.Keys;

/// <summary>A row of <c>keys</c> as both databases give it: integers as long, lists as JSON text.</summary>
internal sealed class KeyRow
{
    private const int ListsMax = 256;
    private const int ListCharsMax = 1_024;

    private static readonly KeptList?[] Lists = new KeptList?[ListsMax];

    public long KeyNo { get; init; }

    public string Id { get; init; } = "";

    public long ProjectNo { get; init; }

    public string ProjectId { get; init; } = "";

    public string OrganizationId { get; init; } = "";

    public long OrganizationNo { get; init; }

    public string? Plan { get; init; }

    public string Environment { get; init; } = "";

    public string Type { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Description { get; init; }

    public string Permissions { get; init; } = "[]";

    public string Scopes { get; init; } = "[]";

    public string Rights { get; init; } = "[]";

    public string AllowedAddresses { get; init; } = "[]";

    public string Metadata { get; init; } = "{}";

    public string Limits { get; init; } = "{}";

    public string? Models { get; init; }

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
        OrganizationNo = OrganizationNo,
        Plan = Plan,
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
        OrganizationNo = OrganizationNo,
        Plan = Plan,
        Environment = Environment,
        Type = Type,
        Name = Name,
        Description = Description,
        Permissions = FromJson(Permissions),
        Scopes = FromJson(Scopes),
        Rights = FromJson(Rights),
        AllowedAddresses = FromJson(AllowedAddresses),
        Metadata = Metadata,
        Limits = KeyLimits.FromJson(Limits),
        Models = Models is null ? null : FromJson(Models),
        ExpiresAtMs = ExpiresAtMs,
        Holds = (KeyState)Holds,
        RevokedAtMs = RevokedAtMs,
        DeletedAtMs = DeletedAtMs,
        CreatedAtMs = CreatedAtMs,
        CreatedBy = CreatedBy,
        Version = RowVersion,
        Secrets = secrets,
    };

    /// <summary>The columns of <see cref="KeySql.FindByHashText"/> in their order.</summary>
    public static KeyRow OfFindByHash(DbDataReader row) => new()
    {
        KeyNo = row.GetInt64(0),
        Id = row.GetString(1),
        ProjectNo = row.GetInt64(2),
        ProjectId = row.GetString(3),
        OrganizationId = row.GetString(4),
        Environment = row.GetString(5),
        Type = row.GetString(6),
        Name = row.GetString(7),
        Description = row.IsDBNull(8) ? null : row.GetString(8),
        Permissions = row.GetString(9),
        Scopes = row.GetString(10),
        Rights = row.GetString(11),
        AllowedAddresses = row.GetString(12),
        Metadata = row.GetString(13),
        ExpiresAtMs = NumberOrNull(row, 14),
        Holds = row.GetInt64(15),
        RevokedAtMs = NumberOrNull(row, 16),
        DeletedAtMs = NumberOrNull(row, 17),
        CreatedAtMs = row.GetInt64(18),
        CreatedBy = row.GetString(19),
        RowVersion = row.GetInt64(20),
        Limits = row.GetString(21),
        OrganizationNo = row.GetInt64(22),
        Plan = row.IsDBNull(23) ? null : row.GetString(23),
        Models = row.IsDBNull(24) ? null : row.GetString(24),
        EndsAtMs = NumberOrNull(row, 25),
        IsOperator = row.GetInt64(26),
        OwnerState = row.GetInt64(27),
        OwnerVersion = row.GetInt64(28),
    };

    private static long? NumberOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    /// <summary>Most keys have one of a few lists, so the last ones are kept by their text; a place is read and replaced whole.</summary>
    private static IReadOnlyList<string> FromJson(string json)
    {
        if (json == "[]")
        {
            return [];
        }

        ref var place = ref Lists[string.GetHashCode(json) & (ListsMax - 1)];
        if (place is { } kept && kept.Json == json)
        {
            return kept.Names;
        }

        var names = JsonSerializer.Deserialize(json, KeyWire.Default.IReadOnlyListString)!;
        if (json.Length <= ListCharsMax)
        {
            place = new KeptList(json, names);
        }

        return names;
    }

    private sealed record KeptList(string Json, IReadOnlyList<string> Names);
}
