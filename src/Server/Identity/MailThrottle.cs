using Tollgate.Engine.Verification;
using Tollgate.Server.Identity.Links;

namespace Tollgate.Server.Identity;

/// <summary>
/// How many mails somebody may cause in a rolling hour: of one kind to one address, from one network, and from one site. What a browser
/// asks for that the account knows is counted by itself, so that strangers who ask cannot use up what its owner may. Kept in memory,
/// within a bound.
/// </summary>
internal sealed class MailThrottle(TimeProvider time)
{
    public const int PerAddress = 5;
    public const int PerNetwork = 30;
    public const int PerSite = 150;

    /// <summary>Addresses that are remembered at a time, and as many networks and sites.</summary>
    public const int PlacesMax = 100_000;

    private static readonly TimeSpan Span = TimeSpan.FromHours(1);

    private readonly Lock _turn = new();

    /// <summary>Guarded by the lock, as is the other one.</summary>
    private readonly Counts<(string Address, string Kind, string? Device), Sent> _addresses = new(PlacesMax, 1);

    private readonly Counts<Origin, Sent> _origins = new(PlacesMax, 1);

    /// <summary>Whether this network may cause one more; a known device may, as far as its own count goes.</summary>
    public bool TryTake(ClientNetwork network, string? device = null)
    {
        if (device is not null)
        {
            return true;
        }

        var now = time.GetTimestamp();
        var (near, wide) = (Origin.Near(network), Origin.Wide(network));
        lock (_turn)
        {
            if (!MayLocked(_origins, near, PerNetwork, now) || !MayLocked(_origins, wide, PerSite, now))
            {
                return false;
            }

            CountLocked(_origins, near, now);
            CountLocked(_origins, wide, now);
            return true;
        }
    }

    /// <summary>Whether this address may be sent one more of a kind.</summary>
    public bool TryTake(EmailAddress email, LinkKind kind, string? device = null)
    {
        var now = time.GetTimestamp();
        var key = (email.Key, kind.Name, device);
        lock (_turn)
        {
            var may = MayLocked(_addresses, key, PerAddress, now);
            if (may)
            {
                CountLocked(_addresses, key, now);
            }

            return may;
        }
    }

    private bool MayLocked<TKey>(Counts<TKey, Sent> places, TKey key, int most, long now)
        where TKey : notnull
    {
        var old = now - Ticks(Span);
        if (places.Find(key, now).At is not { } sent)
        {
            return true;
        }

        while (sent.TryPeek(out var first) && first <= old)
        {
            sent.Dequeue();
        }

        return sent.Count < most;
    }

    private void CountLocked<TKey>(Counts<TKey, Sent> places, TKey key, long now)
        where TKey : notnull
    {
        var sent = places.Find(key, now).At ?? new Queue<long>(1);
        sent.Enqueue(now);
        places.Set(key, new Sent(sent), now + Ticks(Span), 0, now);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <param name="At">When each mail was, at most as many as there may be; null for none.</param>
    private readonly record struct Sent(Queue<long>? At);
}
