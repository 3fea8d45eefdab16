using Tollgate.Engine.Verification;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Telemetry;

public sealed class MetricsTextTests
{
    [Fact]
    public void The_text_is_the_one_the_format_describes_letter_by_letter()
    {
        var histogram = new DurationHistogram();
        histogram.Record(TimeSpan.FromMilliseconds(2));
        histogram.Record(TimeSpan.FromSeconds(60));
        MetricFamily[] families =
        [
            MetricFamily.Counter("a_total", "A \\ and\na line.", () => [new MetricSample(3, ("l", "q\"b\\n\nx"), ("m", ""))], "l", "m"),
            MetricFamily.Gauge("b", "B.", () => 0.1),
            MetricFamily.Duration("c_seconds", "C.", histogram),
        ];

        var text = MetricsText.Write(families);

        Assert.StartsWith(
            "# HELP a_total A \\\\ and\\na line.\n# TYPE a_total counter\na_total{l=\"q\\\"b\\\\n\\nx\",m=\"\"} 3\n"
            + "# HELP b B.\n# TYPE b gauge\nb 0.1\n# HELP c_seconds C.\n# TYPE c_seconds histogram\nc_seconds_bucket{le=\"0.0001\"} 0\n",
            text,
            StringComparison.Ordinal);
        Assert.EndsWith(
            string.Concat(new[] { "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5" }
                .Select(bound => $"c_seconds_bucket{{le=\"{bound}\"}} 1\n"))
            + "c_seconds_bucket{le=\"+Inf\"} 2\nc_seconds_sum 60.002\nc_seconds_count 2\n",
            text,
            StringComparison.Ordinal);
        Assert.Equal("q\"b\\n\nx", Exposition.Parse(text).Families["a_total"].Series[0].Labels["l"]);
    }

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(9007199254740991, "9007199254740991")]
    [InlineData(1e21, "1E+21")]
    [InlineData(-0.25, "-0.25")]
    public void A_number_is_written_as_the_format_reads_it(double value, string text) => Assert.Equal(text, MetricsText.Number(value));

    [Theory]
    [InlineData("a 1\n")]
    [InlineData("# HELP a A.\n# TYPE a counter\nb 1\n")]
    [InlineData("# HELP a A.\n# TYPE a counter\na{x=\"1\" 1\n")]
    [InlineData("# HELP a A.\n# TYPE a counter\na{x=\"\\q\"} 1\n")]
    [InlineData("# HELP a A.\n# TYPE a counter\na one\n")]
    [InlineData("# HELP a A.\n# TYPE a counter\na 1\na 1\n")]
    [InlineData("# HELP a A.\n# TYPE a counter\n\n")]
    [InlineData("# HELP a A.\n# TYPE a counter\na 1")]
    public void What_is_not_the_format_is_found(string text) =>
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Exposition.Parse(text));

    [Fact]
    public void A_duration_on_a_bound_is_in_its_bucket_and_one_past_it_in_the_next()
    {
        var histogram = new DurationHistogram();
        histogram.Record(TimeSpan.FromSeconds(5));
        histogram.Record(TimeSpan.FromSeconds(5) + TimeSpan.FromTicks(1));
        Assert.Equal([0, 1, 2], histogram.Read().Cumulative.TakeLast(3));
    }

    [Fact]
    public async Task No_count_is_lost_however_many_threads_count_at_once()
    {
        var meter = new CheckMeter();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 100_000; i++)
            {
                meter.Count(CheckDoor.Verify, i % 4 == 0 ? VerdictCode.KeyRevoked : VerdictCode.Allowed);
            }
        })));
        Assert.Equal(200_000, meter.Read(CheckDoor.Verify, VerdictCode.KeyRevoked));
        Assert.Equal(600_000, meter.Read(CheckDoor.Verify, VerdictCode.Allowed));
        Assert.Equal(800_000, meter.Samples().Sum(sample => sample.Value));
    }

    [Fact]
    public void Counting_a_check_allocates_nothing()
    {
        var meter = new CheckMeter();
        meter.Count(CheckDoor.Verify, VerdictCode.Allowed);
        Assert.Equal(0, Allocation.LeastOf(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                meter.Count(CheckDoor.Verify, VerdictCode.Allowed);
            }
        }));
    }

    [Theory]
    [InlineData("/api/v1/verify", nameof(RequestClass.Verify))]
    [InlineData("/api/v1/verify/batch", nameof(RequestClass.Verify))]
    [InlineData("/api/v1/verifying", nameof(RequestClass.Management))]
    [InlineData("/api/v1/authorize", nameof(RequestClass.Authorize))]
    [InlineData("/api/v1/authorize/v1/models", nameof(RequestClass.Authorize))]
    [InlineData("/api/v1/keys/key_x", nameof(RequestClass.Management))]
    [InlineData("/healthz", nameof(RequestClass.Health))]
    [InlineData("/metrics", nameof(RequestClass.Metrics))]
    [InlineData("/metrics/x", nameof(RequestClass.Provider))]
    [InlineData("/openapi.json", nameof(RequestClass.Docs))]
    [InlineData("/docs/errors/conflict", nameof(RequestClass.Docs))]
    [InlineData("/v1/chat/completions", nameof(RequestClass.Provider))]
    [InlineData("", nameof(RequestClass.Provider))]
    public void A_path_belongs_to_one_class(string path, string expected) => Assert.Equal(expected, RequestMeter.ClassOf(path).ToString());

    [Fact]
    public void A_status_has_its_own_series_or_that_of_its_hundred()
    {
        var meter = new RequestMeter();
        foreach (var status in new[] { 200, 206, 299, 301, 404, 418, 451, 503, 507, 599, 600, 0, -1 })
        {
            meter.Count("/x", status);
        }

        var counted = meter.Samples().ToDictionary(sample => sample.Labels[1].Value, sample => sample.Value);
        Assert.Equal(
            new Dictionary<string, double>
            {
                ["200"] = 1, ["2xx"] = 2, ["3xx"] = 1, ["404"] = 1, ["4xx"] = 2, ["503"] = 1, ["5xx"] = 2, ["aborted"] = 3,
            },
            counted);
    }
}
