using Tollgate.Engine.Keys;

namespace Tollgate.Engine.Tests.Keys;

public sealed class KeyStoreTests
{
    /// <summary>A reader may be held up for any time between taking a snapshot and reading from it.</summary>
    [Fact]
    public void A_snapshot_that_growth_has_replaced_goes_on_answering_as_it_was_though_its_chunks_are_used_anew()
    {
        var store = new KeyStore(new KeyTableOptions
        {
            KeysAtStart = 0,
            ChunkBytes = FactsArena.ChunkBytesMin,
            FactsBytesMax = 4 * FactsArena.ChunkBytesMin,
        });
        Assert.True(store.TryPut(Make.Entry(1)));
        KeySlots before = store.Slots;
        byte[]? first = store.Facts.Chunks[0];
        for (uint key = 2; key <= 3_000; key++)
        {
            Assert.True(store.TryPut(Make.Entry(key) with { Facts = new byte[500] }));
        }

        Assert.NotSame(before, store.Slots);
        Assert.NotNull(store.Facts.Chunks[0]);
        Assert.NotSame(first, store.Facts.Chunks[0]);
        Assert.Equal(ReadResult.Found, before.Read(Make.Hash(1), out KeyEntryView view));
        Assert.Equal("\"no\":1,\"version\":1", view.FactsText());
    }

    [Fact]
    public void A_slot_with_a_writer_inside_is_neither_found_nor_missed()
    {
        var store = new KeyStore(new KeyTableOptions { KeysAtStart = 0 });
        Assert.True(store.TryPut(Make.Entry(1)));
        ref KeySlot slot = ref store.Slots[store.Slots.Find(Make.Hash(1))];
        slot.Sequence |= 1;
        Assert.Equal(ReadResult.Undecided, store.Slots.Read(Make.Hash(1), out KeyEntryView view));
        Assert.Equal(0u, view.KeyNo);
        slot.Sequence++;
        Assert.Equal(ReadResult.Found, store.Slots.Read(Make.Hash(1), out _));
        Assert.Equal(ReadResult.Absent, store.Slots.Read(Make.Hash(2), out _));
    }

    [Fact]
    public void Growth_stops_at_the_bound_and_never_leaves_the_row_fuller_than_four_fifths()
    {
        var store = new KeyStore(new KeyTableOptions { KeysMax = 1_000, KeysAtStart = 0 });
        for (uint key = 1; key <= 5_000; key++)
        {
            Assert.True(store.TryPut(Make.Entry(key)));
            Assert.True(store.Slots.Used * 5 <= store.Slots.Count * 4, $"{store.Slots.Used} of {store.Slots.Count}");
        }

        Assert.Equal(1_000, store.Slots.Used);
        Assert.InRange(store.Slots.Count, 1_250, 1_256);
    }
}
