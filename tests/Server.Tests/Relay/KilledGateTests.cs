using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Dapper;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Relay;

/// <summary>A gate that is killed while a stream passes bills what had passed by its last note, when it is there again.</summary>
public sealed class KilledGateTests : IDisposable
{
    private const string RootKey = "root-key-of-the-tests-0123456789abcdef";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-killed-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Killed_while_a_stream_passes_it_bills_the_last_mark_and_holds_nothing()
    {
        await using var model = await ModelServer.Start();
        model.Answers = async http =>
        {
            ModelServer.Streams(http);
            await ModelServer.Say(http, ModelServer.Word("One") + ModelServer.Word("Two") + ModelServer.Word("Three"));
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        };
        var provider = await RelayedProvider.In(_folder.FullName, "wallet: { currency: USD }\n");
        string organization, keyId;
        await using (var gate = await Serve(provider, model))
        {
            using var http = Client(gate);
            var project = (await Call(http, HttpMethod.Get, "/api/v1/projects")).GetProperty("data")[0];
            organization = project.GetProperty("organization_id").GetString()!;
            await Call(
                http, HttpMethod.Post, $"/api/v1/organizations/{organization}/wallet/entries",
                """{"kind":"top_up","amount":"5.00","external_id":"first"}""");
            var key = await Call(
                http, HttpMethod.Post, $"/api/v1/projects/{project.GetProperty("id").GetString()}/keys", """{"name":"A key"}""");
            keyId = key.GetProperty("id").GetString()!;
            using var answer = await Chat(http, key.GetProperty("secret").GetString()!);
            await Marked(tokens: 4);
            await gate.Kill();
        }

        await using var again = await Serve(provider, model);
        using var client = Client(again);
        var line = await Settled(client, keyId);
        Assert.Equal((4, true), (line.GetProperty("output_tokens").GetInt32(), line.GetProperty("estimated").GetBoolean()));
        var cost = RelayedProvider.Read(line.GetProperty("cost").GetString()!);
        Assert.True(cost >= RelayedProvider.Cost(0, 4), $"{cost}");
        var wallet = await Call(client, HttpMethod.Get, $"/api/v1/organizations/{organization}/wallet");
        Assert.Equal(0, RelayedProvider.Read(wallet.GetProperty("held").GetString()!));
        Assert.Equal(5 - cost, RelayedProvider.Read(wallet.GetProperty("balance").GetString()!));
    }

    private Task<ServedGate> Serve(string provider, ModelServer model) => ServedGate.Start(
        _folder.FullName,
        provider,
        RootKey,
        environment: new Dictionary<string, string>
        {
            ["TOLLGATE_UPSTREAM"] = model.Address + "/v1", ["TOLLGATE_RESERVATION_SECONDS"] = "10",
        });

    private static HttpClient Client(ServedGate gate)
    {
        var http = new HttpClient { BaseAddress = new Uri(gate.Address) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RootKey);
        return http;
    }

    private static async Task<HttpResponseMessage> Chat(HttpClient http, string secret)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(GatewayRun.ChatOf(",\"stream\":true"), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Waits until the note that so much has passed is in the database.</summary>
    private async Task Marked(int tokens)
    {
        await using var database = await Beside.Open(DatabaseKind.Sqlite, _folder.FullName, null);
        while (await database.ExecuteScalarAsync<long?>("SELECT output_marked FROM reservations") != tokens)
        {
            await Task.Delay(50);
        }
    }

    private static async Task<JsonElement> Settled(HttpClient http, string keyId)
    {
        while (true)
        {
            var log = await Call(http, HttpMethod.Get, $"/api/v1/usage/log?key_id={keyId}");
            if (log.GetProperty("data").GetArrayLength() > 0)
            {
                return log.GetProperty("data")[0];
            }

            await Task.Delay(100);
        }
    }

    private static async Task<JsonElement> Call(HttpClient http, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }
}
