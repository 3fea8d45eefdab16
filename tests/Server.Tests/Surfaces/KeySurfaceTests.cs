using System.Net;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Surfaces;

/// <summary>A provider's own key management: the same ring of keys under other names, for the root key and for customers.</summary>
public sealed class KeySurfaceTests(Gates gates) : IClassFixture<Gates>
{
    [Fact]
    public async Task A_customers_manager_key_leads_a_key_through_its_life()
    {
        var gate = await gates.Of("default");
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]");
        var made = await gate.Send("POST", "/v1/api-keys", manager, "{\"name\":\"Mine\",\"scopes\":[\"models\"]}");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var (id, secret) = (made.String("id"), made.String("secret"));
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", "/v1/models", secret)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await gate.Send("POST", "/v1/chat/completions", secret, "{}")).Status);
        Assert.Contains(id, (await gate.Send("GET", "/v1/api-keys", manager)).Text, StringComparison.Ordinal);
        Assert.Equal("Mine", (await gate.Send("GET", $"/v1/api-keys/{id}", manager)).String("name"));

        Assert.Equal("disabled", (await gate.Send("POST", $"/v1/api-keys/{id}/disable", manager)).String("status"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", "/v1/models", secret)).Status);
        Assert.Equal("active", (await gate.Send("POST", $"/v1/api-keys/{id}/enable", manager)).String("status"));
        var fresh = (await gate.Send("POST", $"/v1/api-keys/{id}/rotate", manager, "{\"grace_seconds\":0}")).String("secret");
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", "/v1/models", secret)).Status);
        Assert.Equal("models", (await gate.Send("GET", "/v1/me", fresh)).Json.GetProperty("scopes")[0].GetString());
        Assert.Equal("revoked", (await gate.Send("POST", $"/v1/api-keys/{id}/revoke", fresh)).String("status"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", "/v1/me", fresh)).Status);
        var deleted = await gate.Send("DELETE", $"/v1/api-keys/{id}", manager);
        Assert.Equal((HttpStatusCode.NoContent, ""), (deleted.Status, deleted.Text));

        var audit = await gate.Send("GET", $"/api/v1/audit?target_id={id}", RunningGate.RootKey);
        Assert.Equal(
            ["key.delete", "key.revoke", "key.rotate", "key.enable", "key.disable", "key.create"],
            audit.Json.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("action").GetString()));
    }

    [Fact]
    public async Task A_key_without_the_right_manages_itself_only_and_a_foreign_key_is_absent()
    {
        var gate = await gates.Of("default");
        var (id, secret) = await gate.NewPair();
        var (neighbour, _) = await gate.NewPair();
        var (foreign, _) = await gate.NewPair(project: await gate.NewProject());
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]");
        var before = await gate.Rows();

        foreach (var (method, path) in new[]
        {
            ("POST", "/v1/api-keys"), ("GET", "/v1/api-keys"), ("GET", $"/v1/api-keys/{neighbour}"),
            ("POST", $"/v1/api-keys/{neighbour}/revoke"),
            ("POST", $"/v1/api-keys/{neighbour}/rotate"), ("POST", $"/v1/api-keys/{id}/disable"), ("DELETE", $"/v1/api-keys/{neighbour}"),
        })
        {
            var body = (method, path) == ("POST", "/v1/api-keys") ? "{}" : null;
            var refused = await gate.Send(method, path, secret, body);
            Assert.True(refused.Status == HttpStatusCode.Forbidden, $"{method} {path}: {refused}");
            Assert.Equal("keys:manage", refused.Json.GetProperty("error").GetProperty("required_permission").GetString()![^11..]);
        }

        (string, string)[] calls = [("GET", ""), ("POST", "/revoke"), ("POST", "/rotate"), ("POST", "/disable"), ("DELETE", "")];
        foreach (var (method, tail) in calls)
        {
            var absent = await gate.Send(method, $"/v1/api-keys/{foreign[..^4]}zzzz{tail}", manager);
            Assert.Equal(HttpStatusCode.NotFound, absent.Status);
            Assert.Equal(absent.Plain(), (await gate.Send(method, $"/v1/api-keys/{foreign}{tail}", manager)).Plain());
        }

        Assert.Equal(before, await gate.Rows());
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", $"/v1/api-keys/{id}", secret)).Status);
    }

    [Fact]
    public async Task A_list_goes_on_where_its_next_cursor_says_and_is_never_cut_in_silence()
    {
        var gate = await gates.Of("default");
        var project = ("X-Tollgate-Project", await gate.NewProject());
        var made = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            made.Insert(0, (await gate.NewPair(project: project.Item2)).Id);
        }

        foreach (var query in new[] { "", "?limit=100" })
        {
            var (whole, none) = await Page(query);
            Assert.Equal(made, whole);
            Assert.Null(none);
        }

        made.Insert(0, (await gate.NewPair(project: project.Item2)).Id);
        var (first, cursor) = await Page("");
        Assert.Equal(made.Take(100), first);
        var (rest, end) = await Page($"?cursor={cursor}");
        Assert.Equal(made.TakeLast(1), rest);
        Assert.Null(end);
        (first, cursor) = await Page("?limit=1");
        Assert.Equal(made.Take(1), first);
        Assert.Equal(made.Skip(1).Take(100), (await Page($"?cursor={cursor}")).Ids);

        foreach (var query in new[] { "?limit=0", "?limit=101", "?limit=-1", "?limit=ten", "?limit=", "?limit=1&limit=2" })
        {
            Assert.Equal("validation_failed", await Refusal($"{query}", project));
        }

        Assert.Equal("invalid_cursor", await Refusal("?cursor=broken", project));
        Assert.Equal("invalid_cursor", await Refusal($"?cursor={cursor}", ("X-Tollgate-Project", gate.ProjectId)));

        async Task<(List<string> Ids, string? Next)> Page(string query)
        {
            var answer = (await gate.Send("GET", "/v1/api-keys" + query, RunningGate.RootKey, null, project)).Has(HttpStatusCode.OK);
            Assert.Single(answer.Json.EnumerateObject());
            return (
                [.. answer.Json.GetProperty("data").EnumerateArray().Select(key => key.GetProperty("id").GetString()!)],
                answer.Headers.GetValueOrDefault("X-Next-Cursor"));
        }

        async Task<string?> Refusal(string query, (string, string) header) =>
            (await gate.Send("GET", "/v1/api-keys" + query, RunningGate.RootKey, null, header))
                .Json.GetProperty("error").GetProperty("code").GetString();
    }

