using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tollgate.Engine.Limits;

/// <summary>
/// The active limits of a part of the keys. A key's windows stand in the chain of its bucket in the order of the limits. Everything here
/// is used between <see cref="Enter"/> and <see cref="Exit"/> only.
/// </summary>
internal sealed class LimitStripe(LimitCatalogue catalogue, int windowsMax, int bucketCount)
{
    /// <summary>How many buckets are swept when there is no room for another window, before room is made or refused.</summary>
    public const int BucketsForRoom = 128;

    private const int ChunkWindows = 32;

    private SpinGate _gate;
    private long _clockMs;
    private int _free;
    private int _count;
    private int _made;
    private int _hand;

    // In chunks, so that growing copies nothing: the windows, and apart from those the earlier slots of each.
    private RollingWindow[][] _windows = [];
    private uint[][] _earlier = [];
    private readonly int[] _buckets = new int[bucketCount];

    // Stands where nothing is.
    private readonly RollingWindow[] _nobodys = new RollingWindow[1];

    /// <summary>Windows that belong to a key.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Windows there is memory for.</summary>
    public int Room => Volatile.Read(ref _windows).Length * ChunkWindows;

    public int Buckets => _buckets.Length;

    /// <summary>Takes the stripe and tells its time, which never goes back: what comes with an earlier clock counts as now.</summary>
    public long Enter(long clockMs)
    {
        _gate.Enter();
        return _clockMs = Math.Max(_clockMs, clockMs);
    }

    public void Exit() => _gate.Exit();

    // All chunks are of one length, so theirs are not looked at: they lie on another line of memory than the window that is wanted.
    public ref RollingWindow WindowLocked(int index) => ref Unsafe.Add(
        ref MemoryMarshal.GetArrayDataReference(_windows[(uint)index / ChunkWindows]), (nint)((uint)index % ChunkWindows));

    public Span<uint> EarlierLocked(int index) => MemoryMarshal.CreateSpan(
        ref Unsafe.Add(
            ref MemoryMarshal.GetArrayDataReference(_earlier[(uint)index / ChunkWindows]),
            (nint)((uint)index % ChunkWindows * RollingWindow.EarlierSlots)),
        RollingWindow.EarlierSlots);

    /// <summary>Where the search for a key's windows begins.</summary>
    public int FirstLocked(int bucket) => _buckets[bucket];

    /// <summary>A window, once time has reached it.</summary>
    public ref RollingWindow ReachLocked(int index, long clockMs, long slotMs)
    {
        ref RollingWindow window = ref WindowLocked(index);
        if (slotMs > 0 && window.IsPast(clockMs))
        {
            window.Turn(clockMs, slotMs, EarlierLocked(index));
        }

        return ref window;
    }

    /// <summary>
    /// The window at a place where one is guessed to be, somebody's or nobody's: windows of a key that were opened together stand together,
    /// and looking there first, memory does not have to answer link by link.
    /// </summary>
    public ref RollingWindow GuessLocked(int index) => ref index < _made ? ref WindowLocked(index) : ref _nobodys[0];

    /// <summary>The window behind a key's own, as a guess.</summary>
    public ref RollingWindow NextLocked(ref RollingWindow window, int index) =>
        ref (uint)index % ChunkWindows == 0 ? ref GuessLocked(index) : ref Unsafe.Add(ref window, 1);

    /// <summary>Where no guess was right: finds the window or makes it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool TryFindOrOpenLocked(in LimitPlace place, byte limit, ref int link, out int index)
    {
        ulong owner = RollingWindow.OwnerOf(place.KeyNo, limit);
        index = FindLocked(ref link, owner);
        return index >= 0 || TryOpenLocked(place.Bucket, owner, ref link, out index);
    }

    /// <summary>
    /// A window of a key, or -1 where nothing of that limit is counted. The search for a limit with a greater number goes on from the link.
    /// </summary>
    public int FindLocked(ref int link, ulong owner)
    {
        for (int next = link; next != 0;)
        {
            ref RollingWindow window = ref WindowLocked(next - 1);
            if (window.Owner == owner)
            {
                link = window.Next;
                return next - 1;
            }

            next = window.Next;
        }

        return -1;
    }

