using System.Buffers.Binary;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Tests.Keys;

/// <summary>Readers on their own threads while the table changes, grows, evicts and cleans under them.</summary>
public sealed class KeyTableRaceTests
{
    /// <summary>
    /// Every field of an entry follows from its number and version, so that a view put together from two entries shows. The floor is the
    /// version whose Drop has returned before the look-up began: nothing older may be seen.
    /// </summary>
    [Theory]
    [InlineData(2, 2_000, 64, 200_000)]
    [InlineData(600, 2_000, 64, 60_000)]
    [InlineData(600, 100, 64, 60_000)]
    [InlineData(600, 2_000, 4, 60_000)]
    public async Task A_reader_never_sees_a_torn_an_old_or_a_foreign_entry(int keys, int keysMax, int chunks, int steps)
    {
        var table = new KeyTable(new KeyTableOptions
        {
            KeysMax = keysMax,
            KeysAtStart = 0,
            ChunkBytes = FactsArena.ChunkBytesMin,
            FactsBytesMax = chunks * FactsArena.ChunkBytesMin,
        });
        KeyHash[] hashes = [.. Enumerable.Range(0, keys).Select(i => Make.Hash(i))];
        var floors = new long[keys];
        using var done = new CancellationTokenSource();
        Task<long>[] readers = [.. Enumerable.Range(1, 2).Select(seed => Task.Factory.StartNew(
            () => ReadUntil(table, hashes, floors, seed, done.Token),
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];
        var random = new Random(5);
        for (int step = 0; step < steps; step++)
        {
            int key = random.Next(keys);
            KeyEntry entry = Entry(key, floors[key] + 1, hashes[key], random.Next(40));
            table.Drop(entry.KeyNo);
            table.Load(entry);
            Volatile.Write(ref floors[key], entry.Version);
            if (step == steps / 2)
            {
                table.Clear();
            }
        }

        await done.CancelAsync();
        long[] found = await Task.WhenAll(readers);
        Assert.All(found, count => Assert.True(count > 0));
    }

    /// <summary>
    /// All keys have one home, so that taking the first out moves all others by a slot. A key's turn is odd while it is out: a look-up that
    /// found nothing between two equal even turns has missed a key that was there.
    /// </summary>
    [Fact]
    public async Task A_key_that_moves_while_its_neighbours_are_removed_is_still_found()
    {
        var table = new KeyTable(new KeyTableOptions { KeysMax = 40, KeysAtStart = 40, ChunkBytes = FactsArena.ChunkBytesMin });
        KeyHash[] hashes = [.. Enumerable.Range(1, 40).Select(WithHomeZero)];
        for (int i = 0; i < hashes.Length; i++)
        {
            table.Load(Entry(i, 1, hashes[i], 0));
        }

        var turns = new long[hashes.Length];
        using var done = new CancellationTokenSource();
        Task<(long Found, long Missed)> reader = Task.Factory.StartNew(
            () => MissedUntil(table, hashes, turns, done.Token),
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        for (int i = 0; i < 100_000; i++)
        {
            int key = i % hashes.Length;
            KeyEntry entry = Entry(key, i + 2, hashes[key], 0);
            Interlocked.Increment(ref turns[key]);
            table.Drop(entry.KeyNo);
            table.Load(entry);
            Interlocked.Increment(ref turns[key]);
        }

        await done.CancelAsync();
        (long found, long missed) = await reader;
        Assert.Equal(0, missed);
        Assert.True(found > 0);
    }

    [Fact]
    public async Task A_load_that_races_a_revoke_never_brings_the_old_row_back()
    {
        var table = new KeyTable(new KeyTableOptions { KeysAtStart = 0 });
        for (uint key = 1; key <= 3_000; key++)
        {
            KeyEntry active = Make.Entry(key, 1);
            KeyEntry revoked = Make.Entry(key, 2) with { State = KeyState.Revoked };

            // The database's row, read and written as a whole.
            KeyEntry row = active;
            using var start = new Barrier(2);
            Task loader = Task.Run(() =>
            {
                start.SignalAndWait(TestContext.Current.CancellationToken);
                bool taken = false;
                while (!taken)
                {
                    long epoch = table.BeginLoad();
                    taken = table.EndLoad(epoch, Volatile.Read(ref row));
                }
            }, TestContext.Current.CancellationToken);
            start.SignalAndWait(TestContext.Current.CancellationToken);
            Volatile.Write(ref row, revoked);
            table.Drop(key);
            await loader;
            Assert.True(!table.Find(Make.Hash(key), out KeyEntryView view) || view.State == KeyState.Revoked);
        }
    }

    private static (long Found, long Missed) MissedUntil(KeyTable table, KeyHash[] hashes, long[] turns, CancellationToken done)
    {
        (long found, long missed) = (0, 0);
        while (!done.IsCancellationRequested)
        {
            for (int key = 0; key < hashes.Length; key++)
            {
                long turn = Volatile.Read(ref turns[key]);
                bool isThere = table.Find(in hashes[key], out _);
                bool isSettled = turn % 2 == 0 && Interlocked.Read(ref turns[key]) == turn;
                found += isThere ? 1 : 0;
                missed += isSettled && !isThere ? 1 : 0;
            }
        }

        return (found, missed);
    }

    private static KeyHash WithHomeZero(int number)
    {
        byte[] bytes = Make.Hash(number).ToBytes();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return KeyHash.FromBytes(bytes);
    }

    private static long ReadUntil(KeyTable table, KeyHash[] hashes, long[] floors, int seed, CancellationToken done)
    {
        var random = new Random(seed);
        long found = 0;
        while (!done.IsCancellationRequested)
        {
            int key = random.Next(hashes.Length);
            long floor = Volatile.Read(ref floors[key]);
            if (table.Find(hashes[key], out KeyEntryView view))
            {
                found++;
                Check(key, floor, in view);
            }
        }

        return found;
    }

    private static void Check(int key, long floor, in KeyEntryView view)
    {
        long version = view.Version;
        Assert.Equal((uint)key + 1, view.KeyNo);
        Assert.True(version >= floor, $"version {version} after {floor} was acknowledged");
        ulong mixed = Mixed(key, version);
        Assert.Equal(mixed & 0xFFFF, view.Grants.Scopes);
        Assert.Equal((uint)((mixed >> 16) & uint.MaxValue), view.ProjectIndex);
        Assert.Equal((byte)(mixed & 0xFF), view.Type);
        Assert.Equal((long)(mixed >> 2), view.ExpiresAtMs);
        ReadOnlySpan<byte> facts = view.Facts.Span;
        Assert.Equal(mixed, BinaryPrimitives.ReadUInt64LittleEndian(facts));
        Assert.Equal(mixed, BinaryPrimitives.ReadUInt64LittleEndian(facts[^8..]));
    }

    private static KeyEntry Entry(int key, long version, KeyHash hash, int filling)
    {
        ulong mixed = Mixed(key, version);
        var facts = new byte[16 + (filling * 50)];
        BinaryPrimitives.WriteUInt64LittleEndian(facts, mixed);
        BinaryPrimitives.WriteUInt64LittleEndian(facts.AsSpan(facts.Length - 8), mixed);
        return Make.Entry((uint)key + 1, version, hash) with
        {
            Profile = new KeyProfile { Grants = new Grants(mixed & 0xFFFF, 0), Type = (byte)(mixed & 0xFF) },
            ProjectIndex = (uint)((mixed >> 16) & uint.MaxValue),
            ExpiresAtMs = (long)(mixed >> 2),
            Facts = facts,
        };
    }

    private static ulong Mixed(int key, long version)
        => unchecked(((ulong)key * 0x9E3779B97F4A7C15UL) ^ ((ulong)version * 0xC2B2AE3D27D4EB4FUL));
}
