using Tollgate.Engine.Limits;

namespace Tollgate.Engine.Usage;

/// <summary>A part of the open reservations. Everything but the counts is used while <see cref="Gate"/> is held only.</summary>
internal sealed class ReservationStripe(int most, int bucketCount)
{
    private const int ChunkItems = 32;

    public SpinGate Gate;
    private int _free;
    private int _count;
    private int _made;
    private Reservation[][] _chunks = [];
    private readonly int[] _buckets = new int[bucketCount];

    public int Count => Volatile.Read(ref _count);

    public int Chunks => Volatile.Read(ref _chunks).Length;

    public ref Reservation ItemLocked(int index) => ref _chunks[index / ChunkItems][index % ChunkItems];

    public int FindLocked(int bucket, long requestNo)
    {
        int link = _buckets[bucket];
        while (link != 0 && ItemLocked(link - 1).RequestNo != requestNo)
        {
            link = ItemLocked(link - 1).Next;
        }

        return link - 1;
    }

    /// <summary>Makes sure that <see cref="AddLocked"/> finds a place; false when there is none.</summary>
    public bool HasRoomLocked()
    {
        if (_free == 0 && _made < most)
        {
            Reservation[][] chunks = [.. _chunks, new Reservation[ChunkItems]];
            Volatile.Write(ref _chunks, chunks);
            int end = Math.Min(most, chunks.Length * ChunkItems);
            for (; _made < end; _made++)
            {
                ItemLocked(_made).Next = _free;
                _free = _made + 1;
            }
        }

        return _free != 0;
    }

    /// <summary>The place of a new one, empty but for its link. The caller fills it.</summary>
    public ref Reservation AddLocked(int bucket)
    {
        int link = _free;
        ref Reservation item = ref ItemLocked(link - 1);
        _free = item.Next;
        item.Next = _buckets[bucket];
        _buckets[bucket] = link;
        _count++;
        return ref item;
    }

    public void RemoveLocked(int bucket, int index)
    {
        ref int link = ref _buckets[bucket];
        while (link != index + 1)
        {
            link = ref ItemLocked(link - 1).Next;
        }

        ref Reservation item = ref ItemLocked(index);
        link = item.Next;
        item = new Reservation { Next = _free };
        _free = index + 1;
        _count--;
    }

    public int CollectLocked(int chunk, long untouchedSinceMs, Span<Reservation> into)
    {
        int count = 0;
        foreach (ref readonly Reservation item in _chunks[chunk].AsSpan())
        {
            if (count < into.Length && item.KeyNo != 0 && item.TouchedMs <= untouchedSinceMs)
            {
                into[count++] = item;
            }
        }

        return count;
    }
}
