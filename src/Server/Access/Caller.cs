using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Access;

/// <summary>Who makes a management call: the operator's root key, or a key with its rights, project and environment.</summary>
internal sealed record Caller
{
    public required CallerKind Kind { get; init; }

    /// <summary><c>root</c>, or the key's id.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    public Rights Rights { get; init; }

    /// <summary>0 for the root key, which belongs to no project.</summary>
    public long KeyNo { get; init; }

    public long ProjectNo { get; init; }

    public string? ProjectId { get; init; }

    public string? OrganizationId { get; init; }

    /// <summary>Whether the key lives in the operator's own organization, whose keys may verify and report for every organization.</summary>
    public bool OfOperator { get; init; }

    public string? Environment { get; init; }

    public bool IsRoot => Kind == CallerKind.Root;

    public static Caller Root { get; } = new() { Kind = CallerKind.Root, Id = "root", Name = "root key", Rights = Rights.All, OfOperator = true };
}

internal enum CallerKind
{
    Root,
    Key,
    System,
}
