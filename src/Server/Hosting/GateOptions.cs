using System.ComponentModel.DataAnnotations;
using Tollgate.Engine.Verification;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.OAuth;
using Tollgate.Server.Journal;
using Tollgate.Server.Mail;
using Tollgate.Server.Storage;
using Tollgate.Server.Upstreams;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Hosting;

/// <summary>
/// Everything an operator can set. Each is documented in <c>docs/reference/configuration.md</c>; a test holds the two together.
/// </summary>
internal sealed record GateOptions
{
    [Option("provider", "TOLLGATE_PROVIDER", "--provider")]
    public string Provider { get; init; } = "default";

    [Option("urls", "TOLLGATE_URLS", "--urls")]
    [HttpUrls]
    public string Urls { get; init; } = "http://127.0.0.1:8700";

    [Option("data", "TOLLGATE_DATA", "--data")]
    public string Data { get; init; } = "data";

    /// <summary>The one server behind the gate, for every path and model; without it, those of the list, or the built-in model.</summary>
    [Option("upstream", "TOLLGATE_UPSTREAM", "--upstream", IsSecret = true)]
    [UpstreamUrl]
    public string? Upstream { get; init; }

    /// <summary>What it is sent in place of the client's key.</summary>
    [Option("upstream_key", "TOLLGATE_UPSTREAM_KEY", "--upstream-key", IsSecret = true)]
    [AcceptableUpstreamKey]
    public string? UpstreamKey { get; init; }

    /// <summary>Where people reach the console; without it, where the gate listens. Links in mails begin with it.</summary>
    [Option("public_url", "TOLLGATE_PUBLIC_URL", "--public-url")]
    [PublicAddress]
    public string? PublicUrl { get; init; }

    /// <summary>Hours without use after which a session of a person ends.</summary>
    [Option("session_idle_hours", "TOLLGATE_SESSION_IDLE_HOURS", null)]
    [Range(1, 168)]
    public int SessionIdleHours { get; init; } = 12;

    /// <summary>Days after which a session ends, used or not.</summary>
    [Option("session_days", "TOLLGATE_SESSION_DAYS", null)]
    [Range(1, 30)]
    public int SessionDays { get; init; } = 7;

    /// <summary>A PostgreSQL connection string; without one the database is SQLite in the data folder.</summary>
    [Option("database", "TOLLGATE_DATABASE", null, IsSecret = true)]
    [PostgresConnection]
    public string? Database { get; init; }

    /// <summary>Where the pepper lies; without a path, in the data folder.</summary>
    [Option("pepper_file", "TOLLGATE_PEPPER_FILE", null)]
    public string? PepperFile { get; init; }

    /// <summary>
    /// The operator's own choice of root key, at least 32 characters; without one, made at the first start and printed once.
    /// </summary>
    [Option("root_key", "TOLLGATE_ROOT_KEY", null, IsSecret = true)]
    [AcceptableRootKey]
    public string? RootKey { get; init; }

    /// <summary>
    /// On PostgreSQL: how long keys are served from memory after the lock on the database was last seen to be held.
    /// </summary>
    [Option("lease_seconds", "TOLLGATE_LEASE_SECONDS", null)]
    [Range(2, 60)]
    public int LeaseSeconds { get; init; } = 10;

    /// <summary>How many secrets the memory table holds before it lets unused ones go.</summary>
    [Option("keys_in_memory_max", "TOLLGATE_KEYS_IN_MEMORY_MAX", null)]
    [Range(1_000, 50_000_000)]
    public int KeysInMemoryMax { get; init; } = 2_000_000;

    /// <summary>
    /// The largest request body that is held in memory because the gate must know it, in bytes; what only passes has no bound.
    /// </summary>
    [Option("body_bytes_max", "TOLLGATE_BODY_BYTES_MAX", null)]
    [Range(1_024, 1_073_741_824)]
    public int BodyBytesMax { get; init; } = 33_554_432;

    /// <summary>The proxies whose <c>X-Forwarded-For</c> is believed: addresses and networks, at most 64. By default nobody.</summary>
    [Option("trusted_proxies", "TOLLGATE_TRUSTED_PROXIES", null)]
    [ProxyNetworks]
    public string TrustedProxies { get; init; } = "";

    /// <summary>Unknown keys of one client network that are looked up in the database: so many at once, and then in a minute.</summary>
    [Option("misses_per_minute", "TOLLGATE_MISSES_PER_MINUTE", null)]
    [Range(MissLimiter.PerMinuteMin, MissLimiter.PerMinuteMax)]
    public int MissesPerMinute { get; init; } = 600;

