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
    /// Takes the spool into use, and folds what an earlier process left in it, before anything is served. The run of request numbers begins
    /// in the same write.
    /// </summary>
    /// <exception cref="StorageException">The spool holds events of another history than this database's.</exception>
    public async Task Open(CancellationToken cancel = default)
    {
        while (await database.Read(SealSql.First, cancel) is { } left)
        {
            await TakeIn(left);
        }

        var opened = await database.Write<long>(OpenIn, cancel);
        _folded = _sealed = opened.IsOk
            ? opened.Value
            : throw new StorageException($"The journal could not be opened: {opened.Problem.Detail}");
        _waiters.Advance(_folded, _sealed);
        var waiting = spool.Left(_folded);
        for (var done = 0; done < waiting.Count; done += EventsMax)
        {
            await Commit(Take(waiting.Skip(done).Take(EventsMax)), waiting[Math.Min(done + EventsMax, waiting.Count) - 1]);
        }

        // What stands behind the last whole event was never whole: the next event takes its place.
        _isOpen = true;
        if (waiting.Count > 0)
        {
            LogRecovered(waiting.Count);
        }
    }

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
    public async Task WaitSealed(long sequence, int underWay)
    {
        try
        {
            await _waiters.WaitSealed(sequence, underWay);
        }
        catch (Exception outage) when (Database.IsOutage(outage))
        {
            // It is logged by who folds.
        }
    }

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

    /// <summary>Seals and folds until nobody waits and nothing is due, or says that it cannot: who waits has been told.</summary>
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

    private ReadOnlyMemory<UsageEvent> Take(IEnumerable<long> sequences)
    {
        var count = 0;
        foreach (var sequence in sequences)
        {
            if (spool.Buffer.TryRead(sequence, out _events[count]))
            {
                count++;
            }
        }

        return _events.AsMemory(0, count);
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

    /// <summary>Books what an earlier process had sealed, of this spool or another one.</summary>
    private async Task TakeIn(SealRow left)
    {
        var events = Seals.EventsOf(left);
        var outcome = await database.Write<long>(async scope =>
        {
            var rows = new RowsBatch(scope);
            SealSql.Remove(rows, left.Spool, left.First);
            JournalSql.Raise(rows, left.Spool, left.Last);
            return await BookAll(scope, rows, events, checksBooked: true) ? left.Last : NotAsThought;
        });
        if (!outcome.IsOk)
        {
            throw new StorageException($"Requests that wait in the database could not be booked: {outcome.Problem.Detail}");
        }

        LogRecovered(events.Length);
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

    /// <summary>Where the database stands with this spool; see <see cref="Open(CancellationToken)"/>.</summary>
    private async Task<Outcome<long>> OpenIn(WriteScope scope)
    {
        var folded = await JournalSql.Folded(scope.Connection, scope.Transaction, spool.Id) switch
        {
            null when spool.Left(spool.Freed).Count > 0 => throw Foreign(),
            null => spool.Buffer.Last,
            { } known when known < spool.Freed => throw new StorageException(
                $"The database ends before {spool.Path}: requests up to {spool.Freed} were taken into it, and it knows them up to {known}. "
                + "An older copy was put in its place. Put the newer one back, or move the spool away to go on without those requests."),
            { } known when known > spool.Buffer.Last => Renamed(),
            { } known => known,
        };
        foreach (var (other, openedAtMs) in await JournalSql.OpenBeside(scope, spool.Id))
        {
            LogLeftBehind(other, DateTimeOffset.FromUnixTimeMilliseconds(openedAtMs), spool.Path);
        }

        await JournalSql.ForgetOthers(scope, spool.Id, OthersMax);
        await JournalSql.Open(scope, spool.Id, folded);
        await numbers.Begin(scope);
        return folded;

        // The power went and took the newest pages of the file with it, but not of the database. Its numbers must not come again.
        long Renamed()
        {
            spool.Rename();
            return spool.Buffer.Last;
        }
    }

    private StorageException Foreign() => new(
        $"{spool.Path} holds {spool.Left(spool.Freed).Count} requests of another database, or of this one before it was restored. They do "
        + "not belong into this one. Start the gate on the database they belong to, or move the file away to go on without them.");

    private async Task Close()
    {
        if (await TryWork(() => Waiting > 0, CancellationToken.None))
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

    [LoggerMessage(Level = LogLevel.Information, Message = "Took in {Count} events that an earlier process had left in the spool")]
    private partial void LogRecovered(int count);

    [LoggerMessage(Message = "What requests used could not be written to the database; {Waiting} events wait in the spool")]
    private partial void LogNotFolded(LogLevel level, Exception fault, long waiting);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The gate ends with {Count} events in {Path} that are not in the database yet; its next start takes them in")]
    private partial void LogLeft(long count, string path);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A gate with another spool ({Spool}, opened {OpenedAt}) did not end in order; requests it had not written yet are in its "
            + "file {Path} on its machine, and come into this database when a gate runs there again")]
    private partial void LogLeftBehind(string spool, DateTimeOffset openedAt, string path);
}
