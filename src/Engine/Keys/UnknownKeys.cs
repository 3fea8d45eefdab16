namespace Tollgate.Engine.Keys;

/// <summary>
/// Hashes that the database does not know: sets of four in a fixed array, so that a spray of junk replaces itself and nothing else.
/// Read without a lock and without a sequence: a torn read mixes words of two unknown hashes, and it would have to equal a third in all
/// 256 bits to matter. Written under the table's lock.
/// </summary>
internal sealed class UnknownKeys(int hashesMax)
{
    private const int Ways = 4;

    private readonly KeyHash[] _hashes = new KeyHash[(hashesMax + Ways - 1) / Ways * Ways];

    public int Capacity => _hashes.Length;

    public bool Contains(in KeyHash hash)
    {
        foreach (ref readonly KeyHash known in SetOf(in hash))
        {
            if (known == hash)
            {
                return true;
            }
        }

        return false;
    }

    public void Add(in KeyHash hash)
    {
        if (Contains(in hash))
        {
            return;
        }

        Span<KeyHash> set = SetOf(in hash);

        // The hash itself draws the lot of who must go when nobody is free.
        int way = set.IndexOf(default(KeyHash));
        set[way >= 0 ? way : (int)(hash.D % Ways)] = hash;
    }

    public void Remove(in KeyHash hash)
    {
        foreach (ref KeyHash known in SetOf(in hash))
        {
            if (known == hash)
            {
                known = default;
            }
        }
    }

    public void Clear() => Array.Clear(_hashes);

    // By another word than the key table's, so that the two do not crowd together.
    private Span<KeyHash> SetOf(in KeyHash hash)
        => _hashes.AsSpan((int)Math.BigMul(hash.B, (ulong)(uint)(_hashes.Length / Ways), out _) * Ways, Ways);
}
