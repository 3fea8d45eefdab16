using Tollgate.Engine.Permissions;

namespace Tollgate.Engine.Limits;

/// <summary>The limits and plans of a provider file, as a check reads them.</summary>
public sealed class LimitCatalogue
{
    public const int LimitsMax = 16;

    public static readonly LimitCatalogue Empty = new([], []);

    // By plan; the limits that the plan leaves open stand there too, because a key can have a limit of its own.
    private readonly CountedLimit[][] _counted;

    /// <summary>Each plan has an amount for each limit, in their order; a plan number beyond the list counts as the first.</summary>
    public LimitCatalogue(IReadOnlyList<Limit> limits, IReadOnlyList<LimitPlan> plans)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(plans);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limits.Count, LimitsMax);
        (Limits, Plans) = ([.. limits], [.. plans]);
        _counted = [.. plans.Select(CountedBy)];
    }

    public IReadOnlyList<Limit> Limits { get; }

    public IReadOnlyList<LimitPlan> Plans { get; }

    internal ReadOnlySpan<CountedLimit> Of(byte plan)
    {
        CountedLimit[][] counted = _counted;
        return plan < counted.Length ? counted[plan] : counted.Length > 0 ? counted[0] : default;
    }

    private CountedLimit[] CountedBy(LimitPlan plan)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(plan.Amounts.Count, Limits.Count, plan.Name);
        return [.. Limits.Select((limit, i) => new CountedLimit(limit, (byte)i, plan.Amounts[i]))];
    }
}

/// <summary>A limit and its amount under a plan, laid out for the check.</summary>
internal readonly struct CountedLimit
{
    private readonly ulong _scopes;
    private readonly ulong _exceptScopes;
    private readonly byte _actions;

    public CountedLimit(Limit limit, byte number, long amount)
    {
        bool isConcurrent = limit.Counts == LimitCounts.ConcurrentRequests;
        ArgumentOutOfRangeException.ThrowIfLessThan(amount, LimitPlan.Unlimited, limit.Name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(amount, Limit.AmountMax, limit.Name);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit.WindowMs, isConcurrent ? 0 : 1, limit.Name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit.WindowMs, isConcurrent ? 0 : Limit.WindowMsMax, limit.Name);
        (Number, Amount, SlotMs, Counts, Lasts) = (number, amount, limit.SlotMs, limit.Counts, limit.Lasts);
        (_scopes, _exceptScopes, _actions) = (limit.Scopes, limit.ExceptScopes, limit.Actions);
    }

    public long SlotMs { get; }

    public long Amount { get; }

    public byte Number { get; }

    public LimitCounts Counts { get; }

    public bool Lasts { get; }

    public bool Applies(in Requirement requirement)
    {
        ulong scopes = requirement.AnyScope | requirement.ConditionalScopes;
        return (_actions == 0 || (_actions & requirement.Actions) != 0)
            && (_scopes == 0 || (_scopes & scopes) != 0)
            && (_exceptScopes & scopes) == 0;
    }
}
