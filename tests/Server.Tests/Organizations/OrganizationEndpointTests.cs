using System.Net;
using System.Text.Json;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Organizations;

/// <summary>Owners of keys: made, changed and closed by the operator; what happens to an owner binds its keys.</summary>
public sealed class OrganizationEndpointTests(Gates gates) : IClassFixture<Gates>
{
    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Organizations_and_projects_are_made_read_listed_and_changed(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var made = (await Root(gate, "POST", "/organizations", "{\"name\":\"Acme\"}")).Has(HttpStatusCode.Created);
        var organization = made.String("id");
        Assert.Equal(
            $"{{\"id\":\"{organization}\",\"name\":\"Acme\",\"status\":\"active\","
            + $"\"plan\":\"free\",\"created_at\":\"2026-01-02T03:04:05Z\"}}",
            made.Text);
        Assert.Equal(made.Text, (await Root(gate, "GET", $"/organizations/{organization}")).Text);
        Assert.Equal("Acme 2", (await Root(gate, "PATCH", $"/organizations/{organization}", "{\"name\":\"Acme 2\"}")).String("name"));

        var projects = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var project = (await Root(gate, "POST", $"/organizations/{organization}/projects", $"{{\"name\":\"P{i}\"}}"))
                .Has(HttpStatusCode.Created);
            Assert.Equal(organization, project.String("organization_id"));
            projects.Insert(0, project.String("id"));
        }

        Assert.Equal("Renamed", (await Root(gate, "PATCH", $"/projects/{projects[1]}", "{\"name\":\"Renamed\"}")).String("name"));
        Assert.Equal("Renamed", (await Root(gate, "GET", $"/projects/{projects[1]}")).String("name"));
        Assert.Equal(projects, Ids(await Root(gate, "GET", $"/organizations/{organization}/projects")));
        Assert.Equal(projects, Ids(await Root(gate, "GET", "/projects")).Take(3));
        Assert.Equal(organization, Ids(await Root(gate, "GET", "/organizations")).First());
        var page = await Root(gate, "GET", $"/organizations/{organization}/projects?limit=2");
        Assert.Equal(projects.Take(2), Ids(page));
        Assert.Equal(
            [projects[2]], Ids(await Root(
                gate, "GET", $"/organizations/{organization}/projects?limit=2&cursor={page.String("next_cursor")}")));

