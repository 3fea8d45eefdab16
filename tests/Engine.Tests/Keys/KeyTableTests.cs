using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Tests.Keys;

public sealed class KeyTableTests
{
    [Fact]
    public void A_loaded_key_is_found_with_everything_it_was_given()
    {
        var table = new KeyTable();
        KeyEntry entry = Make.Entry(7, 3) with
        {
            Profile = new KeyProfile
            {
                Grants = new Grants(ulong.MaxValue, 0xA5),
                Rights = Rights.KeysManage | Rights.Verify,
                Environment = 6,
                Type = 200,
                Facts = "what all of them tell"u8.ToArray(),
            },
            State = KeyState.HeldByLeak | KeyState.HeldByPerson,
            ExpiresAtMs = 1_900_000_000_123,
            ProjectIndex = uint.MaxValue,
        };
        table.Load(entry);
        Assert.True(table.Find(Make.Hash(7), out KeyEntryView view));
        Assert.Equal(7u, view.KeyNo);
        Assert.Equal(3, view.Version);
        Assert.Equal(entry.Profile, view.Profile);
        Assert.Equal(entry.Profile.Grants, view.Grants);
        Assert.Equal(entry.Profile.Rights, view.Rights);
        Assert.Equal(entry.State, view.State);
        Assert.Equal(entry.State, view.Holds);
        Assert.Equal(entry.ExpiresAtMs, view.ExpiresAtMs);
        Assert.Equal(6, view.Environment);
        Assert.Equal(200, view.Type);
        Assert.Equal(entry.ProjectIndex, view.ProjectIndex);
        Assert.Equal("\"no\":7,\"version\":3", view.FactsText());
        Assert.False(table.Find(Make.Hash(8), out KeyEntryView none));
        Assert.Equal(0u, none.KeyNo);
    }

    [Fact]
    public void Two_secrets_of_a_key_stand_side_by_side()
    {
        var table = new KeyTable();
        table.Load(Make.Entry(1, 1, Make.Hash(10)));
        table.Load(Make.Entry(1, 1, Make.Hash(11)) with { EndsAtMs = 5 });
        long bytes = table.FactsBytes;
        Assert.True(table.Find(Make.Hash(10), out KeyEntryView first));
        Assert.True(table.Find(Make.Hash(11), out KeyEntryView second));
        Assert.Equal((1u, long.MaxValue), (first.KeyNo, first.DeadlineMs));
        Assert.Equal((1u, 5), (second.KeyNo, second.DeadlineMs));
        Assert.Equal(2, table.Count);

        table.Load(Make.Entry(1, 1, Make.Hash(12)));
        Assert.Equal(bytes, table.FactsBytes);
    }

    [Fact]
    public void A_changed_key_is_gone_with_all_its_secrets_until_it_is_read_anew()
    {
        var table = new KeyTable();
        table.Load(Make.Entry(1, 1, Make.Hash(10)));
        table.Load(Make.Entry(1, 1, Make.Hash(11)));
        Assert.True(table.Drop(1));
        Assert.False(table.Find(Make.Hash(10), out _));
        Assert.False(table.Find(Make.Hash(11), out _));
        Assert.Equal(0, table.Count);
        Assert.Equal(0, table.FactsBytes);
        Assert.False(table.Drop(1));
    }