    /// <summary>Whether webhooks may have a URL with http.</summary>
    [Option("webhook_http", "TOLLGATE_WEBHOOK_HTTP", null)]
    [AllowedValues("on", "off")]
    public string WebhookHttp { get; init; } = "off";

    /// <summary>Networks that are not public and that webhooks may reach all the same, at most 64. By default none.</summary>
    [Option("webhook_private_addresses", "TOLLGATE_WEBHOOK_PRIVATE_ADDRESSES", null)]
    [WebhookNetworks]
    public string WebhookPrivateAddresses { get; init; } = "";

    /// <summary>For how long finished deliveries of webhooks are kept.</summary>
    [Option("webhook_retention_days", "TOLLGATE_WEBHOOK_RETENTION_DAYS", null)]
    [Range(1, 365)]
    public int WebhookRetentionDays { get; init; } = 30;

    /// <summary>Events of requests that wait for the database at most; beyond, requests are refused. A power of two.</summary>
    [Option("usage_buffer_events", "TOLLGATE_USAGE_BUFFER_EVENTS", null)]
    [PowerOfTwo(Spool.CapacityMin, Spool.CapacityMax)]
    public int UsageBufferEvents { get; init; } = 524_288;

    /// <summary>Days for which single requests are kept; their sums stay.</summary>
    [Option("usage_log_days", "TOLLGATE_USAGE_LOG_DAYS", null)]
    [Range(1, 3_650)]
    public int UsageLogDays { get; init; } = 30;

    /// <summary>Days for which refused requests are kept.</summary>
    [Option("refusal_days", "TOLLGATE_REFUSAL_DAYS", null)]
    [Range(1, 365)]
    public int RefusalDays { get; init; } = 7;

    /// <summary>Limits of keys that are counted at a time at most, 160 bytes each; beyond, further keys are refused with 503.</summary>
    [Option("active_limits_max", "TOLLGATE_ACTIVE_LIMITS_MAX", null)]
    [Range(2_048, 67_108_864)]
    public int ActiveLimitsMax { get; init; } = 4_194_304;

    /// <summary>How long a request may stay open before it is settled from what it last told.</summary>
    [Option("reservation_seconds", "TOLLGATE_RESERVATION_SECONDS", null)]
    [Range(10, 86_400)]
    public int ReservationSeconds { get; init; } = 600;

    /// <summary>For how long a gate that stops lets requests under way go on before it cuts them.</summary>
    [Option("drain_seconds", "TOLLGATE_DRAIN_SECONDS", null)]
    [Range(0, 3_600)]
    public int DrainSeconds { get; init; } = 20;

    /// <summary>
    /// Where a request is served: inline, on the thread that heard it arrive, or on the runtime's pool. Inline takes a third less time of
    /// the processor; what goes to the database leaves for the pool either way.
    /// </summary>
    [Option("request_threads", "TOLLGATE_REQUEST_THREADS", null)]
    [AllowedValues("inline", "pool")]
    public string RequestThreads { get; init; } = "inline";

    /// <summary>The SMTP server that mails are handed to; without one they are written into a folder.</summary>
    [Option("mail.host", "TOLLGATE_MAIL_HOST", null)]
    [MailHost]
    public string? MailHost { get; init; }

    [Option("mail.port", "TOLLGATE_MAIL_PORT", null)]
    [Range(1, 65_535)]
    public int MailPort { get; init; } = 587;

    /// <summary>The address that mails come from; needed with a host.</summary>
    [Option("mail.from", "TOLLGATE_MAIL_FROM", null)]
    [MailAddress]
    public string? MailFrom { get; init; }

    /// <summary>Whether the connection there must become an encrypted one, by STARTTLS, before anything else is said.</summary>
    [Option("mail.security", "TOLLGATE_MAIL_SECURITY", null)]
    [AllowedValues(MailOptions.StartTls, MailOptions.NoTls)]
    public string MailSecurity { get; init; } = MailOptions.StartTls;

    [Option("mail.user", "TOLLGATE_MAIL_USER", null)]
    [StringLength(256, MinimumLength = 1)]
    public string? MailUser { get; init; }

    [Option("mail.password", "TOLLGATE_MAIL_PASSWORD", null, IsSecret = true)]
    [StringLength(1_024, MinimumLength = 1)]
    public string? MailPassword { get; init; }

    /// <summary>What one mail may take, from the connection to the server's last word.</summary>
    [Option("mail.timeout_seconds", "TOLLGATE_MAIL_TIMEOUT_SECONDS", null)]
    [Range(1, 300)]
    public int MailTimeoutSeconds { get; init; } = 30;

