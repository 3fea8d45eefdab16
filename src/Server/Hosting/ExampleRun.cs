using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Journal;
using Tollgate.Server.Keys;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Verification;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Hosting;

/// <summary>
/// Runs the examples of a provider file against a gate of their own: a server on a free loopback port with a folder that is thrown away. An
/// example holds for the server as it runs, not for a model of it.
/// </summary>
internal sealed class ExampleRun : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tollgate-examples-").FullName;
    private readonly string _rootKey = RootKey.New();
    private readonly ProviderModel _provider;
    private readonly SteppedTime _time = new();
    private Database? _database;
    private WebApplication? _app;
    private Project? _project;

    private ExampleRun(ProviderModel provider) => _provider = provider;

    /// <summary>Each example with its answer, and what was wrong with it.</summary>
    public static async Task<IReadOnlyList<ExampleOutcome>> Run(ProviderModel provider)
    {
        await using var run = new ExampleRun(provider);
        var address = await run.Start();
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        var results = new List<ExampleOutcome>();
        foreach (var example in provider.Examples)
        {
            results.Add(await run.Try(client, example));
        }

        return results;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> Start()
    {
        var storage = new StorageOptions { DataDirectory = _folder };
        _database = await Database.Open(storage, _time, NullLoggerFactory.Instance);
        var pepper = await Pepper.Open(Path.Combine(_folder, Pepper.DefaultFile), _database);
        var options = new GateOptions
        {
            Urls = "http://127.0.0.1:0", Data = _folder, LogLevel = "warning", UsageBufferEvents = Spool.CapacityMin,
        };
        _app = GateHost.Build(options, _provider, _database, pepper, _time);
        _project = (await _app.Services.GetRequiredService<FirstStart>().Prepare(_rootKey, CancellationToken.None)).Project;
        await Fund();
        await _app.StartAsync();
        return _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
    }

    /// <summary>Money enough for every example, where requests are paid for.</summary>
    private async Task Fund()
    {
        if (_provider.Wallet is null)
        {
            return;
        }

        var ledger = _app!.Services.GetRequiredService<WalletLedger>();
        var funded = await _database!.Write(
            async scope => (await OrganizationRegister.Find(scope, _project!.OrganizationId.Text)).TryGet(out var own, out var problem)
                ? await ledger.Enter(scope, own, new EntryTerms(EntryKinds.TopUp, new Money(Money.MicrosMax / 2), "examples", null))
                : problem,
            MutationContext.Of(Caller.Root));
        _ = funded.Value;
    }

    private async Task<ExampleOutcome> Try(HttpClient client, ProviderExample example)
    {
        var (secret, id, fault) = await KeyFor(example.Key);
        if (fault is not null)
        {
            return new ExampleOutcome(example, $"its key could not be made: {fault}", 0, "");
        }

        for (var sent = 1; sent < example.Times; sent++)
        {
            (await Send(client, example, secret, id)).Dispose();
        }

        using var answer = await Send(client, example, secret, id);
        var text = await answer.Content.ReadAsStringAsync();
        var wrong = (int)answer.StatusCode != example.ExpectedStatus
            ? $"expected {example.ExpectedStatus}, got {(int)answer.StatusCode} {text}"
            : example.ExpectedBody is { } expected && Difference(expected, text) is { } difference ? difference : null;
        return new ExampleOutcome(example, wrong, (int)answer.StatusCode, text);
    }

    private async Task<HttpResponseMessage> Send(HttpClient client, ProviderExample example, string? secret, string id)
    {
        var path = example.Path
            .Replace("{project}", _project!.Id.Text, StringComparison.Ordinal)
            .Replace("{organization}", _project.OrganizationId.Text, StringComparison.Ordinal)
            .Replace("{key}", id, StringComparison.Ordinal);
        using var request = new HttpRequestMessage(new HttpMethod(example.Method.ToString()), path);
        if (secret is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        }

        if (example.Body is not null)
        {
            request.Content = new StringContent(example.Body, Encoding.UTF8, "application/json");
        }

        return await client.SendAsync(request);
    }

    /// <summary>What the answer lacks of the expected members; others may stand beside them.</summary>
    private static string? Difference(JsonElement expected, string text)
    {
        try
        {
            using var actual = JsonDocument.Parse(text);
            return Lacks(expected, actual.RootElement, "") is { } at ? $"expected {expected.GetRawText()}, got {text} (at {at})" : null;
        }
        catch (JsonException)
        {
            return $"expected {expected.GetRawText()}, got {text}";
        }
    }

    private static string? Lacks(JsonElement expected, JsonElement actual, string at)
    {
        if (expected.ValueKind != JsonValueKind.Object || actual.ValueKind != JsonValueKind.Object)
        {
            return JsonElement.DeepEquals(expected, actual) ? null : at.Length == 0 ? "/" : at;
        }

        foreach (var member in expected.EnumerateObject())
        {
            var inner = $"{at}/{member.Name}";
            var lack = actual.TryGetProperty(member.Name, out var value) ? Lacks(member.Value, value, inner) : inner;
            if (lack is not null)
            {
                return lack;
            }
        }

        return null;
    }

    private async Task<(string? Secret, string Id, string? Fault)> KeyFor(ExampleKey wanted)
    {
        switch (wanted.Kind)
        {
            case ExampleKeyKind.None:
                return (null, "", null);
            case ExampleKeyKind.Root:
                return (_rootKey, Caller.Root.Id, null);
            case ExampleKeyKind.Unknown:
                return (_provider.Keys.Format.Mint(0), "", null);
            case ExampleKeyKind.Malformed:
                return ("not-a-key", "", null);
        }

        var ring = _app!.Services.GetRequiredService<KeyRing>();
        var now = _time.GetUtcNow();
        var asked = new CreateKey
        {
            Name = "Example",
            Type = wanted.Type,
            Permissions = wanted.Permissions,
            Scopes = wanted.Scopes,
            Environment = wanted.Environment,
            ExpiresAt = _provider.Keys.Expiry == ExpiryRule.Required || wanted.Kind == ExampleKeyKind.Expired ? now.AddHours(1) : null,
        };
        var asRoot = MutationContext.Of(Caller.Root);
        var made = await _database!.Write(scope => ring.Issue(scope, _project!.Id.Text, asked), asRoot, CancellationToken.None);
        if (!made.TryGet(out var issued, out var problem))
        {
            return (null, "", problem.Detail);
        }

        var id = issued.Key.Id.ToString();
        var ended = await _database.Write(
            scope => wanted.Kind switch
            {
                ExampleKeyKind.Disabled => ring.Disable(scope, id),
                ExampleKeyKind.Revoked => ring.Revoke(scope, id),
                _ => Task.FromResult<Outcome<Key>>(issued.Key),
            },
            asRoot,
            CancellationToken.None);
        if (wanted.Kind == ExampleKeyKind.Expired)
        {
            _time.Step(TimeSpan.FromHours(1));
        }

        return (issued.Secret, id, ended.Problem?.Detail);
    }

    /// <summary>The clock of the run: steps over an expiry instead of waiting for it.</summary>
    private sealed class SteppedTime : TimeProvider
    {
        private TimeSpan _ahead;

        public void Step(TimeSpan by) => _ahead += by;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;
    }
}
