using System.Net;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// What docs.tensorlake.ai promises under "Authentication", row by row, against a gate that knows <c>providers/tensorlake.yaml</c> alone.
/// </summary>
public sealed class TensorlakeTests : IAsyncLifetime
{
    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync() => _gate = await RunningGate.Start("tensorlake");

    public ValueTask DisposeAsync() => _gate.DisposeAsync();

    [Fact]
    public async Task TL1_a_key_starts_with_tl_apiKey()
    {
        var secret = await _gate.NewSecret();
        Assert.Matches("^tl_apiKey_[0-9A-Za-z]{40}$", secret);
        Assert.Equal(HttpStatusCode.OK, (await Files(secret)).Status);
    }

    [Fact]
    public async Task TL2_a_key_reaches_its_own_project_and_no_other()
    {
        var (own, foreign) = (await _gate.Make(), await _gate.NewProject());
        var theirs = await _gate.Make(project: foreign);

        Assert.Equal(HttpStatusCode.OK, (await Secrets(own.Secret, _gate.OrganizationId, _gate.ProjectId)).Status);
        AssertInvalid(await Secrets(own.Secret, _gate.OrganizationId, foreign));
        AssertInvalid(await Secrets(own.Secret, _gate.OrganizationId, "proj_of_nobody"));
        AssertInvalid(await Secrets(theirs.Secret, _gate.OrganizationId, _gate.ProjectId));
    }

    [Fact]
    public async Task TL2_a_path_that_names_another_organization_is_refused_even_with_the_keys_own_project()
    {
        var key = await _gate.Make();
        AssertInvalid(await Secrets(key.Secret, "org_of_others", _gate.ProjectId));
    }

    [Fact]
    public async Task TL2_a_check_that_names_another_project_is_refused()
    {
        var (key, foreign) = (await _gate.Make(), await _gate.NewProject());
        Assert.Equal("allowed", await _gate.CodeOf(key.Secret, _gate.ProjectId));
        Assert.Equal("project_mismatch", await _gate.CodeOf(key.Secret, foreign));
    }

