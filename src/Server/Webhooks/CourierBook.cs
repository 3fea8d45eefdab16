using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>Enters what became of a run: its deliveries, and how its webhook stands after it, in one transaction.</summary>
internal static class CourierBook
{
    public static async Task<Outcome<bool>> Enter(WriteScope scope, Webhook sentTo, IReadOnlyList<WebhookDelivery> tried)
    {
        if (await WebhookSql.Find(scope, sentTo.WebhookNo) is not { } before)
        {
            return true;
        }

        var finished = 0L;
        foreach (var delivery in tried)
        {
            if (await DeliverySql.Tried(scope, delivery) && delivery.State != WebhookDelivery.IsPending)
            {
                finished++;
            }

            Failpoint.Pass("webhook-tried");
        }

        // What another URL answered says nothing of this one.
        var after = before.Url == sentTo.Url ? Judged(before, tried, scope.NowMs) : before;
        after = after with { DueAtMs = DueOf(after, await DeliverySql.NextDue(scope, after.WebhookNo), scope.NowMs) };
        await WebhookSql.Ran(scope, after, finished);
        Failpoint.Pass("webhook-ran");
        if (before.IsEnabled && !after.IsEnabled)
        {
            await AuditLog.Append(scope, new AuditEntry
            {
                Action = "webhook.disable",
                TargetType = "webhook",
                TargetId = after.Id,
                OrganizationId = after.OrganizationId,
                Before = WebhookWire.Json(before),
                After = WebhookWire.Json(after),
                Reason = after.DisabledReason,
            });
        }

        return true;
    }

    /// <summary>
    /// When it is its turn: with the earliest delivery, after its rest, and behind all others that are due already, so that one with a
    /// thousand events goes round with them.
    /// </summary>
    public static long? DueOf(Webhook webhook, long? earliest, long nowMs) =>
        earliest is { } due ? Math.Max(Math.Max(due, webhook.RestUntilMs ?? 0), nowMs) : null;

    private static Webhook Judged(Webhook webhook, IReadOnlyList<WebhookDelivery> tried, long nowMs)
    {
        var isGone = false;
        foreach (var delivery in tried)
        {
            if (delivery.Error is null)
            {
                webhook = webhook with { Failures = 0, FailingSinceMs = null, RestUntilMs = null };
                continue;
            }

            var failures = webhook.Failures + 1;
            webhook = webhook with
            {
                Failures = failures,
                FailingSinceMs = webhook.FailingSinceMs ?? delivery.AttemptedAtMs,
                RestUntilMs = RetrySchedule.RestUntil(failures, nowMs),
            };
            isGone |= delivery.ResponseStatus == Attempt.StatusGone;
        }

        var isDown = webhook.FailingSinceMs is { } since && nowMs - since >= (long)RetrySchedule.PauseAfter.TotalMilliseconds;
        return webhook.IsEnabled && (isGone || isDown)
            ? webhook with
            {
                Enabled = 0,
                DisabledReason = isGone ? DisabledReasons.Gone : DisabledReasons.Failing,
                DisabledAtMs = nowMs,
                RowVersion = webhook.RowVersion + 1,
            }
            : webhook;
    }
}
