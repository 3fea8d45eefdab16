using System.Numerics;

namespace Tollgate.Engine.Keys;

/// <summary>
/// The facts of all keys in a few large byte arrays instead of an object per key. A record is a header, the address rule and the facts,
/// at a multiple of four bytes; its reference counts those four bytes through all chunks. Records are written once and never overwritten: a
/// chunk is filled, thinned out by <see cref="Release"/>, and at last dropped whole, after which the collector frees it when the last
/// verdict that points into it is gone. All methods but the static readers run under the table's lock.
/// </summary>
internal sealed class FactsArena
{
    public const int ChunkBytesUsual = 1 << 20;
    public const int ChunkBytesMin = 1 << 16;
    public const int ChunksMin = 4;
    public const int UnitBytes = 4;
    private const int None = -1;

    private readonly int[] _live;
    private readonly int[] _filled;
    private readonly int _chunksMax;
    private int _current = None;
    private int _hand = None;

    public FactsArena(long bytesMax, int chunkBytes)
    {
        ChunkBytes = chunkBytes;
        UnitBits = BitOperations.Log2((uint)(chunkBytes / UnitBytes));
        _chunksMax = (int)Math.Max(ChunksMin, bytesMax / chunkBytes);

        // One more than may be in use: cleaning needs a place to move to.
        Chunks = new byte[]?[_chunksMax + 1];
        _live = new int[Chunks.Length];
        _filled = new int[Chunks.Length];
    }

    public int ChunkBytes { get; }

    /// <summary>How many low bits of a reference are the place inside the chunk.</summary>
    public int UnitBits { get; }

    /// <summary>Readers index this through the slots that share it; written with release.</summary>
    public byte[]?[] Chunks { get; private set; }

    public long LiveBytes { get; private set; }

    public int ChunksInUse { get; private set; }

    /// <summary>Whether a chunk should be emptied before another is opened: at the bound, or when most of the memory is dead.</summary>
    public bool NeedsCleaning
        => ChunksInUse >= _chunksMax || (ChunksInUse >= ChunksMin && LiveBytes < (long)ChunksInUse * ChunkBytes / 2);

    /// <summary>Gives the arena an array of chunks of its own and leaves the old one, as it is, to readers of an older snapshot.</summary>
    public void PartFromReaders() => Chunks = (byte[]?[])Chunks.Clone();

    public bool TryAppend(KeyEntry entry, out uint reference)
    {
        ReadOnlySpan<byte> addresses = entry.Addresses is { } rule ? rule.Encoded : default;
        var header = new FactsHeader
        {
            KeyNo = entry.KeyNo,
            Version = entry.Version,
            ExpiresAtMs = entry.ExpiresAtMs,
            AddressBytes = addresses.Length,
            FactsBytes = entry.Facts.Length,
        };
        int start = header.Bytes;
        if (!TryTake(Rounded(start + addresses.Length + entry.Facts.Length), out reference, out Span<byte> record))
        {
            return false;
        }

        header.Write(record);
        addresses.CopyTo(record[start..]);
        entry.Facts.Span.CopyTo(record[(start + addresses.Length)..]);
        return true;
    }

    /// <summary>Opens a chunk to append to. The one it replaces keeps what it has.</summary>
    public void Open()
    {
        int full = _current;
        int free = Array.IndexOf(Chunks, null);
        Volatile.Write(ref Chunks[free], GC.AllocateUninitializedArray<byte>(ChunkBytes));
        _live[free] = 0;
        _filled[free] = 0;
        _current = free;
        ChunksInUse++;
        if (full != None)
        {
            DropIfDead(full);
        }
    }

    /// <summary>Gives up a record: nobody looks it up any more, though a verdict may still hold it.</summary>
    public void Release(uint reference)
    {
        int chunk = ChunkOf(reference);
        int size = SizeAt(Chunks[chunk]!, PlaceOf(reference));
        _live[chunk] -= size;
        LiveBytes -= size;
        DropIfDead(chunk);
    }

