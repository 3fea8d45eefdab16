namespace Tollgate.Engine.Keys;

/// <summary>
/// From a key's number to its slots: four bytes a slot, because the number itself is read from the slot. Several slots may have one number.
/// Writers only, under the table's lock.
/// </summary>
internal sealed class KeyNoIndex(KeySlots slots)
{
    // Slot index + 1; 0 is free. As long as the row of slots, so never fuller than it.
    private readonly int[] _places = new int[slots.Count];

    public void Add(uint keyNo, int slot)
    {
        int place = Home(keyNo);
        while (_places[place] != 0)
        {
            place = Next(place);
        }

        _places[place] = slot + 1;
    }

    /// <summary>
    /// All slots of a key, at most as many as <paramref name="found"/> holds; the table never gives a key more than that.
    /// </summary>
    public int Collect(uint keyNo, Span<int> found)
    {
        int count = 0;
        for (int place = Home(keyNo); _places[place] != 0 && count < found.Length; place = Next(place))
        {
            int slot = _places[place] - 1;
            if (slots[slot].KeyNo == keyNo)
            {
                found[count++] = slot;
            }
        }

        return count;
    }

    public void Replace(uint keyNo, int from, int to) => _places[PlaceOf(keyNo, from)] = to + 1;

    /// <summary>Forgets a slot. Every slot named here must still hold its key.</summary>
    public void Remove(uint keyNo, int slot)
    {
        int gap = PlaceOf(keyNo, slot);
        for (int next = Next(gap); _places[next] != 0; next = Next(next))
        {
            int home = Home(slots[_places[next] - 1].KeyNo);
            bool mayMove = gap <= next ? home <= gap || home > next : home <= gap && home > next;
            if (mayMove)
            {
                _places[gap] = _places[next];
                gap = next;
            }
        }

        _places[gap] = 0;
    }

    private int PlaceOf(uint keyNo, int slot)
    {
        int place = Home(keyNo);
        while (_places[place] != slot + 1)
        {
            place = Next(place);
        }

        return place;
    }

    private int Next(int place) => place + 1 == _places.Length ? 0 : place + 1;

    // Numbers come in sequence; Fibonacci's multiplier spreads them whatever part of them is loaded.
    private int Home(uint keyNo)
        => (int)Math.BigMul(unchecked(keyNo * 0x9E37_79B9_7F4A_7C15UL), (ulong)(uint)_places.Length, out _);
}
