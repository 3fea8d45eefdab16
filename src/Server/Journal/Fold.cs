using System.Data.Common;
using System.Diagnostics;
using Tollgate.Engine.Usage;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Journal;

/// <summary>
/// Takes events out of the spool into the database, in their order, so many in one transaction with all that follows from them: the
/// log, the sums, the debits, what stays open, and up to where the spool is taken in. So an event is booked once, whenever the process
/// ends. Runs four times a second, or rarer where it takes long; at once when somebody waits for it, or when there are many. Who waits only
/// for what power loss cannot undo waits for a seal.
/// </summary>
internal sealed partial class Fold(
    Database database, Spool spool, UsageBook book, LastingLimits limits, RequestNumbers numbers, ILogger<Fold> log)
    : BackgroundService, IAsyncDisposable
{
    /// <summary>
    /// Events in one transaction, of those that wait: enough to share a commit, the sums of busy keys and the pages of idle ones, few
    /// enough to let other writes in between.
    /// </summary>
    public const int EventsMax = 32_768;

    /// <summary>Events in one seal, and in one fold where there are seals: the next must not wait for long.</summary>
    public const int EventsSealedMax = 4_000;

    /// <summary>Spools of other gates that did not end in order, whose place is remembered.</summary>
    private const int OthersMax = 100;

    private const int EveryMs = 250;
    private const int CatchUpMsMax = 2_000;

    /// <summary>
    /// While nobody waits, a fold rests so many times as long as the last one took, but not longer than this: requests come first.
    /// </summary>
    private const int RestFactor = 20;
    private const int RestMsMax = 20_000;
    private const int GapMs = 1;
    private const int RetryMsMin = 50;
    private const int RetryMsMax = 1_000;

    private readonly UsageEvent[] _events = new UsageEvent[EventsMax];
    private readonly Seals _seals = new(database, spool);
    private readonly FoldWaiters _waiters = new();

    private static readonly Problem NotAsThought = new(ProblemCode.Conflict, "Something is in the database already.");

    /// <summary>Written by whoever folds.</summary>
    private long _folded;

    /// <summary>Up to here events are in the database, folded or not; written by whoever folds.</summary>
    private long _sealed;

    /// <summary>When the fold last took all there was, and how long nothing is due after that.</summary>
    private long _doneAt;
    private TimeSpan _rest;

    /// <summary>How long it has taken since then.</summary>
    private TimeSpan _took;

    private long _lost;
    private bool _isOpen;

    /// <summary>Takes money of organizations within the write; needed where events have a price.</summary>
    public Func<WriteScope, IReadOnlyList<UsageDebit>, Task>? BookUsage { get; set; }

    /// <summary>Looks at what was refused, within the write.</summary>
    public Func<WriteScope, IReadOnlyList<BookedRefusal>, Task>? Watch { get; set; }

    /// <summary>Up to this event everything is in the database.</summary>
    public long Folded => Volatile.Read(ref _folded);

    /// <summary>Events that wait to be folded.</summary>
    public long Waiting => Math.Max(0, spool.Buffer.Last - Folded);

    /// <summary>Events that were folded since the start.</summary>
    public long Total { get; private set; }

    /// <summary>Transactions that took events in since the start.</summary>
    public long Writes { get; private set; }

    /// <summary>Transactions that made events safe before they were folded, since the start.</summary>
    public long Sealings => _seals.Writes;

    /// <summary>Attempts that failed since the start.</summary>
    public long Failures => Interlocked.Read(ref _lost);

    /// <summary>
    /// Completes when this event is booked in the database. Fails when it cannot be written now; it stays in the spool and is written
    /// later.
    /// </summary>
    public Task WaitFolded(long sequence) => _waiters.WaitFolded(sequence);

    /// <summary>
    /// Completes when this event is in the database, so that nothing undoes it, booked or not, together with others that will soon wait
    /// too. An outage does not fail it: what cannot be written now stays in the spool, which outlives the process, and is written later.
    /// </summary>
    /// <param name="sequence">The event.</param>
    /// <param name="underWay">How many there are that may come to wait: when all of them do, nobody waits for more.</param>
    public Task WaitSealed(long sequence, int underWay) => _waiters.WaitSealed(sequence, underWay);

    /// <summary>Up to which event a database knows a spool; null for one that it does not know.</summary>
    public static Task<long?> KnownTo(DbConnection connection, string spool) => JournalSql.Folded(connection, null, spool);

    /// <summary>Completes when everything that was appended before this call is in the database.</summary>
    public Task WaitAll() => WaitFolded(spool.Buffer.Last);

    /// <summary>The same for who only looks: where that takes too long or cannot be done now, he is told what there is.</summary>
    public async Task CatchUp(CancellationToken cancel)
    {
        try
        {
            await WaitAll().WaitAsync(TimeSpan.FromMilliseconds(CatchUpMsMax), cancel);
        }
        catch (Exception late) when (Database.IsOutage(late))
        {
            // It is logged by who folds.
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_isOpen)
        {
            await Close();
        }
    }

    /// <summary>A start that fails disposes what it never stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await base.StopAsync(CancellationToken.None);
        Dispose();
    }

    public override void Dispose()
    {
        _waiters.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var retryMs = RetryMsMin;
        try
        {
            while (true)
            {
                if (await TryWork(IsDue, stoppingToken))
                {
                    retryMs = RetryMsMin;
                    await _waiters.WaitForWork(EveryMs, stoppingToken);
                }
                else
                {
                    await Task.Delay(retryMs, stoppingToken);
                    retryMs = Math.Min(retryMs * 2, RetryMsMax);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is left is folded by the close, or by the next start.
        }
    }

    /// <summary>
    /// In time, or before so much waits that refusals would not be noted: that begins at half of the spool.
    /// </summary>
    private bool IsDue() => Waiting > 0 && (Stopwatch.GetElapsedTime(_doneAt) >= _rest || Waiting >= spool.Buffer.Capacity * 3L / 8);

    /// <summary>
    /// Seals and folds until nobody waits and nothing is due, or says that it cannot: who waits has been told, but for those that were
    /// sealed last, who are told by <see cref="FoldWaiters.WaitForWork"/> or <see cref="FoldWaiters.TellSealed"/>.
    /// </summary>
    private async Task<bool> TryWork(Func<bool> isDue, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var (seals, folds) = (_waiters.WantSeal, _waiters.WantFold || isDue());
                if (!seals && !folds)
                {
                    return true;
                }

                _waiters.TellSealed();
                if (!(seals && await Seal()) & !(folds && await FoldNext()))
                {
                    // Another thread has claimed a place and is about to fill it.
                    await Task.Delay(GapMs, cancel);
                }
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // nothing is lost by trying again, and everything by giving up
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Interlocked.Increment(ref _lost);
            Tell(fault);
            return false;
        }
    }

    /// <summary>False when there is nothing that could be sealed.</summary>
    private async Task<bool> Seal()
    {
        var count = spool.Buffer.Read(_sealed, _events.AsSpan(0, EventsSealedMax));
        if (count > 0)
        {
            await _seals.Add(_events.AsMemory(0, count));
            _sealed += count;
            _waiters.Advance(_folded, _sealed);
        }

        return count > 0;
    }

    /// <summary>False when there is nothing that could be folded.</summary>
    private async Task<bool> FoldNext()
    {
        var most = _seals.Any || _waiters.AnyForSeal ? EventsSealedMax : EventsMax;
        var count = spool.Buffer.Read(_folded, _events.AsSpan(0, most));
        if (count > 0)
        {
            var began = Stopwatch.GetTimestamp();
            var to = _seals.EndUpTo(_folded + count);
            await Commit(_events.AsMemory(0, (int)(to - _folded)), to);
            _took += Stopwatch.GetElapsedTime(began);
        }

        if (count < most)
        {
            // All there was; what came meanwhile has its time.
            _doneAt = Stopwatch.GetTimestamp();
            _rest = TimeSpan.FromMilliseconds(Math.Clamp(RestFactor * _took.TotalMilliseconds, EveryMs, RestMsMax));
            _took = TimeSpan.Zero;
        }

        return count > 0;
    }

    private async Task Commit(ReadOnlyMemory<UsageEvent> events, long to)
    {
        var from = _folded;
        var done = await TryCommit(events, from, to, checksBooked: false) ?? await TryCommit(events, from, to, checksBooked: true)
            ?? throw new InvalidOperationException("A request was booked twice in one write.");
        Failpoint.Pass("fold.committed");
        _seals.Removed(done);
        spool.Free(done);
        // Before anybody is told: who was told finds them counted.
        (Total, Writes) = (Total + events.Length, Writes + 1);
        Volatile.Write(ref _folded, done);
        _sealed = Math.Max(_sealed, done);
        _waiters.Advance(_folded, _sealed);
    }

    /// <summary>Up to where the spool is taken in; null when something in these events was booked before and must be left out.</summary>
    private async Task<long?> TryCommit(ReadOnlyMemory<UsageEvent> events, long from, long to, bool checksBooked)
    {
        RowsBatch? rows = null;
        var outcome = await database.Write<long>(async scope =>
        {
            rows = new RowsBatch(scope);
            JournalSql.Move(rows, spool.Id, from, to);
            _seals.Remove(rows, to);
            return await BookAll(scope, rows, events, checksBooked) ? to : NotAsThought;
        });
        return outcome.IsOk ? outcome.Value
            : rows?.Missed is null
                ? throw new TimeoutException($"What requests used could not be written: {outcome.Problem.Detail}")
            : JournalSql.IsMoved(rows) ? null
            : await Elsewhere(from);
    }

    /// <summary>A commit whose answer was lost had been made after all.</summary>
    private async Task<long> Elsewhere(long from) =>
        await database.Read(connection => JournalSql.Folded(connection, null, spool.Id)) is { } folded
        && folded > from && folded <= spool.Buffer.Last
            ? folded
            : throw new InvalidOperationException("The database does not know how far this spool was taken in: it was replaced meanwhile.");

    /// <summary>
    /// All that follows from the events, and what stands in <paramref name="rows"/> already; false when nothing of it may stay.
    /// </summary>
    private async Task<bool> BookAll(WriteScope scope, RowsBatch rows, ReadOnlyMemory<UsageEvent> events, bool checksBooked)
    {
        var debits = await Book(scope, rows, events, checksBooked);
        if (!await rows.Run())
        {
            return false;
        }

        Failpoint.Pass("fold.rows");
        if (debits.Count > 0)
        {
            await (BookUsage ?? throw new InvalidOperationException("Nobody takes the money that these requests cost."))(scope, debits);
        }

        Failpoint.Pass("fold.debits");
        return true;
    }

    /// <summary>Adds to <paramref name="rows"/> all that follows from the events but for the money, which it answers.</summary>
    private async Task<IReadOnlyList<UsageDebit>> Book(
        WriteScope scope, RowsBatch rows, ReadOnlyMemory<UsageEvent> events, bool checksBooked)
    {
        var needed = FoldBatch.NeededBy(events.Span);
        var known = needed.Count == 0
            ? []
            : (await JournalSql.Reservations(scope, needed)).ToDictionary(open => open.RequestNo);
        var booked = checksBooked ? await UsageBook.Booked(scope, RequestNosOf(events.Span)) : [];
        var batch = FoldBatch.Of(events.Span, limits, known, booked);
        if (Watch is not null && batch.Refusals.Count > 0)
        {
            await Watch(scope, batch.Refusals);
        }

        await book.Book(scope, rows, batch.Requests, batch.Refusals);
        UsageBook.NoteOldSecrets(rows, batch.OldSecretUses);
        JournalSql.Keep(rows, batch.Open);
        JournalSql.End(rows, batch.Ended);
        JournalSql.AddToWindows(rows, batch.Windows);
        return batch.Debits;
    }

    private static HashSet<long> RequestNosOf(ReadOnlySpan<UsageEvent> events)
    {
        var numbersOf = new HashSet<long>();
        foreach (ref readonly var happened in events)
        {
            numbersOf.Add(happened.RequestNo);
        }

        return numbersOf;
    }

    /// <summary>Who waits is told now; the events are tried again.</summary>
    private void Tell(Exception fault)
    {
        LogNotFolded(Database.IsOutage(fault) ? LogLevel.Warning : LogLevel.Error, fault, Waiting);
        _waiters.Fail(fault);
    }

    private async Task Close()
    {
        var isDone = await TryWork(() => Waiting > 0, CancellationToken.None);
        _waiters.TellSealed();
        if (isDone)
        {
            try
            {
                await database.Write<bool>(async scope =>
                {
                    await JournalSql.Close(scope, spool.Id);
                    return true;
                });
                return;
            }
            catch (Exception fault) when (Database.IsOutage(fault) || fault is ObjectDisposedException)
            {
                // Told below.
            }
        }

        LogLeft(Waiting, spool.Path);
        Tell(new TimeoutException("The gate is ending."));
    }

    [LoggerMessage(Message = "What requests used could not be written to the database; {Waiting} events wait in the spool")]
    private partial void LogNotFolded(LogLevel level, Exception fault, long waiting);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The gate ends with {Count} events in {Path} that are not in the database yet; its next start takes them in")]
    private partial void LogLeft(long count, string path);
}
