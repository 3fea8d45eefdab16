using System.Runtime.InteropServices;

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
        long last = Volatile.Read(ref _row.Last);
        while (last - Volatile.Read(ref _row.Freed) < most)
        {
            long seen = Interlocked.CompareExchange(ref _row.Last, last + 1, last);
            if (seen == last)
            {
                sequence = last + 1;
                Publish(in happened, sequence);
                return true;
            }

            last = seen;
        }

        sequence = 0;
        return false;
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
        return happened.Checksum == ChecksumOf(in happened);
    }

    /// <summary>Lets the places of all events up to this one be taken again.</summary>
    public void Free(long sequence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequence, _row.Freed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequence, Last);
        Volatile.Write(ref _row.Freed, sequence);
    }

    private void Publish(in UsageEvent happened, long sequence)
    {
        UsageEvent whole = happened;
        whole.Sequence = sequence;
        whole.Checksum = ChecksumOf(in whole);
        ref UsageEvent place = ref PlaceOf(sequence);
        whole.Sequence = place.Sequence;
        place = whole;
        Volatile.Write(ref place.Sequence, sequence);
    }

    private ref UsageEvent PlaceOf(long sequence) => ref _places[sequence & (Capacity - 1)];

    // Not against an adversary: against a page that was written in part.
    private static uint ChecksumOf(in UsageEvent happened)
    {
        UsageEvent plain = happened;
        plain.Checksum = 0;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<UsageEvent, ulong>(new ReadOnlySpan<UsageEvent>(in plain));
        ulong sum = 0;
        foreach (ulong word in words)
        {
            sum = unchecked((sum ^ word) * 0x9E37_79B9_7F4A_7C15UL);
        }

        return (uint)(sum >> 32);
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
