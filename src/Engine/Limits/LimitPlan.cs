namespace Tollgate.Engine.Limits;

/// <summary>How much a plan allows of each limit, in the order of the provider file's limits.</summary>
public sealed record LimitPlan(string Name, IReadOnlyList<long> Amounts)
{
    /// <summary>Stands for no bound.</summary>
    public const long Unlimited = -1;
}

/// <summary>A limit that one key has below its plan's: the number of the limit, and the amount.</summary>
public readonly record struct KeyLimit(byte Limit, long Amount);