    [Theory]
    [InlineData("GET", "/documents/v2/files")]
    [InlineData("POST", "/documents/v2/parse")]
    [InlineData("DELETE", "/documents/v2/files/file_1")]
    [InlineData("GET", "/v1/namespaces/default/applications")]
    [InlineData("POST", "/sandboxes")]
    [InlineData("GET", "/platform/v1/organizations/{organization}/projects/{project}")]
    [InlineData("PUT", "/platform/v1/organizations/{organization}/projects/{project}/secrets")]
    public async Task TL3_a_key_reaches_the_resources_of_its_project(string method, string path) =>
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send(method, Filled(path), await _gate.NewSecret())).Status);

    [Theory]
    [InlineData("GET", "/platform/v1/organizations")]
    [InlineData("POST", "/platform/v1/organizations")]
    [InlineData("GET", "/platform/v1/organizations/{organization}")]
    [InlineData("PATCH", "/platform/v1/organizations/{organization}")]
    [InlineData("GET", "/platform/v1/organizations/{organization}/members")]
    [InlineData("POST", "/platform/v1/organizations/{organization}/invitations")]
    [InlineData("GET", "/platform/v1/organizations/{organization}/projects")]
    [InlineData("POST", "/platform/v1/organizations/{organization}/projects")]
    [InlineData("DELETE", "/platform/v1/organizations/{organization}/projects/{project}")]
    [InlineData("PATCH", "/platform/v1/organizations/{organization}/projects/{project}")]
    [InlineData("POST", "/platform/v1/organizations/{organization}/projects/{project}/members")]
    [InlineData("GET", "/platform/v1/organizations/{organization}/projects/{project}/invitations/i1")]
    [InlineData("POST", "/platform/v1/organizations/{organization}/projects/{project}/api-keys")]
    [InlineData("DELETE", "/platform/v1/organizations/{organization}/projects/{project}/webhooks/w1")]
    [InlineData("GET", "/platform/v1/projects")]
    [InlineData("GET", "/platform/v1/members")]
    [InlineData("GET", "/platform/v1/billing/invoices")]
    [InlineData("PUT", "/platform/v1/sso/connection")]
    public async Task TL3_what_is_administrative_or_of_the_whole_organization_is_403(string method, string path) =>
        (await _gate.Send(method, Filled(path), await _gate.NewSecret())).Is(HttpStatusCode.Forbidden, $$"""
            {
              "message": "The API key has the permissions of a project member only.",
              "code": "scope_missing",
              "timestamp": {{_gate.Clock.NowMs}}
            }
            """);

    [Fact]
    public async Task TL3_no_key_can_be_made_with_administrative_rights()
    {
        var refused = await _gate.Ask($"{ManagementCalls.Some},\"scopes\":[\"administrative\"]");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("/scopes/0", refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TL4_an_expiry_date_is_refused_with_a_clear_error_and_nothing_is_stored()
    {
        var refused = await _gate.Ask($"{ManagementCalls.Some},\"expires_at\":\"2030-01-01T00:00:00Z\"");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        var error = refused.Json.GetProperty("errors")[0];
        Assert.Equal("/expires_at", error.GetProperty("pointer").GetString());
        Assert.Contains("no expiry date", refused.String("detail"), StringComparison.Ordinal);
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TL4_a_key_cannot_be_given_an_expiry_date_later_and_still_works_after_years()
    {
        var key = await _gate.Make();
        var refused = await _gate.Send(
            "PATCH", $"/api/v1/keys/{key.Id}", RunningGate.RootKey, "{\"expires_at\":\"2030-01-01T00:00:00Z\"}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);

        _gate.Clock.Advance(TimeSpan.FromDays(3_650));
        Assert.Equal(HttpStatusCode.OK, (await Files(key.Secret)).Status);
    }

    [Fact]
    public async Task TL5_a_deleted_key_stops_immediately()
    {
        var key = await _gate.Make();
        Assert.Equal(HttpStatusCode.OK, (await Files(key.Secret)).Status);

        await _gate.Delete(key.Id);
        AssertInvalid(await Files(key.Secret));
        AssertInvalid(await Introspect(key.Secret));
        Assert.Equal("key_deleted", await _gate.CodeOf(key.Secret));
    }

    [Fact]
    public async Task TL6_two_keys_of_a_project_work_side_by_side_until_the_old_one_is_deleted()
    {
        var (old, fresh) = (await _gate.Make("\"name\":\"Old\""), await _gate.Make("\"name\":\"New\""));
        Assert.Equal(HttpStatusCode.OK, (await Files(old.Secret)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Files(fresh.Secret)).Status);

        await _gate.Delete(old.Id);
        AssertInvalid(await Files(old.Secret));
        Assert.Equal(HttpStatusCode.OK, (await Files(fresh.Secret)).Status);
    }

    [Theory]
    [InlineData("Authorization", "Basic {key}")]
    [InlineData("Authorization", "{key}")]
    [InlineData("Authorization", "Token {key}")]
    [InlineData("Authorization", "Bearer")]
    [InlineData("Authorization", "Bearer tl_apiKey_none")]
    [InlineData("Authorization", "Bearer {key}x")]
    [InlineData("X-Api-Key", "{key}")]
    [InlineData("Cookie", "token={key}")]
    public async Task TL8_a_key_that_is_invalid_or_not_sent_as_Bearer_is_401(string header, string value)
    {
        var secret = await _gate.NewSecret();
        AssertInvalid(await _gate.Send(
            "GET", "/documents/v2/files", null, null, (header, value.Replace("{key}", secret, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task TL8_no_key_and_a_key_of_nobody_are_the_same_401()
    {
        AssertInvalid(await Files(null));
        AssertInvalid(await Introspect(null));
        await using var elsewhere = await RunningGate.Start("tensorlake");
        AssertInvalid(await Files(await elsewhere.NewSecret()));
    }

    [Fact]
    public async Task TL8_the_word_Bearer_may_be_written_in_any_case()
    {
        var secret = await _gate.NewSecret();
        var answer = await _gate.Send("GET", "/documents/v2/files", null, null, ("Authorization", $"bEARER {secret}"));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task TL10_introspect_tells_a_key_its_id_organization_and_project()
    {
        var key = await _gate.Make();
        (await Introspect(key.Secret)).Is(HttpStatusCode.OK, JsonSerializer.Serialize(
            new { id = key.Id, organizationId = _gate.OrganizationId, projectId = _gate.ProjectId }));
    }

    [Fact]
    public async Task TL10_introspect_tells_each_key_of_its_own_project()
    {
        var project = await _gate.NewProject();
        var answer = await Introspect(await _gate.NewSecret(project: project));
        Assert.Equal(project, answer.String("projectId"));
        Assert.NotEqual(_gate.OrganizationId, answer.String("organizationId"));
    }

    [Fact]
    public async Task TL10_a_key_held_by_the_operator_is_not_introspected()
    {
        var key = await _gate.Make();
        await _gate.Act(key.Id, "disable");
        AssertInvalid(await Introspect(key.Secret));
    }

    private string Filled(string path) => path
        .Replace("{organization}", _gate.OrganizationId, StringComparison.Ordinal)
        .Replace("{project}", _gate.ProjectId, StringComparison.Ordinal);

    private Task<Answer> Files(string? secret) => _gate.Send("GET", "/documents/v2/files", secret);

    private Task<Answer> Introspect(string? secret) => _gate.Send("POST", "/platform/v1/keys/introspect", secret);

    private Task<Answer> Secrets(string secret, string organization, string project) =>
        _gate.Send("GET", $"/platform/v1/organizations/{organization}/projects/{project}/secrets", secret);

    private void AssertInvalid(Answer answer) => answer.Is(HttpStatusCode.Unauthorized, $$"""
        {
          "message": "The API key is invalid, was deleted, or was not sent as \"Authorization: Bearer\".",
          "code": "invalid_key",
          "timestamp": {{_gate.Clock.NowMs}}
        }
        """);
}
