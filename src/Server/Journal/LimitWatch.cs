using Tollgate.Server.Storage;
using Tollgate.Server.Usage;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Journal;

/// <summary>
/// Tells by webhook of keys that one limit goes on refusing: in each minute of five, once until a minute passes without a refusal. What it
/// knows is in memory; a restart begins to count anew.
/// </summary>
/// <remarks>Touched inside the fold's write only, of which there is one at a time.</remarks>
internal sealed class LimitWatch(WebhookOutbox outbox)
{
    /// <summary>Keys and limits that are watched at a time; who comes when there are more is not, until some have gone quiet.</summary>
    public const int WatchedMax = 10_000;

    public const long SustainedMs = 5 * MinuteMs;

    private const long MinuteMs = 60_000;

    /// <summary>A minute without a refusal, wherever the minutes begin.</summary>
    private const long QuietMs = 2 * MinuteMs;

    private readonly Dictionary<(long KeyNo, string Limit), Refusing> _refusing = [];

    private long _sweptAtMs;

    /// <summary>Takes note of refusals in their order, and tells of those that have lasted.</summary>
    public async Task Note(WriteScope scope, IReadOnlyList<BookedRefusal> refusals)
    {
        foreach (var refusal in refusals)
        {
            if (refusal.LimitName is { } limit && At((refusal.KeyNo, limit), refusal.AtMs) is { } refusing)
            {
                refusing.Add(refusal.AtMs);
                if (!refusing.IsTold && refusal.AtMs - refusing.SinceMs >= SustainedMs)
                {
                    await Tell(scope, refusal.KeyNo, limit, refusing);
                }
            }
        }
    }

    private Refusing? At((long KeyNo, string Limit) of, long atMs)
    {
        if (_refusing.TryGetValue(of, out var found) && atMs - found.LastMs < QuietMs)
        {
            return found;
        }

        if (found is null && _refusing.Count >= WatchedMax && Math.Abs(atMs - _sweptAtMs) >= MinuteMs)
        {
            _sweptAtMs = atMs;
            foreach (var quiet in _refusing.Where(one => atMs - one.Value.LastMs >= QuietMs).Select(one => one.Key).ToList())
            {
                _refusing.Remove(quiet);
            }
        }

        return found is not null || _refusing.Count < WatchedMax ? _refusing[of] = new Refusing(atMs) : null;
    }

    private async Task Tell(WriteScope scope, long keyNo, string limit, Refusing refusing)
    {
        // Once in this write, whatever becomes of it; if it is not committed, the next refusal tells.
        refusing.IsTold = true;
        scope.AfterRollback(() => refusing.IsTold = false);
        if (await UsageReader.FindKey(scope, keyNo) is { } key)
        {
            await outbox.Add(
                scope, key.OrganizationNo, key.ProjectId, WebhookEvents.LimitSustained,
                new LimitEvent(key.KeyId, limit, refusing.Count, DateTimeOffset.FromUnixTimeMilliseconds(refusing.SinceMs)));
        }
    }

    private sealed class Refusing(long sinceMs)
    {
        public long SinceMs { get; } = sinceMs;

        public long LastMs { get; private set; } = sinceMs;

        public long Count { get; private set; }

        public bool IsTold { get; set; }

        public void Add(long atMs) => (LastMs, Count) = (Math.Max(LastMs, atMs), Count + 1);
    }
}
