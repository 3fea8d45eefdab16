namespace Tollgate.Engine.Limits;

/// <summary>
/// The active limits of a part of the keys. A key's windows stand next to one another in the chain of its bucket, in the order of the
/// limits. Everything here is used between <see cref="Enter"/> and <see cref="Exit"/> only.
/// </summary>
internal sealed class LimitStripe(LimitCatalogue catalogue, int windowsMax, int bucketCount)
{
    /// <summary>How many buckets are swept when there is no room for another window, before room is made or refused.</summary>
    public const int BucketsForRoom = 128;

    private SpinGate _gate;
    private long _clockMs;
    private int _free;
    private int _count;
    private int _made;
    private int _hand;
    private LimitChunk[] _chunks = [];
    private readonly int[] _buckets = new int[bucketCount];

    /// <summary>Windows that belong to a key.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Windows there is memory for.</summary>
    public int Room => Volatile.Read(ref _chunks).Length * LimitChunk.Windows;

    public int Buckets => _buckets.Length;

    /// <summary>Takes the stripe and tells its time, which never goes back: what comes with an earlier clock counts as now.</summary>
    public long Enter(long clockMs)
    {
        _gate.Enter();
        return _clockMs = Math.Max(_clockMs, clockMs);
    }

    public void Exit() => _gate.Exit();

    public ref RollingWindow WindowLocked(int index) => ref _chunks[index / LimitChunk.Windows][index % LimitChunk.Windows];

    public Span<uint> EarlierLocked(int index) => _chunks[index / LimitChunk.Windows].EarlierOf(index % LimitChunk.Windows);

    /// <summary>Where the search for a key's windows begins.</summary>
    public int FirstLocked(int bucket) => _buckets[bucket];

    /// <summary>
    /// A window of a key, or -1 where nothing of that limit is counted. The search for a limit with a greater number may go on from there.
    /// </summary>
    public int FindLocked(int link, uint keyNo, byte limit)
    {
        while (link != 0)
        {
            ref RollingWindow window = ref WindowLocked(link - 1);
            if (window.KeyNo == keyNo && window.Limit == limit)
            {
                return link - 1;
            }

            link = window.Next;
        }

        return -1;
    }

    /// <summary>Makes a window that is not there; -1 when all the room is taken by limits that still count.</summary>
    public int OpenLocked(int bucket, uint keyNo, byte limit, ReadOnlySpan<int> kept)
    {
        if (_free == 0)
        {
            MakeRoomLocked(kept);
        }

        if (_free == 0)
        {
            return -1;
        }

        int index = _free - 1;
        ref RollingWindow window = ref WindowLocked(index);
        _free = window.Next;
        _count++;
        long slotMs = catalogue.Limits[limit].SlotMs;
        window.Open(keyNo, limit, _clockMs, slotMs);
        EarlierLocked(index).Clear();
        ref int link = ref PlaceLocked(bucket, keyNo, limit);
        window.Next = link;
        link = index + 1;
        return index;
    }

    /// <summary>
    /// Frees the windows in which nothing counts any more, a number of buckets on from where it last stopped, and gives memory back when
    /// most of it is not used.
    /// </summary>
    public int SweepLocked(int buckets)
    {
        int freed = 0;
        for (; buckets > 0; buckets--)
        {
            freed += SweepBucketLocked(_hand, []);
            _hand = _hand + 1 == _buckets.Length ? 0 : _hand + 1;
        }

        if (_chunks.Length > 1 && _count < Room / 4)
        {
            PackLocked();
        }

        return freed;
    }

    // Where the link to a new window goes: behind those of its key with smaller limits; at the head for a key without any.
    private ref int PlaceLocked(int bucket, uint keyNo, byte limit)
    {
        ref int link = ref _buckets[bucket];
        while (link != 0)
        {
            ref RollingWindow window = ref WindowLocked(link - 1);
            if (window.KeyNo == keyNo)
            {
                while (link != 0 && WindowLocked(link - 1) is var next && next.KeyNo == keyNo && next.Limit < limit)
                {
                    link = ref WindowLocked(link - 1).Next;
                }

                return ref link;
            }

            link = ref window.Next;
        }

        return ref _buckets[bucket];
    }

    private void MakeRoomLocked(ReadOnlySpan<int> kept)
    {
        for (int i = 0; i < BucketsForRoom; i++)
        {
            SweepBucketLocked(_hand, kept);
            _hand = _hand + 1 == _buckets.Length ? 0 : _hand + 1;
        }

        if (_free == 0 && _made < windowsMax)
        {
            LimitChunk[] chunks = [.. _chunks, new LimitChunk()];
            Volatile.Write(ref _chunks, chunks);
            int end = Math.Min(windowsMax, Room);
            for (int index = end - 1; index >= _made; index--)
            {
                FreeLocked(index);
            }

            _made = end;
        }
    }

    private int SweepBucketLocked(int bucket, ReadOnlySpan<int> kept)
    {
        int freed = 0;
        ref int link = ref _buckets[bucket];
        while (link != 0)
        {
            int index = link - 1;
            ref RollingWindow window = ref WindowLocked(index);
            long slotMs = catalogue.Limits[window.Limit].SlotMs;
            if (slotMs > 0 && window.IsPast(_clockMs))
            {
                window.Turn(_clockMs, slotMs, EarlierLocked(index));
            }

            if (window.Sum > 0 || kept.Contains(index))
            {
                link = ref window.Next;
                continue;
            }

            link = window.Next;
            window.KeyNo = 0;
            FreeLocked(index);
            _count--;
            freed++;
        }

        return freed;
    }

    private void FreeLocked(int index)
    {
        WindowLocked(index).Next = _free;
        _free = index + 1;
    }

    // Copies what counts into as much memory as it needs.
    private void PackLocked()
    {
        var packed = new LimitChunk[Math.Max(1, (_count + LimitChunk.Windows - 1) / LimitChunk.Windows)];
        for (int i = 0; i < packed.Length; i++)
        {
            packed[i] = new LimitChunk();
        }

        int next = 0;
        for (int bucket = 0; bucket < _buckets.Length; bucket++)
        {
            ref int link = ref _buckets[bucket];
            while (link != 0)
            {
                ref RollingWindow place = ref packed[next / LimitChunk.Windows][next % LimitChunk.Windows];
                place = WindowLocked(link - 1);
                EarlierLocked(link - 1).CopyTo(packed[next / LimitChunk.Windows].EarlierOf(next % LimitChunk.Windows));
                link = ++next;
                link = ref place.Next;
            }
        }

        Volatile.Write(ref _chunks, packed);
        _free = 0;
        _made = Math.Min(windowsMax, Room);
        for (int index = _made - 1; index >= next; index--)
        {
            FreeLocked(index);
        }
    }
}
