using Tollgate.Engine.Keys;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// The hold <c>balance</c>: all keys of an organization that has run out of money carry it, and lose it, and no other, when money comes.
/// In the write of the booking that crosses the threshold, so that no key is ever on the wrong side of it.
/// </summary>
internal sealed class BalanceHolds(KeyFeed feed)
{
    public Task Place(WriteScope scope, OwnerPlace organization) => Move(scope, organization, isHeld: true);

    public Task Lift(WriteScope scope, OwnerPlace organization) => Move(scope, organization, isHeld: false);

    private async Task Move(WriteScope scope, OwnerPlace organization, bool isHeld)
    {
        var moved = await KeySql.HoldAllOf(scope, organization.No, KeyState.HeldByBalance, isHeld);
        if (moved.Count == 0)
        {
            return;
        }

        Failpoint.Pass("key.row");
        // One row for all of them: a booking must not write as many as there are keys.
        await AuditLog.Append(scope, new AuditEntry
        {
            Action = isHeld ? "organization.hold_keys" : "organization.lift_keys",
            TargetType = "organization",
            TargetId = organization.Id,
            OrganizationId = organization.Id,
            After = $"{{\"hold\":\"balance\",\"keys\":{moved.Count}}}",
            Reason = isHeld ? "the balance has run out" : "there is a balance again",
        });
        await scope.Changes("key", moved);
        scope.AfterCommit(() =>
        {
            foreach (var (keyNo, _) in moved)
            {
                feed.Drop(keyNo);
            }
        });
    }
}
