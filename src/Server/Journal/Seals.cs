using System.Runtime.InteropServices;
using Tollgate.Engine.Usage;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>
/// Makes events safe against the loss of power before they are booked: all up to one, as they are, in one row of the database. That costs a
/// fraction of what follows from them, which the <see cref="Fold"/> then does for many together, and removes the row. Used by one caller at
/// a time, as the fold is.
/// </summary>
internal sealed class Seals(Database database, Spool spool)
{
    /// <summary>Where the seals end that are not folded yet, in order.</summary>
    private readonly Queue<long> _ends = new();

    /// <summary>
    /// Where the newest row begins that may be there, also after an attempt of which nobody knows how it ended; zero when there is none.
    /// </summary>
    private long _newest;

    public bool Any => _ends.Count > 0;

    /// <summary>Transactions that sealed events since the start.</summary>
    public long Writes { get; private set; }

    /// <summary>Seals events that stand in a row; see <see cref="Database.IsOutage"/> for what it throws.</summary>
    public async Task Add(ReadOnlyMemory<UsageEvent> events)
    {
        var (first, last) = (events.Span[0].Sequence, events.Span[^1].Sequence);
        _newest = first;
        var outcome = await database.Write<bool>(async scope =>
        {
            var rows = new RowsBatch(scope);
            SealSql.Put(rows, new SealRow
            {
                Spool = spool.Id, First = first, Last = last, Format = SpoolHeader.FormatVersion,
                Events = MemoryMarshal.AsBytes(events.Span).ToArray(),
            });
            await rows.Run();
            Failpoint.Pass("seal.row");
            return true;
        });
        if (!outcome.IsOk)
        {
            throw new TimeoutException($"What requests used could not be written: {outcome.Problem.Detail}");
        }

        Failpoint.Pass("seal.committed");
        Writes++;
        _ends.Enqueue(last);
    }

    /// <summary>
    /// Where a fold may end that would go to here: a seal is folded whole, as it is either there or not. None is longer than a fold may be.
    /// </summary>
    public long EndUpTo(long to) => _ends.Count == 0 || _ends.Last() <= to ? to : _ends.Last(last => last <= to);

    /// <summary>Removes what a fold up to here books.</summary>
    public void Remove(RowsBatch rows, long to)
    {
        if (_newest > 0)
        {
            SealSql.Remove(rows, spool.Id, to);
        }
    }

    /// <summary>After the commit of that fold.</summary>
    public void Removed(long to)
    {
        while (_ends.TryPeek(out var last) && last <= to)
        {
            _ends.Dequeue();
        }

        if (_newest <= to)
        {
            _newest = 0;
        }
    }

    /// <summary>The events of a row that an earlier process left.</summary>
    /// <exception cref="StorageException">Another version wrote it.</exception>
    public static ReadOnlyMemory<UsageEvent> EventsOf(SealRow left) =>
        left.Format == SpoolHeader.FormatVersion && left.Events.Length % UsageEvent.Bytes == 0
            ? MemoryMarshal.Cast<byte, UsageEvent>(left.Events).ToArray()
            : throw new StorageException(
                $"The database holds requests that are not booked yet, in format {left.Format}; this version reads "
                + $"{SpoolHeader.FormatVersion}. Start the version that wrote them once more, stop it in order, and start this one again.");
}

/// <summary>Events as they are, not booked yet.</summary>
internal sealed class SealRow
{
    public string Spool { get; init; } = "";

    public long First { get; init; }

    public long Last { get; init; }

    public long Format { get; init; }

    public byte[] Events { get; init; } = [];
}