    /// <summary>Makes a window that is not there. False when all the room is taken by limits that still count.</summary>
    public bool TryOpenLocked(int bucket, ulong owner, ref int link, out int index)
    {
        index = -1;
        if (_free == 0)
        {
            MakeRoomLocked(RollingWindow.KeyNoOf(owner));
        }

        if (_free == 0)
        {
            return false;
        }

        index = _free - 1;
        ref RollingWindow window = ref WindowLocked(index);
        _free = window.Next;
        _count++;
        window.Open(owner, _clockMs, catalogue.Limits[RollingWindow.LimitOf(owner)].SlotMs);
        EarlierLocked(index).Clear();
        ref int place = ref PlaceLocked(bucket, owner);
        window.Next = place;
        link = place;
        place = index + 1;
        return true;
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
            freed += SweepBucketLocked(_hand, keptKeyNo: 0);
            _hand = _hand + 1 == _buckets.Length ? 0 : _hand + 1;
        }

        if (_windows.Length > 1 && _count < Room / 4)
        {
            PackLocked();
        }

        return freed;
    }

    // Where the link to a new window goes: before the first one of its key with a greater limit, else at the end of the chain. So a key's
    // windows stand in the order of the limits, whatever stands between them.
    private ref int PlaceLocked(int bucket, ulong owner)
    {
        ref int link = ref _buckets[bucket];
        while (link != 0)
        {
            ref RollingWindow window = ref WindowLocked(link - 1);
            if (window.Owner > owner && RollingWindow.KeyNoOf(window.Owner) == RollingWindow.KeyNoOf(owner))
            {
                break;
            }

            link = ref window.Next;
        }

        return ref link;
    }

    private void MakeRoomLocked(uint keptKeyNo)
    {
        for (int i = 0; i < BucketsForRoom; i++)
        {
            SweepBucketLocked(_hand, keptKeyNo);
            _hand = _hand + 1 == _buckets.Length ? 0 : _hand + 1;
        }

        if (_free == 0 && _made < windowsMax)
        {
            _earlier = [.. _earlier, new uint[ChunkWindows * RollingWindow.EarlierSlots]];
            Volatile.Write(ref _windows, [.. _windows, new RollingWindow[ChunkWindows]]);
            int end = Math.Min(windowsMax, Room);
            for (int index = end - 1; index >= _made; index--)
            {
                FreeLocked(index);
            }

            _made = end;
        }
    }

    // A key's windows stay while it is being decided upon, empty or not.
    private int SweepBucketLocked(int bucket, uint keptKeyNo)
    {
        int freed = 0;
        ref int link = ref _buckets[bucket];
        while (link != 0)
        {
            int index = link - 1;
            ref RollingWindow window = ref WindowLocked(index);
            long slotMs = catalogue.Limits[RollingWindow.LimitOf(window.Owner)].SlotMs;
            if (ReachLocked(index, _clockMs, slotMs).Sum > 0 || RollingWindow.KeyNoOf(window.Owner) == keptKeyNo)
            {
                link = ref window.Next;
                continue;
            }

            link = window.Next;
            window.Owner = 0;
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
        int chunks = Math.Max(1, (_count + ChunkWindows - 1) / ChunkWindows);
        RollingWindow[][] windows = [.. Enumerable.Range(0, chunks).Select(_ => new RollingWindow[ChunkWindows])];
        uint[][] earlier = [.. Enumerable.Range(0, chunks).Select(_ => new uint[ChunkWindows * RollingWindow.EarlierSlots])];
        int next = 0;
        for (int bucket = 0; bucket < _buckets.Length; bucket++)
        {
            ref int link = ref _buckets[bucket];
            while (link != 0)
            {
                ref RollingWindow place = ref windows[next / ChunkWindows][next % ChunkWindows];
                place = WindowLocked(link - 1);
                EarlierLocked(link - 1).CopyTo(
                    earlier[next / ChunkWindows].AsSpan(next % ChunkWindows * RollingWindow.EarlierSlots, RollingWindow.EarlierSlots));
                link = ++next;
                link = ref place.Next;
            }
        }

        _earlier = earlier;
        Volatile.Write(ref _windows, windows);
        _free = 0;
        _made = Math.Min(windowsMax, Room);
        for (int index = _made - 1; index >= next; index--)
        {
            FreeLocked(index);
        }
    }
}