    [Fact]
    public void A_load_of_a_newer_row_ends_what_was_held_of_the_older_one()
    {
        var table = new KeyTable();
        table.Load(Make.Entry(1, 1, Make.Hash(10)));
        table.Load(Make.Entry(1, 2, Make.Hash(11)) with { State = KeyState.HeldByBalance });
        Assert.False(table.Find(Make.Hash(10), out _));
        Assert.True(table.Find(Make.Hash(11), out KeyEntryView view));
        Assert.Equal((KeyState.HeldByBalance, 2), (view.State, view.Version));
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void An_older_row_never_replaces_a_newer_one()
    {
        var table = new KeyTable();
        table.Load(Make.Entry(1, 5) with { State = KeyState.Revoked });
        table.Load(Make.Entry(1, 4));
        Assert.True(table.Find(Make.Hash(1), out KeyEntryView view));
        Assert.Equal(KeyState.Revoked, view.State);
    }

    [Fact]
    public void A_load_that_a_change_overtook_is_refused_even_when_the_key_was_not_there()
    {
        var table = new KeyTable();
        long epoch = table.BeginLoad();
        table.Drop(1);
        Assert.False(table.EndLoad(epoch, Make.Entry(1, 1)));
        Assert.False(table.Find(Make.Hash(1), out _));
        Assert.True(table.EndLoad(table.BeginLoad(), Make.Entry(1, 2) with { State = KeyState.Revoked }));
    }

    [Fact]
    public void A_change_of_one_key_does_not_refuse_the_load_of_another()
    {
        var table = new KeyTable();
        long epoch = table.BeginLoad();
        table.Drop(1);
        table.Forget(Make.Hash(3));
        Assert.True(table.EndLoad(epoch, Make.Entry(2)));
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void A_load_during_which_more_happened_than_is_remembered_is_refused(int changes, bool taken)
    {
        var table = new KeyTable(new KeyTableOptions { ChangesKept = 16 });
        long epoch = table.BeginLoad();
        for (int i = 0; i < changes; i++)
        {
            table.Forget(Make.Hash(1_000 + i));
        }

        Assert.Equal(taken, table.EndLoad(epoch, Make.Entry(1)));
        Assert.Equal(taken, table.EndLoadUnknown(epoch, Make.Hash(2)));
    }

    [Fact]
    public void An_epoch_that_was_never_given_is_refused()
    {
        var table = new KeyTable();
        Assert.False(table.EndLoad(table.BeginLoad() + 1, Make.Entry(1)));
        Assert.False(table.EndLoad(-1, Make.Entry(1)));
    }

    [Fact]
    public void A_clearing_empties_everything_and_refuses_loads_under_way()
    {
        var table = new KeyTable();
        table.Load(Make.Entry(1));
        table.EndLoadUnknown(table.BeginLoad(), Make.Hash(2));
        long epoch = table.BeginLoad();
        table.Clear();
        Assert.False(table.Find(Make.Hash(1), out _));
        Assert.False(table.IsUnknown(Make.Hash(2)));
        Assert.False(table.EndLoad(epoch, Make.Entry(1)));
        Assert.False(table.EndLoadUnknown(epoch, Make.Hash(2)));
        Assert.Equal(0, table.Count);
        table.Load(Make.Entry(1));
    }

    [Fact]
    public void An_unknown_hash_is_remembered_until_a_key_with_it_comes()
    {
        var table = new KeyTable();
        Assert.True(table.EndLoadUnknown(table.BeginLoad(), Make.Hash(1)));
        Assert.True(table.IsUnknown(Make.Hash(1)));
        table.Forget(Make.Hash(1));
        Assert.False(table.IsUnknown(Make.Hash(1)));

        table.EndLoadUnknown(table.BeginLoad(), Make.Hash(2));
        table.Load(Make.Entry(9, 1, Make.Hash(2)));
        Assert.False(table.IsUnknown(Make.Hash(2)));
    }

    [Fact]
    public void A_look_up_that_found_nothing_is_not_remembered_when_the_key_was_created_meanwhile()
    {
        var table = new KeyTable();
        long epoch = table.BeginLoad();
        table.Forget(Make.Hash(1));
        Assert.False(table.EndLoadUnknown(epoch, Make.Hash(1)));
        Assert.False(table.IsUnknown(Make.Hash(1)));
        Assert.True(table.EndLoadUnknown(epoch, Make.Hash(2)));
    }

    [Fact]
    public void A_spray_of_unknown_hashes_stays_within_its_bound_and_costs_no_key_its_place()
    {
        var table = new KeyTable(new KeyTableOptions { UnknownMax = 64 });
        table.Load(Make.Entry(1));
        for (int i = 0; i < 10_000; i++)
        {
            Assert.True(table.EndLoadUnknown(table.BeginLoad(), Make.Hash(100 + i)));
            Assert.True(table.IsUnknown(Make.Hash(100 + i)));
        }

        int remembered = Enumerable.Range(0, 10_000).Count(i => table.IsUnknown(Make.Hash(100 + i)));
        Assert.InRange(remembered, 1, 64);
        Assert.True(table.Find(Make.Hash(1), out _));
    }

    [Fact]
    public void Keys_fill_the_table_to_its_bound_and_one_more_evicts_a_key_that_nobody_used()
    {
        var table = new KeyTable(new KeyTableOptions { KeysMax = 100, KeysAtStart = 0 });
        for (uint i = 1; i <= 100; i++)
        {
            table.Load(Make.Entry(i));
        }

        Assert.Equal(100, Enumerable.Range(1, 100).Count(i => table.Find(Make.Hash(i), out _)));
        table.Load(Make.Entry(101));
        Assert.Equal(100, table.Count);
        Assert.True(table.Find(Make.Hash(101), out _));

        // The hand has gone round once and cleared all marks: those asked for now are marked again and stay, whoever else goes.
        Assert.Equal(99, Enumerable.Range(1, 100).Count(i => table.Find(Make.Hash(i), out _) || i > 100));
    }

    [Fact]
    public void Keys_in_use_outlive_keys_that_are_not()
    {
        var table = new KeyTable(new KeyTableOptions { KeysMax = 100, KeysAtStart = 0 });
        for (uint i = 1; i <= 2_000; i++)
        {
            table.Load(Make.Entry(i));
            for (uint used = 1; used <= Math.Min(i, 10); used++)
            {
                table.Find(Make.Hash(used), out _);
            }
        }

        int kept = Enumerable.Range(1, 10).Count(i => table.Find(Make.Hash(i), out _));
        Assert.True(kept >= 9, $"{kept} of 10 kept");
        Assert.Equal(100, table.Count);
    }

    [Fact]
    public void Keys_that_had_to_go_for_want_of_room_are_counted_and_others_not()
    {
        var table = new KeyTable(new KeyTableOptions { KeysMax = 16, KeysAtStart = 0 });
        for (uint keyNo = 1; keyNo <= 16; keyNo++)
        {
            table.Load(Make.Entry(keyNo));
        }

        table.Drop(1);
        table.Load(Make.Entry(1));
        Assert.Equal(0, table.Evicted);
        table.Load(Make.Entry(17));
        table.Load(Make.Entry(18));
        Assert.Equal(2, table.Evicted);
        table.Clear();
        Assert.Equal(2, table.Evicted);
    }

    [Fact]
    public void An_evicted_key_leaves_with_all_its_secrets()
    {
        var table = new KeyTable(new KeyTableOptions { KeysMax = 16, KeysAtStart = 0 });
        for (uint i = 1; i <= 200; i++)
        {
            table.Load(Make.Entry(i, 1, Make.Hash(i)));
            table.Load(Make.Entry(i, 1, Make.Hash(10_000 + i)));
            Assert.InRange(table.Count, 1, 16);
            for (uint key = 1; key <= i; key++)
            {
                Assert.Equal(table.Find(Make.Hash(key), out _), table.Find(Make.Hash(10_000 + key), out _));
            }
        }
    }

    [Fact]
    public void Facts_fill_their_memory_to_the_bound_and_keys_make_room_beyond_it()
    {
        var options = new KeyTableOptions { ChunkBytes = FactsArena.ChunkBytesMin, FactsBytesMax = 4 * FactsArena.ChunkBytesMin };
        var table = new KeyTable(options);
        var facts = new byte[1_000];
        for (uint i = 1; i <= 3_000; i++)
        {
            facts[0] = (byte)(i & 0xFF);
            table.Load(Make.Entry(i) with { Facts = facts.ToArray() });
            Assert.True(table.Find(Make.Hash(i), out KeyEntryView view));
            Assert.Equal((byte)(i & 0xFF), view.Facts.Span[0]);
            Assert.True(table.FactsBytes <= options.FactsBytesMax);
            Assert.True(table.ChunksInUse <= 4);
        }

        Assert.True(table.Count > 100, $"only {table.Count} keys kept");
    }

    [Fact]
    public void Facts_of_changed_keys_are_collected_and_those_of_the_others_stay()
    {
        var options = new KeyTableOptions { ChunkBytes = FactsArena.ChunkBytesMin, FactsBytesMax = 64 * FactsArena.ChunkBytesMin };
        var table = new KeyTable(options);
        for (uint i = 1; i <= 200; i++)
        {
            table.Load(Make.Entry(i));
        }

        var facts = new byte[2_000];
        for (int version = 2; version < 5_000; version++)
        {
            table.Load(Make.Entry(200, version) with { Facts = facts });
        }

        Assert.InRange(table.ChunksInUse, 1, FactsArena.ChunksMin);
        for (uint i = 1; i < 200; i++)
        {
            Assert.True(table.Find(Make.Hash(i), out KeyEntryView view));
            Assert.Equal($"\"no\":{i},\"version\":1", view.FactsText());
        }
    }

    [Fact]
    public void A_view_keeps_its_facts_whatever_happens_to_the_table()
    {
        var options = new KeyTableOptions { ChunkBytes = FactsArena.ChunkBytesMin, FactsBytesMax = 4 * FactsArena.ChunkBytesMin };
        var table = new KeyTable(options);
        table.Load(Make.Entry(1));
        Assert.True(table.Find(Make.Hash(1), out KeyEntryView view));
        for (uint i = 2; i <= 2_000; i++)
        {
            table.Load(Make.Entry(i) with { Facts = new byte[1_000] });
        }

        table.Clear();
        Assert.Equal("\"no\":1,\"version\":1", view.FactsText());
    }

    [Fact]
    public void The_bounds_of_an_entry_hold_and_one_past_them_is_an_error()
    {
        var table = new KeyTable();
        KeyHash[] hashes = [.. Enumerable.Range(0, KeyEntry.SecretsMax + 1).Select(i => Make.Hash(i))];
        foreach (KeyHash hash in hashes[..^1])
        {
            table.Load(Make.Entry(1, 1, hash) with { Facts = new byte[KeyEntry.FactsBytesMax] });
        }

        Assert.All(hashes[..^1], hash => Assert.True(table.Find(hash, out _)));
        table.Load(Make.Entry(1, 1, hashes[^1]));
        Assert.Equal(1, table.Count);
        Assert.True(table.Find(hashes[^1], out _));
        KeyEntry large = Make.Entry(1) with { Facts = new byte[KeyEntry.FactsBytesMax + 1] };
        Assert.Throws<ArgumentOutOfRangeException>(() => table.EndLoad(0, large));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.EndLoad(0, Make.Entry(0)));
        Assert.Throws<ArgumentException>(() => table.EndLoad(0, Make.Entry(1, 2, default(KeyHash))));
    }

    [Fact]
    public void A_hash_that_moved_to_another_key_leaves_the_first()
    {
        var table = new KeyTable();
        table.Load(Make.Entry(1, 9, Make.Hash(1)));
        table.Load(Make.Entry(1, 9, Make.Hash(2)));
        table.Load(Make.Entry(2, 1, Make.Hash(2)));
        Assert.True(table.Find(Make.Hash(2), out KeyEntryView view));
        Assert.Equal(2u, view.KeyNo);
        Assert.False(table.Find(Make.Hash(1), out _));
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void A_slot_has_forty_eight_bytes() => Assert.Equal(48, System.Runtime.CompilerServices.Unsafe.SizeOf<KeySlot>());

    [Fact]
    public void Keys_of_one_profile_share_it()
    {
        var table = new KeyTable();
        for (uint i = 1; i <= 100; i++)
        {
            table.Load(Make.Entry(i) with { Profile = new KeyProfile { Grants = new Grants(i % 3, 1), Facts = new byte[(int)(i % 2)] } });
        }

        Assert.Equal(6, table.ProfileCount);
        Assert.True(table.Find(Make.Hash(1), out KeyEntryView first));
        Assert.True(table.Find(Make.Hash(7), out KeyEntryView same));
        Assert.True(table.Find(Make.Hash(2), out KeyEntryView other));
        Assert.Same(first.Profile, same.Profile);
        Assert.NotEqual(first.Profile, other.Profile);
    }

    [Fact]
    public void Profiles_beyond_their_bound_empty_the_table_and_the_load_is_made_again()
    {
        var table = new KeyTable(new KeyTableOptions { ProfilesMax = 20 });
        for (uint i = 1; i <= 20; i++)
        {
            table.Load(Make.Entry(i) with { Profile = new KeyProfile { Grants = new Grants(i, 1) } });
        }

        Assert.Equal((20, 20), (table.Count, table.ProfileCount));
        KeyEntry another = Make.Entry(21) with { Profile = new KeyProfile { Grants = new Grants(21, 1) } };
        Assert.True(table.Find(Make.Hash(20), out KeyEntryView seen));
        long epoch = table.BeginLoad();
        Assert.False(table.EndLoad(epoch, another));
        Assert.False(table.EndLoad(epoch, another), "what was read before the table was emptied is read again");
        Assert.Equal((0, 0), (table.Count, table.ProfileCount));
        table.Load(another);
        Assert.Equal((1, 1), (table.Count, table.ProfileCount));
        Assert.Equal(20UL, seen.Grants.Scopes);
    }

    [Fact]
    public void Wrong_bounds_are_refused_by_name()
    {
        Assert.Throws<ArgumentOutOfRangeException>("KeysMax", () => new KeyTable(new KeyTableOptions { KeysMax = 15 }));
        var manyAtStart = new KeyTableOptions { KeysMax = 16, KeysAtStart = 17 };
        Assert.Throws<ArgumentOutOfRangeException>("KeysAtStart", () => new KeyTable(manyAtStart));
        var fewBytes = new KeyTableOptions { FactsBytesMax = (4 << 20) - 1 };
        Assert.Throws<ArgumentOutOfRangeException>("FactsBytesMax", () => new KeyTable(fewBytes));
        Assert.Throws<ArgumentOutOfRangeException>("UnknownMax", () => new KeyTable(new KeyTableOptions { UnknownMax = 3 }));
        Assert.Throws<ArgumentOutOfRangeException>("ChangesKept", () => new KeyTable(new KeyTableOptions { ChangesKept = 15 }));
    }
}
