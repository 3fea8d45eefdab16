using Tollgate.Engine.Limits;

namespace Tollgate.Server.Providers;

/// <summary>
/// What an organization may use: amounts in the order of the file's limits and quotas; <see cref="LimitPlan.Unlimited"/> for no bound.
/// </summary>
internal sealed record Plan(string Name, IReadOnlyList<long> Limits, IReadOnlyList<long> Quotas)
{
    /// <summary>The plan of a file that names none: it has no limits to bound.</summary>
    public static Plan Free { get; } = new("default", [], []);
}

/// <summary>So many key operations in a rolling window.</summary>
internal sealed record KeyOperationLimit(int Amount, TimeSpan Window);
