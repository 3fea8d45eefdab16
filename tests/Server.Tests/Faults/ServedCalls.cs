using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Faults;

/// <summary>The calls that the fault tests make to a gate that runs as a process of its own.</summary>
internal sealed class ServedCalls(ServedGate gate) : IDisposable
{
    public const string RootKey = RunningGate.RootKey;

    private static readonly ProviderModel Provider = ProviderFiles.Shipped.Load("default").Model!;

    private readonly HttpClient _http = new() { BaseAddress = new Uri(gate.Address), Timeout = TimeSpan.FromSeconds(60) };
    private string? _project;

    public void Dispose() => _http.Dispose();

    /// <summary>A secret of the right shape that nobody was given.</summary>
    public string Unknown() => Provider.Keys.Format.Mint(0);

    /// <summary>Puts the operator's organization on the plan that bounds nothing: what is asked without a pause meets no limit.</summary>
    public async Task Unlimit()
    {
        var organization = (await Send("GET", "/api/v1/organizations")).Json.GetProperty("data")[0].GetProperty("id").GetString();
        var answer = await Send("PATCH", $"/api/v1/organizations/{organization}", "{\"plan\":\"enterprise\"}");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    /// <summary>Calls a route of the provider with a key, as its holder does.</summary>
    public async Task<HttpStatusCode> Use(string secret) => (await Send("GET", "/v1/models", key: secret)).Status;

    public async Task<HttpStatusCode> Ready() => (await Send("GET", "/readyz")).Status;

    public Task<Answer> Act(string id, string operation, string? body = null, string? idempotencyKey = null) =>
        Send("POST", $"/api/v1/keys/{id}/{operation}", body, idempotencyKey: idempotencyKey);

    public async Task<Answer> TryCreate(string name = "A key", string? idempotencyKey = null)
    {
        _project ??= (await Send("GET", "/api/v1/projects")).Json.GetProperty("data")[0].GetProperty("id").GetString();
        return await Send("POST", $"/api/v1/projects/{_project}/keys", $"{{\"name\":\"{name}\"}}", idempotencyKey: idempotencyKey);
    }

    public async Task<(string Id, string Secret)> Create()
    {
        var made = await TryCreate();
        Assert.True(made.Status == HttpStatusCode.Created, made.Text + gate.Said);
        return (made.String("id"), made.String("secret"));
    }

    public async Task<Answer> Send(string method, string path, string? body = null, string? key = null, string? idempotencyKey = null,
        string mediaType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key ?? RootKey);
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, mediaType);
        }

        try
        {
            using var answer = await _http.SendAsync(request);
            return new Answer(
                answer.StatusCode, await answer.Content.ReadAsStringAsync(),
                answer.Headers.ToDictionary(header => header.Key, header => header.Value.First(), StringComparer.OrdinalIgnoreCase));
        }
        catch (SocketException ended)
        {
            // A connection that ends while it is being made comes out of the client bare.
            throw new HttpRequestException(ended.Message, ended);
        }
    }
}

/// <summary>How many rounds a test of random faults runs: few each time, as many as a variable says when somebody wants to know.</summary>
internal static class FaultRounds
{
    public static int Of(string variable, int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var rounds) ? rounds : usual;
}
