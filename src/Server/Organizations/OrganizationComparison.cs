using System.Data.Common;
using Tollgate.Server.Audit;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Organizations;

/// <summary>
/// Compares a restored database, not yet in place, with the one that it is to replace: which organizations and projects would be open
/// again, or on the plan of before. Told what to keep, it closes them again and leaves them on the plan they have now, as an audited
/// change of the restored database.
/// </summary>
internal sealed class OrganizationComparison(DbConnection inPlace, WriteScope restored, bool keep)
{
    private const int Batch = 500;
    private const string KeptReason = "kept by a restore";

    public async IAsyncEnumerable<UndoneChange> Find()
    {
        foreach (var type in new[] { "organization", "project" })
        {
            var after = 0L;
            while (await Next(type, after) is { Count: > 0 } page)
            {
                foreach (var back in page)
                {
                    if (await InPlaceException.Reading(() => Now(type, back.Id)) is { } now)
                    {
                        await foreach (var change in Undone(type, now, back))
                        {
                            yield return change;
                        }
                    }
                }

                after = page[^1].No;
            }
        }
    }

    private Task<List<ComparedOwner>> Next(string type, long after) => type == "organization"
        ? OrganizationComparisonSql.Organizations(restored.Connection, restored.Transaction, after, Batch)
        : OrganizationComparisonSql.Projects(restored.Connection, restored.Transaction, after, Batch);

    private Task<ComparedOwner?> Now(string type, string id) => type == "organization"
        ? OrganizationComparisonSql.Organization(inPlace, id)
        : OrganizationComparisonSql.Project(inPlace, id);

    private async IAsyncEnumerable<UndoneChange> Undone(string type, ComparedOwner now, ComparedOwner back)
    {
        var (suspended, deleted) = (now.SuspendedAtMs is not null && back.SuspendedAtMs is null,
            now.DeletedAtMs is not null && back.DeletedAtMs is null);
        if (suspended)
        {
            yield return new UndoneChange(
                "suspended", type, back.Id, back.Name, now.SuspendedAtMs, "would be open again with all its keys");
        }

        if (deleted)
        {
            yield return new UndoneChange("deleted", type, back.Id, back.Name, now.DeletedAtMs, "would be back");
        }

        if (now.Plan != back.Plan)
        {
            yield return new UndoneChange(
                "plan", type, back.Id, back.Name, null,
                $"would be on {PlanText(back.Plan)} again, and is on {PlanText(now.Plan)}");
        }

        if (keep && (suspended || deleted || now.Plan != back.Plan))
        {
            await Keep(type, back with
            {
                Plan = now.Plan,
                SuspendedAtMs = back.SuspendedAtMs ?? now.SuspendedAtMs, DeletedAtMs = back.DeletedAtMs ?? now.DeletedAtMs,
            }, deleted);
        }
    }

    private static string PlanText(string? plan) => plan is null ? "the default plan" : $"the plan {plan}";

    private async Task Keep(string type, ComparedOwner owner, bool deleted)
    {
        await (type == "organization"
            ? OrganizationComparisonSql.KeepOrganization(restored, owner)
            : OrganizationComparisonSql.KeepProject(restored, owner));
        await AuditLog.Append(restored, new AuditEntry
        {
            Action = deleted ? $"{type}.delete" : $"{type}.change",
            TargetType = type,
            TargetId = owner.Id,
            OrganizationId = type == "organization" ? owner.Id : null,
            ProjectId = type == "project" ? owner.Id : null,
            Reason = KeptReason,
        });
        await restored.Change(type, owner.No, await OrganizationComparisonSql.Version(restored, type, owner.No));
    }
}
