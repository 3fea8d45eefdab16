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

/// <summary>
/// Things that customers keep, such as knowledge bases. Routes that make and delete one count them, or the API server sets the number.
/// </summary>
internal sealed record Quota(string Name)
{
    /// <summary>Numbers of the routes whose success makes one; empty where the API server alone counts.</summary>
    public IReadOnlyList<int> MadeBy { get; init; } = [];

    /// <summary>Numbers of the routes whose success deletes one.</summary>
    public IReadOnlyList<int> DeletedBy { get; init; } = [];
}

/// <summary>So many key operations in a rolling window.</summary>
internal sealed record KeyOperationLimit(int Amount, TimeSpan Window);
