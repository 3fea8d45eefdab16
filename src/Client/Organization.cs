namespace Tollgate.Client;

/// <summary>An owner of projects: a customer of the API company.</summary>
/// <param name="Id">Such as <c>org_…</c>.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Status">Whether its keys may work.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Plan">One of the provider's, by name; null from a gate that knew no plans yet.</param>
public sealed record Organization(string Id, string Name, OwnerStatus Status, DateTimeOffset CreatedAt, string? Plan = null);

/// <summary>A holder of keys.</summary>
public sealed record Project(string Id, string OrganizationId, string Name, OwnerStatus Status, DateTimeOffset CreatedAt);

/// <summary>Whether keys below may work. <see cref="Unknown"/> is a status that this version of the client does not know.</summary>
public enum OwnerStatus
{
    Unknown,
    Active,
    Suspended,
    Deleted,
}

/// <summary>What is gone, and how many keys were revoked with it.</summary>
public sealed record Deletion(string Id, bool Deleted, int KeysRevoked);

/// <summary>A page of a list. <see cref="NextCursor"/> is null on the last one.</summary>
public sealed record Page<T>(IReadOnlyList<T> Data, string? NextCursor = null);
