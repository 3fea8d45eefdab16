using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.ForwardAuth;

/// <summary>What is refused at the door for proxies, and how it is told to each of them.</summary>
public sealed class AuthorizeRefusalTests(Gates gates) : IClassFixture<Gates>
{
    public static TheoryData<string> Providers => [.. ProviderFiles.Shipped.Names().Where(name => name != "template")];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_refusal_reads_as_on_the_providers_own_paths(string provider)
    {
        var gate = await gates.Of(provider);
        foreach (var (method, uri, key) in await Refused(gate))
        {
            var own = await gate.Send(method, uri, key);
            Assert.InRange((int)own.Status, 400, 499);
            Answer[] answers =
            [
                await gate.Forwarded(key, uri, method), await gate.Nginx(key, uri, method, style: "?style=refusal"),
                await gate.Appended(key, uri, method),
            ];
            Assert.All(answers, answer => Assert.Equal($"{method} {uri} {Told(own)}", $"{method} {uri} {Told(answer)}"));
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task For_nginx_a_401_stays_and_every_other_refusal_is_a_403_that_tells_its_status(string provider)
    {
        var gate = await gates.Of(provider);
        foreach (var (method, uri, key) in await Refused(gate))
        {
            var own = await gate.Send(method, uri, key);
            var answer = await gate.Nginx(key, uri, method);

            Assert.Equal(((int)own.Status).ToString(), answer.Header(AuthorizeDoor.StatusHeader));
            Assert.Equal(own.Status == HttpStatusCode.Unauthorized ? own.Status : HttpStatusCode.Forbidden, answer.Status);
            Assert.Equal(own.Headers.GetValueOrDefault("WWW-Authenticate"), answer.Headers.GetValueOrDefault("WWW-Authenticate"));
            Assert.Equal(("", "0"), (answer.Text, answer.Header("Content-Length")));
        }
    }

    [Fact]
    public async Task A_key_that_lacks_a_scope_hears_which_and_is_named_for_the_proxys_log()
    {
        var gate = await gates.Of("default");
        var (id, secret) = await gate.NewPair("\"name\":\"Files\",\"scopes\":[\"files\"]");

        var answer = await gate.Forwarded(secret, "/v1/chat/completions", "POST");

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal("scope_missing", answer.Header(AuthorizeDoor.CodeHeader));
        Assert.Equal("The API key lacks a required scope.", answer.Header(AuthorizeDoor.ReasonHeader));
        Assert.StartsWith("chat", answer.Header(AuthorizeDoor.RequiredHeader), StringComparison.Ordinal);
        Assert.Equal(id, answer.Header(FactHeaders.KeyId));
    }

    [Fact]
    public async Task Keys_that_are_no_good_all_read_the_same_headers_included()
    {
        var gate = await gates.Of("default");
        var unknown = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        var (revokedId, revoked) = await gate.NewPair();
        await gate.Act(revokedId, "revoke");
        var (disabledId, disabled) = await gate.NewPair();
        await gate.Act(disabledId, "disable");
        foreach (var style in new[] { "", "?style=nginx", "?style=refusal" })
        {
            var expected = (await gate.Nginx(unknown, "/v1/models", style: style)).Plain();
            foreach (var secret in new[] { revoked, disabled, "junk", new string('k', 1_000) })
            {
                Assert.Equal(expected, (await gate.Nginx(secret, "/v1/models", style: style)).Plain());
            }
        }
    }

    [Fact]
    public async Task A_condition_on_the_body_counts_as_not_held_even_where_the_body_came_along()
    {
        var gate = await gates.Of("tensoras");
        var secret = await gate.NewSecret("\"name\":\"Rag\",\"scopes\":[\"rag\"]");
        var body = ModelCalls.Of("any", ",\"knowledge_bases\":[\"kb_1\"]");
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("POST", "/v1/chat/completions", secret, body)).Status);

        Answer[] answers =
        [
            await gate.Forwarded(secret, "/v1/chat/completions", "POST"), await gate.Nginx(secret, "/v1/chat/completions", "POST"),
            await gate.Send("POST", AuthorizeDoor.Path + "/v1/chat/completions", secret, body),
        ];

        Assert.All(answers, answer => Assert.Equal(
            (HttpStatusCode.Forbidden, "body_condition"), (answer.Status, answer.Header(AuthorizeDoor.CodeHeader))));
    }