    /// <summary>Under which id Google knows the gate; with its secret, people can sign in with Google.</summary>
    [Option("google.client_id", "TOLLGATE_GOOGLE_CLIENT_ID", null)]
    [StringLength(256, MinimumLength = 1)]
    public string? GoogleClientId { get; init; }

    [Option("google.client_secret", "TOLLGATE_GOOGLE_CLIENT_SECRET", null, IsSecret = true)]
    [StringLength(1_024, MinimumLength = 1)]
    public string? GoogleClientSecret { get; init; }

    /// <summary>Whose id tokens are believed.</summary>
    [Option("google.issuer", "TOLLGATE_GOOGLE_ISSUER", null)]
    [ConnectionUrl]
    public string GoogleIssuer { get; init; } = "https://accounts.google.com";

    [Option("google.authorize_url", "TOLLGATE_GOOGLE_AUTHORIZE_URL", null)]
    [ConnectionUrl]
    public string GoogleAuthorizeUrl { get; init; } = "https://accounts.google.com/o/oauth2/v2/auth";

    [Option("google.token_url", "TOLLGATE_GOOGLE_TOKEN_URL", null)]
    [ConnectionUrl]
    public string GoogleTokenUrl { get; init; } = "https://oauth2.googleapis.com/token";

    /// <summary>Under which id GitHub knows the gate; with its secret, people can sign in with GitHub.</summary>
    [Option("github.client_id", "TOLLGATE_GITHUB_CLIENT_ID", null)]
    [StringLength(256, MinimumLength = 1)]
    public string? GithubClientId { get; init; }

    [Option("github.client_secret", "TOLLGATE_GITHUB_CLIENT_SECRET", null, IsSecret = true)]
    [StringLength(1_024, MinimumLength = 1)]
    public string? GithubClientSecret { get; init; }

    [Option("github.authorize_url", "TOLLGATE_GITHUB_AUTHORIZE_URL", null)]
    [ConnectionUrl]
    public string GithubAuthorizeUrl { get; init; } = "https://github.com/login/oauth/authorize";

    [Option("github.token_url", "TOLLGATE_GITHUB_TOKEN_URL", null)]
    [ConnectionUrl]
    public string GithubTokenUrl { get; init; } = "https://github.com/login/oauth/access_token";

    /// <summary>Where it tells who somebody is.</summary>
    [Option("github.api_url", "TOLLGATE_GITHUB_API_URL", null)]
    [ConnectionUrl]
    public string GithubApiUrl { get; init; } = "https://api.github.com";

    /// <summary>From which level on the log is written: trace, debug, information, warning, error, critical or none.</summary>
    [Option("log_level", "TOLLGATE_LOG_LEVEL", null)]
    [AllowedValues("trace", "debug", "information", "warning", "error", "critical", "none")]
    public string LogLevel { get; init; } = "information";

    /// <summary>How a line of the log is written: text for people, json for what collects logs.</summary>
    [Option("log_format", "TOLLGATE_LOG_FORMAT", null)]
    [AllowedValues("text", "json")]
    public string LogFormat { get; init; } = "text";

    /// <summary>Where <c>/metrics</c> can be read without the root key, apart from customers' traffic; without it, nowhere.</summary>
    [Option("metrics_urls", "TOLLGATE_METRICS_URLS", null)]
    [HttpUrls]
    public string? MetricsUrls { get; init; }

    /// <summary>What a scraper may send instead of the root key.</summary>
    [Option("metrics_token", "TOLLGATE_METRICS_TOKEN", null, IsSecret = true)]
    [AcceptableToken]
    public string? MetricsToken { get; init; }

    /// <summary>The OpenTelemetry collector; without one, nothing is exported.</summary>
    [Option("otlp_endpoint", "TOLLGATE_OTLP_ENDPOINT", null)]
    [CollectorUrl]
    public string? OtlpEndpoint { get; init; }

    [Option("otlp_protocol", "TOLLGATE_OTLP_PROTOCOL", null)]
    [AllowedValues("http", "grpc")]
    public string OtlpProtocol { get; init; } = "http";

    /// <summary>Sent with every export, such as a token of the collector's.</summary>
    [Option("otlp_headers", "TOLLGATE_OTLP_HEADERS", null, IsSecret = true)]
    [HeaderPairs]
    public string? OtlpHeaders { get; init; }

