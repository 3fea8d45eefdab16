namespace Tollgate.Engine.Keys;

/// <summary>
/// The profiles that the keys of one store have, each once, by number. A number is given for good: it goes only with the whole store.
/// <see cref="At"/> takes no lock; <see cref="TryNumberOf"/> runs under the table's.
/// </summary>
internal sealed class KeyProfiles(int max)
{
    private const int AtStart = 16;

    private readonly Dictionary<KeyProfile, uint> _numbers = [];

    // Swapped whole when it grows. A place is written before any slot names it, so whoever read the slot finds it filled.
    private volatile KeyProfile[] _items = new KeyProfile[Math.Min(AtStart, max)];

    public int Count => _numbers.Count;

    public KeyProfile At(uint number) => _items[number];

    /// <summary>The number of a profile, new or known. False when there is no room for a new one.</summary>
    public bool TryNumberOf(KeyProfile profile, out uint number)
    {
        if (_numbers.TryGetValue(profile, out number))
        {
            return true;
        }

        if (_numbers.Count >= max)
        {
            return false;
        }

        number = (uint)_numbers.Count;
        KeyProfile[] items = _items;
        if (number == items.Length)
        {
            Array.Resize(ref items, Math.Min(max, items.Length * 2));
        }

        items[number] = profile;
        _items = items;
        _numbers.Add(profile, number);
        return true;
    }
}
