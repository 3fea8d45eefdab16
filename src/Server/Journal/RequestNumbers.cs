using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>
/// Numbers requests, each once for good: above the run, which the database counts at each start, and below the requests of this run. They
/// rise with time, and nothing is written to give one.
/// </summary>
internal sealed class RequestNumbers
{
    public const int CounterBits = 40;

    /// <summary>More starts than there will be.</summary>
    public const long RunMax = (1L << (63 - CounterBits)) - 1;

    private const int RunsSkipped = 1_000;
    private const string Series = "run";

    private long _last;

    /// <summary>Takes the next run, in the write that opens the journal. A write that fails takes none.</summary>
    public async Task Begin(WriteScope scope)
    {
        var run = await scope.NextNumber(Series);
        if (run > RunMax)
        {
            throw new StorageException($"The database has seen {RunMax} starts, and has no more numbers for requests.");
        }

        scope.AfterCommit(() => Volatile.Write(ref _last, run << CounterBits));
    }

    /// <summary>
    /// In a database that was restored, where nobody knows how many starts the lost one had seen: so many that none of its requests'
    /// numbers come again.
    /// </summary>
    public static Task SkipAhead(WriteScope scope) => scope.NextNumbers(Series, RunsSkipped);

    public long Next()
    {
        var number = Interlocked.Increment(ref _last);
        return number >> CounterBits != 0
            ? number
            : throw new InvalidOperationException("Requests have no numbers before the journal is open.");
    }
}
