namespace Tollgate.Engine.Keys;

/// <summary>The bounds of a <see cref="KeyTable"/>. Memory is taken as it is needed, up to them.</summary>
public sealed record KeyTableOptions
{
    /// <summary>
    /// Secret versions held at most, 16 to 1,000,000,000; about 65 bytes each without their facts. Beyond it, unused ones make room.
    /// </summary>
    public int KeysMax { get; init; } = 1_000_000;

    /// <summary>Room made at start, so that the table does not have to grow under load; up to <see cref="KeysMax"/>.</summary>
    public int KeysAtStart { get; init; } = 1_000;

    /// <summary>Memory for facts, 4 MB to 15 GB. Beyond it, unused keys make room.</summary>
    public long FactsBytesMax { get; init; } = 512L << 20;

    /// <summary>Hashes remembered as unknown, 4 to 16,777,216; 32 bytes each, taken at start.</summary>
    public int UnknownMax { get; init; } = 65_536;

    /// <summary>Changes remembered for loads under way, 16 to 1,048,576; a load during which more happen is refused.</summary>
    public int ChangesKept { get; init; } = 4_096;

    internal int ChunkBytes { get; init; } = FactsArena.ChunkBytesUsual;

    /// <summary>
    /// Different profiles held at a time. A provider has as many as its customers combine scopes and rights; beyond this, memory starts
    /// anew.
    /// </summary>
    internal int ProfilesMax { get; init; } = 65_536;

    internal void ThrowIfWrong()
    {
        Check(KeysMax, 16, 1_000_000_000, nameof(KeysMax));
        Check(KeysAtStart, 0, KeysMax, nameof(KeysAtStart));
        Check(FactsBytesMax, (long)FactsArena.ChunksMin * ChunkBytes, 15L << 30, nameof(FactsBytesMax));
        Check(UnknownMax, 4, 1 << 24, nameof(UnknownMax));
        Check(ChangesKept, 16, 1 << 20, nameof(ChangesKept));
    }

    private static void Check(long value, long min, long max, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, min, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, max, name);
    }
}
