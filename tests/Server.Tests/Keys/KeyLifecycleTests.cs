using System.Net;
using System.Text.Json;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Keys;

/// <summary>A key's life as the management API tells it, on both databases.</summary>
public sealed class KeyLifecycleTests(Gates gates) : IClassFixture<Gates>
{
    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_answers_what_was_asked_of_it_in_that_order_with_plain_times(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var answer = await gate.Create(
            """
            "name":"Mobile App","description":"v2","environment":"test","scopes":["files","chat"],"rights":["keys:read","verify"],
            "expires_at":"2026-06-01T02:00:00.75+02:00","allowed_addresses":["127.0.0.1","10.0.0.0/8"],"metadata":{"z":1,"a":[true,null]}
            """);
        answer.Has(HttpStatusCode.Created);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.StartsWith("req_", answer.Headers["X-Request-Id"], StringComparison.Ordinal);
        var key = answer.Json;
        var secret = answer.String("secret");
        Assert.StartsWith("tg_test_", secret, StringComparison.Ordinal);
        Assert.Equal(
            """
            {"project_id":"PROJECT","organization_id":"ORGANIZATION","environment":"test","type":"standard","name":"Mobile App",
            "description":"v2","mask":"MASK","status":"active","holds":[],"permissions":[],"scopes":["files","chat"],
            "rights":["keys:read","verify"],"allowed_addresses":["127.0.0.1","10.0.0.0/8"],"limits":{},"models":null,
            "metadata":{"z":1,"a":[true,null]},"created_at":"2026-01-02T03:04:05Z",
            "created_by":"root","expires_at":"2026-06-01T00:00:00Z","revoked_at":null,
            "deleted_at":null,"secrets":[{"mask":"MASK","created_at":"2026-01-02T03:04:05Z","ends_at":null}]}
            """
                .ReplaceLineEndings("")
                .Replace("PROJECT", gate.ProjectId, StringComparison.Ordinal)
                .Replace("ORGANIZATION", gate.OrganizationId, StringComparison.Ordinal)
                .Replace("MASK", $"{secret[..10]}...{secret[^4..]}", StringComparison.Ordinal),
            "{" + answer.Text[answer.Text.IndexOf("\"project_id\"", StringComparison.Ordinal)..].Replace(
                key.GetProperty("permissions").GetRawText(), "[]", StringComparison.Ordinal));

        var read = await gate.Send("GET", $"/api/v1/keys/{answer.String("id")}", RunningGate.RootKey);
        Assert.Equal(answer.Text.Replace($"\"secret\":\"{secret}\",", "", StringComparison.Ordinal), read.Text);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Each_operation_binds_the_next_check_and_leaves_one_audit_row_without_the_secret(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var (id, first) = await gate.NewPair();
        Assert.Equal("allowed", await gate.CodeOf(first));

        Assert.Equal("disabled", (await gate.Act(id, "disable")).Has(HttpStatusCode.OK).String("status"));
        Assert.Equal("key_disabled", await gate.CodeOf(first));
        Assert.Equal("active", (await gate.Act(id, "enable")).Has(HttpStatusCode.OK).String("status"));
        Assert.Equal("allowed", await gate.CodeOf(first));

        var second = (await gate.Act(id, "regenerate")).Has(HttpStatusCode.OK).String("secret");
        Assert.Equal("key_retired", await gate.CodeOf(first));
        Assert.Equal("allowed", await gate.CodeOf(second));

        var patched = await gate.Send("PATCH", $"/api/v1/keys/{id}", RunningGate.RootKey, "{\"name\":\"Renamed\",\"scopes\":[\"chat\"]}");
        Assert.Equal("Renamed", patched.Has(HttpStatusCode.OK).String("name"));
        Assert.Equal("scope_missing", await gate.CodeOf(second, ",\"requires\":\"embeddings\""));

        Assert.Equal("revoked", (await gate.Act(id, "revoke")).Has(HttpStatusCode.OK).String("status"));
        Assert.Equal("key_revoked", await gate.CodeOf(second));
        Assert.Equal("revoked", (await gate.Act(id, "revoke")).Has(HttpStatusCode.OK).String("status"));
        foreach (var operation in new[] { "enable", "disable", "regenerate", "rotate" })
        {
            (await gate.Act(id, operation)).Has(HttpStatusCode.Conflict, "key_final");
        }

        Assert.Equal("deleted", (await gate.Send("DELETE", $"/api/v1/keys/{id}", RunningGate.RootKey))
            .Has(HttpStatusCode.OK).String("status"));
        Assert.Equal("key_deleted", await gate.CodeOf(second));
        Assert.Equal("deleted", (await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)).String("status"));

        var audit = await gate.Send("GET", $"/api/v1/audit?target_id={id}", RunningGate.RootKey);
        Assert.Equal(
            ["key.delete", "key.revoke", "key.change", "key.regenerate", "key.enable", "key.disable", "key.create"],
            audit.Json.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("action").GetString()));
        Assert.DoesNotContain(first[10..^4], audit.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(second[10..^4], audit.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"secret\":", audit.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Lists_go_newest_first_by_pages_and_by_status(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var project = await gate.NewProject();
        var made = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            made.Insert(0, (await gate.NewPair(
                $"\"name\":\"Key {i}\"{(i == 6 ? ",\"expires_at\":\"2099-01-01T00:00:00Z\"" : "")}", project)).Id);
        }

        await gate.Act(made[1], "disable");
        await gate.Act(made[2], "revoke");
        await gate.Send("DELETE", $"/api/v1/keys/{made[3]}", RunningGate.RootKey);

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await List(gate, project, $"limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            Assert.InRange(page.Json.GetProperty("data").GetArrayLength(), 1, 2);
            seen.AddRange(Ids(page));
            cursor = page.Json.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal(made.Where(id => id != made[3]), seen);
        Assert.Equal([made[0], made[4], made[5], made[6]], Ids(await List(gate, project, "status=active")));
        Assert.Equal([made[1]], Ids(await List(gate, project, "status=disabled")));
        Assert.Equal([made[2]], Ids(await List(gate, project, "status=revoked")));
        Assert.Equal([made[3]], Ids(await List(gate, project, "status=deleted")));
        Assert.Empty(Ids(await List(gate, project, "status=expired")));
        (await List(gate, project, "status=gone")).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        (await List(gate, project, "limit=0")).Has(HttpStatusCode.UnprocessableEntity);
        (await List(gate, project, "limit=101")).Has(HttpStatusCode.UnprocessableEntity);
        Assert.Equal(6, Ids(await List(gate, project, "limit=100")).Count());
    }

    [Fact]
    public async Task A_cursor_of_another_list_filter_or_caller_is_refused()
    {
        var gate = await gates.Of("default");
        var (project, other) = (await gate.NewProject(), await gate.NewProject());
        var reader = await gate.NewSecret("\"name\":\"Reader\",\"rights\":[\"keys:read\"]", project);
        await gate.NewPair(project: project);
        await gate.NewPair(project: other);
        await gate.NewPair(project: other);
        var cursor = (await List(gate, project, "limit=1")).String("next_cursor");

        (await List(gate, project, $"limit=1&cursor={cursor}")).Has(HttpStatusCode.OK);
        (await List(gate, other, $"limit=1&cursor={cursor}")).Has(HttpStatusCode.BadRequest, "invalid_cursor");
        (await List(gate, project, $"status=active&limit=1&cursor={cursor}")).Has(HttpStatusCode.BadRequest, "invalid_cursor");
        (await gate.Send("GET", $"/api/v1/projects/{project}/keys?limit=1&cursor={cursor}", reader))
            .Has(HttpStatusCode.BadRequest, "invalid_cursor");
        (await gate.Send("GET", $"/api/v1/projects?cursor={cursor}", RunningGate.RootKey)).Has(HttpStatusCode.BadRequest, "invalid_cursor");
        foreach (var broken in new[] { "", "x", cursor[..^1], cursor + "A", (cursor[0] == 'A' ? "B" : "A") + cursor[1..], "%00", "%ff" })
        {
            (await List(gate, project, $"limit=1&cursor={broken}")).Has(HttpStatusCode.BadRequest, "invalid_cursor");
        }
    }

    [Fact]
    public async Task A_change_keeps_what_is_not_named_clears_what_may_be_empty_and_refuses_other_nulls()
    {
        var gate = await gates.Of("default");
        var (id, _) = await gate.NewPair(
            "\"name\":\"Full\",\"description\":\"text\",\"expires_at\":\"2030-01-01T00:00:00Z\",\"metadata\":{\"a\":1},"
            + "\"rights\":[\"verify\"]");

        var cleared = (await Patch(gate, id, "{\"description\":null,\"expires_at\":null}")).Has(HttpStatusCode.OK).Json;
        Assert.Equal(JsonValueKind.Null, cleared.GetProperty("description").ValueKind);
        Assert.Equal(JsonValueKind.Null, cleared.GetProperty("expires_at").ValueKind);
        Assert.Equal("Full", cleared.GetProperty("name").GetString());
        Assert.Equal("verify", cleared.GetProperty("rights")[0].GetString());
        Assert.Equal(1, cleared.GetProperty("metadata").GetProperty("a").GetInt32());

        foreach (var member in new[] { "name", "scopes", "rights", "allowed_addresses", "metadata" })
        {
            var refused = await Patch(gate, id, $"{{\"{member}\":null}}");
            refused.Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
            Assert.Equal($"/{member}", refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
        }

        (await Patch(gate, id, "{\"environment\":\"test\"}")).Has(HttpStatusCode.UnprocessableEntity);
        (await Patch(gate, id, "{}")).Has(HttpStatusCode.OK);
    }

    private static Task<Answer> Patch(RunningGate gate, string id, string body) =>
        gate.Send("PATCH", $"/api/v1/keys/{id}", RunningGate.RootKey, body);

    private static Task<Answer> List(RunningGate gate, string project, string query) =>
        gate.Send("GET", $"/api/v1/projects/{project}/keys?{query}", RunningGate.RootKey);

    private static IEnumerable<string> Ids(Answer page) =>
        page.Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray().Select(key => key.GetProperty("id").GetString()!);
}
