using Tollgate.Server.Storage;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Journal;

/// <summary>Lets go of what is too old: lines of the log, refusals, slots of windows. At the start, and then every ten minutes.</summary>
internal sealed partial class Upkeep(
    Database database, UsageRetention retention, LastingLimits limits, TimeProvider time, ILogger<Upkeep> log) : BackgroundService
{
    private const int RowsMax = 1_000;
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    /// <summary>Removes everything that is too old by now.</summary>
    public async Task Run(CancellationToken cancel = default)
    {
        await retention.Trim(cancel);
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var longestMs = nowMs;
        foreach (var (_, name, sinceMs) in limits.Windows(nowMs))
        {
            longestMs = Math.Min(longestMs, sinceMs);
            await Trim(sinceMs, scope => JournalSql.TrimWindows(scope, name, sinceMs, RowsMax), cancel);
        }

        // Of a limit that the file no longer has, as long as the longest that it has: it may come back.
        await Trim(longestMs, scope => JournalSql.TrimAllWindows(scope, longestMs, RowsMax), cancel);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await Run(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // it is done next time
            catch (Exception fault)
#pragma warning restore CA1031
            {
                LogNotTrimmed(fault);
            }

            try
            {
                await Task.Delay(Every, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task Trim(long beforeMs, Func<WriteScope, Task<int>> trim, CancellationToken cancel)
    {
        // Nothing is written where there is nothing to do.
        while (await database.Read(connection => JournalSql.HasWindowsBefore(connection, beforeMs), cancel))
        {
            var outcome = await database.Write<int>(async scope => await trim(scope), cancel);
            if (!outcome.IsOk || outcome.Value < RowsMax)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old usage could not be let go of; it is tried again in ten minutes")]
    private partial void LogNotTrimmed(Exception fault);
}
