namespace Tollgate.Client.AspNetCore;

/// <summary>
/// Verdicts that may be believed for a while. Reading takes no lock; everything that changes goes under one, so that an answer that was
/// under way while a change was applied finds the generation moved on and stays out.
/// </summary>
internal sealed class VerdictCache(TollgateOptions options, TimeProvider time)
{
    public const int RefusalsMax = 1_000;

    /// <summary>What is refused may be allowed the next moment, without a change that names it: a key just taken in.</summary>
    private static readonly TimeSpan RefusedFor = TimeSpan.FromSeconds(1);

    private readonly Lock _turn = new();

    /// <summary>Refusals have a table of their own: whoever sends junk pushes no good key out.</summary>
    private readonly VerdictTable _allowed = new(options.CacheEntriesMax);
    private readonly VerdictTable _refused = new(Math.Min(RefusalsMax, options.CacheEntriesMax));

    /// <summary>Written under the lock; grows with everything the feed tells.</summary>
    private long _generation;

    /// <summary>Written by the follower alone.</summary>
    private long _heardUpTo;

    /// <summary>A timestamp; the cache is believed before it. Written by the follower alone.</summary>
    private long _trustedUntil = long.MinValue;

    public long Generation => Volatile.Read(ref _generation);

    public bool IsTrusted => time.GetTimestamp() < Volatile.Read(ref _trustedUntil);

    public int Count => _allowed.Count + _refused.Count;

    /// <summary>What the gate said, when that may still be believed.</summary>
    public Verdict? Find(in QuestionHash hash)
    {
        if (!IsTrusted || !(_allowed.TryFind(hash, out var kept) || _refused.TryFind(hash, out kept)))
        {
            return null;
        }

        return time.GetTimestamp() < kept.Until && time.GetUtcNow() < kept.EndsAt ? kept.Verdict : null;
    }

    /// <summary>Keeps an answer to a question that was sent in this generation; nothing when it has moved on since.</summary>
    public void Keep(in QuestionHash hash, Verdict verdict, long generation)
    {
        var keptFor = verdict.Valid || options.CacheFor < RefusedFor ? options.CacheFor : RefusedFor;
        var until = time.GetTimestamp() + Ticks(keptFor);
        lock (_turn)
        {
            if (generation == _generation)
            {
                (verdict.Valid ? _refused : _allowed).RemoveLocked(hash);
                (verdict.Valid ? _allowed : _refused).PutLocked(new KeptVerdict(hash, verdict, until, EndOf(verdict)));
            }
        }
    }

    /// <summary>Does what the feed tells, and believes the cache from then on if that is everything.</summary>
    /// <param name="before">The page this one was asked from; null for the first.</param>
    /// <param name="page">What the gate answered.</param>
    /// <param name="askedAt">The timestamp of the sending: what changed before it is told by now, what changed after it may not be.</param>
    public void Apply(ChangePage? before, ChangePage page, long askedAt)
    {
        if (before is null || page.Reset || page.Epoch != before.Epoch || page.NextAfter < before.NextAfter)
        {
            Clear();
        }

        if (page.Data.Count > 0)
        {
            Drop(page.Data);
        }

        HeardUpTo = page.NextAfter;
        if (!page.HasMore)
        {
            Volatile.Write(ref _trustedUntil, askedAt + Ticks(options.RevocationBound));
        }
    }

    /// <summary>The last change of the gate's that this cache obeys.</summary>
    public long HeardUpTo
    {
        get => Volatile.Read(ref _heardUpTo);
        private set => Volatile.Write(ref _heardUpTo, value);
    }

    /// <summary>The feed is cut: from here on every request asks the gate.</summary>
    public void Distrust() => Volatile.Write(ref _trustedUntil, long.MinValue);

    private void Drop(IReadOnlyList<Change> changes)
    {
        var ids = changes.Select(change => change.Id).ToHashSet(StringComparer.Ordinal);
        lock (_turn)
        {
            Volatile.Write(ref _generation, _generation + 1);
            _allowed.RemoveLocked(kept => IsNamed(kept.Verdict.Key));
            _refused.RemoveLocked(kept => IsNamed(kept.Verdict.Key));
        }

        // A key that was unknown when it was asked about may be the one that has just been made.
        bool IsNamed(VerdictKey? key) =>
            key is null || ids.Contains(key.Id) || ids.Contains(key.ProjectId) || ids.Contains(key.OrganizationId);
    }

    private void Clear()
    {
        lock (_turn)
        {
            Volatile.Write(ref _generation, _generation + 1);
            _allowed.ClearLocked();
            _refused.ClearLocked();
        }
    }

    private static DateTimeOffset EndOf(Verdict verdict)
    {
        var (key, secret) = (verdict.Key?.ExpiresAt ?? DateTimeOffset.MaxValue, verdict.SecretEndsAt ?? DateTimeOffset.MaxValue);
        return key < secret ? key : secret;
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