        var own = await gate.NewSecret("\"name\":\"Own\"", projects[0]);
        Assert.Equal(projects[0], (await gate.Send("GET", $"/api/v1/projects/{projects[0]}", own)).Has(HttpStatusCode.OK).String("id"));
        (await gate.Send("GET", $"/api/v1/projects/{projects[1]}", own)).Has(HttpStatusCode.NotFound, "not_found");
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_suspension_binds_the_next_check_of_every_key_and_opening_lifts_it(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var project = await gate.NewProject();
        var organization = (await Root(gate, "GET", $"/projects/{project}")).String("organization_id");
        var secret = await gate.NewSecret("\"name\":\"Loaded\"", project);
        var late = await gate.NewSecret("\"name\":\"Not loaded yet\"", project);
        Assert.Equal("allowed", await gate.CodeOf(secret));

        Assert.Equal(
            "suspended", (await Root(gate, "PATCH", $"/organizations/{organization}", "{\"status\":\"suspended\"}"))
                .Has(HttpStatusCode.OK).String("status"));
        Assert.Equal("organization_suspended", await gate.CodeOf(secret));
        Assert.Equal("organization_suspended", await gate.CodeOf(late));
        (await gate.Send("GET", $"/api/v1/projects/{project}", secret)).Has(HttpStatusCode.Unauthorized, "invalid_key");
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", "/v1/models", secret)).Status);
        (await gate.Create("\"name\":\"Refused\"", null, project)).Has(HttpStatusCode.Conflict, "conflict");

        (await Root(gate, "PATCH", $"/organizations/{organization}", "{\"status\":\"active\"}")).Has(HttpStatusCode.OK);
        Assert.Equal("allowed", await gate.CodeOf(secret));
        (await Root(gate, "PATCH", $"/organizations/{organization}", "{\"status\":\"deleted\"}")).Has(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Closing_revokes_every_key_inside_and_says_how_many(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var project = await gate.NewProject();
        var organization = (await Root(gate, "GET", $"/projects/{project}")).String("organization_id");
        var sibling = (await Root(gate, "POST", $"/organizations/{organization}/projects", "{\"name\":\"Sibling\"}")).String("id");
        var (id, secret) = await gate.NewPair(project: project);
        var (gone, _) = await gate.NewPair(project: project);
        await gate.Act(gone, "revoke");
        var (other, spared) = await gate.NewPair(project: sibling);
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var (rowsOfGone, changes) = (await AuditOf(gate, gone), await Changes(gate, id));

        var closed = (await Root(gate, "DELETE", $"/projects/{project}")).Has(HttpStatusCode.OK);
        Assert.Equal($"{{\"id\":\"{project}\",\"deleted\":true,\"keys_revoked\":1}}", closed.Text);
        Assert.Equal("key_revoked", await gate.CodeOf(secret));
        Assert.Equal("revoked", (await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)).String("status"));
        Assert.Equal("allowed", await gate.CodeOf(spared));
        Assert.Equal(["key.revoke project deleted active revoked", "key.create   active"], await AuditOf(gate, id));
        Assert.Equal(rowsOfGone, await AuditOf(gate, gone));
        Assert.Equal(changes + 1, await Changes(gate, id));
        (await Root(gate, "GET", $"/projects/{project}")).Has(HttpStatusCode.NotFound, "not_found");
        (await Root(gate, "DELETE", $"/projects/{project}")).Has(HttpStatusCode.NotFound, "not_found");
        (await gate.Create("\"name\":\"Late\"", null, project)).Has(HttpStatusCode.NotFound, "not_found");

        Assert.Equal(1, (await Root(gate, "DELETE", $"/organizations/{organization}"))
            .Has(HttpStatusCode.OK).Json.GetProperty("keys_revoked").GetInt32());
        Assert.Equal("key_revoked", await gate.CodeOf(spared));
        Assert.Equal(["key.revoke organization deleted active revoked", "key.create   active"], await AuditOf(gate, other));
        Assert.Equal(2, await Changes(gate, other));
        (await Root(gate, "GET", $"/organizations/{organization}")).Has(HttpStatusCode.NotFound, "not_found");
        (await Root(gate, "GET", $"/projects/{sibling}")).Has(HttpStatusCode.NotFound, "not_found");
        (await Root(gate, "POST", $"/organizations/{organization}/projects", "{\"name\":\"Late\"}"))
            .Has(HttpStatusCode.NotFound, "not_found");
    }

    [Fact]
    public async Task Each_change_of_an_owner_is_audited_and_the_operators_own_stays()
    {
        var gate = await gates.Of("default");
        var organization = (await Root(gate, "POST", "/organizations", "{\"name\":\"Audited\"}")).String("id");
        var project = (await Root(gate, "POST", $"/organizations/{organization}/projects", "{\"name\":\"Audited\"}")).String("id");
        await Root(gate, "PATCH", $"/projects/{project}", "{\"name\":\"Other\"}");
        await Root(gate, "DELETE", $"/projects/{project}");
        await Root(gate, "PATCH", $"/organizations/{organization}", "{\"status\":\"suspended\"}");
        await Root(gate, "DELETE", $"/organizations/{organization}");
        var audit = await Root(gate, "GET", $"/audit?organization_id={organization}");
        Assert.Equal(
            ["organization.delete", "organization.change", "project.delete", "project.change", "project.create", "organization.create"],
            Changes(audit).Select(row => row.GetProperty("action").GetString()));

        var rows = await gate.Rows();
        (await Root(gate, "DELETE", $"/organizations/{gate.OrganizationId}")).Has(HttpStatusCode.Conflict, "conflict");
        Assert.Equal(rows, await gate.Rows());
    }

    private static Task<Answer> Root(RunningGate gate, string method, string path, string? body = null) =>
        gate.Send(method, "/api/v1" + path, RunningGate.RootKey, body);

    /// <summary>What the audit log tells of a key, newest first: action, reason, the status before and after.</summary>
    private static async Task<List<string>> AuditOf(RunningGate gate, string key) =>
        [.. Changes(await Root(gate, "GET", $"/audit?target_id={key}")).Select(row =>
            $"{row.GetProperty("action")} {row.GetProperty("reason")} {Status(row, "before")} {Status(row, "after")}")];

    /// <summary>Without the looks of the root key, which these tests take themselves.</summary>
    private static IEnumerable<JsonElement> Changes(Answer audit) => audit.Json.GetProperty("data").EnumerateArray()
        .Where(row => row.GetProperty("action").GetString() != "operator.look");

    private static string? Status(JsonElement row, string side) =>
        row.GetProperty(side) is { ValueKind: JsonValueKind.Object } key ? key.GetProperty("status").GetString() : null;

    private static async Task<long> Changes(RunningGate gate, string key) => (await gate.Database.Write<long>(async scope =>
        await scope.Find<long>(
            $"SELECT COUNT(*) FROM changes c JOIN keys k ON k.key_no = c.target_no WHERE c.kind = 'key' AND k.id = '{key}'"))).Value;

    private static IEnumerable<string> Ids(Answer page) =>
        page.Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("id").GetString()!);
}