    [Fact]
    public async Task A_key_that_is_bound_to_models_is_refused_where_a_body_that_is_not_seen_may_name_another()
    {
        var gate = await gates.Of("default");
        var bound = await gate.NewSecret("\"name\":\"Bound\",\"models\":[\"echo\"]");
        var free = await gate.NewSecret();

        Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(free, "/v1/chat/completions", "POST")).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(bound, "/v1/models")).Status);
        Answer[] answers =
        [
            await gate.Forwarded(bound, "/v1/chat/completions", "POST"), await gate.Nginx(bound, "/v1/chat/completions", "POST"),
            await gate.Send("POST", AuthorizeDoor.Path + "/v1/chat/completions", bound, "{\"model\":\"echo\"}"),
        ];

        Assert.All(answers, answer => Assert.Equal(
            (HttpStatusCode.Forbidden, "model_refused"), (answer.Status, answer.Header(AuthorizeDoor.CodeHeader))));
    }

    [Fact]
    public async Task A_place_that_the_gate_answers_itself_is_not_let_through()
    {
        var gate = await gates.Of("default");
        foreach (var key in new[] { await gate.NewSecret(), RunningGate.RootKey })
        {
            var answer = await gate.Forwarded(key, "/v1/api-keys");
            Assert.Equal((HttpStatusCode.NotFound, "route_unknown"), (answer.Status, answer.Header(AuthorizeDoor.CodeHeader)));
        }
    }

    [Theory]
    [InlineData("/v1/models/../models")]
    [InlineData("/v1/./models")]
    [InlineData("//v1/models")]
    [InlineData("/v1//models")]
    [InlineData("/v1/%2e%2e/models")]
    [InlineData("/v1/models/..%2Ffiles")]
    [InlineData("/v1\\models")]
    [InlineData("/v1/models/%252e%252e/x")]
    [InlineData("/v1/models/%00")]
    [InlineData("/v1/models/%ff")]
    [InlineData("/v1/models/%zz")]
    [InlineData("/v1/models/..;/x")]
    [InlineData("/v1/models#x")]
    [InlineData("/v1/models, /v1/files")]
    [InlineData("/v1/models?a=b c")]
    [InlineData("http://localhost/v1/models")]
    [InlineData("v1/models")]
    [InlineData("*")]
    public async Task A_path_trick_is_refused_even_to_the_root_key_in_every_way_of_asking(string uri)
    {
        var gate = await gates.Of("default");
        foreach (var pair in new[] { ("X-Forwarded-Method", "X-Forwarded-Uri"), ("X-Original-Method", "X-Original-URI") })
        {
            var answer = await RawCall.Send(
                gate.Address,
                $"GET {AuthorizeDoor.Path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {RunningGate.RootKey}\r\n"
                + $"{pair.Item1}: GET\r\n{pair.Item2}: {uri}\r\n\r\n");
            Assert.Equal(400, answer.Status);
            Assert.Contains("X-Tollgate-Code: path_refused\r\n", answer.Text, StringComparison.Ordinal);
        }

        if (uri.StartsWith('/') && !uri.Contains(' ', StringComparison.Ordinal))
        {
            Assert.Equal(400, (await RawCall.Get(gate.Address, AuthorizeDoor.Path + uri, RunningGate.RootKey)).Status);
        }
    }

    [Fact]
    public async Task No_style_makes_a_pass_of_a_database_that_cannot_be_read()
    {
        var gate = await RunningGate.Start("default");
        var unread = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);
        await gate.Database.DisposeAsync();

        var plain = await gate.Forwarded(unread, "/v1/models");
        var nginx = await gate.Nginx(unread, "/v1/models");
        var appended = await gate.Appended(unread, "/v1/models");

        Assert.All(new[] { plain, appended }, answer => Assert.InRange((int)answer.Status, 500, 503));
        Assert.Equal(HttpStatusCode.Forbidden, nginx.Status);
        Assert.Equal(((int)plain.Status).ToString(), nginx.Header(AuthorizeDoor.StatusHeader));
        await gate.DisposeAsync();
    }

    [Fact]
    public async Task The_style_for_refusals_never_lets_pass_and_says_when_to_try_again()
    {
        var gate = await gates.Of("default");
        foreach (var key in new[] { await gate.NewSecret(), RunningGate.RootKey })
        {
            var answer = await gate.Nginx(key, "/v1/models", style: "?style=refusal");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (answer.Status, answer.Header("Retry-After")));
            Assert.Equal("unavailable", answer.Header(AuthorizeDoor.CodeHeader));
            Assert.False(answer.Headers.ContainsKey(FactHeaders.KeyId));
        }
    }

    /// <summary>A request for each way of being refused that the provider has.</summary>
    private static async Task<List<(string Method, string Uri, string? Key)>> Refused(RunningGate gate)
    {
        var model = gate.Services.GetRequiredService<ProviderModel>();
        var expiry = model.Keys.Expiry == ExpiryRule.Required ? ",\"expires_at\":\"2099-01-01T00:00:00Z\"" : "";
        var good = await gate.NewSecret($"\"name\":\"Good\"{expiry}");
        var (id, revoked) = await gate.NewPair($"\"name\":\"Revoked\"{expiry}");
        await gate.Act(id, "revoke");
        var elsewhere = await gate.NewKey($"\"name\":\"Elsewhere\",\"allowed_addresses\":[\"192.0.2.1\"]{expiry}");
        var route = model.Routes.Routes.First(route => route.Pattern.Segments.All(segment => segment.Literal.Length > 0));
        var (method, uri) = (
            route.Method == Engine.Permissions.Methods.None ? "GET" : route.Method.ToString().ToUpperInvariant(),
            route.Pattern.Text.Replace("/**", "/x", StringComparison.Ordinal));
        return
        [
            (method, uri, null), (method, uri, "junk"), (method, uri, revoked), (method, uri, model.Keys.Format.Mint(0)),
            (method, uri, elsewhere.GetProperty("secret").GetString()), ("TRACK", uri, good), ("GET", "/nowhere/at/all", good),
            ("GET", "/nowhere/at/all", null), (method, $"{uri}?key={good}", good),
        ];
    }

    /// <summary>What the customer sees of it.</summary>
    private static string Told(Answer answer) => string.Join('\n', answer.Plain().Split('\n')
        .Where(line => !line.StartsWith("X-Tollgate-", StringComparison.OrdinalIgnoreCase)));
}
