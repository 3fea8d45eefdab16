using Tollgate.Engine.Verification;

namespace Tollgate.Server.Identity;

/// <summary>
/// Slows down who guesses: after a few failed tries each further one waits twice as long, by account, by network and by site, up to a
/// quarter of an hour. An account that does not exist is slowed down just as well. A browser on which somebody has signed in to the account
/// is counted by itself, so that strangers who guess cannot keep its owner out. A try counts as failed until it is forgiven, so that a
/// thousand at once are no way around it. Kept in memory, within a bound; a restart forgets it.
/// </summary>
internal sealed class TryThrottle(TimeProvider time)
{
    /// <summary>Tries on one account before the first wait.</summary>
    public const int AccountFree = 3;

    /// <summary>Tries from one network: people share one.</summary>
    public const int NetworkFree = 20;

    /// <summary>Tries from all networks of one site.</summary>
    public const int SiteFree = 100;

    /// <summary>Accounts that are remembered at a time, and as many networks and sites.</summary>
    public const int PlacesMax = 100_000;

    /// <summary>Waits double from the first; the last is as long as the longest.</summary>
    private const int Waits = 9;

    /// <summary>The longest wait, and how long after the end of its wait a place is forgotten.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan First = TimeSpan.FromSeconds(4);

    private readonly Lock _turn = new();

    /// <summary>Guarded by the lock, as is the other one. A row for each length of wait, and one for none.</summary>
    private readonly Counts<(string Account, string? Device), Place> _accounts = new(PlacesMax, Waits + 1);

    private readonly Counts<Origin, Place> _origins = new(PlacesMax, Waits + 1);

    /// <summary>
    /// Takes a try. False when it comes too early, with the seconds after which it would not, and then nothing is counted.
    /// </summary>
    /// <param name="account">What is guessed at: a kind of try and a canonical address.</param>
    /// <param name="network">From where. Not asked of a known device.</param>
    /// <param name="retrySeconds">At least 1 when it is refused.</param>
    /// <param name="device">By which the account knows the browser; null for a stranger's.</param>
    public bool TryTake(string account, ClientNetwork network, out int retrySeconds, string? device = null)
    {
        var now = time.GetTimestamp();
        var (near, wide) = (Origin.Near(network), Origin.Wide(network));
        lock (_turn)
        {
            var opensAt = _accounts.Find((account, device), now).OpensAt;
            if (device is null)
            {
                opensAt = Math.Max(opensAt, Math.Max(_origins.Find(near, now).OpensAt, _origins.Find(wide, now).OpensAt));
            }

            if (opensAt > now)
            {
                retrySeconds = (int)Math.Ceiling(time.GetElapsedTime(now, opensAt).TotalSeconds);
                return false;
            }

            CountLocked(_accounts, (account, device), AccountFree, now);
            if (device is null)
            {
                CountLocked(_origins, near, NetworkFree, now);
                CountLocked(_origins, wide, SiteFree, now);
            }

            retrySeconds = 0;
            return true;
        }
    }

    /// <summary>The try was right: the account starts anew, and where it came from has one failure less.</summary>
    public void Forgive(string account, ClientNetwork network, string? device = null)
    {
        lock (_turn)
        {
            _accounts.Remove((account, device));
            GiveBackLocked(network, device);
        }
    }

    /// <summary>The try was none: nobody has looked whether it is right.</summary>
    public void GiveBack(string account, ClientNetwork network, string? device = null)
    {
        lock (_turn)
        {
            _accounts.Change((account, device), Less);
            GiveBackLocked(network, device);
        }
    }

    private void GiveBackLocked(ClientNetwork network, string? device)
    {
        if (device is null)
        {
            _origins.Change(Origin.Near(network), Less);
            _origins.Change(Origin.Wide(network), Less);
        }
    }

    private static Place Less(Place place) => new(Math.Max(0, place.Tries - 1), 0);

    private void CountLocked<TKey>(Counts<TKey, Place> places, TKey key, int free, long now)
        where TKey : notnull
    {
        var tries = places.Find(key, now).Tries + 1;
        var row = Math.Clamp(tries - free + 1, 0, Waits);
        var wait = row == 0 ? TimeSpan.Zero : row == Waits ? Most : First * (1 << (row - 1));
        var opensAt = now + (long)(wait.TotalSeconds * time.TimestampFrequency);
        places.Set(key, new Place(tries, opensAt), opensAt + (long)(Most.TotalSeconds * time.TimestampFrequency), row, now);
    }

    /// <param name="Tries">Not forgiven.</param>
    /// <param name="OpensAt">When the next one may come.</param>
    private readonly record struct Place(int Tries, long OpensAt);
}
