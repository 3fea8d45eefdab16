using System.Net;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// What docs.tensorone.ai promises about API keys, row by row, against a gate that knows <c>providers/tensorone.yaml</c> alone. The
/// environments and key management of the page are in <see cref="TensoroneKeysTests"/>.
/// </summary>
public sealed class TensoroneTests : IAsyncLifetime
{
    private const string Unauthorized = """
        {
          "error": "UNAUTHORIZED",
          "message": "Invalid or missing API key",
          "code": 401
        }
        """;

    private static readonly string[] Scopes = ["accounts", "clusters", "endpoints", "training", "billing", "ai", "webhooks"];

    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync() => _gate = await RunningGate.Start("tensorone");

    public ValueTask DisposeAsync() => _gate.DisposeAsync();

    [Theory]
    [InlineData("GET", true)]
    [InlineData("HEAD", true)]
    [InlineData("POST", false)]
    [InlineData("PUT", false)]
    [InlineData("PATCH", false)]
    [InlineData("DELETE", false)]
    public async Task TO2_a_read_key_reads_and_a_read_write_key_uses_every_method(string method, bool reads)
    {
        var read = await _gate.NewSecret($"{ManagementCalls.Some},\"type\":\"read\",\"scopes\":[\"endpoints\"]");
        var both = await _gate.NewSecret($"{ManagementCalls.Some},\"type\":\"read_write\",\"scopes\":[\"endpoints\"]");
        Assert.Equal(reads ? HttpStatusCode.OK : HttpStatusCode.Forbidden, (await _gate.Send(method, "/v2/endpoints/e1", read)).Status);
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send(method, "/v2/endpoints/e1", both)).Status);
    }

    [Fact]
    public async Task TO2_a_service_key_uses_every_method_of_its_own_services()
    {
        var service = await _gate.NewSecret($"{ManagementCalls.Some},\"type\":\"service\",\"scopes\":[\"ai\"]");
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("POST", "/v2/ai/chat", service, "{}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("GET", "/v2/ai/models", service)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"scopes\":[]")]
    [InlineData(",\"scopes\":[\"clusters\"]")]
    [InlineData(",\"scopes\":[\"ai\",\"endpoints\"]")]
    public async Task TO2_a_service_key_must_name_its_services(string scopes)
    {
        var refused = await _gate.Send(
            "POST", "/v2/auth/api-keys", RunningGate.RootKey, $"{{\"name\":\"Service\",\"type\":\"service\"{scopes}}}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("VALIDATION_FAILED", refused.String("error"));
        Assert.StartsWith("scopes", refused.String("message"), StringComparison.Ordinal);
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
    }

    [Theory]
    [InlineData("POST", "endpoints")]
    [InlineData("DELETE", "clusters")]
    [InlineData("PUT", "webhooks")]
    public async Task TO3_a_read_key_on_a_write_is_403_in_exactly_the_documented_body(string method, string scope)
    {
        var read = await _gate.NewSecret($"{ManagementCalls.Some},\"permissions\":[\"read\"],\"scopes\":[\"{scope}\"]");
        (await _gate.Send(method, $"/v2/{scope}", read)).Is(HttpStatusCode.Forbidden, Forbidden($"{scope}:write"));
    }

    [Theory]
    [InlineData("GET", "clusters", "clusters:read")]
    [InlineData("POST", "endpoints", "endpoints:write")]
    [InlineData("POST", "training", "training:write")]
    public async Task TO4_a_service_key_outside_its_services_is_403(string method, string scope, string required)
    {
        var service = await _gate.NewSecret($"{ManagementCalls.Some},\"type\":\"service\",\"scopes\":[\"ai\"]");
        (await _gate.Send(method, $"/v2/{scope}/x", service)).Is(HttpStatusCode.Forbidden, Forbidden(required));
    }

    [Fact]
    public async Task TO7_verify_answers_exactly_the_documented_fields()
    {
        var key = await _gate.Make(
            "\"name\":\"Production\",\"permissions\":[\"read\",\"write\"],\"scopes\":[\"endpoints\",\"clusters\"],"
            + "\"expires_at\":\"2026-12-31T23:59:59Z\"");
        (await Verify(key.Secret)).Is(HttpStatusCode.OK, $$"""
            {
              "valid": true,
              "key_id": "{{key.Id}}",
              "permissions": ["read", "write"],
              "scopes": ["endpoints", "clusters"],
              "expires_at": "2026-12-31T23:59:59Z"
            }
            """);
    }

    [Fact]
    public async Task TO7_a_key_without_an_expiry_has_null_there()
    {
        var key = await _gate.Make($"{ManagementCalls.Some},\"type\":\"service\",\"scopes\":[\"training\",\"ai\"]");
        (await Verify(key.Secret)).Is(HttpStatusCode.OK, $$"""
            { "valid": true, "key_id": "{{key.Id}}", "permissions": ["read", "write"], "scopes": ["training", "ai"], "expires_at": null }
            """);
    }

    [Fact]
    public async Task TO8_every_key_that_does_not_work_is_401_field_for_field_as_documented()
    {
        var (revoked, disabled) = (await _gate.Make(), await _gate.Make());
        await _gate.Act(revoked.Id, "revoke");
        await _gate.Act(disabled.Id, "disable");
        await using var elsewhere = await RunningGate.Start("tensorone");
        var unknown = await elsewhere.NewSecret();
        foreach (var secret in new[] { null, "nonsense", "tpo_live_short", unknown, revoked.Secret, disabled.Secret })
        {
            foreach (var (method, path) in new[] { ("GET", "/v2/endpoints"), ("GET", "/v2/auth/verify"), ("POST", "/v2/auth/api-keys") })
            {
                (await _gate.Send(method, path, secret)).Is(HttpStatusCode.Unauthorized, Unauthorized);
            }
        }
    }

    [Fact]
    public async Task TO9_each_scope_opens_its_own_resources_and_no_others()
    {
        foreach (var scope in Scopes)
        {
            var key = await _gate.NewSecret($"{ManagementCalls.Some},\"scopes\":[\"{scope}\"]");
            foreach (var other in Scopes)
            {
                var answer = await _gate.Send("GET", $"/v2/{other}/x", key);
                if (other == scope)
                {
                    Assert.True(answer.Status == HttpStatusCode.OK, $"{scope} on {other}: {answer}");
                }
                else
                {
                    answer.Is(HttpStatusCode.Forbidden, Forbidden($"{other}:read"));
                }
            }
        }
    }

    [Fact]
    public async Task TO9_a_scope_that_the_page_does_not_know_is_refused()
    {
        var refused = await _gate.Send("POST", "/v2/auth/api-keys", RunningGate.RootKey, "{\"name\":\"New\",\"scopes\":[\"ai\",\"gpus\"]}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.StartsWith("scopes/1: must be among", refused.String("message"), StringComparison.Ordinal);
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TO10_a_key_is_401_from_the_second_of_its_expiry_on()
    {
        var ends = _gate.Clock.GetUtcNow().AddHours(1);
        var key = await _gate.Make($"{ManagementCalls.Some},\"expires_at\":\"{ends:yyyy-MM-ddTHH:mm:ssZ}\"");
        Assert.Equal(HttpStatusCode.OK, (await Verify(key.Secret)).Status);

        _gate.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("GET", "/v2/endpoints", key.Secret)).Status);

        _gate.Clock.Advance(TimeSpan.FromSeconds(1));
        (await _gate.Send("GET", "/v2/endpoints", key.Secret)).Is(HttpStatusCode.Unauthorized, Unauthorized);
        (await Verify(key.Secret)).Is(HttpStatusCode.Unauthorized, Unauthorized);
        Assert.Equal("key_expired", await _gate.CodeOf(key.Secret));
    }

    [Fact]
    public async Task TO11_a_key_takes_a_description_and_an_expiry_and_its_secret_is_shown_once()
    {
        var made = await _gate.Send("POST", "/v2/auth/api-keys", RunningGate.RootKey, """
            {"name":"Monitoring","permissions":["read"],"description":"The wall display","expiresAt":"2026-12-31T23:59:59Z"}
            """);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var (id, secret) = (made.String("key_id"), made.String("key"));

        var kept = await _gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey);
        Assert.Equal("The wall display", kept.String("description"));
        Assert.Equal("2026-12-31T23:59:59Z", kept.String("expires_at"));
        var listed = await _gate.Send("GET", "/v2/auth/api-keys", secret);
        Assert.Equal("The wall display", listed.Json.GetProperty("data")[0].GetProperty("description").GetString());
        foreach (var later in new[] { kept, listed, await Verify(secret), await _gate.Send("GET", "/api/v1/audit", RunningGate.RootKey) })
        {
            Assert.Equal(HttpStatusCode.OK, later.Status);
            Assert.DoesNotContain(secret["tpo_live_".Length..], later.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{\"name\":\"K\",\"description\":\"two\\u0000parts\"}", "description")]
    [InlineData("{\"name\":\"K\",\"expiresAt\":\"tomorrow\"}", "expiresAt")]
    [InlineData("{\"name\":\"K\",\"expiresAt\":\"2026-01-02T03:04:05Z\"}", "expiresAt")]
    public async Task TO11_a_bad_description_or_expiry_is_refused_by_its_name_on_the_page(string body, string member)
    {
        var refused = await _gate.Send("POST", "/v2/auth/api-keys", RunningGate.RootKey, body);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal(422, refused.Json.GetProperty("code").GetInt32());
        Assert.StartsWith(member, refused.String("message"), StringComparison.Ordinal);
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
    }

    private static string Forbidden(string required) => $$"""
        {
          "error": "FORBIDDEN",
          "message": "API key lacks required permissions",
          "code": 403,
          "required_permission": "{{required}}"
        }
        """;

    private Task<Answer> Verify(string secret) => _gate.Send("GET", "/v2/auth/verify", secret);
}
