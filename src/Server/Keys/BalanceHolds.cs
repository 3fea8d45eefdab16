using Tollgate.Engine.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// The hold <c>balance</c>: all keys of an organization that has run out of money carry it, and lose it when money comes, in the write of
/// the booking that crosses the threshold.
/// </summary>
internal sealed class BalanceHolds(OrganizationHolds holds)
{
    public Task Place(WriteScope scope, OwnerPlace organization) =>
        holds.Move(scope, organization, KeyState.HeldByBalance, isHeld: true, "the balance has run out");

    public Task Lift(WriteScope scope, OwnerPlace organization) =>
        holds.Move(scope, organization, KeyState.HeldByBalance, isHeld: false, "there is a balance again");
}
