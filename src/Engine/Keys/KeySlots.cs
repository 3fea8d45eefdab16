using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tollgate.Engine.Keys;

/// <summary>
/// One snapshot of the table: slots in a row, placed by the first eight bytes of their hash, with linear probing and no tombstones.
/// The home of a hash is its share of the whole (multiply, keep the high half), so the row may have any length and stands in
/// order of hash: growing it is one walk through memory. <see cref="Read"/> takes no lock; every other method runs under the table's.
/// </summary>
internal sealed class KeySlots
{
    private readonly KeySlot[] _memory;
    private readonly byte[]?[] _chunks;
    private readonly KeyProfiles _profiles;
    private readonly int _unitBits;

    // Odd while an entry is on its way from one slot to another: a reader that found nothing meanwhile looks again.
    private uint _moves;

    public KeySlots(int count, FactsArena arena, KeyProfiles profiles)
    {
        // Pinned: the collector never moves it, however large it is.
        _memory = GC.AllocateArray<KeySlot>(count, pinned: true);
        HugePages.Ask(_memory);
        _profiles = profiles;
        Count = count;
        _chunks = arena.Chunks;
        _unitBits = arena.UnitBits;
    }

    public int Count { get; }

    public int Used { get; private set; }

    public ref KeySlot this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Debug.Assert((uint)index < (uint)Count, "a slot index is within the row");
            return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_memory), (nint)(uint)index);
        }
    }

    /// <summary>Asks for the lines in which a look-up of this hash will begin. A hint: nothing is read, nothing waits.</summary>
    public void Prefetch(in KeyHash hash) => CacheLines.Ask(in this[Home(hash.A)]);

    /// <summary>The lock-free look-up. Undecided means that a writer crossed it: the caller looks again, in the newest snapshot.</summary>
    public ReadResult Read(in KeyHash hash, out KeyEntryView view)
    {
        uint moves = Volatile.Read(ref _moves);
        int index = Home(hash.A);
        for (int probes = 0; probes < Count; probes++)
        {
            ref KeySlot slot = ref this[index];
            uint sequence = Volatile.Read(ref slot.Sequence);
            if (slot.Hash0 == hash.A)
            {
                KeySlot copy = slot;
                uint place = copy.Facts >> _unitBits;
                byte[]? chunk = place < (uint)_chunks.Length ? Volatile.Read(ref _chunks[place]) : null;
                Volatile.ReadBarrier();
                if ((sequence & 1) != 0 || slot.Sequence != sequence)
                {
                    view = default;
                    return ReadResult.Undecided;
                }

                if (copy.KeyNo == 0)
                {
                    break;
                }

                if (copy.Hash1 == hash.B)
                {
                    // Written only when it changes: a hot line stays shared between the cores.
                    if (copy.Used == 0)
                    {
                        slot.Used = 1;
                    }

                    int record = (int)(copy.Facts & ((1u << _unitBits) - 1)) * FactsArena.UnitBytes;
                    CacheLines.Ask(in chunk![record]);
                    view = new KeyEntryView(in copy, _profiles.At(copy.Profile), chunk, record);
                    return ReadResult.Found;
                }
            }
            else if (slot.KeyNo == 0)
            {
                break;
            }

            index = Next(index);
        }

        view = default;
        Volatile.ReadBarrier();
        return (moves & 1) == 0 && _moves == moves ? ReadResult.Absent : ReadResult.Undecided;
    }

    /// <summary>The slot of a hash, or -1.</summary>
    public int Find(in KeyHash hash)
    {
        for (int index = Home(hash.A); this[index].KeyNo != 0; index = Next(index))
        {
            ref KeySlot slot = ref this[index];
            if (slot.Hash0 == hash.A && slot.Hash1 == hash.B)
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>
    /// Puts a hash that is not there yet into the first free slot from its home. The caller keeps a fifth of the row free.
    /// </summary>
    public int Insert(in KeySlot value)
    {
        int index = Home(value.Hash0);
        while (this[index].KeyNo != 0)
        {
            index = Next(index);
        }

        Write(index, in value);
        Used++;
        return index;
    }

    /// <summary>Overwrites a slot so that readers see the old or the new one, or look again.</summary>
    public void Write(int index, in KeySlot value)
    {
        ref KeySlot slot = ref this[index];
        KeySlot next = value;
        uint odd = slot.Sequence | 1;
        slot.Sequence = odd;
        next.Sequence = odd;
        Volatile.WriteBarrier();
        slot = next;
        Volatile.Write(ref slot.Sequence, odd == uint.MaxValue ? 0 : odd + 1);
    }

    /// <summary>
    /// Frees a slot and closes the gap behind it, so that probing needs no tombstones. The index has forgotten the slot already.
    /// </summary>
    public void Remove(int index, KeyNoIndex byKeyNo)
    {
        BeginMoves();
        int gap = index;
        for (int next = Next(gap); this[next].KeyNo != 0; next = Next(next))
        {
            if (MayMove(Home(this[next].Hash0), gap, next))
            {
                Write(gap, in this[next]);
                byKeyNo.Replace(this[gap].KeyNo, next, gap);
                gap = next;
            }
        }

        Write(gap, default);
        Used--;
        EndMoves();
    }

    public int Next(int index) => index + 1 == Count ? 0 : index + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Home(ulong hash0) => (int)Math.BigMul(hash0, (ulong)(uint)Count, out _);

    // Whether an entry with this home may stand at the gap: its home is not behind the gap, seen around the ring.
    private static bool MayMove(int home, int gap, int from)
        => gap <= from ? home <= gap || home > from : home <= gap && home > from;

    private void BeginMoves()
    {
        _moves |= 1;
        Volatile.WriteBarrier();
    }

    private void EndMoves() => Volatile.Write(ref _moves, _moves == uint.MaxValue ? 0 : _moves + 1);
}

internal enum ReadResult
{
    Absent,
    Found,
    Undecided,
}
