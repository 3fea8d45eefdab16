using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace Tollgate.Server.Identity.OAuth;

/// <summary>The providers that the operator set up, and a handler for a request that goes to one or comes back.</summary>
internal sealed class ConnectionBook(
    PeopleOptions people, IOptionsMonitor<ConnectionOptions> options, ILoggerFactory log, PublicUrl url)
{
    /// <summary>Of what a provider answers, more is not read.</summary>
    private const int AnswerBytesMax = 262_144;

    public IReadOnlyList<ConnectionKind> Kinds { get; } = [.. people.Connections.Select(config => config.Kind)];

    public static void Add(IServiceCollection services, PeopleOptions people)
    {
        foreach (var config in people.Connections)
        {
            services.AddOptions<ConnectionOptions>(config.Kind.Name).Configure<IDataProtectionProvider, TimeProvider>(
                (options, protection, time) => Set(options, config, protection, time, people.IsSecure));
        }

        services.AddSingleton<ConnectionBook>();
    }

    /// <summary>Null when the operator did not set it up.</summary>
    public async Task<ConnectionHandler?> Open(HttpContext http, ConnectionKind kind)
    {
        if (!Kinds.Contains(kind))
        {
            return null;
        }

        var handler = new ConnectionHandler(options, log, url);
        await handler.InitializeAsync(new AuthenticationScheme(kind.Name, kind.Title, typeof(ConnectionHandler)), http);
        return handler;
    }

    private static void Set(
        ConnectionOptions options, ConnectionConfig config, IDataProtectionProvider protection, TimeProvider time, bool isSecure)
    {
        options.Config = config;
        options.ClientId = config.ClientId;
        options.ClientSecret = config.ClientSecret;
        options.AuthorizationEndpoint = config.AuthorizeUrl;
        options.TokenEndpoint = config.TokenUrl;
        options.CallbackPath = config.Kind.CallbackPath;
        options.UsePkce = true;
        options.TimeProvider = time;
        options.StateDataFormat = new PropertiesDataFormat(protection.CreateProtector($"oauth {config.Kind.Name}"));
        foreach (var part in config.Issuer is null ? (string[])["read:user", "user:email"] : ["openid", "email", "profile"])
        {
            options.Scope.Add(part);
        }

        // Lax: people come back by following a redirect, which carries it; a form of another site does not.
        options.CorrelationCookie = new CookieBuilder
        {
            Name = isSecure ? "__Host-tollgate-oauth-" : "tollgate-oauth-",
            Path = "/",
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            SecurePolicy = isSecure ? CookieSecurePolicy.Always : CookieSecurePolicy.None,
            MaxAge = ConnectionHandler.Life,
            IsEssential = true,
        };
        // It goes where the operator said and nowhere that an answer says.
        options.Backchannel = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AutomaticDecompression = DecompressionMethods.All,
        })
        {
            Timeout = config.Patience, MaxResponseContentBufferSize = AnswerBytesMax,
        };
        options.Backchannel.DefaultRequestHeaders.UserAgent.ParseAdd("Tollgate");
    }
}
