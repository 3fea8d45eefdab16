using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Tollgate.Client.AspNetCore;

/// <summary>Adds the gate to an application.</summary>
public static class TollgateServices
{
    /// <summary>
    /// Adds the authentication scheme <c>Tollgate</c> and what <c>[RequiresScope]</c> needs. The gate's address and the application's key
    /// come from the code, from the configuration section <c>Tollgate</c>, or from <c>TOLLGATE_URL</c> and <c>TOLLGATE_KEY</c>; the
    /// application does not start while something is wrong with them.
    /// </summary>
    /// <example>
    /// <code>
    /// builder.Services.AddTollgate();
    /// var app = builder.Build();
    /// app.MapPost("/endpoints", Create).RequireScope("endpoints:write");
    /// </code>
    /// </example>
    public static AuthenticationBuilder AddTollgate(this IServiceCollection services, Action<TollgateOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new OptionsReader(provider.GetService<IConfiguration>()));
        services.AddSingleton<IConfigureOptions<TollgateOptions>>(provider => provider.GetRequiredService<OptionsReader>());
        services.AddSingleton<IValidateOptions<TollgateOptions>>(provider => provider.GetRequiredService<OptionsReader>());
        var options = services.AddOptions<TollgateOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.AddSingleton<GateConnection>().AddSingleton<RemoteGate>();
        services.AddSingleton(provider => new VerdictCache(
            provider.GetRequiredService<IOptions<TollgateOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService<FeedFollower>();
        services.AddSingleton<IAuthorizationHandler, TollgateRequirementHandler>();
        services.AddAuthorization();
        return services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, TollgateHandler>(TollgateScheme.Name, null);
    }
}
