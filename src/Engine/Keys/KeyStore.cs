namespace Tollgate.Engine.Keys;

/// <summary>
/// What a <see cref="KeyTable"/> holds at a time: slots, their index by key number, and the facts. Every method runs under the table's
/// lock; <see cref="Slots"/> alone is read without.
/// </summary>
internal sealed class KeyStore
{
    private const int SlotsMin = 64;

    // The hand passes so many used keys before it takes one all the same: an eviction's time is bounded.
    private const int SecondChancesMax = 1_024;

    private readonly KeyTableOptions _options;
    private readonly int _slotsMax;
    private readonly FactsArena _facts;
    private readonly KeyProfiles _profiles;
    private KeyNoIndex _byKeyNo;
    private int _hand;

    // Replaced by growth only. Readers take it anew for every look-up.
    private volatile KeySlots _slots;

    public KeyStore(KeyTableOptions options)
    {
        _options = options;
        _slotsMax = SlotsFor(options.KeysMax);
        _facts = new FactsArena(options.FactsBytesMax, options.ChunkBytes);
        _profiles = new KeyProfiles(options.ProfilesMax);
        _slots = new KeySlots(SlotsFor(options.KeysAtStart), _facts, _profiles);
        _byKeyNo = new KeyNoIndex(_slots);
    }

    public KeySlots Slots => _slots;

    public FactsArena Facts => _facts;

    public KeyProfiles Profiles => _profiles;

    /// <summary>Keys that had to go for want of room, one after another since this store was made.</summary>
    public long Evicted { get; private set; }

    /// <summary>
    /// Adds one secret of a key. What is held of an older version of the key's row goes; what is held of this version stays beside it, on
    /// the same facts; where a newer one is held, nothing happens. False, with nothing done, when its profile finds no place.
    /// </summary>
    public bool TryPut(KeyEntry entry)
    {
        if (!_profiles.TryNumberOf(entry.Profile, out uint profile))
        {
            return false;
        }

        Put(entry, profile);
        return true;
    }

    private void Put(KeyEntry entry, uint profile)
    {
        Span<int> found = stackalloc int[KeyEntry.SecretsMax];
        int count = _byKeyNo.Collect(entry.KeyNo, found);
        long held = count > 0 ? _facts.VersionOf(_slots[found[0]].Facts) : entry.Version;
        if (held > entry.Version)
        {
            return;
        }

        int index = _slots.Find(entry.Hash);
        if (index >= 0 && _slots[index].KeyNo == entry.KeyNo && held == entry.Version)
        {
            // Written again all the same: its project may stand at another index since the projects were cleared.
            _slots.Write(index, SlotOf(entry, profile, _slots[index].Facts));
            return;
        }

        if (index >= 0 && _slots[index].KeyNo != entry.KeyNo)
        {
            // The database lets a hash have one key; this one's was erased, and we had not heard of it.
            Remove(_slots[index].KeyNo);
            count = _byKeyNo.Collect(entry.KeyNo, found);
        }

        if (count == KeyEntry.SecretsMax || held < entry.Version)
        {
            Remove(entry.KeyNo);
            count = 0;
        }

        uint facts = count > 0 ? _slots[found[0]].Facts : AppendFacts(entry);
        MakeRoom(entry.KeyNo);
        _byKeyNo.Add(entry.KeyNo, _slots.Insert(SlotOf(entry, profile, facts)));
    }

    /// <summary>Removes every secret of a key. Tells whether there was one.</summary>
    public bool Remove(uint keyNo)
    {
        Span<int> found = stackalloc int[KeyEntry.SecretsMax];
        if (_byKeyNo.Collect(keyNo, found) == 0)
        {
            return false;
        }

        uint facts = _slots[found[0]].Facts;

        // Removing one slot may move the others, so each is looked for anew.
        while (_byKeyNo.Collect(keyNo, found) > 0)
        {
            _byKeyNo.Remove(keyNo, found[0]);
            _slots.Remove(found[0], _byKeyNo);
        }

        _facts.Release(facts);
        return true;
    }

