using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Tollgate.Server.Telemetry;

/// <summary>
/// Sends the gate's metrics, those of the runtime and the gate's spans to an OpenTelemetry collector, from the start of the server to its
/// end. The library's own environment variables are not read: options have one reader, ours.
/// </summary>
internal sealed class OtlpExport(OtlpOptions options, MetricSet metrics, CollectorLink link, string version) : IHostedService, IDisposable
{
    private const int TimeoutMs = 5_000;
    private const int LastExportMs = 3_000;
    private const int SpanDelayMs = 1_000;

    private Meter? _meter;
    private MeterProvider? _metrics;
    private TracerProvider? _traces;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var resource = ResourceBuilder.CreateEmpty()
            .AddService(options.ServiceName, serviceVersion: version).AddTelemetrySdk();
        _meter = new Meter(Traces.SourceName, version);
        foreach (var family in metrics.Families.Where(family => !family.IsOfRuntime))
        {
            Publish(_meter, family);
        }

        var measured = Sdk.CreateMeterProviderBuilder().ConfigureServices(NoEnvironment).SetResourceBuilder(resource)
            .AddMeter(Traces.SourceName, "System.Runtime")
            .AddOtlpExporter((exporter, reader) =>
            {
                Aim(exporter, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = options.IntervalSeconds * 1_000;
                reader.PeriodicExportingMetricReaderOptions.ExportTimeoutMilliseconds = TimeoutMs;
            });
        if (options.HttpMetrics)
        {
            measured.AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel");
        }

        _metrics = measured.Build();
        // What is worth a span is decided before one is made; whatever is made is sent.
        _traces = Sdk.CreateTracerProviderBuilder().ConfigureServices(NoEnvironment).SetResourceBuilder(resource)
            .AddSource(Traces.SourceName).SetSampler(new AlwaysOnSampler())
            .AddOtlpExporter(exporter =>
            {
                Aim(exporter, "v1/traces");
                exporter.BatchExportProcessorOptions.ScheduledDelayMilliseconds = SpanDelayMs;
            })
            .Build();
        return Task.CompletedTask;
    }

    /// <summary>Sends what is left, within a bound: a collector that is gone holds up no end.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            _traces?.Shutdown(LastExportMs);
            _metrics?.Shutdown(LastExportMs);
        },
        CancellationToken.None);

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
        _meter?.Dispose();
    }

    private static void NoEnvironment(IServiceCollection services) =>
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());

    private void Aim(OtlpExporterOptions exporter, string path)
    {
        exporter.Protocol = options.IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = options.IsGrpc ? options.Endpoint : new Uri($"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/{path}");
        exporter.Headers = options.Headers;
        exporter.TimeoutMilliseconds = TimeoutMs;
        exporter.HttpClientFactory = () => new HttpClient(link.NewHandler()) { Timeout = TimeSpan.FromMilliseconds(TimeoutMs) };
    }

    /// <summary>Under the name it has at <c>/metrics</c>, without the ending that only Prometheus writes.</summary>
    private static void Publish(Meter meter, MetricFamily family)
    {
        var (name, unit) = (OtlpName(family.Name), UnitOf(family.Name));
        switch (family.Kind)
        {
            case MetricKind.Counter:
                meter.CreateObservableCounter(name, () => Measured(family), unit, family.Help);
                break;
            case MetricKind.Gauge:
                meter.CreateObservableGauge(name, () => Measured(family), unit, family.Help);
                break;
            default:
                var histogram = meter.CreateHistogram(
                    name, unit, family.Help, tags: null,
                    new InstrumentAdvice<double> { HistogramBucketBoundaries = [.. DurationHistogram.BoundsSeconds] });
                family.Histogram!.Also = histogram.Record;
                break;
        }
    }

    public static string OtlpName(string name) =>
        name.EndsWith("_total", StringComparison.Ordinal) ? name[..^"_total".Length] : name;

    private static string? UnitOf(string name) =>
        name.EndsWith("_seconds", StringComparison.Ordinal) ? "s"
        : name.Contains("_bytes", StringComparison.Ordinal) ? "By"
        : null;

    private static IEnumerable<Measurement<double>> Measured(MetricFamily family) => family.Read().Select(sample => new Measurement<double>(
        sample.Value, sample.Labels.Select(label => new KeyValuePair<string, object?>(label.Name, label.Value))));
}
