using Tollgate.Server.Storage;

namespace Tollgate.Server.Usage;

/// <summary>How long what is known of single requests is kept. Sums stay for good.</summary>
internal sealed record UsageOptions
{
    /// <summary>Days for which the log is kept.</summary>
    public int LogDays { get; init; } = 30;

    /// <summary>Days for which refusals are kept.</summary>
    public int RefusalDays { get; init; } = 7;
}

/// <summary>Lets go of old lines, so many in one write that others come in between.</summary>
internal sealed class UsageRetention(Database database, UsageOptions options)
{
    public const int RowsMax = 1_000;

    /// <summary>Removes everything that is too old by now; tells how many lines that were.</summary>
    public async Task<long> Trim(CancellationToken cancel = default)
    {
        var nowMs = database.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var (logMs, refusalMs) = (Cut(nowMs, options.LogDays), Cut(nowMs, options.RefusalDays));
        var rows = await Trim(logMs, UsageSql.TrimLog, cancel) + await Trim(refusalMs, UsageSql.TrimRefusals, cancel);
        var spansMs = Math.Min(logMs, refusalMs);
        if (await database.Read(connection => UsageSql.HasSpansBefore(connection, spansMs), cancel))
        {
            await Done(scope => UsageSql.TrimSpans(scope, spansMs), cancel);
        }

        return rows;
    }

    private async Task<long> Trim(long beforeMs, Func<WriteScope, long, long, int, Task<int>> trim, CancellationToken cancel)
    {
        // Nothing is written where there is nothing to do.
        if (!await database.Read(connection => UsageSql.HasSpansBefore(connection, beforeMs), cancel))
        {
            return 0;
        }

        var below = await database.Read(connection => UsageSql.LowestFrom(connection, beforeMs), cancel) ?? long.MaxValue;
        for (var all = 0L; ;)
        {
            var rows = await Done(scope => trim(scope, below, beforeMs, RowsMax), cancel);
            all += rows;
            if (rows < RowsMax)
            {
                return all;
            }
        }
    }

    private async Task<int> Done(Func<WriteScope, Task<int>> work, CancellationToken cancel)
    {
        var outcome = await database.Write<int>(async scope => await work(scope), cancel);
        return outcome.IsOk ? outcome.Value : throw new TimeoutException(outcome.Problem.Detail);
    }

    /// <summary>At a whole hour, as the spans are.</summary>
    private static long Cut(long nowMs, int days) => nowMs - (nowMs % UsageRange.HourMs) - (days * UsageRange.DayMs);
}