    private static KeySlot SlotOf(KeyEntry entry, uint profile, uint facts)
    {
        bool endsBefore = entry.EndsAtMs < entry.ExpiresAtMs;
        return new KeySlot
        {
            KeyNo = entry.KeyNo,
            Hash0 = entry.Hash.A,
            Hash1 = entry.Hash.B,
            DeadlineMs = endsBefore ? entry.EndsAtMs : entry.ExpiresAtMs,
            Facts = facts,
            ProjectIndex = entry.ProjectIndex,
            Profile = profile,
            State = (byte)entry.State,
            Flags = (endsBefore ? KeySlotFlags.EndsBeforeExpiry : KeySlotFlags.None)
                | (entry.Addresses is null ? KeySlotFlags.None : KeySlotFlags.HasAddresses),
            Used = 1,
        };
    }

    private void MakeRoom(uint forKeyNo)
    {
        if (_slots.Used >= _options.KeysMax)
        {
            Evict(forKeyNo);
        }

        if ((_slots.Used + 1L) * 5 > _slots.Count * 4L && _slots.Count < _slotsMax)
        {
            Grow();
        }
    }

    private void Evict(uint exceptKeyNo)
    {
        int chances = SecondChancesMax;
        while (true)
        {
            _hand = _slots.Next(_hand);
            ref KeySlot slot = ref _slots[_hand];
            if (slot.KeyNo == 0 || slot.KeyNo == exceptKeyNo)
            {
                continue;
            }

            if (slot.Used == 0 || chances-- == 0)
            {
                Evicted++;
                Remove(slot.KeyNo);
                return;
            }

            slot.Used = 0;
        }
    }

    // Readers of the old snapshot go on reading it as it is: from here on nobody writes to it, nor to the array of chunks it holds.
    private void Grow()
    {
        KeySlots old = _slots;
        _facts.PartFromReaders();
        var slots = new KeySlots((int)Math.Min(_slotsMax, old.Count * 2L), _facts, _profiles);
        var byKeyNo = new KeyNoIndex(slots);
        for (int i = 0; i < old.Count; i++)
        {
            if (old[i].KeyNo != 0)
            {
                byKeyNo.Add(old[i].KeyNo, slots.Insert(in old[i]));
            }
        }

        _byKeyNo = byKeyNo;
        _slots = slots;
        _hand = 0;
    }

    private uint AppendFacts(KeyEntry entry)
    {
        uint reference;
        while (!_facts.TryAppend(entry, out reference))
        {
            if (_facts.NeedsCleaning)
            {
                Clean();
            }
            else
            {
                _facts.Open();
            }
        }

        return reference;
    }

    // Empties a chunk into a new one. What is live moves, up to half a chunk; beyond that, keys are evicted, those that
    // nobody used since the last time first. So every cleaning wins half a chunk, and none takes longer than a chunk's records.
    private void Clean()
    {
        int victim = _facts.Victim();
        int room = _facts.ChunkBytes / 2;
        bool crowded = _facts.LiveBytesOf(victim) > room;
        List<uint> records = _facts.RecordsOf(victim);
        _facts.Open();
        Span<int> found = stackalloc int[KeyEntry.SecretsMax];
        foreach (uint record in records)
        {
            if (_facts.Chunks[victim] is null)
            {
                return;
            }

            uint keyNo = _facts.KeyNoOf(record);
            Span<int> owners = found[.._byKeyNo.Collect(keyNo, found)];
            if (owners.IsEmpty || _slots[owners[0]].Facts != record)
            {
                continue;
            }

            int size = _facts.SizeOf(record);
            if (size > room || (crowded && !TakeUsed(owners)))
            {
                Evicted++;
                Remove(keyNo);
                continue;
            }

            room -= size;
            MoveFacts(record, owners);
        }
    }

    private bool TakeUsed(ReadOnlySpan<int> owners)
    {
        bool used = false;
        foreach (int owner in owners)
        {
            used |= _slots[owner].Used != 0;
            _slots[owner].Used = 0;
        }

        return used;
    }

    private void MoveFacts(uint record, ReadOnlySpan<int> owners)
    {
        uint moved = _facts.Move(record);
        foreach (int owner in owners)
        {
            KeySlot value = _slots[owner];
            value.Facts = moved;
            _slots.Write(owner, in value);
        }

        _facts.Release(record);
    }

    // Four fifths full at most, so that probes stay short; rounded up.
    private static int SlotsFor(int keys) => Math.Max(SlotsMin, checked((int)(((keys * 5L) + 3) / 4) + 1));
}
