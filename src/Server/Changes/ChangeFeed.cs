using System.Security.Cryptography;
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

    private readonly WaitPlaces _places = new();

    /// <summary>Of this start of the gate. After another one everything may be different, the provider file too.</summary>
    public string Epoch { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <param name="caller">Sees what it may verify.</param>
    /// <param name="after">The last number it knows; null asks where the log stands.</param>
    /// <param name="epoch">Of the answer that number came in; null when it does not care.</param>
    /// <param name="wait">How long to wait where there is nothing.</param>
    /// <param name="cancel">Ends the wait: the caller has left.</param>
    public async Task<Outcome<ChangePage>> Read(Caller caller, long? after, string? epoch, TimeSpan wait, CancellationToken cancel)
    {
        var head = database.Changes.Seq;
        if (after is not { } known)
        {
            return new ChangePage([], head, HasMore: false, IsReset: false);
        }

        if (known > head || (epoch is not null && epoch != Epoch))
        {
            return new ChangePage([], head, HasMore: false, IsReset: true);
        }

        using var ends = new CancellationTokenSource(wait, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancel, lifetime.ApplicationStopping, ends.Token);
        for (var batches = 0; batches < BatchesMax; batches++)
        {
            if (database.Changes.Seq == known)
            {
                switch (await Wait(caller, known, any.Token, cancel))
                {
                    case Waited.NoPlace:
                        return new Problem(ProblemCode.Unavailable, "Too many callers are waiting for changes; try again in a moment.");
                    case Waited.InVain:
                        return new ChangePage([], known, known < head, IsReset: false);
                }
            }

            if (await tail.After(known, cancel) is not { } stretch)
            {
                return new ChangePage([], database.Changes.Seq, HasMore: false, IsReset: true);
            }

            known = stretch.To;
            if (stretch.Changes.Where(change => change.IsVisibleTo(caller)).ToList() is { Count: > 0 } visible)
            {
                return new ChangePage(visible, known, known < head, IsReset: false);
            }
        }

        return new ChangePage([], known, known < head, IsReset: false);
    }

    private async Task<Waited> Wait(Caller caller, long known, CancellationToken any, CancellationToken left)
    {
        if (any.IsCancellationRequested)
        {
            left.ThrowIfCancellationRequested();
            return Waited.InVain;
        }

        if (!_places.TryTake(caller))
        {
            return Waited.NoPlace;
        }

        try
        {
            await database.Changes.MovedBeyond(known).WaitAsync(any);
            return Waited.Moved;
        }
        catch (OperationCanceledException) when (!left.IsCancellationRequested)
        {
            return Waited.InVain;
        }
        finally
        {
            _places.Leave(caller);
        }
    }

    private enum Waited
    {
        Moved,
        InVain,
        NoPlace,
    }
}
