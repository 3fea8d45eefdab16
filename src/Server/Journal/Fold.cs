using System.Data.Common;
using Tollgate.Engine.Usage;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Journal;

/// <summary>
/// Takes events out of the spool into the database, in their order, so many in one transaction with all that follows from them: the
/// log, the sums, the debits, what stays open, and up to where the spool is taken in. So an event is booked once, whenever the process
/// ends. Runs at once when somebody waits, or after a few milliseconds where others are about to, else four times a second.
/// </summary>
internal sealed partial class Fold(
    Database database, Spool spool, UsageBook book, LastingLimits limits, RequestNumbers numbers, ILogger<Fold> log)
    : BackgroundService, IAsyncDisposable
{
    /// <summary>
    /// Events in one transaction, of those that wait: enough to share a commit and the sums of busy keys, few enough to let other writes in
    /// between.
    /// </summary>
    public const int EventsMax = 4_000;

    /// <summary>Spools of other gates that did not end in order, whose place is remembered.</summary>
    private const int OthersMax = 100;

    private const int EveryMs = 250;
    private const int GapMs = 1;

    /// <summary>How long who shares a write waits for others at the most.</summary>
    private const int GroupMs = 5;
    private const int RetryMsMin = 50;
    private const int RetryMsMax = 1_000;

    private readonly UsageEvent[] _events = new UsageEvent[EventsMax];
    private readonly SemaphoreSlim _wake = new(0);

    /// <summary>1 while a wake-up is under way.</summary>
    private int _isWoken;

    private static readonly Problem NotAsThought = new(ProblemCode.Conflict, "Something is in the database already.");

    private readonly Lock _turn = new();

    /// <summary>Who waits, for which event, and whether others may join; touched under the lock.</summary>
    private readonly List<(long Sequence, TaskCompletionSource Folded, bool Shares)> _waiters = [];

    /// <summary>Whether one of these cannot wait for others, or has; touched under the lock.</summary>
    private bool _isPressed;

    /// <summary>Written by whoever folds, under the lock.</summary>
    private long _folded;

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

    /// <summary>Attempts that failed since the start.</summary>
    public long Failures => Interlocked.Read(ref _lost);

    /// <summary>
    /// Takes the spool into use, and folds what an earlier process left in it, before anything is served. The run of request numbers begins
    /// in the same write.
    /// </summary>
    /// <exception cref="StorageException">The spool holds events of another history than this database's.</exception>
    public async Task Open(CancellationToken cancel = default)
    {
        var opened = await database.Write<long>(OpenIn, cancel);
        _folded = opened.IsOk ? opened.Value : throw new StorageException($"The journal could not be opened: {opened.Problem.Detail}");
        var left = spool.Left(_folded);
        for (var done = 0; done < left.Count; done += EventsMax)
        {
            await Commit(Take(left.Skip(done).Take(EventsMax)), left[Math.Min(done + EventsMax, left.Count) - 1]);
        }

        // What stands behind the last whole event was never whole: the next event takes its place.
        _isOpen = true;
        if (left.Count > 0)
        {
            LogRecovered(left.Count);
        }
    }

    /// <summary>
    /// Completes when this event is in the database for good. Fails when it cannot be written now; it stays in the spool and is written
    /// later.
    /// </summary>
    public Task WaitFolded(long sequence) => Wait(sequence, underWay: null);

    /// <summary>
    /// The same for who shares the write with others that will soon wait too, and has no use for the failure: what cannot be written now
    /// stays in the spool, which outlives the process.
    /// </summary>
    /// <param name="sequence">The event.</param>
    /// <param name="underWay">How many there are that may come to wait: when all of them do, nobody waits for more.</param>
    public async Task WaitBooked(long sequence, int underWay)
    {
        try
        {
            await Wait(sequence, underWay);
        }
        catch (Exception outage) when (Database.IsOutage(outage))
        {
            // It is logged by who folds.
        }
    }

    private Task Wait(long sequence, int? underWay)
    {
        TaskCompletionSource waiter;
        bool isPressed;
        lock (_turn)
        {
            if (sequence <= _folded)
            {
                return Task.CompletedTask;
            }

            waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((sequence, waiter, underWay is not null));
            isPressed = _isPressed |= underWay is null || _waiters.Count >= underWay;
            if (!isPressed && _waiters.Count == 1)
            {
                _ = PressLater();
            }
        }

        if (isPressed)
        {
            Wake();
        }

        return waiter.Task;
    }

    private async Task PressLater()
    {
        await Task.Delay(GroupMs);
        lock (_turn)
        {
            _isPressed = true;
        }

        Wake();
    }

    /// <summary>Up to which event a database knows a spool; null for one that it does not know.</summary>
    public static Task<long?> KnownTo(DbConnection connection, string spool) => JournalSql.Folded(connection, null, spool);

    /// <summary>Completes when everything that was appended before this call is in the database.</summary>
    public Task WaitAll() => WaitFolded(spool.Buffer.Last);

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
        _wake.Dispose();
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
                if (await TryFoldAll(stoppingToken))
                {
                    retryMs = RetryMsMin;
                    await _wake.WaitAsync(EveryMs, stoppingToken);
                    Volatile.Write(ref _isWoken, 0);
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

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) == 0)
        {
            _wake.Release();
        }
    }

    /// <summary>Folds until nothing is left, or says that it cannot: who waits has been told.</summary>
    private async Task<bool> TryFoldAll(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var count = spool.Buffer.Read(_folded, _events);
                if (count > 0)
                {
                    await Commit(_events.AsMemory(0, count), _folded + count);
                }
                else if (IsPressed() && Waiting > 0)
                {
                    // Another thread has claimed a place and is about to fill it.
                    await Task.Delay(GapMs, cancel);
                }

                if (count < EventsMax && !(IsPressed() && Waiting > 0))
                {
                    return true;
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

    private bool IsPressed()
    {
        lock (_turn)
        {
            return _isPressed && _waiters.Count > 0;
        }
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
        spool.Free(done);
        // Before anybody is told: who was told finds them counted.
        (Total, Writes) = (Total + events.Length, Writes + 1);
        Advance(done);
    }

    /// <summary>Up to where the spool is taken in; null when something in these events was booked before and must be left out.</summary>
    private async Task<long?> TryCommit(ReadOnlyMemory<UsageEvent> events, long from, long to, bool checksBooked)
    {
        RowsBatch? rows = null;
        var outcome = await database.Write<long>(async scope =>
        {
            rows = new RowsBatch(scope);
            JournalSql.Move(rows, spool.Id, from, to);
            var debits = await Book(scope, rows, events, checksBooked);
            if (!await rows.Run())
            {
                return NotAsThought;
            }

            Failpoint.Pass("fold.rows");
            if (debits.Count > 0)
            {
                await (BookUsage ?? throw new InvalidOperationException("Nobody takes the money that these requests cost."))(scope, debits);
            }

            Failpoint.Pass("fold.debits");
            return to;
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

    private void Advance(long folded)
    {
        lock (_turn)
        {
            _folded = folded;
            _waiters.RemoveAll(waiter => waiter.Sequence <= folded && waiter.Folded.TrySetResult());
            _isPressed = _waiters.Exists(waiter => !waiter.Shares);
            if (!_isPressed && _waiters.Count > 0)
            {
                _ = PressLater();
            }
        }
    }

    /// <summary>Who waits is told now; the events are tried again.</summary>
    private void Tell(Exception fault)
    {
        LogNotFolded(Database.IsOutage(fault) ? LogLevel.Warning : LogLevel.Error, fault, Waiting);
        lock (_turn)
        {
            _waiters.ForEach(waiter => waiter.Folded.TrySetException(fault));
            _waiters.Clear();
            _isPressed = false;
        }
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
        if (await TryFoldAll(CancellationToken.None) && Waiting == 0)
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
