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

    /// <summary>A person who runs the gate: may do what the root key may, under a name of their own.</summary>
    public bool IsOperatorPerson { get; init; }

    /// <summary>Until when a person's last proof of who they are is fresh; null for who proves it with each request.</summary>
    public long? FreshUntilMs { get; init; }

    /// <summary>What a person is where the call goes.</summary>
    public Roles Roles { get; init; }

    /// <summary>Of a person who does not reach every project of the organization: the numbers of those that they do.</summary>
    public IReadOnlyCollection<long>? ProjectNos { get; init; }

    /// <summary>May do what the operator may.</summary>
    public bool IsRoot => Kind == CallerKind.Root || IsOperatorPerson;

    /// <summary>A person's reach is settled by their role before any room is asked; a key is what it is.</summary>
    public bool IsPerson => Kind == CallerKind.Person && !IsOperatorPerson;

    /// <summary>Whether what asks for a fresh proof may go on. Those without one do not have it to give.</summary>
    public bool IsFreshAt(long nowMs) => FreshUntilMs is not { } until || nowMs <= until;

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

internal static class CallerStill
{
    /// <summary>Whether who makes this call may still make it: for an answer that takes long. False where nobody can say.</summary>
    public static async ValueTask<bool> May(HttpContext http) =>
        http.Features.Get<CallerAgain>() is { } again && (await again(http)).IsOk;
}

internal enum CallerKind
{
    Root,
    Key,
    System,
    Person,
    Nobody,
}
