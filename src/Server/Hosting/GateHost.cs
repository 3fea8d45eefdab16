using Microsoft.AspNetCore.Server.Kestrel.Core;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Gateway.Relay;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Changes;
using Tollgate.Server.Closures;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Operator;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Docs;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Identity;
using Tollgate.Server.Identity.Operators;
using Tollgate.Server.Journal;
using Tollgate.Server.Keys;
using Tollgate.Server.Keys.Import;
using Tollgate.Server.Mail;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Quotas;
using Tollgate.Server.Reach;
using Tollgate.Server.Storage;
using Tollgate.Server.Surfaces;
using Tollgate.Server.Teams;
using Tollgate.Server.Upstreams;
using Tollgate.Server.Usage;
using Tollgate.Server.Verification;
using Tollgate.Server.Wallet;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Hosting;

/// <summary>Puts the rooms together into one running process: opens what must be open, then listens.</summary>
internal static class GateHost
{
    /// <summary>Between cutting what has not ended and giving up on it.</summary>
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(15);

    /// <summary>Builds the server on an open database; the caller starts it.</summary>
    public static WebApplication Build(GateOptions options, ProviderModel provider, Database database, Pepper pepper, TimeProvider time)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "Tollgate.Server" });
        // Options have one reader, ours: neither appsettings.json nor ASPNETCORE_ variables set anything behind its back.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.WebHost.UseUrls(HttpUrlsAttribute.Split(options.Urls));
        builder.WebHost.ConfigureKestrel(Limit);
        // A buffer for each open connection, 4 KiB, instead of one more system call for each request.
        builder.WebHost.UseSockets(sockets =>
        {
            sockets.WaitForDataBeforeAllocatingBuffer = false;
            sockets.UnsafePreferInlineScheduling = options.RequestThreads == RequestThreads.Inline;
        });
        Log(builder.Logging, options, provider, time);
        AddRooms(builder.Services, options, provider, database, pepper, time);
        builder.Services.AddDocs();
        GateTelemetry.Add(builder.Services, options);
        var app = builder.Build();
        database.MemoryInDoubt += app.Services.GetRequiredService<Gatekeeper>().Clear;
        Connect(app.Services, database);

        Map(app, options);
        return app;
    }

    /// <summary>What an earlier room causes in a later one, and what is read anew when others have written.</summary>
    private static void Connect(IServiceProvider services, Database database)
    {
        var (ledger, holds) = (services.GetRequiredService<WalletLedger>(), services.GetRequiredService<BalanceHolds>());
        services.GetRequiredService<CallerGate>().People = services.GetRequiredService<PersonGate>().Admit;
        services.GetRequiredService<CallerGate>().RootLooks = services.GetRequiredService<OperatorLooks>().NoteRoot;
        (ledger.Drained, ledger.Funded) = (holds.Place, holds.Lift);
        var fold = services.GetRequiredService<Fold>();
        (ledger.HeldIn, ledger.TakeIn) = (Remembrance.HeldIn, fold.WaitAll);
        services.GetRequiredService<UsageReader>().CatchUp = ledger.CatchUp = fold.CatchUp;
        (fold.BookUsage, fold.Watch) = (ledger.BookUsage, services.GetRequiredService<LimitWatch>().Note);
        services.GetRequiredService<ArchiveHolds>().IsArchived = Crossing.IsArchived;
        var roster = services.GetRequiredService<TeamRoster>();
        var closure = services.GetRequiredService<Closure>();
        (closure.Ready, closure.Closed, closure.ProjectClosed) = (roster.Ready, roster.Closed, ProjectRoster.Closed);
        var ties = services.GetRequiredService<PersonTies>();
        (ties.Cut, ties.Teams, ties.Suspended) = (roster.LeaveAll, roster.Export, TeamRoster.Suspended);
        services.GetRequiredService<OrganizationRegister>().NameMaxOf = roster.NameMaxOf;
        services.GetRequiredService<ReservationSweep>().PriceAt = services.GetRequiredService<PriceBook>().At;
        services.GetRequiredService<KeyFeed>().BeforeEnter = services.GetRequiredService<Remembrance>().RestoreWindows;
        Tell(services, database);
        var (start, memory) = (services.GetRequiredService<FirstStart>(), services.GetRequiredService<WalletMemory>());
        database.ReadAnew = async () =>
        {
            await start.ReadRootKey();
            await memory.ReadAnew();
        };
    }

    /// <summary>What the operator's pages ask of this room. The examples are run when somebody asks for it.</summary>
    private static void Tell(IServiceProvider services, Database database)
    {
        var (probe, provider) = (services.GetRequiredService<GateProbe>(), services.GetRequiredService<ProviderModel>());
        (probe.Version, probe.Fault) = (GateMetrics.Version, cancel => Health.Fault(database, cancel));
        probe.RunExamples = () => ExampleRun.Run(provider);
        // From the first failure on it keeps the last one of each.
        services.GetRequiredService<UpstreamFaults>();
    }

    private static void AddRooms(
        IServiceCollection services, GateOptions options, ProviderModel provider, Database database, Pepper pepper, TimeProvider time)
    {
        services.AddSingleton(time).AddSingleton(provider).AddSingleton(options).AddSingleton(database).AddSingleton(pepper);
        services.AddSingleton(TableOptions(options)).AddSingleton<KeyTable>().AddSingleton<ProjectTable>();
        services.AddSingleton(services => new Admission(
            new LimitTable(
                new LimitCatalogue(provider.Limits, [.. provider.Plans.Select(plan => new LimitPlan(plan.Name, plan.Limits))]),
                options.ActiveLimitsMax),
            services.GetRequiredService<Spool>().Buffer,
            new ReservationTable(restMs: options.ReservationSeconds * 1_000L)));
        services.AddSingleton(services => new Gatekeeper(
            provider.Keys.Format,
            services.GetRequiredService<KeyTable>(),
            services.GetRequiredService<ProjectTable>(),
            services.GetRequiredService<Admission>()));
        services.AddSingleton<Sealer>().AddSingleton<Pages>().AddSingleton<MutationRunner>().AddSingleton<AuditLog>();
        services.AddSingleton(options.Webhooks).AddSingleton(new AddressGuard(options.Webhooks.PrivateAddresses));
        services.AddSingleton<WebhookOwnerLook>(OrganizationRegister.OwnerOf);
        services.AddSingleton<WebhookOutbox>().AddSingleton<WebhookRegister>().AddSingleton<WebhookSweep>();
        services.AddSingleton(services => new WebhookSender(services.GetRequiredService<AddressGuard>(), time));
        services.AddSingleton<WebhookCourier>().AddHostedService(services => services.GetRequiredService<WebhookCourier>());
        services.AddSingleton<BalanceTable>().AddSingleton<PlanBook>();
        services.AddSingleton<OrganizationRegister>().AddSingleton<ProjectFeed>();
        services.AddSingleton<QuotaKeeper>();
        services.AddSingleton<WalletMemory>().AddSingleton<WalletLedger>().AddSingleton<WalletThreshold>().AddSingleton<PriceBook>();
        services.AddSingleton(new MissLimiter(options.MissesPerMinute));
        services.AddSingleton<KeyRing>().AddSingleton<KeyFeed>().AddSingleton<SecretMint>().AddSingleton<KeyOperationCount>();
        services.AddSingleton<KeyIntake>().AddSingleton<BalanceHolds>();
        services.AddSingleton<OrganizationHolds>().AddSingleton<ArchiveHolds>().AddSingleton<Closure>();
        services.AddSingleton<ExpiryWatch>().AddHostedService(services => services.GetRequiredService<ExpiryWatch>());
        AddUsage(services, options, provider);
        services.AddSingleton<ChangeTail>().AddSingleton<ChangeFeed>();
        services.AddSingleton<Gate>().AddSingleton<RootKey>().AddSingleton<CallerGate>().AddSingleton<VerifyEndpoints>();
        AddRelay(services, options);
        services.AddSingleton<ProviderFront>().AddSingleton<KeySurface>();
        services.AddSingleton<AuthorizeDoor>();
        services.AddMail(options.Mail);
        services.AddPeople(options.People);
        services.AddSingleton<Crossing>().AddSingleton<TeamRoster>().AddSingleton<InvitationBook>().AddSingleton<ProjectRoster>();
        services.AddSingleton<ApiToken>().AddSingleton<PersonGate>().AddSingleton<OperatorLooks>();
        services.AddSingleton<PersonRegister>();
        services.AddSignInPages(options.People);
        services.AddConsole();
        services.AddSingleton<UrlKeys>().AddSingleton<Front>().AddSingleton<FirstStart>();
    }

    /// <summary>What carries requests to the servers behind the gate, and books what they used.</summary>
    private static void AddRelay(IServiceCollection services, GateOptions options)
    {
        var drain = TimeSpan.FromSeconds(options.DrainSeconds);
        services.AddSingleton(new RelayOptions { BodyBytesMax = options.BodyBytesMax, Drain = drain });
        services.Configure<HostOptions>(host => host.ShutdownTimeout = drain + StopMargin);
        services.AddUpstreams(options.Upstreams, options.UpstreamsAnew);
        services.AddSingleton<OpenRequests>().AddSingleton<Relay>().AddSingleton<RelayDoor>();
        services.AddSingleton(new BodyBudget(Math.Max(BodyBudget.BytesMaxUsual, options.BodyBytesMax)));
        services.AddSingleton<CallPricer>().AddSingleton<ModelList>();
        services.AddSingleton(services =>
        {
            var (gate, fold) = (services.GetRequiredService<Gate>(), services.GetRequiredService<Fold>());
            var open = services.GetRequiredService<OpenRequests>();
            return new BillClock(
                () => gate.NowMs, () => gate.ClockMs, sequence => fold.WaitSealed(sequence, open.Count), static ms => Task.Delay(ms));
        });
        services.AddHostedService<OpenRequestUpkeep>();
    }

    /// <summary>The spool is opened when it is first asked for, which is at the start; who folds ends after who serves.</summary>
    private static void AddUsage(IServiceCollection services, GateOptions options, ProviderModel provider)
    {
        services.AddSingleton(new UsageOptions { LogDays = options.UsageLogDays, RefusalDays = options.RefusalDays });
        services.AddSingleton(new LastingLimits(provider.Limits));
        services.AddSingleton(services =>
        {
            var names = services.GetRequiredService<ModelNames>();
            return new ModelNumbers(names.Learn, async name => (await names.Learn(name)).Value);
        });
        services.AddSingleton<ModelNames>().AddSingleton<UsageBook>().AddSingleton<UsageReader>().AddSingleton<UsageRetention>();
        services.AddSingleton(_ => Spool.Open(options.Data, options.UsageBufferEvents));
        services.AddSingleton<RequestNumbers>().AddSingleton<WindowClock>().AddSingleton<Remembrance>();
        services.AddSingleton<LimitWatch>().AddSingleton<ReportClaims>().AddSingleton<Reports>().AddSingleton<UsePricer>();
        services.AddSingleton<Fold>().AddSingleton<ReservationSweep>().AddSingleton<Upkeep>();
        services.AddHostedService(services => services.GetRequiredService<Fold>());
        services.AddHostedService(services => services.GetRequiredService<ReservationSweep>());
        services.AddHostedService(services => services.GetRequiredService<Upkeep>());
    }

    /// <summary>A hundred bytes of facts a key is more than most need; keys with large metadata leave memory sooner.</summary>
    private static KeyTableOptions TableOptions(GateOptions options) => new()
    {
        KeysMax = options.KeysInMemoryMax,
        FactsBytesMax = Math.Max(64L << 20, options.KeysInMemoryMax * 128L),
    };

    /// <summary>Ahead of everything: whoever asks where a request comes from is told the client's address.</summary>
    private static void SeeClients(WebApplication app, TrustedProxies proxies)
    {
        if (proxies.HasAny)
        {
            app.Use(next => http =>
            {
                http.Connection.RemoteIpAddress =
                    proxies.ClientOf(http.Connection.RemoteIpAddress, http.Request.Headers[TrustedProxies.Header]);
                return next(http);
            });
        }
    }

    private static void Map(WebApplication app, GateOptions options)
    {
        var services = app.Services;
        var (front, callers) = (services.GetRequiredService<Front>(), services.GetRequiredService<CallerGate>());
        var (verify, metrics) = (services.GetRequiredService<VerifyEndpoints>(), services.GetRequiredService<MetricsPage>());
        SeeClients(app, TrustedProxies.From(options.TrustedProxies)!);
        GateTelemetry.Use(app, options);
        app.Use(next => http => front.Invoke(http, next));
        app.Use(next => http => verify.AnswerAtOnce(http) ?? next(http));
        if (options.MetricsToken is not null)
        {
            app.Use(next => http => metrics.AnswerToken(http) ?? next(http));
        }

        app.UseRouting();
        app.Use(next => http => callers.Invoke(http, next));
        app.Use(next => http => http.GetEndpoint() is not null ? next(http) : Front.NoSuchPath(http));

        var api = app.MapGroup("/api/v1");
        api.MapOrganizations();
        api.MapWallets();
        api.MapWebhooks();
        api.MapQuotas();
        api.MapKeys();
        api.MapImport();
        api.MapClosures();
        api.MapAudit();
        api.MapChanges();
        api.MapUsage();
        api.MapGroup("").KeysOnly().MapReports();
        api.MapOperators();
        api.MapTeams();
        api.MapProjectMembers();
        api.MapMe();
        api.MapMySessions();
        api.MapPeople();
        verify.Map(api);
        app.MapHealth();
        metrics.Map(app);
        app.MapDocs();
        MailPage.Map(app);
        app.MapSignInPages();
        app.MapConsole();
    }

    /// <summary>What a stranger may make the server hold: bounded before a byte of it is understood.</summary>
    private static void Limit(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        // The largest of our own calls is an import. What passes to a server behind the gate has no bound, which the front sees to.
        kestrel.Limits.MaxRequestBodySize = ImportLines.BytesMax;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32_768;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestLineSize = 8_192;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));
    }

    /// <summary>The framework's own request lines stay off: they cost time and hold query strings.</summary>
    public static void Log(ILoggingBuilder logging, GateOptions options, ProviderModel provider, TimeProvider time)
    {
        logging.ClearProviders();
        GateTelemetry.Log(logging, options, provider, time);
        logging.SetMinimumLevel(Enum.Parse<LogLevel>(options.LogLevel, ignoreCase: true));
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        // A start that fails is told by Serve, in a sentence.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        // Whoever listens here pays for an activity and a log scope a request, and the scope holds the path, which may hold a key.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }
}