    [Fact]
    public async Task The_root_key_acts_in_the_first_project_unless_it_names_another()
    {
        var gate = await gates.Of("default");
        var project = await gate.NewProject("Named");
        var named = ("X-Tollgate-Project", project);
        Assert.Equal("First project", Project(await gate.Send("GET", "/v1/me", RunningGate.RootKey)));
        Assert.Equal("Named", Project(await gate.Send("GET", "/v1/me", RunningGate.RootKey, null, named)));
        var made = await gate.Send("POST", "/v1/api-keys", RunningGate.RootKey, "{\"name\":\"There\"}", named);
        Assert.Equal(project, await Home(gate, made));
        var there = await gate.Send("GET", "/v1/api-keys", RunningGate.RootKey, null, named);
        var here = await gate.Send("GET", "/v1/api-keys", RunningGate.RootKey);
        Assert.Contains(made.String("id"), there.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(made.String("id"), here.Text, StringComparison.Ordinal);

        // To a customer's key the header means nothing: it acts where it lives.
        var own = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]");
        Assert.Equal("First project", Project(await gate.Send("GET", "/v1/me", own, null, named)));
        var heir = await gate.Send("POST", "/v1/api-keys", own, "{\"name\":\"Here\"}", named);
        Assert.Equal(gate.ProjectId, await Home(gate, heir));
    }

    [Fact]
    public async Task A_body_condition_is_read_from_the_body_and_fails_closed()
    {
        var gate = await gates.Of("tensoras");
        var secret = await gate.NewSecret("\"name\":\"Rag\",\"scopes\":[\"rag\"]");
        (string Body, HttpStatusCode Status)[] rows =
        [
            (ModelCalls.Of("any", ",\"knowledge_bases\":[\"kb\"]"), HttpStatusCode.OK),
            ("{\"knowledge_bases\":[\"kb\"]}", HttpStatusCode.UnprocessableEntity),
            ("{\"knowledge_bases\":[]}", HttpStatusCode.Forbidden),
            ("{\"knowledge_bases\":null}", HttpStatusCode.Forbidden),
            ("{\"Knowledge_bases\":[\"kb\"]}", HttpStatusCode.Forbidden),
            ("{}", HttpStatusCode.Forbidden),
            ("[\"knowledge_bases\"]", HttpStatusCode.Forbidden),
            ("{\"knowledge_bases\":[],\"knowledge_bases\":[\"kb\"]}", HttpStatusCode.BadRequest),
            ("{\"knowledge_bases\":[\"kb\"],\"knowledge\\u005fbases\":[]}", HttpStatusCode.BadRequest),
            ("{\"knowledge_bases\":[\"kb\"]", HttpStatusCode.BadRequest),
            ("{\"\\ud800\":1,\"knowledge_bases\":[\"kb\"]}", HttpStatusCode.BadRequest),
            ("{\"x\":" + new string('[', 100), HttpStatusCode.BadRequest),
        ];
        foreach (var (body, status) in rows)
        {
            var answer = await gate.Send("POST", "/v1/chat/completions", secret, body);
            Assert.True(answer.Status == status, $"{body}: {answer}");
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await gate.Send("POST", "/v1/chat/completions", secret)).Status);
    }

    private static async Task<string?> Home(RunningGate gate, Answer made) =>
        (await gate.Verify(made.String("secret"))).Json.GetProperty("key").GetProperty("project_id").GetString();

    private static string Project(Answer answer) => answer.Json.GetProperty("project").GetProperty("name").GetString()!;
}
