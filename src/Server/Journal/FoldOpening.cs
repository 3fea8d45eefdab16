using Tollgate.Engine.Usage;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>The start: what earlier processes left is booked before anything is served.</summary>
internal sealed partial class Fold
{
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

    [LoggerMessage(Level = LogLevel.Information, Message = "Took in {Count} events that an earlier process had left in the spool")]
    private partial void LogRecovered(int count);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A gate with another spool ({Spool}, opened {OpenedAt}) did not end in order; requests it had not written yet are in its "
            + "file {Path} on its machine, and come into this database when a gate runs there again")]
    private partial void LogLeftBehind(string spool, DateTimeOffset openedAt, string path);
}
