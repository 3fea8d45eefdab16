using Tollgate.Gateway.Echo;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Upstreams;

/// <summary>Puts the room into the host.</summary>
internal static class UpstreamServices
{
    /// <summary>A pool of these upstreams, or of the built-in model, and what keeps it as the options say.</summary>
    /// <param name="services">Has a clock and the provider file.</param>
    /// <param name="upstreams">At the start; none stand for the built-in model.</param>
    /// <param name="source">Read on SIGHUP.</param>
    public static IServiceCollection AddUpstreams(
        this IServiceCollection services, IReadOnlyList<UpstreamConfig> upstreams, UpstreamSource source) => services
        .AddSingleton(services =>
        {
            var (provider, time) = (services.GetRequiredService<ProviderModel>(), services.GetRequiredService<TimeProvider>());
            return new UpstreamPool(new EchoHandler(provider.Name, [.. provider.Models.Select(model => model.Id)], time), time);
        })
        .AddSingleton(services => new UpstreamFeed(
            services.GetRequiredService<UpstreamPool>(), upstreams, source, services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<UpstreamFeed>>()))
        .AddHostedService(services => services.GetRequiredService<UpstreamFeed>());
}