    /// <summary>The part of checks that is traced though their caller did not ask for it.</summary>
    [Option("otlp_traces", "TOLLGATE_OTLP_TRACES", null)]
    [Range(0.0, 1.0)]
    public double OtlpTraces { get; init; }

    [Option("otlp_service_name", "TOLLGATE_OTLP_SERVICE_NAME", null)]
    [StringLength(100, MinimumLength = 1)]
    public string OtlpServiceName { get; init; } = "tollgate";

    /// <summary>Seconds between two exports of metrics.</summary>
    [Option("otlp_interval_seconds", "TOLLGATE_OTLP_INTERVAL_SECONDS", null)]
    [Range(1, 3_600)]
    public int OtlpIntervalSeconds { get; init; } = 60;

    /// <summary>Whether ASP.NET Core's own measurements are exported too; they cost time with each request.</summary>
    [Option("otlp_http_metrics", "TOLLGATE_OTLP_HTTP_METRICS", null)]
    [AllowedValues("on", "off")]
    public string OtlpHttpMetrics { get; init; } = "off";

    /// <summary>The servers behind the gate, of the one line or of the list <c>upstreams</c>; none stand for the built-in model.</summary>
    public IReadOnlyList<UpstreamConfig> Upstreams { get; init; } = [];

    /// <summary>Reads them anew from where they came.</summary>
    public UpstreamSource UpstreamsAnew { get; init; } = () => ([], []);

    public StorageOptions Storage => new()
    {
        DataDirectory = Data, PostgresConnectionString = Database, LeaseMs = LeaseSeconds * 1_000,
    };

    public WebhookOptions Webhooks => new()
    {
        AllowsHttp = WebhookHttp == "on",
        PrivateAddresses = WebhookOptions.TryReadNetworks(WebhookPrivateAddresses, out var networks) ? networks : null,
        Retention = TimeSpan.FromDays(WebhookRetentionDays),
    };

    public MailOptions Mail => new()
    {
        Host = MailHost,
        Port = MailPort,
        From = MailFrom ?? "tollgate@localhost",
        IsEncrypted = MailSecurity == MailOptions.StartTls,
        User = MailUser,
        Password = MailPassword,
        SendTimeMax = TimeSpan.FromSeconds(MailTimeoutSeconds),
        Folder = Path.Combine(Data, "mail"),
    };

    /// <summary>Rounds of a password's hash. No option: tests that try thousands of passwords take fewer.</summary>
    public int HashRounds { get; init; } = new PeopleOptions().HashRounds;

    public PeopleOptions People => new()
    {
        PublicUrl = PublicUrl?.TrimEnd('/'),
        SessionIdle = TimeSpan.FromHours(SessionIdleHours),
        SessionMost = TimeSpan.FromDays(SessionDays),
        HashRounds = HashRounds,
        Connections = [.. Connections()],
    };

    /// <summary>How long a provider of sign-in may take. No option: tests in which one is silent take less.</summary>
    public TimeSpan ConnectionPatience { get; init; } = TimeSpan.FromSeconds(5);

    private IEnumerable<ConnectionConfig> Connections()
    {
        if (GoogleClientId is { } google && GoogleClientSecret is { } googleSecret)
        {
            yield return new ConnectionConfig
            {
                Kind = ConnectionKind.Google, ClientId = google, ClientSecret = googleSecret, Issuer = GoogleIssuer,
                AuthorizeUrl = GoogleAuthorizeUrl, TokenUrl = GoogleTokenUrl, Patience = ConnectionPatience,
            };
        }

        if (GithubClientId is { } github && GithubClientSecret is { } githubSecret)
        {
            yield return new ConnectionConfig
            {
                Kind = ConnectionKind.GitHub, ClientId = github, ClientSecret = githubSecret, ApiUrl = GithubApiUrl.TrimEnd('/'),
                AuthorizeUrl = GithubAuthorizeUrl, TokenUrl = GithubTokenUrl, Patience = ConnectionPatience,
            };
        }
    }

    public string PepperPath => PepperFile ?? Path.Combine(Data, Pepper.DefaultFile);

    /// <summary>Never prints the root key, the connection string or a token.</summary>
    public override string ToString() => $"provider {Provider}, urls {Urls}, data {Data}";
}

/// <summary>The names of an option in <c>tollgate.yaml</c>, in the environment and, where it has one, on the command line.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionAttribute(string key, string variable, string? argument) : Attribute
{
    public string Key { get; } = key;

    public string Variable { get; } = variable;

    public string? Argument { get; } = argument;

    /// <summary>A fault does not quote the value, which is a secret or may hold one.</summary>
    public bool IsSecret { get; init; }
}
