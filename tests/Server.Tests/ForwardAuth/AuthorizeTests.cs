using System.Net;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.ForwardAuth;

/// <summary>What passes at the door for proxies, and with what facts.</summary>
public sealed class AuthorizeTests(Gates gates) : IClassFixture<Gates>
{
    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task A_key_that_may_is_let_through_in_every_way_of_asking_without_any_right(string asking)
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret("\"name\":\"Chat\",\"scopes\":[\"chat\"]");

        Assert.All(
            new[]
            {
                await gate.Forwarded(secret, "/v1/chat/completions?x=1", "POST", asking: asking),
                await gate.Nginx(secret, "/v1/chat/completions", "POST"),
                await gate.Nginx(secret, "/v1/chat/completions", "POST", style: ""),
                await gate.Appended(secret, "/v1/chat/completions", "POST"),
                await gate.Appended(secret, "/v1/chat/completions?style=nginx&x=..//", "POST"),
            },
            answer =>
            {
                Assert.Equal((HttpStatusCode.OK, ""), (answer.Status, answer.Text));
                Assert.Equal("0", answer.Header("Content-Length"));
            });
    }

    [Fact]
    public async Task The_facts_of_the_key_are_in_headers_that_hold_any_name()
    {
        var gate = await gates.Of("default");
        var (id, secret) = await gate.NewPair(
            "\"name\":\"Café 7%, \\\"x\\\"; é\",\"environment\":\"test\",\"scopes\":[\"files\",\"chat\"]");

        var answer = await gate.Forwarded(secret, "/v1/chat/completions", "POST");

        Assert.Equal(id, answer.Header(FactHeaders.KeyId));
        Assert.Equal("Caf%C3%A9%207%25%2C%20%22x%22%3B%20%C3%A9", answer.Header(FactHeaders.KeyName));
        Assert.Equal(gate.ProjectId, answer.Header(FactHeaders.ProjectId));
        Assert.Equal(gate.OrganizationId, answer.Header(FactHeaders.OrganizationId));
        Assert.Equal("test", answer.Header(FactHeaders.Environment));
        Assert.Equal("", answer.Header(FactHeaders.Permissions));
        Assert.Equal("chat,files", answer.Header(FactHeaders.Scopes));
        Assert.Equal(
            FactHeaders.Names.Order(),
            answer.Headers.Keys.Where(name => name.StartsWith("X-Tollgate-", StringComparison.OrdinalIgnoreCase)).Order());
    }

    [Fact]
    public async Task Scopes_are_told_with_those_they_imply_and_each_key_hears_its_own()
    {
        var gate = await gates.Of("default");
        var (all, chat) = (await gate.NewSecret(), await gate.NewSecret("\"name\":\"Chat\",\"scopes\":[\"chat\"]"));

        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(
                "all,models,chat,completions,embeddings,audio,images,files",
                (await gate.Forwarded(all, "/v1/responses", "POST")).Header(FactHeaders.Scopes));
            Assert.Equal("chat", (await gate.Forwarded(chat, "/v1/responses", "POST")).Header(FactHeaders.Scopes));
        }
    }

    [Fact]
    public async Task Permissions_are_told_where_the_provider_tells_them_apart()
    {
        var gate = await gates.Of("tensorone");
        var reads = await gate.NewSecret("\"name\":\"Reads\",\"permissions\":[\"read\"],\"scopes\":[\"endpoints\"]");
        var both = await gate.NewSecret("\"name\":\"Both\",\"permissions\":[\"read\",\"write\"],\"scopes\":[\"endpoints\"]");

        Assert.Equal("read", (await gate.Forwarded(reads, "/v2/endpoints/7")).Header(FactHeaders.Permissions));
        Assert.Equal("read,write", (await gate.Forwarded(both, "/v2/endpoints/7", "DELETE")).Header(FactHeaders.Permissions));
        var refused = await gate.Nginx(reads, "/v2/endpoints/7", "DELETE");
        Assert.Equal("endpoints:write", refused.Header(AuthorizeDoor.RequiredHeader));
        Assert.Equal("read", refused.Header(FactHeaders.Permissions));
    }

    [Fact]
    public async Task The_root_key_passes_as_it_does_on_the_providers_own_paths_and_leaves_no_fact_out()
    {
        var gate = await gates.Of("default");

        var answer = await gate.Forwarded(RunningGate.RootKey, "/v1/models");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(("root", ""), (answer.Header(FactHeaders.KeyId), answer.Header(FactHeaders.ProjectId)));
        Assert.All(FactHeaders.Names, name => Assert.True(answer.Headers.ContainsKey(name), name));
    }

    [Theory]
    [InlineData("revoke")]
    [InlineData("disable")]
    public async Task A_key_that_is_ended_is_refused_on_the_next_question(string operation)
    {
        var gate = await gates.Of("default");
        var (id, secret) = await gate.NewPair();
        Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(secret, "/v1/models")).Status);

        await gate.Act(id, operation);

        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Forwarded(secret, "/v1/models")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Nginx(secret, "/v1/models")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Appended(secret, "/v1/models")).Status);
    }

    [Fact]
    public async Task An_address_rule_is_held_against_who_asks()
    {
        var gate = await gates.Of("default");
        var here = await gate.NewSecret("\"name\":\"Here\",\"allowed_addresses\":[\"127.0.0.0/8\"]");
        var there = await gate.NewSecret("\"name\":\"There\",\"allowed_addresses\":[\"192.0.2.0/24\"]");

        Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(here, "/v1/models")).Status);
        var refused = await gate.Forwarded(there, "/v1/models");
        Assert.Equal((HttpStatusCode.Forbidden, "address_refused"), (refused.Status, refused.Header(AuthorizeDoor.CodeHeader)));
        Assert.False(refused.Headers.ContainsKey(FactHeaders.KeyId));
    }

    [Fact]
    public async Task A_project_in_the_path_binds_the_key()
    {
        var gate = await gates.Of("tensorlake");
        var own = await gate.NewSecret();
        var path = $"/platform/v1/organizations/{gate.OrganizationId}/projects/{gate.ProjectId}/secrets";
        Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(own, path)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Appended(own, path)).Status);

        var other = await gate.NewSecret("\"name\":\"Other\"", await gate.NewProject());
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Forwarded(other, path)).Status);
        foreach (var project in new[] { "prj_0", new string('x', 65), new string('x', 5_000), "%70rj", "%C3%A9" })
        {
            var elsewhere = path.Replace(gate.ProjectId, project, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Forwarded(own, elsewhere)).Status);
        }

        var foreign = path.Replace(gate.OrganizationId, "org_0", StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Forwarded(own, foreign)).Status);
    }

    [Fact]
    public async Task An_encoded_slash_passes_in_a_models_name_alone()
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret();

        Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(secret, "/v1/models/org%2Fmodel")).Status);
        Assert.Equal(200, (await RawCall.Get(gate.Address, AuthorizeDoor.Path + "/v1/models/org%2Fmodel", secret)).Status);
        Assert.Equal("path_refused", (await gate.Forwarded(secret, "/v1%2Fmodels")).Header(AuthorizeDoor.CodeHeader));
        Assert.Equal(400, (await RawCall.Get(gate.Address, AuthorizeDoor.Path + "/v1%2Fmodels", secret)).Status);
        Assert.Equal(400, (await RawCall.Get(gate.Address, AuthorizeDoor.Path + "%2Fv1/models", secret)).Status);
    }
}
