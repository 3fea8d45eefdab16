using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers;

/// <summary>
/// Things that customers keep, such as knowledge bases. Requests that make and delete one count them, or the API server sets the number.
/// </summary>
internal sealed record Quota(string Name)
{
    /// <summary>The requests whose success makes one, as <c>POST /path</c>; empty where the API server alone counts.</summary>
    public IReadOnlyList<string> MadeBy { get; init; } = [];

    /// <summary>The requests whose success deletes one.</summary>
    public IReadOnlyList<string> DeletedBy { get; init; } = [];
}

/// <summary>Which request makes or deletes what a quota counts. Asked beside the provider's routes, with the same canonical path.</summary>
internal sealed class QuotaRoutes(RouteTable table, IReadOnlyList<QuotaStep> steps)
{
    /// <summary>What the request does if it succeeds; null for nearly all.</summary>
    public QuotaStep? Find(ReadOnlySpan<char> method, ReadOnlySpan<char> path) =>
        steps.Count > 0 && table.Match(method, path) is { Kind: RouteMatchKind.Found } match ? steps[match.Route] : null;
}

/// <param name="Quota">The number of the quota in the provider file.</param>
/// <param name="Makes">Whether one more is made; else one is deleted.</param>
internal readonly record struct QuotaStep(int Quota, bool Makes);
