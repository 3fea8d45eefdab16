using Tollgate.Engine.Keys;
using Tollgate.Engine.Permissions;
using Tollgate.Engine.Verification;

namespace Tollgate.Engine.Limits;

/// <summary>The limits and plans of a provider file, as a check reads them.</summary>
public sealed class LimitCatalogue
{
    public const int LimitsMax = 16;

    public static readonly LimitCatalogue Empty = new([], []);

    // By plan: the limits that it bounds; and all of them, for a key that has limits of its own.
    private readonly CountedLimit[][] _bounded;
    private readonly CountedLimit[][] _all;

    /// <summary>Each plan has an amount for each limit, in their order; a plan number beyond the list counts as the first.</summary>
    public LimitCatalogue(IReadOnlyList<Limit> limits, IReadOnlyList<LimitPlan> plans)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(plans);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limits.Count, LimitsMax);
        (Limits, Plans) = ([.. limits], [.. plans]);
        LastingBits = Limits.Select((limit, i) => limit.Lasts ? 1 << i : 0).Sum();
        _all = [.. plans.Select(CountedBy)];
        _bounded = [.. _all.Select(limits => limits.Where(limit => limit.Amount >= 0).ToArray())];
    }

    public IReadOnlyList<Limit> Limits { get; }

    public IReadOnlyList<LimitPlan> Plans { get; }

    /// <summary>The limits that outlast a restart, a bit each by number.</summary>
    internal int LastingBits { get; }

    /// <summary>The limits that bound keys of a plan without limits of their own.</summary>
    internal ReadOnlySpan<CountedLimit> Of(byte plan)
    {
        CountedLimit[][] plans = _bounded;
        return plan < plans.Length ? plans[plan] : plans.Length > 0 ? plans[0] : default;
    }

    /// <summary>The limits that bound keys with limits of their own, which lower the plan's.</summary>
    internal ReadOnlySpan<CountedLimit> Of(byte plan, KeyProfile profile, Span<CountedLimit> into)
    {
        int count = 0;
        foreach (CountedLimit limit in _all.Length == 0 ? [] : _all[plan < _all.Length ? plan : 0])
        {
            long amount = profile.Lowered(limit.Number, limit.Amount);
            if (amount >= 0)
            {
                into[count++] = limit with { Amount = amount };
            }
        }

        return into[..count];
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
    private readonly bool _isForAll;

    // What a request counts for, without a branch: a one for itself, its input or nothing, its output or nothing.
    private readonly uint _fixed;
    private readonly uint _inputMask;
    private readonly uint _outputMask;

    public CountedLimit(Limit limit, byte number, long amount)
    {
        bool isConcurrent = limit.Counts == LimitCounts.ConcurrentRequests;
        ArgumentOutOfRangeException.ThrowIfLessThan(amount, LimitPlan.Unlimited, limit.Name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(amount, Limit.AmountMax, limit.Name);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit.WindowMs, isConcurrent ? 0 : 1, limit.Name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit.WindowMs, isConcurrent ? 0 : Limit.WindowMsMax, limit.Name);
        (Number, Amount, SlotMs, WindowMs) = (number, amount, limit.SlotMs, limit.WindowMs);
        ReachMs = SlotMs * RollingWindow.EarlierSlots;
        (_scopes, _exceptScopes, _actions) = (limit.Scopes, limit.ExceptScopes, limit.Actions);
        _isForAll = (_scopes | _exceptScopes | _actions) == 0 && !isConcurrent;
        _fixed = limit.Counts is LimitCounts.Requests or LimitCounts.ConcurrentRequests ? 1u : 0;
        _inputMask = limit.Counts is LimitCounts.Tokens or LimitCounts.InputTokens ? uint.MaxValue : 0;
        _outputMask = limit.Counts is LimitCounts.Tokens or LimitCounts.OutputTokens ? uint.MaxValue : 0;
    }

    public long SlotMs { get; }

    /// <summary>What is counted in a slot leaves the window so long after the slot's end.</summary>
    public long ReachMs { get; }

    public long WindowMs { get; }

    public long Amount { get; init; }

    public byte Number { get; }

    /// <summary>Whether it counts a request. Concurrent requests are those that end by being settled, so no others count there.</summary>
    public bool Applies(in CheckRequest request) => _isForAll || AppliesTo(in request);

    /// <summary>What a request counts for before it is settled.</summary>
    public long EstimateOf(uint inputTokens, uint outputTokens) =>
        (long)_fixed + (inputTokens & _inputMask) + (outputTokens & _outputMask);

    /// <summary>
    /// What is booked for it: the estimate, or the whole amount where the estimate is greater, for the first request of a key that has
    /// rested is not refused for what it might use at worst.
    /// </summary>
    public long NeedOf(in CheckRequest request) => Math.Min(EstimateOf((uint)request.InputTokens, (uint)request.OutputTokens), Amount);

    /// <summary>False where what it is sure to take, itself or its input, is more than the whole amount: then it fits never.</summary>
    public bool CanFit(in CheckRequest request) => (long)_fixed + ((uint)request.InputTokens & _inputMask) <= Amount;

    private bool AppliesTo(in CheckRequest request)
    {
        Requirement needed = request.Requirement;
        ulong scopes = needed.AnyScope | needed.ConditionalScopes;
        return (_actions == 0 || (_actions & needed.Actions) != 0)
            && (_scopes == 0 || (_scopes & scopes) != 0)
            && (_exceptScopes & scopes) == 0
            && (SlotMs > 0 || request.Reserves);
    }
}
