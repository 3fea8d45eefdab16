using Tollgate.Engine.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// The hold <c>archived</c>: the keys of somebody's own organization carry it while that person is in a team, where the provider file says
/// so. Which organizations these are, the room of teams knows.
/// </summary>
internal sealed class ArchiveHolds(OrganizationHolds holds)
{
    /// <summary>Whether an organization's keys rest in this write, so that one that comes to it must too. Set by that room.</summary>
    public Func<WriteScope, long, Task<bool>>? IsArchived { get; set; }

    public Task<int> Place(WriteScope scope, OwnerPlace organization) =>
        holds.Move(scope, organization, KeyState.HeldByArchive, isHeld: true, "its owner is in a team");

    public Task<int> Lift(WriteScope scope, OwnerPlace organization) =>
        holds.Move(scope, organization, KeyState.HeldByArchive, isHeld: false, "its owner is in no team any more");

    /// <summary>What a key that comes to an organization carries of it.</summary>
    public async Task<KeyState> Of(WriteScope scope, long organizationNo) =>
        IsArchived is { } ask && await ask(scope, organizationNo) ? KeyState.HeldByArchive : KeyState.Active;
}
