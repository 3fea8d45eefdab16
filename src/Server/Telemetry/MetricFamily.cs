namespace Tollgate.Server.Telemetry;

internal enum MetricKind
{
    /// <summary>Only ever rises, from 0 at the start of the process.</summary>
    Counter,

    Gauge,
    Histogram,
}

/// <summary>
/// One metric: its name and help as they are published, and where its values are read. The names of its labels are fixed and their values
/// come from lists of our own, never from a request, so that nobody outside can make the number of series grow.
/// </summary>
internal sealed record MetricFamily(string Name, MetricKind Kind, string Help)
{
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The values of a counter or gauge, each with a value for every label.</summary>
    public Func<IEnumerable<MetricSample>> Read { get; init; } = () => [];

    /// <summary>A histogram's own place; null for the others.</summary>
    public DurationHistogram? Histogram { get; init; }

    /// <summary>About the process and its runtime: OpenTelemetry has its own names for these, which the runtime publishes itself.</summary>
    public bool IsOfRuntime { get; init; }

    public static MetricFamily Counter(string name, string help, Func<IEnumerable<MetricSample>> read, params string[] labels) =>
        new(name, MetricKind.Counter, help) { Labels = labels, Read = read };

    public static MetricFamily Counter(string name, string help, Func<double> read) => new(name, MetricKind.Counter, help)
    {
        Read = () => [new MetricSample(read())],
    };

    public static MetricFamily Gauge(string name, string help, Func<double> read) => new(name, MetricKind.Gauge, help)
    {
        Read = () => [new MetricSample(read())],
    };

    public static MetricFamily Duration(string name, string help, DurationHistogram histogram) => new(name, MetricKind.Histogram, help)
    {
        Histogram = histogram,
    };
}

/// <summary>A value with its labels.</summary>
internal sealed record MetricSample(double Value, params (string Name, string Value)[] Labels);
