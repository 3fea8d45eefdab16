using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Gateway.Relay;
using Tollgate.Gateway.Upstreams;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Relay;

/// <summary>A gate of a paid provider before a model server, and one key of it.</summary>
internal sealed class GatewayRun : IAsyncDisposable
{
    public const string UpstreamKey = "the-operators-own-key";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-relay-");

    private GateOptions _options = null!;
    private string _file = "";

    private GatewayRun()
    {
    }

    public ModelServer Model { get; private set; } = null!;

    public RunningGate Gate { get; private set; } = null!;

    public string KeyId { get; private set; } = "";

    public string Secret { get; private set; } = "";

    public int OpenReservations => Gate.Services.GetRequiredService<Admission>().Reservations.Count;

    public int OpenRequests => Gate.Services.GetRequiredService<OpenRequests>().Count;

    /// <param name="wallet">Members of the provider file's wallet besides its currency; null for no wallet.</param>
    /// <param name="members">Of the key.</param>
    /// <param name="with">Further options.</param>
    public static async Task<GatewayRun> Start(
        string? wallet = "", string members = "\"name\":\"A test key\"", Func<GateOptions, GateOptions>? with = null)
    {
        var run = new GatewayRun { Model = await ModelServer.Start() };
        run._file = await RelayedProvider.In(run._folder.FullName, wallet is null ? "" : $"wallet: {{ currency: USD{wallet} }}\n");
        var options = new GateOptions
        {
            LogLevel = "none",
            Upstreams = [new UpstreamConfig { Name = "model", Url = new Uri(run.Model.Address + "/v1"), Key = UpstreamKey }],
            UsageBufferEvents = 65_536,
        };
        run._options = with?.Invoke(options) ?? options;
        await run.Serve();
        var key = await run.Gate.NewKey(members);
        (run.KeyId, run.Secret) = (key.GetProperty("id").GetString()!, key.GetProperty("secret").GetString()!);
        return run;
    }

    /// <summary>Starts the gate on its data, again after it was stopped.</summary>
    public async Task Serve() => Gate = await RunningGate.Start(
        _file, _options, Directory.CreateDirectory(Path.Combine(_folder.FullName, "data")).FullName);

    public static string ChatOf(string more = "", string model = RelayedProvider.Model) =>
        $$"""{"model":"{{model}}","messages":[{"role":"user","content":"How is it?"}]{{more}}}""";

    public Task<Answer> Chat(string more = "", string? secret = null) =>
        Gate.Send("POST", "/v1/chat/completions", secret ?? Secret, ChatOf(more));

    /// <summary>Begins a chat of which the head of the answer has come.</summary>
    public async Task<HttpResponseMessage> Begin(string more = ",\"stream\":true", CancellationToken cancel = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(ChatOf(more), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Secret);
        return await Gate.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    /// <summary>The lines of the log, newest first, once as many are there.</summary>
    public async Task<IReadOnlyList<JsonElement>> Log(int lines = 1)
    {
        while (true)
        {
            var log = await Gate.Send("GET", $"/api/v1/usage/log?key_id={KeyId}", RunningGate.RootKey);
            var data = log.Json.GetProperty("data").EnumerateArray().ToList();
            if (data.Count >= lines)
            {
                return data;
            }

            await Task.Delay(20);
        }
    }

    public async Task<decimal> Balance()
    {
        var wallet = await Gate.Send("GET", $"/api/v1/organizations/{Gate.OrganizationId}/wallet", RunningGate.RootKey);
        return RelayedProvider.Read(wallet.String("balance"));
    }

    public async Task<decimal> Held()
    {
        var wallet = await Gate.Send("GET", $"/api/v1/organizations/{Gate.OrganizationId}/wallet", RunningGate.RootKey);
        return RelayedProvider.Read(wallet.String("held"));
    }

    /// <summary>Waits until something is so; a test that waits for what never is ends by its time-out.</summary>
    public static async Task Until(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(10);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Gate.DisposeAsync();
        await Model.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
