namespace Tollgate.Engine.Keys;

/// <summary>
/// The last changes of keys and of unknown hashes, so that a load can tell whether what it read from the database has become old on the
/// way. Where the ring has gone round since, the answer is yes. Written under the table's lock; <see cref="Epoch"/> is read without.
/// </summary>
internal sealed class ChangeRing(int length)
{
    private const ulong HashBit = 1UL << 63;

    private readonly ulong[] _marks = new ulong[length];
    private long _count;

    public long Epoch => Interlocked.Read(ref _count);

    public void NoteKey(uint keyNo) => Note(keyNo);

    public void NoteHash(in KeyHash hash) => Note(hash.A | HashBit);

    /// <summary>Refuses every load that is under way.</summary>
    public void NoteEverything() => Interlocked.Add(ref _count, _marks.Length + 1L);

    public bool HasKeyChanged(long epoch, uint keyNo) => HasChanged(epoch, keyNo);

    public bool HasHashChanged(long epoch, in KeyHash hash) => HasChanged(epoch, hash.A | HashBit);

    private void Note(ulong mark)
    {
        _marks[_count % _marks.Length] = mark;
        Interlocked.Increment(ref _count);
    }

    private bool HasChanged(long epoch, ulong mark)
    {
        if (epoch < 0 || epoch > _count || _count - epoch > _marks.Length)
        {
            return true;
        }

        for (long change = epoch; change < _count; change++)
        {
            if (_marks[change % _marks.Length] == mark)
            {
                return true;
            }
        }

        return false;
    }
}
