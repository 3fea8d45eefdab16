using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Telemetry;

/// <summary>What a collector is sent: the same metrics as at <c>/metrics</c>, and spans that hold nothing a caller wrote.</summary>
public sealed class OtlpTests
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const int SpanName = 5;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_collector_gets_every_metric_of_the_gate_and_a_span_for_a_management_call(bool grpc)
    {
        await using var collector = await Collector.Start(grpc);
        await using var gate = await Start(collector, options => options with
        {
            OtlpProtocol = grpc ? "grpc" : "http", OtlpHeaders = "x-token=a-collectors-token",
        });
        var secret = await gate.NewSecret();
        await gate.Verify(secret);
        var families = gate.Services.GetRequiredService<MetricSet>().Families.Where(family => !family.IsOfRuntime);
        var expected = families.Select(family => OtlpExport.OtlpName(family.Name)).Where(name => name != "tollgate_otlp_exports");
        await collector.Until(got =>
            Collector.Names(got.Spans, SpanName).Contains("POST /api/v1/projects/{id}/keys"));
        await collector.Until(got => !expected.Except(Collector.Names(got.Metrics, 1)).Any());
        Assert.Contains(collector.Metrics, metric => metric.Text(1).StartsWith("dotnet.gc", StringComparison.Ordinal));
        Assert.DoesNotContain(collector.Metrics, metric => metric.Text(1).StartsWith("http.server", StringComparison.Ordinal));
        Assert.DoesNotContain(collector.Metrics, metric => metric.Text(1).StartsWith("process_", StringComparison.Ordinal));
        Assert.All(collector.Exports, export => Assert.Equal("a-collectors-token", export.Token));
        Assert.Contains("service.name", collector.Bytes, StringComparison.Ordinal);
        Assert.Contains("gate-of-the-tests", collector.Bytes, StringComparison.Ordinal);
        if (!grpc)
        {
            Assert.Equal(["/v1/metrics", "/v1/traces"], collector.Exports.Select(export => export.Path).Distinct().Order());
        }
    }

    [Fact]
    public async Task A_sampled_caller_gets_its_check_traced_with_the_load_in_it_and_another_none()
    {
        await using var collector = await Collector.Start();
        await using var gate = await Start(collector);
        var secret = await gate.NewSecret();
        await Traced("/v1/models", secret, "00-11111111111111111111111111111111-00f067aa0ba902b7-00");
        await Traced("/v1/models", secret, "no traceparent");
        await gate.Send("POST", "/api/v1/keys/key_0123456789012345678901/revoke", RunningGate.RootKey);
        var other = await gate.NewSecret();
        await Traced("/v1/models", other, $"00-{TraceId}-00f067aa0ba902b7-01");
        await collector.Until(got => Mine(got).Count() == 2);
        Assert.Equal(["provider", "tollgate.load"], Collector.Names(Mine(collector), SpanName).Order());
        Assert.All(Mine(collector), span => Assert.True(span.Has(4)));
        var tags = Mine(collector).SelectMany(span => span.Each(9)).Select(tag => tag.Text(1)).ToList();
        Assert.Contains("tollgate.provider.code", tags);
        Assert.Contains("tollgate.load.outcome", tags);
        Assert.Contains("tollgate.request_id", tags);
        Assert.DoesNotContain(collector.Spans, span => span.Hex(1) == new string('1', 32));
        Assert.DoesNotContain("vendor", collector.Bytes, StringComparison.Ordinal);

        Task Traced(string path, string key, string parent) =>
            gate.Send("GET", path, key, null, ("traceparent", parent), ("tracestate", "vendor=1"));

        static IEnumerable<Collector.Message> Mine(Collector got) => got.Spans.Where(span => span.Hex(1) == TraceId);
    }

    [Fact]
    public async Task A_ratio_of_one_traces_every_check_and_http_metrics_come_when_they_are_asked_for()
    {
        await using var collector = await Collector.Start();
        await using var gate = await Start(collector, options => options with { OtlpTraces = 1, OtlpHttpMetrics = "on" });
        var secret = await gate.NewSecret();
        await gate.Verify(secret);
        await gate.Send("GET", "/v1/models", secret);
        await gate.Send("GET", "/healthz", null);
        await collector.Until(got => new[] { "verify", "provider" }.All(Collector.Names(got.Spans, SpanName).Contains)
            && Collector.Names(got.Metrics, 1).Contains("http.server.request.duration"));
        Assert.DoesNotContain("health", Collector.Names(collector.Spans, SpanName));
    }

    [Fact]
    public async Task No_key_is_in_what_a_collector_gets_wherever_it_was_sent()
    {
        await using var collector = await Collector.Start();
        await using var gate = await Start(collector, options => options with { OtlpTraces = 1, OtlpHttpMetrics = "on" });
        var format = gate.Services.GetRequiredService<ProviderModel>().Keys.Format;
        var (id, good) = await gate.NewPair("\"name\":\"Canary\",\"rights\":[\"keys:manage\",\"keys:read\",\"verify\"]");
        var unknown = format.Mint(0);
        foreach (var canary in new[] { good, unknown, unknown[..^1] })
        {
            await gate.Verify(canary, $",\"project\":\"{canary}\"");
            await gate.Send("GET", $"/v1/models/{canary}?key={canary}", canary, null, ("tracestate", $"a={canary}"));
            await gate.Send("GET", "/v1/models", canary, null, ("traceparent", canary), ("baggage", $"key={canary}"));
            await gate.Send("GET", $"/api/v1/keys/{canary}", good);
            await gate.Send("PATCH", $"/api/v1/keys/{id}", RunningGate.RootKey, $"{{\"{canary}\":1}}");
            await gate.Send(canary, "/v1/models", good, null, ("User-Agent", canary), ("Idempotency-Key", canary));
        }

        await gate.Database.DisposeAsync();
        await gate.Send("GET", "/v1/models", format.Mint(0));
        await gate.Send("GET", "/api/v1/projects", RunningGate.RootKey, null, ("traceparent", $"00-{TraceId}-00f067aa0ba902b7-01"));
        await collector.Until(got => got.Spans.Any(span => span.Hex(1) == TraceId)
            && Collector.Names(got.Metrics, 1).Contains("http.server.request.duration"));
        var got = collector.Bytes;
        Assert.Contains("_OTHER", got, StringComparison.Ordinal);
        foreach (var hidden in new[] { good[10..22], good[^16..^4], unknown[10..22], unknown[^16..^4], RunningGate.RootKey })
        {
            Assert.DoesNotContain(hidden, got, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_collector_that_fails_is_told_once_and_again_when_it_is_back_and_the_gate_goes_on()
    {
        await using var collector = await Collector.Start();
        collector.Status = 400;
        await using var gate = await Start(collector, options => options with
        {
            LogLevel = "information", OtlpHeaders = "x-token=header-secret-0123",
        });
        var log = LogCapture.Of(gate);
        await collector.Until(_ => Told("did not reach") == 1 && collector.Exports.Count > 2);
        (await gate.Send("GET", "/api/v1/projects", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        collector.Status = 200;
        await collector.Until(_ => Told("again") == 1);
        Assert.Equal(1, Told("did not reach"));
        Assert.DoesNotContain(log.Lines, line => line.Contains("header-secret", StringComparison.Ordinal));

        int Told(string what) => log.Lines.Count(line => line.Contains(what, StringComparison.Ordinal));
    }

    private static Task<RunningGate> Start(Collector collector, Func<GateOptions, GateOptions>? with = null)
    {
        var options = new GateOptions
        {
            LogLevel = "none", OtlpEndpoint = collector.Address, OtlpIntervalSeconds = 1, OtlpServiceName = "gate-of-the-tests",
        };
        return RunningGate.Start("default", with?.Invoke(options) ?? options);
    }
}
