using Tollgate.Server.Storage;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Keys;

/// <summary>
/// Tells a week ahead that a key expires, once for each key and date: the date that was told is kept with the key, in the transaction of
/// the event. A key that is made or changed to expire sooner is told with the next look.
/// </summary>
internal sealed partial class ExpiryWatch(Database database, WebhookOutbox outbox, TimeProvider time, ILogger<ExpiryWatch> log)
    : BackgroundService
{
    /// <summary>Keys a write.</summary>
    public const int BatchMax = 200;

    public static readonly TimeSpan Ahead = TimeSpan.FromDays(7);

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    /// <summary>Tells of all that are due; how many there were.</summary>
    public async Task<int> Look(CancellationToken cancel)
    {
        var told = 0;
        while (true)
        {
            // Looked for first: most of the time there is none, and a write is not free.
            var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (!await database.Read(c => KeySql.HasExpiring(c, nowMs, nowMs + (long)Ahead.TotalMilliseconds), cancel))
            {
                return told;
            }

            var batch = await database.Write<int>(async scope => await Tell(scope), cancel);
            if (!batch.TryGet(out var count, out _) || count == 0)
            {
                return told;
            }

            told += count;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Look(stoppingToken);
                await Task.Delay(Every, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // the next look may go better, and nobody else would take it
            catch (Exception error)
#pragma warning restore CA1031
            {
                if (!Database.IsOutage(error))
                {
                    LogFailed(error);
                }

                await Task.Delay(Every, time, CancellationToken.None).WaitAsync(stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> Tell(WriteScope scope)
    {
        var keys = await KeySql.Expiring(scope, scope.NowMs + (long)Ahead.TotalMilliseconds, BatchMax);
        foreach (var of in keys.GroupBy(key => key.OrganizationId))
        {
            await outbox.Add(scope, of.Key, WebhookEvents.KeyExpiring, [.. of.Select(key => KeyEvents.Of(key, scope.NowMs))]);
        }

        if (keys.Count > 0)
        {
            await KeySql.ToldExpiring(scope, keys);
            Failpoint.Pass("key-expiring");
        }

        return keys.Count;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Keys that expire could not be looked for; it is tried again")]
    private partial void LogFailed(Exception error);
}
