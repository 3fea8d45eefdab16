using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// Clears away, in batches: finished deliveries past their time, those of deleted webhooks, and what nobody would want any more.
/// </summary>
internal sealed class WebhookSweep(Database database, WebhookOptions options, TimeProvider time)
{
    /// <summary>Rows a write.</summary>
    public const int BatchMax = 500;

    /// <summary>What waits so long, on a webhook that is disabled, is given up.</summary>
    public static readonly TimeSpan PendingMax = TimeSpan.FromDays(30);

    private const int BatchesMax = 20;

    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>Touched by whoever calls <see cref="RunWhenDue"/>, one at a time.</summary>
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    /// <summary>Once an hour, and a few batches only: what is left waits for the next look, not for the next hour.</summary>
    public async Task RunWhenDue(CancellationToken cancel)
    {
        if (time.GetUtcNow() < _next)
        {
            return;
        }

        for (var i = 0; i < BatchesMax; i++)
        {
            if (await Run(cancel) == 0)
            {
                _next = time.GetUtcNow() + Every;
                return;
            }
        }
    }

    /// <summary>One batch of each kind; how many rows it touched.</summary>
    public async Task<int> Run(CancellationToken cancel)
    {
        // Looked for first: most of the time there is nothing, and a write is not free.
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var (finishedBeforeMs, madeBeforeMs) = (Before(nowMs, options.Retention), Before(nowMs, PendingMax));
        if (!await database.Read(c => DeliverySql.HasLeftovers(c, finishedBeforeMs, madeBeforeMs), cancel)
            && !await database.Read(WebhookSql.HasDeleted, cancel))
        {
            return 0;
        }

        var touched = await database.Write<int>(
            async scope => await Finished(scope) + await Deleted(scope) + await Overdue(scope), cancel);
        return touched.IsOk ? touched.Value : 0;
    }

    private static long Before(long nowMs, TimeSpan time) => nowMs - (long)time.TotalMilliseconds;

    private Task<int> Finished(WriteScope scope) => DeliverySql.Purge(scope, Before(scope.NowMs, options.Retention), BatchMax);

    private static async Task<int> Deleted(WriteScope scope)
    {
        var touched = 0;
        foreach (var webhookNo in await WebhookSql.Deleted(scope, BatchMax))
        {
            var purged = await DeliverySql.PurgeOf(scope, webhookNo, BatchMax - touched);
            touched += purged;
            if (touched >= BatchMax)
            {
                return touched;
            }

            await WebhookSql.Forget(scope, webhookNo);
            touched++;
        }

        return touched;
    }

    private static async Task<int> Overdue(WriteScope scope)
    {
        var overdue = await DeliverySql.Overdue(scope, Before(scope.NowMs, PendingMax), BatchMax);
        foreach (var of in overdue.GroupBy(delivery => delivery.WebhookNo))
        {
            foreach (var delivery in of)
            {
                await DeliverySql.Tried(scope, delivery with
                {
                    State = WebhookDelivery.IsFailed, DueAtMs = null, Error = AttemptErrors.Expired, FinishedAtMs = scope.NowMs,
                });
            }

            var webhook = await WebhookSql.Find(scope, of.Key) ?? throw new InvalidOperationException("A delivery has a webhook.");
            var due = CourierBook.DueOf(webhook, await DeliverySql.NextDue(scope, of.Key), scope.NowMs);
            await WebhookSql.Expired(scope, of.Key, of.Count(), due);
        }

        return overdue.Count;
    }
}
