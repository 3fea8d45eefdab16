using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tollgate.Engine.Usage;

namespace Tollgate.Engine.Tests.Usage;

public sealed class UsageBufferTests
{
    [Fact]
    public void An_event_is_128_bytes_and_comes_back_whole_in_order()
    {
        Assert.Equal(UsageEvent.Bytes, Unsafe.SizeOf<UsageEvent>());
        using var memory = new UsageMemory(8);
        for (int i = 1; i <= 5; i++)
        {
            Assert.True(memory.Buffer.TryAppend(Any(i), out long sequence));
            Assert.Equal(i, sequence);
        }

        var events = new UsageEvent[8];
        Assert.Equal(5, memory.Buffer.Read(0, events));
        Assert.Equal([1, 2, 3, 4, 5], events[..5].Select(happened => happened.Sequence));
        UsageEvent expected = Any(3);
        (expected.Sequence, expected.Checksum) = (3, events[2].Checksum);
        Assert.Equal(expected, events[2]);
        Assert.Equal(2, memory.Buffer.Read(3, events));
        Assert.Equal(0, memory.Buffer.Read(5, events));
    }

    [Fact]
    public void Full_it_refuses_and_goes_round_as_places_are_freed()
    {
        using var memory = new UsageMemory(4);
        var events = new UsageEvent[4];
        for (long i = 1; i <= 4; i++)
        {
            Assert.True(memory.Buffer.TryAppend(Any(i), out _));
        }

        Assert.False(memory.Buffer.TryAppend(Any(5), out long none));
        Assert.Equal((0L, 4L), (none, memory.Buffer.Last));
        for (long i = 5; i <= 23; i++)
        {
            memory.Buffer.Free(i - 4);
            Assert.True(memory.Buffer.TryAppend(Any(i), out _));
            Assert.False(memory.Buffer.TryAppend(Any(99), out _));
            Assert.Equal(4, memory.Buffer.Read(i - 4, events));
            Assert.Equal([i - 3, i - 2, i - 1, i], events.Select(happened => happened.RequestNo));
        }

        Assert.False(memory.Buffer.TryRead(19, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Buffer.Free(18));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Buffer.Free(24));
    }

    [Fact]
    public void A_part_of_the_places_can_be_kept_for_what_must_be_noted()
    {
        using var memory = new UsageMemory(8);
        for (int i = 0; i < 4; i++)
        {
            Assert.True(memory.Buffer.TryAppend(Any(i), 4, out _));
        }

        Assert.False(memory.Buffer.TryAppend(Any(4), 4, out _));
        Assert.True(memory.Buffer.TryAppend(Any(4), out _));
        memory.Buffer.Free(2);
        Assert.True(memory.Buffer.TryAppend(Any(5), 4, out _));
    }

    [Fact]
    public void Another_process_reads_on_where_the_last_one_was_taken_in()
    {
        using var memory = new UsageMemory(4);
        for (long i = 1; i <= 6; i++)
        {
            memory.Buffer.TryAppend(Any(i), out _);
            memory.Buffer.Free(Math.Max(0, i - 2));
        }

        UsageBuffer again = memory.Reopen(last: 4);
        var events = new UsageEvent[4];
        Assert.Equal(2, again.Read(4, events));
        Assert.Equal([5, 6], events[..2].Select(happened => happened.RequestNo));
    }

    [Fact]
    public void An_event_of_which_any_part_was_not_written_is_not_read()
    {
        using var memory = new UsageMemory(4);
        memory.Buffer.TryAppend(Any(1), out _);
        memory.Buffer.TryAppend(Any(2), out _);
        Span<byte> place = memory.Bytes[UsageEvent.Bytes..(2 * UsageEvent.Bytes)];
        byte[] whole = place.ToArray();
        foreach (int at in UsedBytes)
        {
            place[at] ^= 0x10;
            Assert.False(memory.Buffer.TryRead(1, out _), $"byte {at}");
            Assert.Equal(0, memory.Buffer.Read(0, new UsageEvent[4]));
            Assert.True(memory.Buffer.TryRead(2, out _));
            whole.CopyTo(place);
        }

        Assert.True(memory.Buffer.TryRead(1, out _));
        foreach (int at in UsedBytes.Where(at => at > 0 && at % 8 == 0))
        {
            place[at..].Clear();
            Assert.False(memory.Buffer.TryRead(1, out _), $"from byte {at}");
            whole.CopyTo(place);
        }
    }

