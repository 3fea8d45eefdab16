using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Tollgate.Engine.Usage;

/// <summary>
/// The row of events between the check, which appends and never waits, and the database, which takes them in later. A ring in memory that
/// belongs to the caller and may outlive the process: an event is whole there when it is appended. Full, it refuses; nothing in it is ever
/// dropped.
/// </summary>
/// <remarks>
/// Any number of threads append; one thread reads and frees. A place is claimed by compare-and-swap, filled, and published by writing its
/// sequence last; the reader stops at the first place that is not published. What stands in a place before that is an event that was
/// freed, whose sequence is another one.
/// </remarks>
public sealed unsafe class UsageBuffer
{
    private const int PrefetchedAhead = 4;

    private readonly UsageEvent* _places;
    private Row _row;

    /// <param name="memory">Room for <paramref name="capacity"/> events, zeroed or as an earlier process left it.</param>
    /// <param name="capacity">A power of two.</param>
    /// <param name="last">The last sequence that was taken into the database: everything up to it is free.</param>
    public UsageBuffer(void* memory, int capacity, long last)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(System.Numerics.BitOperations.PopCount((uint)capacity), 1);
        _places = (UsageEvent*)memory;
        Capacity = capacity;
        _row.Last = last;
        _row.Freed = last;
    }

    public int Capacity { get; }

    /// <summary>The sequence of the last event appended.</summary>
    public long Last => Volatile.Read(ref _row.Last);

    /// <summary>The sequence up to which places are free again.</summary>
    public long Freed => Volatile.Read(ref _row.Freed);

    /// <summary>Appends an event and tells its sequence. False, with nothing done, when there is no room.</summary>
    public bool TryAppend(in UsageEvent happened, out long sequence) => TryAppend(in happened, Capacity, out sequence);

    /// <summary>The same, while less than <paramref name="most"/> places are taken.</summary>
    public bool TryAppend(in UsageEvent happened, int most, out long sequence)
    {
        ref UsageEvent place = ref TryClaim(most, out sequence);
        if (Unsafe.IsNullRef(ref place))
        {
            return false;
        }

        long before = place.Sequence;
        place = happened;
        place.Sequence = before;
        Publish(ref place, sequence);
        return true;
    }

    /// <summary>
    /// Claims the next place, while less than <paramref name="most"/> are taken; a null reference when there is none. The caller fills all
    /// of it but <see cref="UsageEvent.Sequence"/> and <see cref="UsageEvent.Checksum"/> and publishes it at once: the reader waits for it.
    /// </summary>
    internal ref UsageEvent TryClaim(int most, out long sequence)
    {
        long last = Volatile.Read(ref _row.Last);
        while (last - Volatile.Read(ref _row.Freed) < most)
        {
            long seen = Interlocked.CompareExchange(ref _row.Last, last + 1, last);
            if (seen == last)
            {
                sequence = last + 1;
                PrefetchBehind(sequence);
                return ref PlaceOf(sequence);
            }

            last = seen;
        }

        sequence = 0;
        return ref Unsafe.NullRef<UsageEvent>();
    }

    /// <summary>Shows a filled place to the reader.</summary>
    internal static void Publish(ref UsageEvent place, long sequence)
    {
        place.Checksum = ChecksumOf(in place, sequence);
        Volatile.Write(ref place.Sequence, sequence);
    }

    /// <summary>The same for who has summed up what was filled in, so that nothing is read back from memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Publish(ref UsageEvent place, long sequence, in UsageChecksum sum)
    {
        place.Checksum = sum.Value;
        Debug.Assert(sum.Value == ChecksumOf(in place, sequence), "Something was filled in and not summed up.");
        Volatile.Write(ref place.Sequence, sequence);
    }

    /// <summary>Copies the events after <paramref name="sequence"/> that stand in a row, and tells how many.</summary>
    public int Read(long sequence, Span<UsageEvent> into)
    {
        int count = 0;
        while (count < into.Length && TryRead(sequence + count + 1, out into[count]))
        {
            count++;
        }

        return count;
    }

    /// <summary>
    /// The event with this sequence, if it stands whole in its place; after a crash others may stand behind one that does not.
    /// </summary>
    public bool TryRead(long sequence, out UsageEvent happened)
    {
        ref UsageEvent place = ref PlaceOf(sequence);
        if (Volatile.Read(ref place.Sequence) != sequence)
        {
            happened = default;
            return false;
        }

        happened = place;
        return happened.Checksum == ChecksumOf(in happened, sequence);
    }

    /// <summary>Lets the places of all events up to this one be taken again.</summary>
    public void Free(long sequence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequence, _row.Freed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequence, Last);
        Volatile.Write(ref _row.Freed, sequence);
    }

    // The ring is larger than a core's caches: the places of the next events are on their way while this one is filled.
    private void PrefetchBehind(long sequence)
    {
        if (Sse.IsSupported)
        {
            UsageEvent* place = _places + ((sequence + PrefetchedAhead) & (Capacity - 1));
            Sse.Prefetch0(place);
            Sse.Prefetch0((byte*)place + (UsageEvent.Bytes / 2));
        }
    }

    private ref UsageEvent PlaceOf(long sequence) => ref _places[sequence & (Capacity - 1)];

    // Not against an adversary: against a page that was written in part. Each eight bytes times an odd number of their own, so that the
    // products do not wait for one another; fields are read as wide as they were written, which memory answers at once.
    private static uint ChecksumOf(in UsageEvent e, long sequence)
    {
        unchecked
        {
            ulong sum = (ulong)~sequence * 0x9E37_79B9_7F4A_7C15UL;
            sum += (ulong)e.RequestNo * 0xC2B2_AE3D_27D4_EB4FUL;
            sum += (ulong)e.AtMs * 0x1656_67B1_9E37_79F9UL;
            sum += (ulong)e.AdmittedAtMs * 0x85EB_CA77_C2B2_AE63UL;
            sum += (ulong)e.CostMicros * 0x27D4_EB2F_1656_67C5UL;
            sum += (ulong)e.LossMicros * 0xBF58_476D_1CE4_E5B9UL;
            sum += (ulong)e.RetryAtMs * 0x94D0_49BB_1331_11EBUL;
            sum += (ulong)e.LimitAmount * 0xFF51_AFD7_ED55_8CCDUL;
            sum += (ulong)e.LimitRemaining * 0xC4CE_B9FE_1A85_EC53UL;
            sum += (ulong)e.ClockMs * 0xD6E8_FEB8_6659_FD93UL;
            sum += (e.KeyNo | ((ulong)e.OrganizationNo << 32)) * 0xA0761D6478BD642FUL;
            sum += (e.InputTokens | ((ulong)e.OutputTokens << 32)) * 0xE703_7ED1_A0B4_28DBUL;
            sum += (e.LatencyMs | ((ulong)e.Model << 32) | ((ulong)e.PriceVersion << 48)) * 0x8EBC_6AF0_9C88_C6E3UL;
            sum += (e.Status | ((ulong)e.LastingLimits << 16) | ((ulong)e.Limits << 32) | ((ulong)e.Code << 48)) * 0x5899_65CC_7537_4CC3UL;
            sum += ((ulong)e.Kind | ((ulong)e.Limit << 8) | ((ulong)e.Flags << 16)) * 0x1D8E_4E27_C47D_124FUL;
            // Of nothing this is nothing: events that were written before there were these two are read as they were.
            sum += (e.CachedTokens | ((ulong)e.ReasoningTokens << 32)) * 0x2545_F491_4F6C_DD1DUL;
            return (uint)(sum >> 32);
        }
    }

    // Appenders and the reader write to lines of their own.
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Row
    {
        [FieldOffset(0)]
        public long Last;

        [FieldOffset(128)]
        public long Freed;
    }
}
