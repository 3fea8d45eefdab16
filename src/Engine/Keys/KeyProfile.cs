using Tollgate.Engine.Limits;
using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Keys;

/// <summary>
/// What many keys have in common: what they may reach, and what is told of that. A provider has a few dozen of these at most times, and
/// millions of keys; so a slot holds the profile's number instead of its content.
/// </summary>
public sealed class KeyProfile : IEquatable<KeyProfile>
{
    /// <summary>The profile that grants nothing.</summary>
    public static readonly KeyProfile None = new();

    private readonly KeyLimit[] _limits = [];
    private readonly ushort[]? _models;

    public Grants Grants { get; init; }

    public Rights Rights { get; init; }

    public byte Environment { get; init; }

    /// <summary>The provider's key type, by its number.</summary>
    public byte Type { get; init; }

    /// <summary>Limits below the plan's, by the number of the limit; almost always none.</summary>
    public IReadOnlyList<KeyLimit> Limits
    {
        get => _limits;
        init => _limits = [.. value];
    }

    /// <summary>
    /// The numbers of the only models that these keys may be used for; null, as almost always, for every model. Of models that have no
    /// number none is among them.
    /// </summary>
    public IReadOnlyList<ushort>? Models
    {
        get => _models;
        init => _models = value is null ? null : [.. value.Where(number => number != 0)];
    }

    /// <summary>UTF-8 that the Engine keeps once for all keys of the profile and hands back unread.</summary>
    public ReadOnlyMemory<byte> Facts { get; init; }

    internal bool HasLimits => _limits.Length > 0;

    /// <summary>Whether these keys may be used for a model; 0 is one without a number, which no list can name.</summary>
    public bool MayUse(ushort model) => _models is null || _models.AsSpan().Contains(model);

    /// <summary>The amount of a plan's limit for these keys: their own where it is lower, never a higher one.</summary>
    internal long Lowered(byte limit, long amount)
    {
        foreach (KeyLimit own in _limits)
        {
            if (own.Limit == limit && own.Amount >= 0 && (amount < 0 || own.Amount < amount))
            {
                amount = own.Amount;
            }
        }

        return amount;
    }

    public bool Equals(KeyProfile? other) =>
        other is not null && Grants == other.Grants && Rights == other.Rights && Environment == other.Environment && Type == other.Type
        && Limits.SequenceEqual(other.Limits) && _models is null == other._models is null
        && _models.AsSpan().SequenceEqual(other._models) && Facts.Span.SequenceEqual(other.Facts.Span);

    public override bool Equals(object? obj) => Equals(obj as KeyProfile);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Grants);
        hash.Add(Environment);
        foreach (ushort model in _models.AsSpan())
        {
            hash.Add(model);
        }

        hash.AddBytes(Facts.Span);
        return hash.ToHashCode();
    }
}