    [Fact]
    public void An_event_of_before_tokens_were_kept_apart_is_read_as_it_was_written()
    {
        using var memory = new UsageMemory(4);
        UsageEvent happened = Any(1);
        (happened.CachedTokens, happened.ReasoningTokens) = (0, 0);
        memory.Buffer.TryAppend(in happened, out _);

        Assert.Equal(0xDEA3_BF83u, BitConverter.ToUInt32(memory.Bytes[(UsageEvent.Bytes + 116)..]));
        Assert.Equal(-1, memory.Bytes[(UsageEvent.Bytes + 120)..(2 * UsageEvent.Bytes)].IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void Untouched_memory_holds_no_event()
    {
        using var memory = new UsageMemory(4);
        Assert.All([0L, 1, 2, 3, 4], sequence => Assert.False(memory.Buffer.TryRead(sequence, out UsageEvent read) && read.Kind == 0));
        Assert.Equal(0, memory.Buffer.Read(0, new UsageEvent[4]));
    }

    [Fact]
    public void Threads_that_append_at_once_lose_nothing_and_tear_nothing()
    {
        const int threads = 4;
        const int each = 20_000;
        using var memory = new UsageMemory(64);
        UsageBuffer buffer = memory.Buffer;
        Thread[] writers = [.. Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            for (int i = 0; i < each; i++)
            {
                UsageEvent happened = Any((thread * each) + i);
                while (!buffer.TryAppend(in happened, out _))
                {
                    Thread.Yield();
                }
            }
        }))];
        Array.ForEach(writers, thread => thread.Start());
        var seen = new int[threads];
        var events = new UsageEvent[64];
        for (long read = 0; read < threads * each;)
        {
            int count = buffer.Read(read, events);
            foreach (UsageEvent happened in events.AsSpan(0, count))
            {
                int thread = (int)(happened.RequestNo / each);
                Assert.Equal(seen[thread]++, happened.RequestNo % each);
                Assert.Equal(happened.RequestNo * 3, happened.CostMicros);
            }

            read += count;
            buffer.Free(read);
        }

        Array.ForEach(writers, thread => thread.Join());
        Assert.Equal(threads * each, buffer.Last);
    }

    // Between fields lie bytes that are nobody's.
    private static IEnumerable<int> UsedBytes =>
        typeof(UsageEvent).GetFields(BindingFlags.Public | BindingFlags.Instance).SelectMany(member =>
        {
            Type type = member.FieldType.IsEnum ? Enum.GetUnderlyingType(member.FieldType) : member.FieldType;
            return Enumerable.Range((int)Marshal.OffsetOf<UsageEvent>(member.Name), Marshal.SizeOf(type));
        });

    private static UsageEvent Any(long no) => new()
    {
        RequestNo = no,
        AtMs = 1_800_000_000_000 + no,
        AdmittedAtMs = 1_800_000_000_000,
        CostMicros = no * 3,
        LossMicros = 1,
        RetryAtMs = 2,
        LimitAmount = 3,
        LimitRemaining = 4,
        ClockMs = 5,
        KeyNo = (uint)no,
        OrganizationNo = 7,
        InputTokens = 8,
        OutputTokens = 9,
        LatencyMs = 10,
        Model = 11,
        PriceVersion = 12,
        Status = 13,
        LastingLimits = 14,
        Limits = 15,
        Kind = UsageKind.Settled,
        Code = 16,
        Limit = 17,
        Flags = UsageFlags.Priced,
        CachedTokens = 18,
        ReasoningTokens = 19,
    };
}
