using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Tests.Fixtures;

/// <summary>A whole gate on a free loopback port, with a folder and a clock of its own: what a test talks to over real HTTP.</summary>
public sealed class RunningGate : IAsyncDisposable
{
    public const string RootKey = "root-key-of-the-tests-0123456789abcdef";

    private static readonly int UsualEvents = new GateOptions().UsageBufferEvents;

    private readonly Database _database;
    private readonly WebApplication _app;
    private DirectoryInfo? _own;

    private RunningGate(Database database, WebApplication app, ManualClock clock, Project project)
    {
        (_database, _app, Clock, ProjectId, OrganizationId) = (database, app, clock, project.Id.Text, project.OrganizationId.Text);
        Address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(Address) };
    }

    public ManualClock Clock { get; }

    public string Address { get; }

    public HttpClient Http { get; }

    public string ProjectId { get; }

    public string OrganizationId { get; }

    public IServiceProvider Services => _app.Services;

    internal Database Database => _database;

    /// <summary>
    /// Starts with a provider of the repository, or a file; on SQLite in <paramref name="folder"/> unless a PostgreSQL is given.
    /// </summary>
    public static async Task<RunningGate> Start(
        string provider, string? folder = null, string? postgres = null, ManualClock? clock = null, string logLevel = "none",
        string trustedProxies = "", int missesPerMinute = 600) => await Start(
            provider,
            new GateOptions { LogLevel = logLevel, TrustedProxies = trustedProxies, MissesPerMinute = missesPerMinute },
            folder, postgres, clock);

    /// <summary>
    /// As the other one, with further options; where it listens and lies is its own choice. The provider can be given what its file lacks.
    /// </summary>
    internal static async Task<RunningGate> Start(
        string provider, GateOptions options, string? folder = null, string? postgres = null, ManualClock? clock = null,
        Func<ProviderModel, ProviderModel>? with = null)
    {
        var loaded = ProviderFiles.Shipped.Load(provider);
        Assert.True(loaded.Model is not null, string.Join('\n', loaded.Errors));
        var gate = await Start(with?.Invoke(loaded.Model) ?? loaded.Model, options, folder, postgres, clock);
        await gate.Fund(gate.OrganizationId);
        return gate;
    }

    /// <summary>Starts with a provider that no file describes, and no money in any wallet.</summary>
    internal static async Task<RunningGate> Start(
        ProviderModel provider, GateOptions? options = null, string? folder = null, string? postgres = null, ManualClock? clock = null)
    {
        options ??= new GateOptions { LogLevel = "none" };
        var own = folder is null ? Directory.CreateTempSubdirectory("tollgate-test-") : null;
        folder ??= own!.FullName;
        clock ??= new ManualClock();
        var storage = new StorageOptions
        {
            DataDirectory = folder, PostgresConnectionString = postgres, LeaseMs = options.LeaseSeconds * 1_000,
        };
        var database = await Database.Open(storage, clock, NullLoggerFactory.Instance);
        var pepper = await Pepper.Open(Path.Combine(folder, Pepper.DefaultFile), database);
        options = options with
        {
            Urls = "http://127.0.0.1:0",
            Data = folder,
            UsageBufferEvents = options.UsageBufferEvents == UsualEvents ? Spool.CapacityMin : options.UsageBufferEvents,
        };
        var app = GateHost.Build(options, provider, database, pepper, clock);
        var first = await app.Services.GetRequiredService<FirstStart>().Prepare(RootKey, CancellationToken.None);
        await app.StartAsync();
        return new RunningGate(database, app, clock, first.Project!) { _own = own };
    }

    /// <summary>As an operator stops it; what is under way goes on for a while.</summary>
    public Task Stop() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _database.DisposeAsync();
        _own?.Delete(recursive: true);
    }

    /// <summary>Makes a key by the management API and answers its JSON, the secret included.</summary>
    public async Task<JsonElement> NewKey(string members = "\"name\":\"A test key\"", string? project = null)
    {
        var answer = await Send("POST", $"/api/v1/projects/{project ?? ProjectId}/keys", RootKey, $"{{{members}}}");
        Assert.True(answer.Status == HttpStatusCode.Created, answer.Text);
        return answer.Json;
    }

    public async Task<string> NewSecret(string members = "\"name\":\"A test key\"", string? project = null) =>
        (await NewKey(members, project)).GetProperty("secret").GetString()!;

    public async Task<string> NewProject(string name = "Another project")
    {
        var organization = (await Send("POST", "/api/v1/organizations", RootKey, "{\"name\":\"Another organization\"}")).String("id");
        await Fund(organization);
        var project = await Send("POST", $"/api/v1/organizations/{organization}/projects", RootKey, $"{{\"name\":\"{name}\"}}");
        return project.Json.GetProperty("id").GetString()!;
    }

    /// <summary>Money enough for any test, where the provider has wallets.</summary>
    public async Task Fund(string organization)
    {
        if (Services.GetRequiredService<ProviderModel>().Wallet is not null)
        {
            var answer = await Send(
                "POST", $"/api/v1/organizations/{organization}/wallet/entries", RootKey,
                "{\"kind\":\"top_up\",\"amount\":\"1000.00\",\"external_id\":\"of the tests\"}");
            Assert.True((int)answer.Status is 200 or 201, answer.Text);
        }
    }

    /// <summary>Sends one request; a body is sent as JSON unless a Content-Type is among the headers.</summary>
    public async Task<Answer> Send(
        string method, string path, string? key, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (body is not null)
        {
            var type = headers.FirstOrDefault(header => header.Name == "Content-Type").Value ?? "application/json";
            request.Content = new StringContent(body, Encoding.UTF8, type);
        }

        using var response = await Http.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(), Flat(response));
    }

    private static Dictionary<string, string> Flat(HttpResponseMessage response) =>
        response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
}

/// <summary>What came back.</summary>
public sealed record Answer(HttpStatusCode Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public string String(string member) => Json.GetProperty(member).GetString()!;

    public override string ToString() => $"{(int)Status} {Text}";
}
