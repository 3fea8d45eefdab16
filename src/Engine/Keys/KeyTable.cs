namespace Tollgate.Engine.Keys;

/// <summary>
/// The keys in use, by the hash of their secrets. Checks read it without a lock, an await or an allocation; loads and changes take one lock
/// and hold it over no I/O. Full, it forgets keys that nobody used lately: forgetting is always safe, because a key that is not here is
/// read from the database. What may never happen, an old row replacing a newer one, is kept out by row versions, by <see cref="Drop"/>
/// and by the epoch of <see cref="BeginLoad"/>. The README of this folder tells the concurrency law.
/// </summary>
public sealed class KeyTable
{
    private const int AttemptsMax = 64;

    private readonly KeyTableOptions _options;
    private readonly Lock _lock = new();
    private readonly UnknownKeys _unknown;
    private readonly ChangeRing _changes;

    // What is inside is written under the lock; Clear puts another in its place.
    private volatile KeyStore _store;

    // Guarded by the lock: evictions of the stores before this one.
    private long _evictedBefore;

    public KeyTable(KeyTableOptions? options = null)
    {
        _options = options ?? new KeyTableOptions();
        _options.ThrowIfWrong();
        _unknown = new UnknownKeys(_options.UnknownMax);
        _changes = new ChangeRing(_options.ChangesKept);
        _store = new KeyStore(_options);
    }

    /// <summary>Secrets held.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _store.Slots.Used;
            }
        }
    }

    /// <summary>Bytes that the facts of the keys held take, headers included.</summary>
    public long FactsBytes
    {
        get
        {
            lock (_lock)
            {
                return _store.Facts.LiveBytes;
            }
        }
    }

    /// <summary>Keys that had to go for want of room; where this rises steadily, the table is too small for the keys in use.</summary>
    public long Evicted
    {
        get
        {
            lock (_lock)
            {
                return _evictedBefore + _store.Evicted;
            }
        }
    }

    /// <summary>
    /// Counts the probes of checks for tests that compare work, not time. Null in service: a test of a field that never changes.
    /// </summary>
    internal LookupCount? Lookups { get; init; }

    internal int SlotCount => _store.Slots.Count;

    internal int ProfileCount => _store.Profiles.Count;

    internal int ChunksInUse => _store.Facts.ChunksInUse;

    /// <summary>To be called as soon as the hash is known, ahead of <see cref="Find"/>, by who has something to do in between.</summary>
    public void Prefetch(in KeyHash hash) => _store.Slots.Prefetch(in hash);

    /// <summary>Finds a key by its secret's hash. False says only that it is not in memory.</summary>
    public bool Find(in KeyHash hash, out KeyEntryView view)
    {
        Lookups?.NoteFind();
        ReadResult result = _store.Slots.Read(in hash, out view);
        return result == ReadResult.Undecided ? FindAgain(in hash, out view) : result == ReadResult.Found;
    }

    /// <summary>Whether the database is known not to know this hash.</summary>
    public bool IsUnknown(in KeyHash hash)
    {
        Lookups?.NoteUnknown();
        return _unknown.Contains(in hash);
    }

    /// <summary>
    /// To be called before the database is read; what comes back goes into <see cref="EndLoad"/> or <see cref="EndLoadUnknown"/>.
    /// </summary>
    public long BeginLoad() => _changes.Epoch;

    /// <summary>
    /// Takes in a key that was read after <see cref="BeginLoad"/>. False when the key changed since: read it again. A newer entry stays.
    /// </summary>
    public bool EndLoad(long epoch, KeyEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        entry.ThrowIfWrong();
        lock (_lock)
        {
            if (_changes.HasKeyChanged(epoch, entry.KeyNo))
            {
                return false;
            }

            _unknown.Remove(entry.Hash);
            if (!_store.TryPut(entry))
            {
                // So many different profiles that none can be added: what is here goes, and comes back as it is used.
                ClearLocked();
                return false;
            }

            return true;
        }
    }

    /// <summary>
    /// Remembers that the database does not know a hash. False when a key with it has come since <see cref="BeginLoad"/>.
    /// </summary>
    public bool EndLoadUnknown(long epoch, in KeyHash hash)
    {
        lock (_lock)
        {
            if (_changes.HasHashChanged(epoch, in hash))
            {
                return false;
            }

            _unknown.Add(in hash);
            return true;
        }
    }

    /// <summary>
    /// A key has changed: when this returns, no check that starts sees what it was, and no load under way can bring it back. The next check
    /// of one of its secrets is answered "not loaded". Tells whether the key was loaded.
    /// </summary>
    public bool Drop(uint keyNo)
    {
        lock (_lock)
        {
            _changes.NoteKey(keyNo);
            return _store.Remove(keyNo);
        }
    }

    /// <summary>A secret has come to be, by creation, import or rotation: it may no longer count as unknown.</summary>
    public void Forget(in KeyHash hash)
    {
        lock (_lock)
        {
            _changes.NoteHash(in hash);
            _unknown.Remove(in hash);
        }
    }

    /// <summary>Forgets everything and refuses every load under way.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            ClearLocked();
        }
    }

    private void ClearLocked()
    {
        _changes.NoteEverything();
        _unknown.Clear();
        _evictedBefore += _store.Evicted;
        _store = new KeyStore(_options);
    }

    // A writer crossed the look-up. Writers are few and short; where one is stuck all the same, "not here" sends the caller to the
    // database.
    private bool FindAgain(in KeyHash hash, out KeyEntryView view)
    {
        SpinWait spin = default;
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            spin.SpinOnce();
            ReadResult result = _store.Slots.Read(in hash, out view);
            if (result != ReadResult.Undecided)
            {
                return result == ReadResult.Found;
            }
        }

        view = default;
        return false;
    }
}

/// <summary>How often checks probed the table and the unknown hashes. For one thread.</summary>
internal sealed class LookupCount
{
    public int Finds { get; private set; }

    public int Unknowns { get; private set; }

    public void NoteFind() => Finds++;

    public void NoteUnknown() => Unknowns++;
}
