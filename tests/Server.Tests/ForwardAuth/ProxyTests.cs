using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.ForwardAuth;

/// <summary>
/// Real proxies under the recipes of <c>deploy/</c>: between a customer and a server that remembers what reaches it, asking a real gate.
/// </summary>
public sealed class ProxyTests(ProxyTests.Street street) : IClassFixture<ProxyTests.Street>
{
    public static TheoryData<string> Proxies => ["nginx", "caddy", "haproxy"];

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task What_may_pass_reaches_the_server_as_it_was_sent_with_facts_and_without_the_key(string proxy)
    {
        var place = await street.Of(proxy);
        var (id, secret) = await place.Gate.NewPair("\"name\":\"Café 7\",\"scopes\":[\"chat\",\"files\"]");
        foreach (var (method, uri, body) in new[]
        {
            ("POST", "/v1/chat/completions?style=nginx&a=%2F..", "{\"model\":\"m\"}"), ("DELETE", "/v1/files/file-1", null),
            ("GET", "/v1/files?limit=5", null),
        })
        {
            var answer = await place.Send(method, uri, secret, body);
            Assert.Equal((HttpStatusCode.OK, $"upstream {method} {uri}"), (answer.Status, answer.Text));

            var reached = place.Api.Single();
            Assert.Equal((method, uri, body ?? ""), (reached.Method, reached.Target, reached.Body));
            Assert.Equal(
                $"{id} Caf%C3%A9%207 {place.Gate.ProjectId} {place.Gate.OrganizationId} live  chat,files",
                string.Join(' ', FactHeaders.Names.Select(reached.Header)));
            Assert.DoesNotContain(secret, reached.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task What_is_refused_reaches_nobody_and_the_customer_reads_the_providers_own_answer(string proxy)
    {
        var place = await street.Of(proxy);
        var model = place.Gate.Services.GetRequiredService<ProviderModel>();
        var good = await place.Gate.NewSecret("\"name\":\"Files\",\"scopes\":[\"files\"]");
        (string Method, string Uri, string? Key, int Status)[] requests =
        [
            ("POST", "/v1/chat/completions", null, 401), ("POST", "/v1/chat/completions", model.Keys.Format.Mint(0), 401),
            ("POST", "/v1/chat/completions", "junk", 401), ("POST", "/v1/chat/completions", good, 403), ("GET", "/v1/nowhere", good, 404),
            ("PATCH", "/v1/chat/completions", good, 405), ("GET", $"/v1/files?key={good}", good, 400), ("GET", "/v1/api-keys", good, 404),
        ];
        foreach (var (method, uri, key, status) in requests)
        {
            var body = method == "POST" ? "{\"model\":\"m\"}" : null;
            var answer = await place.Send(method, uri, key, body);

            // Its own key management the gate answers elsewhere, in other words.
            var own = uri == "/v1/api-keys" ? await place.Gate.Forwarded(key, uri, method) : await place.Gate.Send(method, uri, key, body);
            Assert.Equal($"{method} {uri} {status} {Told(own)}", $"{method} {uri} {(int)answer.Status} {Told(answer)}");
            Assert.Empty(place.Api.Requests);
        }
    }

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task A_revoked_key_is_refused_on_the_next_request(string proxy)
    {
        var place = await street.Of(proxy);
        var (id, secret) = await place.Gate.NewPair();
        Assert.Equal(HttpStatusCode.OK, (await place.Send("GET", "/v1/models", secret)).Status);
        place.Api.Single();

        (await place.Gate.Act(id, "revoke")).Has(HttpStatusCode.OK);

        Assert.Equal(HttpStatusCode.Unauthorized, (await place.Send("GET", "/v1/models", secret)).Status);
        Assert.Empty(place.Api.Requests);
    }

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task Headers_that_a_customer_makes_up_reach_neither_the_gate_nor_the_server_as_facts(string proxy)
    {
        var place = await street.Of(proxy);
        var (id, secret) = await place.Gate.NewPair("\"name\":\"Files\",\"scopes\":[\"files\"]");
        var lies = FactHeaders.Names.Append(AuthorizeDoor.StatusHeader).Append(AuthorizeDoor.CodeHeader)
            .SelectMany(name => new[] { (name, "a lie"), (name.Replace('-', '_'), "a lie"), (name.ToLowerInvariant(), "a lie") })
            .ToArray();

        Assert.Equal(HttpStatusCode.OK, (await place.Send("GET", "/v1/files", secret, null, lies)).Status);
        var reached = place.Api.Single();
        Assert.Equal(id, reached.Header(FactHeaders.KeyId));
        Assert.Equal("files", reached.Header(FactHeaders.Scopes));
        Assert.DoesNotContain("a lie", reached.ToString(), StringComparison.Ordinal);

        // The root key has no project: even an empty fact leaves no room for a customer's.
        Assert.Equal(HttpStatusCode.OK, (await place.Send("GET", "/v1/files", RunningGate.RootKey, null, lies)).Status);
        reached = place.Api.Single();
        Assert.Equal(("root", ""), (reached.Header(FactHeaders.KeyId), reached.Header(FactHeaders.ProjectId)));
        Assert.DoesNotContain("a lie", reached.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task A_customer_cannot_say_that_another_request_is_judged(string proxy)
    {
        var place = await street.Of(proxy);
        var secret = await place.Gate.NewSecret("\"name\":\"Files\",\"scopes\":[\"files\"]");
        (string, string)[] claims =
        [
            ("X-Original-Method", "GET"), ("X-Original-URI", "/v1/files"), ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/v1/files"),
            ("X-Rewrite-URL", "/v1/files"), ("X-HTTP-Method-Override", "GET"),
        ];
        foreach (var uri in new[] { "/v1/models", "/v1/models?style=nginx", "/v1/models?style=refusal" })
        {
            var answer = await place.Send("GET", uri, secret, null, claims);
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
            Assert.Empty(place.Api.Requests);
        }

        // And one that may pass is not held up by them.
        Assert.Equal(HttpStatusCode.OK, (await place.Send("GET", "/v1/files?style=refusal", secret, null, claims)).Status);
        Assert.Equal("/v1/files?style=refusal", place.Api.Single().Target);
    }

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task No_path_trick_gets_through(string proxy)
    {
        var place = await street.Of(proxy);
        var secret = await place.Gate.NewSecret("\"name\":\"Files\",\"scopes\":[\"files\"]");
        string[] targets =
        [
            "/v1/files/../models", "/v1/files/%2e%2e/models", "/v1/files%2f..%2fmodels", "//v1/files", "/v1//models",
            "/v1/files/..;/models", "/v1\\models", "/v1/files/%252e%252e/models", "/v1/./models", "http://localhost/v1/models",
            "/v1/models#/v1/files",
        ];
        foreach (var target in targets)
        {
            var answer = await RawCall.Get(place.Proxy.Address, target, secret);
            Assert.True(answer.Status is >= 400 and < 500, $"{target}: {answer.Text}");
            Assert.True(place.Api.Requests.IsEmpty, $"{target}: {string.Join(", ", place.Api.Requests)}");
        }
    }

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task The_gate_is_asked_over_connections_that_stay_open(string proxy)
    {
        var place = await street.Of(proxy);
        var secret = await place.Gate.NewSecret();
        place.Asked.Requests.Clear();
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await place.Send("GET", "/v1/models", secret)).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, (await place.Send("GET", "/v1/models", "junk")).Status);
        }

        Assert.InRange(place.Asked.Requests.Count, 40, 60);
        Assert.InRange(place.Asked.Requests.Select(request => request.Connection).Distinct().Count(), 1, 4);
        place.Api.Requests.Clear();
    }

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task A_gate_that_cannot_be_asked_lets_nobody_pass(string proxy)
    {
        await using var api = await Upstream.Start();
        var gate = await Upstream.Start();
        await using var process = await Street.Start(proxy, gate.Port, api.Port);
        await gate.DisposeAsync();
        using var http = new HttpClient { BaseAddress = new Uri(process.Address) };

        using var answer = await http.GetAsync(new Uri("/v1/models", UriKind.Relative));

        Assert.InRange((int)answer.StatusCode, 502, 503);
        Assert.Empty(api.Requests);
    }

    /// <summary>What the customer sees of a refusal, whoever passes it on.</summary>
    private static string Told(Answer answer) => string.Join('\n', answer.Plain().Split('\n').Where(line =>
        !line.StartsWith("X-Tollgate-", StringComparison.OrdinalIgnoreCase) && !line.StartsWith("Server:", StringComparison.Ordinal)
        && !line.StartsWith("Connection:", StringComparison.Ordinal)));

    /// <summary>A proxy of each kind with its own gate and server, started when a test first asks.</summary>
    public sealed class Street : IAsyncLifetime
    {
        private readonly Dictionary<string, Place> _places = [];

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public async ValueTask DisposeAsync()
        {
            foreach (var place in _places.Values)
            {
                await place.DisposeAsync();
            }
        }

        internal static Task<ProxyProcess> Start(string proxy, int gate, int api) => proxy switch
        {
            "nginx" => ProxyProcess.Nginx(gate, api),
            "caddy" => ProxyProcess.Caddy(gate, api),
            _ => ProxyProcess.Haproxy(gate, api),
        };

        internal async Task<Place> Of(string proxy)
        {
            if (!_places.TryGetValue(proxy, out var place))
            {
                var gate = await RunningGate.Start("default");
                var (asked, api) = (await Upstream.Start(gate.Address), await Upstream.Start());
                place = new Place(gate, asked, api, await Start(proxy, asked.Port, api.Port));
                _places.Add(proxy, place);
            }

            return place;
        }
    }

    /// <param name="Gate">The gate.</param>
    /// <param name="Asked">What stands between it and the proxy, to see what it is asked.</param>
    /// <param name="Api">The server behind the proxy.</param>
    /// <param name="Proxy">The proxy.</param>
    internal sealed record Place(RunningGate Gate, Upstream Asked, Upstream Api, ProxyProcess Proxy) : IAsyncDisposable
    {
        private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = new Uri(Proxy.Address),
        };

        public async Task<Answer> Send(
            string method, string uri, string? key, string? body = null, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(
                Proxy.Address + uri, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await _http.SendAsync(request);
            return new Answer(
                response.StatusCode, await response.Content.ReadAsStringAsync(),
                response.Headers.Concat(response.Content.Headers)
                    .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await Proxy.DisposeAsync();
            await Asked.DisposeAsync();
            await Api.DisposeAsync();
            await Gate.DisposeAsync();
        }
    }
}
