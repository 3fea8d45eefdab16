using Tollgate.Engine.Keys;
using Tollgate.Server.Audit;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Keys;

/// <summary>
/// A hold that all keys of an organization carry together, and lose together: that hold and no other, so what a key was before shows again.
/// It is placed in the write of what causes it, so that no key is ever on the wrong side of it.
/// </summary>
internal sealed class OrganizationHolds(KeyFeed feed)
{
    /// <summary>Answers how many keys have changed.</summary>
    public async Task<int> Move(WriteScope scope, OwnerPlace organization, KeyState hold, bool isHeld, string reason)
    {
        var moved = await KeySql.HoldAllOf(scope, organization.No, hold, isHeld);
        if (moved.Count == 0)
        {
            return 0;
        }

        Failpoint.Pass("key.row");
        // One row for all of them: a booking must not write as many as there are keys.
        await AuditLog.Append(scope, new AuditEntry
        {
            Action = isHeld ? "organization.hold_keys" : "organization.lift_keys",
            TargetType = "organization",
            TargetId = organization.Id,
            OrganizationId = organization.Id,
            After = $"{{\"hold\":\"{HoldNames.Of(hold)[0]}\",\"keys\":{moved.Count}}}",
            Reason = reason,
        });
        await scope.Changes("key", moved);
        scope.AfterCommit(() =>
        {
            foreach (var (keyNo, _) in moved)
            {
                feed.Drop(keyNo);
            }
        });
        return moved.Count;
    }
}
