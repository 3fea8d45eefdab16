namespace Tollgate.Server.Telemetry;

/// <summary>Every metric of one gate, in the order in which they are published.</summary>
internal sealed class MetricSet(IReadOnlyList<MetricFamily> families)
{
    public IReadOnlyList<MetricFamily> Families { get; } = families;
}
