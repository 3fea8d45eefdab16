using System.Net;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>The environments and the key management by API that docs.tensorone.ai documents, row by row.</summary>
public sealed class TensoroneKeysTests : IAsyncLifetime
{
    private const string Place = "/v2/auth/api-keys";

    /// <summary>The page's own body, with the year of its expiry moved.</summary>
    private const string Documented = """
        {
        "name": "Production API Key",
        "permissions": ["read", "write"],
        "expiresAt": "2026-12-31T23:59:59Z",
        "scopes": ["endpoints", "clusters"]
        }
        """;

    private const string Forbidden = """
        {
          "error": "FORBIDDEN",
          "message": "API key lacks required permissions",
          "code": 403,
          "required_permission": "keys:manage"
        }
        """;

    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync() => _gate = await RunningGate.Start("tensorone");

    public ValueTask DisposeAsync() => _gate.DisposeAsync();

    [Theory]
    [InlineData("live", "^tpo_live_[0-9A-Za-z]{36}$")]
    [InlineData("test", "^tpo_test_[0-9A-Za-z]{36}$")]
    public async Task TO1_a_key_is_the_prefix_of_its_environment_and_36_characters(string environment, string form)
    {
        var secret = await _gate.NewSecret($"{ManagementCalls.Some},\"environment\":\"{environment}\"");
        Assert.Matches(form, secret);
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("GET", "/v2/endpoints", secret)).Status);
    }

    [Fact]
    public async Task TO1_a_key_lists_the_keys_of_its_own_environment_only()
    {
        var live = await _gate.Make($"{ManagementCalls.Admin},\"environment\":\"live\"");
        var test = await _gate.Make($"{ManagementCalls.Admin},\"environment\":\"test\"");
        Assert.Equal([live.Id], await Listed(live.Secret));
        Assert.Equal([test.Id], await Listed(test.Secret));
        Assert.Equal([test.Id, live.Id], await Listed(RunningGate.RootKey));
    }

    [Fact]
    public async Task TO1_an_admin_key_of_one_environment_finds_no_key_of_the_other()
    {
        var test = await _gate.Make($"{ManagementCalls.Admin},\"environment\":\"test\"");
        var live = await _gate.Make($"{ManagementCalls.Some},\"environment\":\"live\"");
        foreach (var (method, path) in new[] { ("DELETE", $"{Place}/{live.Id}"), ("POST", $"{Place}/{live.Id}/rotate") })
        {
            (await _gate.Send(method, path, test.Secret)).Is(
                HttpStatusCode.NotFound, "{\"error\": \"NOT_FOUND\", \"message\": \"There is no such key.\", \"code\": 404}");
        }

        Assert.Equal("allowed", await _gate.CodeOf(live.Secret));
    }

    [Fact]
    public async Task TO1_an_admin_key_makes_keys_of_its_own_environment()
    {
        var test = await _gate.Make($"{ManagementCalls.Admin},\"environment\":\"test\"");
        var made = await _gate.Send("POST", Place, test.Secret, Documented);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.StartsWith("tpo_test_", made.String("key"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TO5_the_documented_call_makes_a_key_and_shows_its_secret_once()
    {
        var admin = await _gate.NewSecret(ManagementCalls.Admin);
        var made = await _gate.Send("POST", Place, admin, Documented);
        var (id, secret) = (made.String("key_id"), made.String("key"));
        made.Is(HttpStatusCode.Created, JsonSerializer.Serialize(new
        {
            key_id = id,
            name = "Production API Key",
            key = secret,
            permissions = new[] { "read", "write" },
            scopes = new[] { "endpoints", "clusters" },
            created_at = "2026-01-02T03:04:05Z",
            expires_at = "2026-12-31T23:59:59Z",
        }));
        Assert.Matches("^tpo_live_[0-9A-Za-z]{36}$", secret);
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("POST", "/v2/clusters", secret)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await _gate.Send("GET", "/v2/billing", secret)).Status);

        var list = await _gate.Send("GET", Place, admin);
        Assert.Contains(id, list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret["tpo_live_".Length..], list.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TO5_making_a_key_needs_an_admin_key()
    {
        (await _gate.Send("POST", Place, await _gate.NewSecret(), Documented)).Is(HttpStatusCode.Forbidden, Forbidden);
        Assert.Equal(1, (await _gate.Keys()).GetArrayLength());
    }

    [Theory]
    [InlineData("{\"name\":\"K\",\"color\":\"red\"}", "color")]
    [InlineData("{\"name\":\"K\",\"expires_at\":\"2026-12-31T23:59:59Z\"}", "expires_at")]
    [InlineData("{\"name\":\"K\",\"rights\":[\"keys:manage\"]}", "rights")]
    [InlineData("{\"name\":\"K\",\"permissions\":[\"admin\"]}", "permissions/0")]
    [InlineData("{\"name\":\"K\",\"permissions\":\"read\"}", "permissions")]
    [InlineData("{\"name\":\"\"}", "name")]
    [InlineData("{}", "name")]
    public async Task TO5_members_that_the_page_does_not_document_are_refused_in_its_dialect(string body, string member)
    {
        var refused = await _gate.Send("POST", Place, RunningGate.RootKey, body);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("VALIDATION_FAILED", refused.String("error"));
        Assert.StartsWith(member, refused.String("message"), StringComparison.Ordinal);
        Assert.Equal(422, refused.Json.GetProperty("code").GetInt32());
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TO6_ids_look_like_key_and_the_list_shows_masks()
    {
        var key = await _gate.Make("\"name\":\"Monitoring\",\"permissions\":[\"read\"],\"scopes\":[\"billing\"]");
        Assert.Matches("^key_[0-9A-Za-z]{10,}$", key.Id);
        (await _gate.Send("GET", Place, key.Secret)).Is(HttpStatusCode.OK, JsonSerializer.Serialize(new
        {
            data = new[]
            {
                new
                {
                    key_id = key.Id,
                    name = "Monitoring",
                    description = (string?)null,
                    key = $"{key.Secret[..11]}...{key.Secret[^4..]}",
                    permissions = new[] { "read" },
                    scopes = new[] { "billing" },
                    status = "active",
                    created_at = "2026-01-02T03:04:05Z",
                    expires_at = (string?)null,
                },
            },
        }));
    }

    [Fact]
    public async Task TO6_a_key_rotates_itself_and_the_old_secret_stops_at_once()
    {
        var key = await _gate.Make($"{ManagementCalls.Some},\"permissions\":[\"read\"]");
        var rotated = await _gate.Send("POST", $"{Place}/{key.Id}/rotate", key.Secret);
        var fresh = rotated.String("key");
        rotated.Is(HttpStatusCode.OK, JsonSerializer.Serialize(
            new { key_id = key.Id, name = "A test key", key = fresh, expires_at = (string?)null }));
        Assert.NotEqual(key.Secret, fresh);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _gate.Send("GET", "/v2/auth/verify", key.Secret)).Status);
        Assert.Equal(key.Id, (await _gate.Send("GET", "/v2/auth/verify", fresh)).String("key_id"));
    }

    [Fact]
    public async Task TO6_a_rotation_leaves_the_old_secret_a_grace_when_asked_to()
    {
        var key = await _gate.Make();
        var rotated = await _gate.Send("POST", $"{Place}/{key.Id}/rotate", key.Secret, "{\"grace_seconds\":60}");
        Assert.Equal(HttpStatusCode.OK, rotated.Status);
        Assert.Equal("allowed", await _gate.CodeOf(key.Secret));
        Assert.Equal("allowed", await _gate.CodeOf(rotated.String("key")));

        _gate.Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(HttpStatusCode.Unauthorized, (await _gate.Send("GET", "/v2/endpoints", key.Secret)).Status);
        Assert.Equal("allowed", await _gate.CodeOf(rotated.String("key")));
    }

    [Fact]
    public async Task TO6_a_key_revokes_itself_immediately()
    {
        var key = await _gate.Make();
        (await _gate.Send("DELETE", $"{Place}/{key.Id}", key.Secret)).Is(
            HttpStatusCode.OK, JsonSerializer.Serialize(new { key_id = key.Id, status = "revoked" }));
        Assert.Equal(HttpStatusCode.Unauthorized, (await _gate.Send("GET", "/v2/endpoints", key.Secret)).Status);
        Assert.Equal("key_revoked", await _gate.CodeOf(key.Secret));
    }

    [Fact]
    public async Task TO6_another_key_needs_the_admin_key()
    {
        var (admin, key, other) = (await _gate.NewSecret(ManagementCalls.Admin), await _gate.Make(), await _gate.Make());
        (await _gate.Send("POST", $"{Place}/{key.Id}/rotate", other.Secret)).Is(HttpStatusCode.Forbidden, Forbidden);
        (await _gate.Send("DELETE", $"{Place}/{key.Id}", other.Secret)).Is(HttpStatusCode.Forbidden, Forbidden);
        Assert.Equal("allowed", await _gate.CodeOf(key.Secret));

        var rotated = await _gate.Send("POST", $"{Place}/{key.Id}/rotate", admin);
        Assert.Equal(HttpStatusCode.OK, rotated.Status);
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("DELETE", $"{Place}/{key.Id}", admin)).Status);
        Assert.Equal("key_revoked", await _gate.CodeOf(rotated.String("key")));
    }

    [Fact]
    public async Task TO6_a_key_of_another_project_is_as_absent_as_one_that_never_was()
    {
        var admin = await _gate.NewSecret(ManagementCalls.Admin);
        var foreign = await _gate.Make(project: await _gate.NewProject());
        var absent = await _gate.Send("DELETE", $"{Place}/key_1234567890", admin);
        Assert.Equal(HttpStatusCode.NotFound, absent.Status);
        (await _gate.Send("DELETE", $"{Place}/{foreign.Id}", admin)).Is(HttpStatusCode.NotFound, absent.Text);
        Assert.Equal("allowed", await _gate.CodeOf(foreign.Secret));
    }

    [Theory]
    [InlineData("\"scopes\":[\"endpoints\",\"billing\"],\"permissions\":[\"read\"]", "billing:read")]
    [InlineData("\"scopes\":[\"endpoints\"]", "endpoints:write")]
    [InlineData("\"permissions\":[\"read\"]", "accounts:read")]
    public async Task TO8_a_key_wider_than_its_maker_is_403_with_what_the_maker_lacks(string members, string lacks)
    {
        var admin = await _gate.NewSecret($"{ManagementCalls.Admin},\"permissions\":[\"read\"],\"scopes\":[\"endpoints\"]");
        var refused = await _gate.Send("POST", Place, admin, $"{{\"name\":\"Wider\",{members}}}");
        refused.Is(HttpStatusCode.Forbidden, Forbidden.Replace("keys:manage", lacks, StringComparison.Ordinal));
        Assert.Equal(1, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TO8_the_secret_of_a_wider_key_is_403_with_what_the_caller_lacks()
    {
        var admin = await _gate.NewSecret($"{ManagementCalls.Admin},\"scopes\":[\"endpoints\"]");
        var wider = await _gate.Make($"{ManagementCalls.Some},\"scopes\":[\"ai\"]");
        (await _gate.Send("POST", $"{Place}/{wider.Id}/rotate", admin)).Is(
            HttpStatusCode.Forbidden, Forbidden.Replace("keys:manage", "ai:read", StringComparison.Ordinal));
        Assert.Equal("allowed", await _gate.CodeOf(wider.Secret));
    }

    private async Task<string[]> Listed(string secret)
    {
        var list = await _gate.Send("GET", Place, secret);
        return [.. list.Json.GetProperty("data").EnumerateArray().Select(key => key.GetProperty("key_id").GetString()!)];
    }
}
