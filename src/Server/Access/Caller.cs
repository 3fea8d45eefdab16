using Tollgate.Engine.Permissions;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Access;

/// <summary>
/// Who does something: the operator's root key, a key with its rights, project and environment, a person, or somebody who has not said who.
/// </summary>
internal sealed record Caller
{
    public required CallerKind Kind { get; init; }

    /// <summary><c>root</c>, or the key's or the person's id.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    public Rights Rights { get; init; }

    /// <summary>0 for the root key, which belongs to no project.</summary>
    public long KeyNo { get; init; }

    public long ProjectNo { get; init; }

    public string? ProjectId { get; init; }

    public string? OrganizationId { get; init; }

    /// <summary>
    /// Whether the key lives in the operator's own organization, whose keys may verify and report for every organization.
    /// </summary>
    public bool OfOperator { get; init; }

    public string? Environment { get; init; }

    /// <summary>When the secret that was sent stops, because a rotation has replaced it; null for a current one.</summary>
    public long? SecretEndsAtMs { get; init; }

    public bool IsRoot => Kind == CallerKind.Root;

    public static Caller Root { get; } = new()
    {
        Kind = CallerKind.Root, Id = "root", Name = "root key", Rights = Rights.All, OfOperator = true,
    };

    /// <summary>The process itself, such as at the first start.</summary>
    public static Caller System { get; } = new() { Kind = CallerKind.System, Id = "system", Name = "system" };

    /// <summary>Somebody at a page who has not signed in.</summary>
    public static Caller Nobody { get; } = new() { Kind = CallerKind.Nobody, Id = "nobody", Name = "nobody" };

    /// <summary>Who makes this call. An endpoint that asks before anybody has established it is a bug, and fails closed.</summary>
    public static Caller Of(HttpContext http) =>
        http.Features.Get<Caller>() ?? throw new InvalidOperationException("Nobody has established who makes this call.");
}

/// <summary>
/// Establishes a key's standing once more, set beside the <see cref="Caller"/>: between a request's head and its turn to write lie the
/// arrival of its body and the writes before it, and in one of them the key may have been revoked.
/// </summary>
internal delegate ValueTask<Outcome<Caller>> CallerAgain(HttpContext http);

internal enum CallerKind
{
    Root,
    Key,
    System,
    Person,
    Nobody,
}
