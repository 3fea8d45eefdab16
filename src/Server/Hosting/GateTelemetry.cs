using System.Text;
using Microsoft.Extensions.Logging.Console;
using Tollgate.Server.Providers;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Verification;

namespace Tollgate.Server.Hosting;

/// <summary>Puts together what the gate tells about itself: its log, its metrics and its traces.</summary>
internal static class GateTelemetry
{
    public static void Add(IServiceCollection services, GateOptions options)
    {
        services.AddSingleton<RequestMeter>().AddSingleton<Readiness>().AddSingleton<CollectorLink>();
        services.AddSingleton<GateMetrics>().AddSingleton(services => services.GetRequiredService<GateMetrics>().All());
        services.AddSingleton<MetricsPage>().AddSingleton<MetricsHost>();
        services.AddHostedService(services => services.GetRequiredService<MetricsHost>());
        if (OtlpOf(options) is { } otlp)
        {
            services.AddHostedService(services => new OtlpExport(
                otlp, services.GetRequiredService<MetricSet>(), services.GetRequiredService<CollectorLink>(), GateMetrics.Version));
        }
    }

    /// <summary>The first of all the middleware: what is behind it is traced, where that is wanted.</summary>
    public static void Use(WebApplication app, GateOptions options)
    {
        if (options.OtlpEndpoint is not null)
        {
            var traced = new TracedRequests(options.OtlpTraces);
            app.Use(next => http => traced.Invoke(http, next));
        }
    }

    /// <summary>The one listener of the log, behind which no key is left.</summary>
    public static void Log(ILoggingBuilder logging, GateOptions options, ProviderModel provider, TimeProvider time)
    {
        logging.AddConsole(console => console.FormatterName = GateLogFormatter.FormatName);
        logging.Services.AddSingleton(services => Redaction(options, provider, services.GetService<RootKey>()));
        logging.Services.AddSingleton<ConsoleFormatter>(services => new GateLogFormatter(
            services.GetRequiredService<KeyRedaction>(), time, asJson: options.LogFormat == "json"));
    }

    private static KeyRedaction Redaction(GateOptions options, ProviderModel provider, RootKey? root)
    {
        var texts = new KeyTexts(provider.Keys.Format, provider.Keys.Accepts, provider.Keys.Length, RootKey.Prefix);
        var headers = options.OtlpHeaders is null ? [] : HeaderPairsAttribute.Split(options.OtlpHeaders).Select(pair => pair[1]);
        return new KeyRedaction(
            texts, [options.RootKey, options.MetricsToken, .. headers], root is null ? null : word => IsRootKey(root, word));
    }

    private static bool IsRootKey(RootKey root, string word) => Ascii.IsValid(word) && root.Matches(Encoding.ASCII.GetBytes(word));

    private static OtlpOptions? OtlpOf(GateOptions options) => options.OtlpEndpoint is null ? null : new OtlpOptions
    {
        Endpoint = new Uri(options.OtlpEndpoint),
        IsGrpc = options.OtlpProtocol == "grpc",
        Headers = options.OtlpHeaders,
        ServiceName = options.OtlpServiceName,
        IntervalSeconds = options.OtlpIntervalSeconds,
        HttpMetrics = options.OtlpHttpMetrics == "on",
    };
}
