using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Changes;

/// <summary>
/// The change log for those who keep verdicts: a poll is answered as soon as there is something it may see, else when its time is up.
/// </summary>
internal sealed class ChangeFeed(Database database, ChangeTail tail, TimeProvider time, IHostApplicationLifetime lifetime)
{
    public const int WaitSecondsDefault = 25;
    public const int WaitSecondsMax = 30;

    /// <summary>Batches that one poll looks through for something visible, before it answers where it got to.</summary>
    private const int BatchesMax = 20;

    private static readonly Problem LockIsLost = new(
        ProblemCode.Unavailable, "The lock on the database is lost and is being taken again; try again in a moment.");

    private readonly WaitPlaces _places = new();

    /// <param name="caller">Sees what it may verify.</param>
    /// <param name="after">The last number it knows; null asks where the log stands.</param>
    /// <param name="epoch">Of the answer that number came in; null when it does not care.</param>
    /// <param name="wait">How long to wait where there is nothing.</param>
    /// <param name="cancel">Ends the wait: the caller has left.</param>
    public async Task<Outcome<ChangePage>> Read(Caller caller, long? after, string? epoch, TimeSpan wait, CancellationToken cancel)
    {
        var (lost, head) = (database.LockLost, database.Changes.End);
        if (!database.OwnsLock)
        {
            return LockIsLost;
        }

        if (after is not { } known)
        {
            return Nothing(head);
        }

        if (known > head.Seq || (epoch is not null && epoch != head.Epoch))
        {
            return Nothing(head) with { IsReset = true };
        }

        if (!_places.TryTake(caller))
        {
            return new Problem(ProblemCode.Unavailable, "Too many callers are waiting for changes; try again in a moment.");
        }

        try
        {
            using var ends = new CancellationTokenSource(wait, time);
            using var any = CancellationTokenSource.CreateLinkedTokenSource(cancel, lifetime.ApplicationStopping, ends.Token, lost);
            var page = await Find(caller, known, head, any.Token, cancel);
            // That nothing has changed is for the owner of the database to say: others may have changed it.
            return page.Changes.Count == 0 && (lost.IsCancellationRequested || !database.OwnsLock) ? LockIsLost : page;
        }
        finally
        {
            _places.Leave(caller);
        }
    }

    private async Task<ChangePage> Find(Caller caller, long known, LogEnd head, CancellationToken any, CancellationToken left)
    {
        for (var batches = 0; batches < BatchesMax; batches++)
        {
            var end = database.Changes.End;
            if (end.Epoch == head.Epoch && end.Seq == known && !await HasMoved(end, any, left))
            {
                break;
            }

            if (await tail.After(known, head.Epoch, left) is not { } stretch)
            {
                return Nothing(database.Changes.End) with { IsReset = true };
            }

            known = stretch.To;
            if (stretch.Changes.Where(change => change.IsVisibleTo(caller)).ToList() is { Count: > 0 } visible)
            {
                return new ChangePage(visible, known, known < head.Seq, head.Epoch);
            }
        }

        return new ChangePage([], known, known < head.Seq, head.Epoch);
    }

    private static ChangePage Nothing(LogEnd end) => new([], end.Seq, HasMore: false, end.Epoch);

    /// <summary>False when the wait ended in vain.</summary>
    private async Task<bool> HasMoved(LogEnd end, CancellationToken any, CancellationToken left)
    {
        try
        {
            any.ThrowIfCancellationRequested();
            await database.Changes.MovedBeyond(end).WaitAsync(any);
            return true;
        }
        catch (OperationCanceledException) when (!left.IsCancellationRequested)
        {
            return false;
        }
    }
}
