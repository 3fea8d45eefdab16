using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Telemetry;

namespace Tollgate.Server.Tests.Relay;

/// <summary>A gate of a paid provider in a process of its own, with its upstreams in a <c>tollgate.yaml</c>, and one key.</summary>
internal sealed class ServedRelay : IAsyncDisposable
{
    private const string RootKey = "root-key-of-the-tests-0123456789abcdef";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-served-");

    private ServedRelay()
    {
    }

    public ServedGate Gate { get; private set; } = null!;

    /// <summary>Asks with the customer's key.</summary>
    public HttpClient Http { get; private set; } = null!;

    public string KeyId { get; private set; } = "";

    private string OrganizationId { get; set; } = "";

    /// <param name="upstreams">The lines of the list.</param>
    public static async Task<ServedRelay> Start(string upstreams)
    {
        var run = new ServedRelay();
        run.Configure(upstreams);
        var provider = await RelayedProvider.In(run._folder.FullName, "wallet: { currency: USD }\n");
        run.Gate = await ServedGate.Start(run._folder.FullName, provider, RootKey);
        Assert.False(run.Gate.HasExited, run.Gate.Said);
        run.Http = new HttpClient { BaseAddress = new Uri(run.Gate.Address), Timeout = TimeSpan.FromMinutes(5) };
        var project = (await run.Ask("GET", "/api/v1/projects")).GetProperty("data")[0];
        run.OrganizationId = project.GetProperty("organization_id").GetString()!;
        await run.Ask(
            "POST", $"/api/v1/organizations/{run.OrganizationId}/wallet/entries",
            """{"kind":"top_up","amount":"5.00","external_id":"first"}""");
        var key = await run.Ask("POST", $"/api/v1/projects/{project.GetProperty("id").GetString()}/keys", """{"name":"A key"}""");
        run.KeyId = key.GetProperty("id").GetString()!;
        run.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.GetProperty("secret").GetString()!);
        return run;
    }

    /// <summary>Writes the file anew; the gate reads it when it is told.</summary>
    public void Configure(string upstreams) =>
        File.WriteAllText(Path.Combine(_folder.FullName, "tollgate.yaml"), $"upstreams:\n{upstreams}\n");

    /// <summary>Begins a chat of which the head of the answer has come.</summary>
    public async Task<HttpResponseMessage> Chat(string more)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(GatewayRun.ChatOf(more), Encoding.UTF8, "application/json"),
        };
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>The lines of the log, newest first, once as many are there.</summary>
    public async Task<IReadOnlyList<JsonElement>> Log(int lines)
    {
        while (true)
        {
            var log = (await Ask("GET", $"/api/v1/usage/log?key_id={KeyId}")).GetProperty("data").EnumerateArray().ToList();
            if (log.Count >= lines)
            {
                return log;
            }

            await Task.Delay(50);
        }
    }

    public async Task<(decimal Balance, decimal Held)> Wallet()
    {
        var wallet = await Ask("GET", $"/api/v1/organizations/{OrganizationId}/wallet");
        return (Read("balance"), Read("held"));

        decimal Read(string name) => RelayedProvider.Read(wallet.GetProperty(name).GetString()!);
    }

    public async Task<Exposition> Metrics() => Exposition.Parse(await Text("GET", "/metrics"));

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        await Gate.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<JsonElement> Ask(string method, string path, string? body = null) =>
        JsonElement.Parse(await Text(method, path, body));

    private async Task<string> Text(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", RootKey);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }
}
