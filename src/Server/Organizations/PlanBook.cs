using System.Collections.Concurrent;
using Tollgate.Engine.Limits;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Organizations;

/// <summary>
/// The plans of the provider file, by the names that organizations keep. A name that the file no longer has means the default plan, as
/// having none does: nobody is without a plan because a file was edited.
/// </summary>
internal sealed partial class PlanBook(ProviderModel provider, ILogger<PlanBook> log)
{
    /// <summary>Names that were missed and logged; each was in a file once, so there are few.</summary>
    private readonly ConcurrentDictionary<string, bool> _missed = new(StringComparer.Ordinal);

    public IReadOnlyList<Plan> All => provider.Plans;

    public IReadOnlyList<Limit> Limits => provider.Limits;

    public IReadOnlyList<Quota> Quotas => provider.Quotas;

    public Plan Default => provider.Plans[0];

    public Plan Of(string? stored) => provider.Plans[PlaceOf(stored)];

    /// <summary>Where the plan stands in the file, which is its number in the Engine.</summary>
    public byte PlaceOf(string? stored)
    {
        if (stored is null)
        {
            return 0;
        }

        for (var i = 0; i < provider.Plans.Count; i++)
        {
            if (provider.Plans[i].Name == stored)
            {
                return checked((byte)i);
            }
        }

        if (_missed.TryAdd(stored, true))
        {
            LogMissed(stored, Default.Name);
        }

        return 0;
    }

    public bool Has(string name) => provider.Plans.Any(plan => plan.Name == name);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The provider file has no plan {Plan} any more; organizations that are on it have the default plan {Default}")]
    private partial void LogMissed(string plan, string @default);
}
