using Tollgate.Engine.Verification;

namespace Tollgate.Server.Identity;

/// <summary>
/// What is remembered of each key until it ends, and of no more keys than the bound: a newcomer beyond takes the place of what ends
/// first, found at once, so that nobody can fill it up for others. Not for several threads at a time.
/// </summary>
/// <param name="most">Keys at a time.</param>
/// <param name="rows">Kinds of life: all in one row live equally long, so that each row is in the order of its ends.</param>
internal sealed class Counts<TKey, TValue>(int most, int rows)
    where TKey : notnull
    where TValue : struct
{
    private readonly Dictionary<TKey, LinkedListNode<Count>> _found = [];
    private readonly LinkedList<Count>[] _rows = [.. Enumerable.Range(0, rows).Select(_ => new LinkedList<Count>())];

    public int Held => _found.Count;

    /// <summary>The default when there is nothing, or it has ended.</summary>
    public TValue Find(TKey key, long now) => _found.TryGetValue(key, out var at) && at.Value.EndsAt > now ? at.Value.Value : default;

    public void Set(TKey key, TValue value, long endsAt, int row, long now)
    {
        Remove(key);
        // Two go for each that comes, so that what has ended does not pile up.
        for (var i = 0; i < 2 && First() is { } first && (first.Value.EndsAt <= now || _found.Count >= most); i++)
        {
            Remove(first.Value.Key);
        }

        _found[key] = _rows[row].AddLast(new Count(key, value, endsAt, row));
    }

    /// <summary>Another value with the same end.</summary>
    public void Change(TKey key, Func<TValue, TValue> change)
    {
        if (_found.TryGetValue(key, out var at))
        {
            at.Value = at.Value with { Value = change(at.Value.Value) };
        }
    }

    public void Remove(TKey key)
    {
        if (_found.Remove(key, out var at))
        {
            _rows[at.Value.Row].Remove(at);
        }
    }

    private LinkedListNode<Count>? First() =>
        _rows.Select(row => row.First).Where(first => first is not null).MinBy(first => first!.Value.EndsAt);

    private readonly record struct Count(TKey Key, TValue Value, long EndsAt, int Row);
}

/// <summary>Where something comes from: a network, or the whole site that it is part of: one customer has thousands of networks.</summary>
internal readonly record struct Origin(ClientNetwork Network, bool IsSite)
{
    public static Origin Near(ClientNetwork network) => new(network, false);

    public static Origin Wide(ClientNetwork network) => new(network.Site, true);
}
