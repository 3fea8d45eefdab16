using System.Globalization;
using System.Text;

namespace Tollgate.Server.Telemetry;

/// <summary>
/// Metrics in the text format that Prometheus reads, version 0.0.4: for each its help and type, then a line for each of its series.
/// </summary>
internal static class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(IEnumerable<MetricFamily> families)
    {
        var text = new StringBuilder(32_768);
        foreach (var family in families)
        {
            text.Append("# HELP ").Append(family.Name).Append(' ').Append(Escape(family.Help)).Append('\n');
            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(TypeOf(family.Kind)).Append('\n');
            if (family.Histogram is { } histogram)
            {
                WriteBuckets(text, family.Name, histogram.Read());
                continue;
            }

            foreach (var sample in family.Read())
            {
                WriteSample(text, family.Name, sample);
            }
        }

        return text.ToString();
    }

    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };

    private static void WriteBuckets(StringBuilder text, string name, HistogramSample sample)
    {
        for (var i = 0; i < sample.Cumulative.Count; i++)
        {
            var bound = i < DurationHistogram.BoundsSeconds.Count ? Number(DurationHistogram.BoundsSeconds[i]) : "+Inf";
            WriteSample(text, $"{name}_bucket", new MetricSample(sample.Cumulative[i], ("le", bound)));
        }

        WriteSample(text, $"{name}_sum", new MetricSample(sample.SumSeconds));
        WriteSample(text, $"{name}_count", new MetricSample(sample.Cumulative[^1]));
    }

    private static void WriteSample(StringBuilder text, string name, MetricSample sample)
    {
        text.Append(name);
        for (var i = 0; i < sample.Labels.Length; i++)
        {
            var (label, value) = sample.Labels[i];
            text.Append(i == 0 ? '{' : ',').Append(label).Append("=\"")
                .Append(Escape(value).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }

        text.Append(sample.Labels.Length > 0 ? "} " : " ").Append(Number(sample.Value)).Append('\n');
    }

    /// <summary>A backslash and the end of a line are all that help needs escaped; a label's value also a quote.</summary>
    private static string Escape(string text) =>
        text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
}