    /// <summary>
    /// The chunk to empty next, never the one being filled: the one that holds least, if that is at most half; else all in turn, so that
    /// unused keys cannot sit in a full chunk for ever.
    /// </summary>
    public int Victim()
    {
        int best = None;
        for (int i = 0; i < Chunks.Length; i++)
        {
            if (MayEmpty(i) && (best == None || _live[i] < _live[best]))
            {
                best = i;
            }
        }

        if (_live[best] <= ChunkBytes / 2)
        {
            return best;
        }

        do
        {
            _hand = _hand + 1 == Chunks.Length ? 0 : _hand + 1;
        }
        while (!MayEmpty(_hand));
        return _hand;
    }

    public int LiveBytesOf(int chunk) => _live[chunk];

    /// <summary>Every record ever written to a chunk, live or dead.</summary>
    public List<uint> RecordsOf(int chunk)
    {
        var records = new List<uint>();
        byte[] bytes = Chunks[chunk]!;
        for (int place = 0; place < _filled[chunk]; place += SizeAt(bytes, place))
        {
            records.Add(((uint)chunk << UnitBits) | (uint)(place / UnitBytes));
        }

        return records;
    }

    /// <summary>Copies a live record to the current chunk; the caller points the slots there and releases the old one.</summary>
    public uint Move(uint reference)
    {
        byte[] chunk = Chunks[ChunkOf(reference)]!;
        int place = PlaceOf(reference);
        int size = SizeAt(chunk, place);
        bool taken = TryTake(size, out uint moved, out Span<byte> record);
        System.Diagnostics.Debug.Assert(taken, "the caller opened a chunk and moves at most half of one");
        chunk.AsSpan(place, size).CopyTo(record);
        return moved;
    }

    public int SizeOf(uint reference) => SizeAt(Chunks[ChunkOf(reference)]!, PlaceOf(reference));

    public uint KeyNoOf(uint reference) => Read(Chunks[ChunkOf(reference)]!, PlaceOf(reference), out _).KeyNo;

    public long VersionOf(uint reference) => VersionOf(Chunks[ChunkOf(reference)]!, PlaceOf(reference));

    public int ChunkOf(uint reference) => (int)(reference >> UnitBits);

    public int PlaceOf(uint reference) => (int)(reference & ((1u << UnitBits) - 1)) * UnitBytes;

    public static long ExpiresAtMsOf(byte[] chunk, int place) => Read(chunk, place, out _).ExpiresAtMs;

    public static long VersionOf(byte[] chunk, int place) => Read(chunk, place, out _).Version;

    public static ReadOnlySpan<byte> AddressesOf(byte[] chunk, int place)
    {
        FactsHeader header = Read(chunk, place, out int start);
        return chunk.AsSpan(place + start, header.AddressBytes);
    }

    public static ReadOnlyMemory<byte> FactsOf(byte[] chunk, int place)
    {
        FactsHeader header = Read(chunk, place, out int start);
        return chunk.AsMemory(place + start + header.AddressBytes, header.FactsBytes);
    }

    private bool MayEmpty(int chunk) => Chunks[chunk] is not null && chunk != _current;

    private void DropIfDead(int chunk)
    {
        if (_live[chunk] == 0 && chunk != _current)
        {
            Volatile.Write(ref Chunks[chunk], null);
            ChunksInUse--;
        }
    }

    private bool TryTake(int size, out uint reference, out Span<byte> record)
    {
        reference = 0;
        record = default;
        if (_current == None || _filled[_current] + size > ChunkBytes)
        {
            return false;
        }

        int place = _filled[_current];
        reference = ((uint)_current << UnitBits) | (uint)(place / UnitBytes);
        record = Chunks[_current].AsSpan(place, size);
        _filled[_current] += size;
        _live[_current] += size;
        LiveBytes += size;
        return true;
    }

    private static int SizeAt(byte[] chunk, int place)
    {
        FactsHeader header = Read(chunk, place, out int start);
        return Rounded(start + header.AddressBytes + header.FactsBytes);
    }

    private static int Rounded(int bytes) => (bytes + UnitBytes - 1) & ~(UnitBytes - 1);

    private static FactsHeader Read(byte[] chunk, int place, out int bytes) => FactsHeader.Read(chunk.AsSpan(place), out bytes);
}
