using System.Net;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Middleware;

/// <summary>Who gets into a guarded application, and what those are told who do not.</summary>
public sealed class AdmissionTests(Gates gates) : IClassFixture<Gates>
{
    private const string Reader = "\"name\":\"A reader\",\"permissions\":[\"read\"],\"scopes\":[\"endpoints\"]";

    [Fact]
    public async Task A_good_key_is_admitted_with_its_facts()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var (id, secret) = await gate.NewPair(Reader);

        var answer = await app.Send("GET", "/key", secret);

        Assert.Equal(
            $"{id} A reader nameidentifier={id} tollgate:name=A reader tollgate:project={gate.ProjectId} "
            + $"tollgate:organization={gate.OrganizationId} tollgate:environment=live scope=endpoints permission=read",
            answer.Text);
    }

    [Theory]
    [InlineData("POST", "/endpoints", "endpoints:write")]
    [InlineData("POST", "/controller", "endpoints:write")]
    [InlineData("GET", "/both", "clusters:read")]
    [InlineData("POST", "/v2/endpoints/7", "endpoints:write")]
    public async Task A_key_that_lacks_what_is_required_is_told_what(string method, string path, string required)
    {
        var (gate, app) = await Start();
        await using var _ = app;

        var answer = await app.Send(method, path, await gate.NewSecret(Reader));

        Assert.Equal((HttpStatusCode.Forbidden, required), (answer.Status, answer.String("required_permission")));
        Assert.Equal("application/problem+json", answer.Headers["Content-Type"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Equal(HttpStatusCode.OK, (await app.Send(method, path, await gate.NewSecret())).Status);
    }

    [Theory]
    [InlineData("GET", "/controller")]
    [InlineData("GET", "/v2/endpoints/7?page=2")]
    [InlineData("GET", "/key")]
    public async Task A_reader_may_read(string method, string path)
    {
        var (gate, app) = await Start();
        await using var _ = app;

        Assert.Equal(200, await app.Status(method, path, await gate.NewSecret(Reader)));
    }

    [Fact]
    public async Task A_request_costs_one_question_whatever_its_endpoint_requires()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var secret = await gate.NewSecret();

        Assert.Equal(200, await app.Status("POST", "/endpoints", secret));
        Assert.Equal(1, app.Wire.Questions);
        Assert.Equal(200, await app.Status("GET", "/both", secret));
        Assert.Equal(3, app.Wire.Questions);
    }

    [Fact]
    public async Task Whoever_sends_no_key_reads_so_and_an_open_endpoint_asks_nobody()
    {
        var (_, app) = await Start();
        await using var __ = app;

        foreach (var path in new[] { "/key", "/both", "/controller", "/v2/endpoints" })
        {
            var answer = await app.Send("GET", path, null);
            Assert.Equal((HttpStatusCode.Unauthorized, "key_missing"), (answer.Status, answer.String("code")));
            Assert.Equal("Bearer", answer.Headers["WWW-Authenticate"]);
        }

        Assert.Equal(200, await app.Status("GET", "/open", null));
        Assert.Equal(0, app.Wire.Questions);
    }

    [Fact]
    public async Task Every_key_that_does_not_work_reads_the_same()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var (revoked, first) = await gate.NewPair();
        var (rotated, second) = await gate.NewPair();
        await gate.Act(revoked, "revoke");
        await gate.Act(rotated, "rotate", "{\"grace_seconds\":0}");
        var project = await gate.NewProject();
        var suspended = await gate.NewSecret(project: project);
        await Suspend(gate, project);

        foreach (var bad in new[] { "junk", new string('k', 2_000), first, second, suspended })
        {
            var answer = await app.Send("POST", "/endpoints", bad);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.StartsWith(
                "{\"type\":\"about:blank\",\"title\":\"The API key is not valid.\",\"status\":401,\"code\":\"invalid_key\",\"request_id\":",
                answer.Text,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_of_another_place_is_refused_by_its_address()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var here = await gate.NewSecret("\"name\":\"Here\",\"allowed_addresses\":[\"127.0.0.1\"]");
        var elsewhere = await gate.NewSecret("\"name\":\"Elsewhere\",\"allowed_addresses\":[\"192.0.2.0/24\"]");

        Assert.Equal(200, await app.Status("GET", "/key", here));
        var answer = await app.Send("GET", "/key", elsewhere);
        Assert.Equal((HttpStatusCode.Forbidden, "address_refused"), (answer.Status, answer.String("code")));
    }

    [Theory]
    [InlineData("/v2/nowhere", 404, "route_unknown")]
    [InlineData("/v2//endpoints", 400, "path_refused")]
    [InlineData("/v2/endpoints/%2e%2e/billing", 400, "path_refused")]
    [InlineData("/V2/endpoints", 404, "route_unknown")]
    public async Task A_path_that_the_provider_file_does_not_let_pass_does_not(string path, int status, string code)
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var answer = await RawCall.Get(app.Address, path, await gate.NewSecret());

        Assert.Equal(status, answer.Status);
        Assert.Contains($"\"code\":\"{code}\"", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_authorization_headers_are_refused()
    {
        var (gate, app) = await Start();
        await using var _ = app;
        var secret = await gate.NewSecret();

        var answer = await RawCall.Send(
            app.Address,
            "GET /key HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + $"Authorization: Bearer {secret}\r\nAuthorization: Bearer {secret}\r\n\r\n");

        Assert.Equal(400, answer.Status);
        Assert.Contains("\"authorization_ambiguous\"", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_application_can_write_refusals_in_its_own_dialect()
    {
        var gate = await gates.Of("tensorone");
        await using var app = await GuardedApp.Start(
            gate.Address, RunningGate.RootKey,
            options => options.WriteRefusal = (http, refusal) => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(
                http.Response, $"{refusal.Code} needs {refusal.RequiredPermission}", http.RequestAborted));

        var answer = await app.Send("POST", "/endpoints", await gate.NewSecret(Reader));

        Assert.Equal((HttpStatusCode.Forbidden, "permission_missing needs endpoints:write"), (answer.Status, answer.Text));
    }

    private async Task<(RunningGate Gate, GuardedApp App)> Start()
    {
        var gate = await gates.Of("tensorone");
        var own = await gate.NewSecret("\"name\":\"The API itself\",\"rights\":[\"verify\"]");
        return (gate, await GuardedApp.Start(gate.Address, own));
    }

    private static async Task Suspend(RunningGate gate, string project)
    {
        var organization = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
        await gate.Send("PATCH", $"/api/v1/organizations/{organization}", RunningGate.RootKey, "{\"status\":\"suspended\"}");
    }
}
