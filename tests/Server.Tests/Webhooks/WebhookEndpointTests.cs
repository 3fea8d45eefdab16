using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Client;
using Tollgate.Server.Hosting;
using Tollgate.Server.Keys;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Webhooks;

/// <summary>Webhooks of a whole gate, over HTTP.</summary>
public sealed class WebhookEndpointTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_happens_to_keys_arrives_at_the_organizations_webhook_signed_and_without_a_secret(DatabaseKind kind)
    {
        await using var receiver = await Receiver.Start();
        await using var gate = await Start(kind);
        var made = await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, $$"""{"url":"{{receiver.Url}}","events":["*"]}""");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var key = await gate.NewKey();
        var id = key.GetProperty("id").GetString()!;
        foreach (var change in new[] { "disable", "enable", "rotate", "revoke" })
        {
            Assert.Equal(HttpStatusCode.OK, (await gate.Send("POST", $"/api/v1/keys/{id}/{change}", RunningGate.RootKey)).Status);
        }

        await receiver.Arrived(5);

        Assert.Equal(
            ["key.created", "key.disabled", "key.enabled", "key.rotated", "key.revoked"], receiver.Log.Select(got => got.Type));
        var data = receiver.Log.Select(got => got.Json.GetProperty("data")).ToList();
        Assert.All(data, one => Assert.Equal(id, one.GetProperty("key_id").GetString()));
        Assert.Equal(["active", "disabled", "active", "active", "revoked"], data.Select(one => one.GetProperty("status").GetString()));
        Assert.Equal("person", data[1].GetProperty("holds")[0].GetString());
        Assert.Equal(JsonValueKind.String, data[3].GetProperty("old_secret_ends_at").ValueKind);
        Assert.All(receiver.Log, got =>
        {
            Assert.Equal(WebhookCheck.Valid, WebhookSignature.Verify(
                got.Headers.GetValueOrDefault, got.Body, [made.String("secret")], gate.Clock.GetUtcNow()));
            var text = System.Text.Encoding.UTF8.GetString(got.Body);
            Assert.DoesNotContain(key.GetProperty("secret").GetString()!, text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task An_import_tells_each_key_and_a_closed_project_each_that_it_revokes()
    {
        await using var receiver = await Receiver.Start();
        await using var gate = await Start(DatabaseKind.Sqlite);
        await gate.Send(
            "POST", Webhooks(gate), RunningGate.RootKey, $$"""{"url":"{{receiver.Url}}","events":["key.created","key.revoked"]}""");
        var rows = string.Join('\n', Enumerable.Range(0, 3).Select(
            i => $$"""{"external_id":"e{{i}}","name":"Moved {{i}}","secret_sha256":"{{i}}{{new string('a', 63)}}"}"""));
        var taken = await gate.Send(
            "POST", $"/api/v1/import?project={gate.ProjectId}", RunningGate.RootKey, rows, ("Content-Type", "application/x-ndjson"));
        Assert.Equal(HttpStatusCode.OK, taken.Status);
        await gate.Send("DELETE", $"/api/v1/projects/{gate.ProjectId}", RunningGate.RootKey);

        await receiver.Arrived(6);

        Assert.Equal(
            [.. Enumerable.Repeat("key.created", 3), .. Enumerable.Repeat("key.revoked", 3)], receiver.Log.Select(got => got.Type));
        Assert.All(receiver.Log.Take(3), got => Assert.True(got.Json.GetProperty("data").GetProperty("imported").GetBoolean()));
        Assert.Equal("project deleted", receiver.Log[3].Json.GetProperty("data").GetProperty("reason").GetString());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_that_expires_within_a_week_is_told_once_for_each_date(DatabaseKind kind)
    {
        await using var receiver = await Receiver.Start();
        await using var gate = await Start(kind);
        await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, $$"""{"url":"{{receiver.Url}}","events":["key.expiring"]}""");
        var watch = gate.Services.GetRequiredService<ExpiryWatch>();
        var end = gate.Clock.GetUtcNow().AddDays(10);
        var id = (await gate.NewKey($"\"name\":\"Ends\",\"expires_at\":\"{end:yyyy-MM-ddTHH:mm:ssZ}\"")).GetProperty("id").GetString()!;
        await gate.NewKey("\"name\":\"Never ends\"");
        gate.Clock.Advance(TimeSpan.FromDays(3) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, await watch.Look(default));
        gate.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await watch.Look(default));
        Assert.Equal(0, await watch.Look(default));
        await receiver.Arrived();

        var later = $"{{\"expires_at\":\"{end.AddDays(30):yyyy-MM-ddTHH:mm:ssZ}\"}}";
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("PATCH", $"/api/v1/keys/{id}", RunningGate.RootKey, later)).Status);
        Assert.Equal(0, await watch.Look(default));
        gate.Clock.Advance(TimeSpan.FromDays(30));
        Assert.Equal(1, await watch.Look(default));
        await receiver.Arrived();

        Assert.Equal(["key.expiring", "key.expiring"], receiver.Log.Select(got => got.Type));
        Assert.All(receiver.Log, got => Assert.Equal(id, got.Json.GetProperty("data").GetProperty("key_id").GetString()));
        Assert.NotEqual(receiver.Log[0].Id, receiver.Log[1].Id);
    }

    [Fact]
    public async Task More_keys_than_one_write_takes_are_all_told_and_those_that_ended_are_not()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        var watch = gate.Services.GetRequiredService<ExpiryWatch>();
        var rows = string.Join('\n', Enumerable.Range(0, ExpiryWatch.BatchMax + 2).Select(i =>
        {
            var end = i == 0 ? "2026-01-01T00:00:00Z" : "2026-01-05T00:00:00Z";
            return $$"""{"external_id":"e{{i}}","name":"K","secret_sha256":"{{i:x64}}","expires_at":"{{end}}"}""";
        }));
        await gate.Send(
            "POST", $"/api/v1/import?project={gate.ProjectId}", RunningGate.RootKey, rows, ("Content-Type", "application/x-ndjson"));

        Assert.Equal(ExpiryWatch.BatchMax + 1, await watch.Look(default));
    }

    [Fact]
    public async Task A_webhook_is_made_read_changed_and_deleted_and_each_change_is_in_the_audit_log()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        var path = Webhooks(gate);
        var made = await gate.Send(
            "POST", path, RunningGate.RootKey, """{"url":"https://example.com","events":["key.created"],"description":"Ours"}""");
        var (id, secret) = (made.String("id"), made.String("secret"));
        Assert.StartsWith("whk_", id, StringComparison.Ordinal);
        Assert.Equal(32, Convert.FromBase64String(secret["whsec_".Length..]).Length);
        Assert.Equal("https://example.com/", made.String("url"));

        var changed = await gate.Send(
            "PATCH", $"{path}/{id}", RunningGate.RootKey,
            """{"url":"https://example.org/x","events":["*"],"description":null,"enabled":false}""");
        Assert.Equal(("https://example.org/x", "person"), (changed.String("url"), changed.String("disabled_reason")));
        Assert.Equal(JsonValueKind.Null, changed.Json.GetProperty("description").ValueKind);
        var read = await gate.Send("GET", $"{path}/{id}", RunningGate.RootKey);
        Assert.Equal(changed.Text, read.Text);
        Assert.Equal(id, (await gate.Send("GET", path, RunningGate.RootKey)).Json.GetProperty("data")[0].GetProperty("id").GetString());
        var rotated = await gate.Send("POST", $"{path}/{id}/rotate-secret", RunningGate.RootKey);
        Assert.NotEqual(secret, rotated.String("secret"));
        Assert.Equal("rotation_running", (await gate.Send("POST", $"{path}/{id}/rotate-secret", RunningGate.RootKey)).String("code"));
        Assert.Equal(
            HttpStatusCode.OK,
            (await gate.Send("POST", $"{path}/{id}/rotate-secret", RunningGate.RootKey, """{"force":true,"grace_seconds":0}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("DELETE", $"{path}/{id}", RunningGate.RootKey)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", $"{path}/{id}", RunningGate.RootKey)).Status);

        var audit = await gate.Send("GET", $"/api/v1/audit?target_id={id}", RunningGate.RootKey);
        Assert.Equal(
            ["webhook.delete", "webhook.rotate_secret", "webhook.rotate_secret", "webhook.change", "webhook.create"],
            audit.Json.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("action").GetString()));
        Assert.DoesNotContain("whsec_", audit.Text + read.Text + changed.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_request_again_is_told_the_same_secret()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        const string Body = """{"url":"https://example.com/","events":["*"]}""";
        var first = await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, Body, ("Idempotency-Key", "once"));
        var second = await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, Body, ("Idempotency-Key", "once"));

        Assert.Equal(first.Text, second.Text);
        Assert.Equal("true", second.Headers["Idempotency-Replayed"]);
        Assert.Equal(1, (await gate.Send("GET", Webhooks(gate), RunningGate.RootKey)).Json.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task No_secret_is_in_the_database_in_clear()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        var made = await gate.Send(
            "POST", Webhooks(gate), RunningGate.RootKey, """{"url":"https://example.com/","events":["*"]}""", ("Idempotency-Key", "once"));
        var secret = Convert.FromBase64String(made.String("secret")["whsec_".Length..]);
        var kept = await gate.Database.Read(c => WebhookSql.List(c, gate.OrganizationId));

        Assert.True(kept[0].Secret.AsSpan().IndexOf(secret) < 0);
        var sealer = new Sealer(gate.Services.GetRequiredService<Pepper>());
        Assert.Equal(secret, WebhookSecret.LiveOf(sealer, kept[0], gate.Clock.NowMs)[0]);
        // Sealed under its id: a row's secret put into another row opens nothing.
        Assert.Throws<InvalidDataException>(() => WebhookSecret.LiveOf(sealer, kept[0] with { Id = "whk_other" }, gate.Clock.NowMs));
    }

    [Theory]
    [InlineData("""{"url":"http://10.0.0.1/","events":["*"]}""", 422, "webhook_url_refused")]
    [InlineData("""{"events":["*"]}""", 422, "webhook_url_refused")]
    [InlineData("""{"url":"https://example.com/"}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":[]}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":["key.created","*"]}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":["key.created","key.created"]}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":["key.made"]}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":["webhook.test"]}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":[null]}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":["*"],"description":"a\u0000b"}""", 422, "validation_failed")]
    [InlineData("""{"url":"https://example.com/","events":["*"],"secret":"x"}""", 422, "validation_failed")]
    [InlineData("""{"url":7,"events":["*"]}""", 422, "validation_failed")]
    public async Task Bad_input_is_refused_and_nothing_is_kept(string body, int status, string code)
    {
        await using var gate = await Start(DatabaseKind.Sqlite);

        var refused = await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, body);

        Assert.Equal((status, code), ((int)refused.Status, refused.String("code")));
        Assert.Equal(0, (await gate.Send("GET", Webhooks(gate), RunningGate.RootKey)).Json.GetProperty("data").GetArrayLength());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_projects_webhook_hears_of_its_own_keys_alone_and_the_organizations_of_all_TL12(DatabaseKind kind)
    {
        await using var receiver = await Receiver.Start();
        await using var whole = await Receiver.Start();
        await using var gate = await Start(kind);
        var other = (await gate.Send("POST", $"/api/v1/organizations/{gate.OrganizationId}/projects", RunningGate.RootKey,
            """{"name":"Other"}""")).String("id");
        var hooks = $"/api/v1/projects/{gate.ProjectId}/webhooks";
        var made = await gate.Send("POST", hooks, RunningGate.RootKey, $$"""{"url":"{{receiver.Url}}","events":["*"]}""");
        Assert.Equal(gate.ProjectId, made.String("project_id"));
        await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, $$"""{"url":"{{whole.Url}}","events":["*"]}""");

        var elsewhere = (await gate.NewPair("\"name\":\"Elsewhere\"", other)).Id;
        var own = (await gate.NewPair("\"name\":\"Own\"")).Id;
        await whole.Arrived(2);
        await receiver.Arrived(1);
        await gate.Send("DELETE", $"/api/v1/projects/{other}", RunningGate.RootKey);
        await gate.Send("DELETE", $"/api/v1/keys/{own}", RunningGate.RootKey);
        await whole.Arrived(2);
        await receiver.Arrived(1);

        Assert.Equal([own, own], receiver.Log.Select(KeyOf));
        Assert.Equal([elsewhere, own, elsewhere, own], whole.Log.Select(KeyOf));

        static string KeyOf(Received got) => got.Json.GetProperty("data").GetProperty("key_id").GetString()!;
    }

    [Fact]
    public async Task A_project_finds_its_own_webhooks_alone_and_the_organization_finds_them_all()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        var (hooks, body) = ($"/api/v1/projects/{gate.ProjectId}/webhooks", """{"url":"https://webhooks.invalid/","events":["*"]}""");
        var ofAll = (await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, body)).String("id");
        var ofProject = (await gate.Send("POST", hooks, RunningGate.RootKey, body)).String("id");

        Assert.Equal([ofProject], await Ids(hooks));
        Assert.Equal([ofAll, ofProject], await Ids(Webhooks(gate)));
        Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", $"{hooks}/{ofAll}", RunningGate.RootKey)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("DELETE", $"{hooks}/{ofAll}", RunningGate.RootKey)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("DELETE", $"{Webhooks(gate)}/{ofProject}", RunningGate.RootKey)).Status);
        foreach (var crossed in new[] { $"/api/v1/projects/{gate.OrganizationId}", $"/api/v1/organizations/{gate.ProjectId}" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", $"{crossed}/webhooks", RunningGate.RootKey)).Status);
        }

        for (var i = 0; i < WebhookRegister.PerOwnerMax; i++)
        {
            Assert.Equal(HttpStatusCode.Created, (await gate.Send("POST", hooks, RunningGate.RootKey, body)).Status);
        }

        Assert.Equal("webhooks_full", (await gate.Send("POST", hooks, RunningGate.RootKey, body)).String("code"));
        Assert.Equal(HttpStatusCode.Created, (await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, body)).Status);

        async Task<string[]> Ids(string path) =>
        [
            .. (await gate.Send("GET", path, RunningGate.RootKey)).Json.GetProperty("data").EnumerateArray()
                .Select(one => one.GetProperty("id").GetString()!),
        ];
    }

    [Fact]
    public async Task A_projects_webhook_cannot_ask_for_what_the_organization_alone_is_told()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        var (hooks, url) = ($"/api/v1/projects/{gate.ProjectId}/webhooks", "\"url\":\"https://webhooks.invalid/\"");
        foreach (var name in new[] { "wallet.low", "wallet.empty", "wallet.topped_up" })
        {
            var refused = await gate.Send("POST", hooks, RunningGate.RootKey, $$"""{ {{url}}, "events": ["key.revoked", "{{name}}"] }""");
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "validation_failed"), (refused.Status, refused.String("code")));
            Assert.Equal(HttpStatusCode.Created, (await gate.Send(
                "POST", Webhooks(gate), RunningGate.RootKey, $$"""{ {{url}}, "events": ["{{name}}"] }""")).Status);
        }

        var made = await gate.Send("POST", hooks, RunningGate.RootKey, $$"""{ {{url}}, "events": ["*"] }""");
        var change = await gate.Send("PATCH", $"{hooks}/{made.String("id")}", RunningGate.RootKey, """{"events":["wallet.low"]}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, change.Status);
    }

    [Fact]
    public async Task All_webhooks_of_an_organization_have_a_bound_together_those_of_deleted_projects_among_them()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        const string body = """{"url":"https://webhooks.invalid/","events":["*"]}""";
        var made = (await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, body)).String("id");
        Assert.True((await gate.Database.Write<int>(async scope => await scope.Execute(
            $"""
            INSERT INTO webhooks (webhook_no, id, organization_no, organization_id, project_id, url, events, enabled, secret, pending,
                                  dropped, failures, created_at_ms, row_version)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {WebhookRegister.WithProjectsMax - 2})
            SELECT 1000000 + i, 'whk_of_a_deleted_project_' || i, organization_no, organization_id, 'prj_deleted', url, events, 1, secret,
                   0, 0, 0, 1, 1
            FROM n, webhooks WHERE id = '{made}'
            """))).IsOk);

        Assert.Equal(HttpStatusCode.Created, (await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, body)).Status);
        var full = await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, body);

        Assert.Equal((HttpStatusCode.Conflict, "webhooks_full"), (full.Status, full.String("code")));
    }

    [Fact]
    public async Task An_organization_has_twenty_webhooks_and_no_more_until_one_is_deleted()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        const string Body = """{"url":"https://example.com/","events":["*"]}""";
        Answer made = null!;
        for (var i = 0; i < WebhookRegister.PerOwnerMax; i++)
        {
            made = await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, Body);
            Assert.Equal(HttpStatusCode.Created, made.Status);
        }

        var refused = await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, Body);
        Assert.Equal((HttpStatusCode.Conflict, "webhooks_full"), (refused.Status, refused.String("code")));
        await gate.Send("DELETE", $"{Webhooks(gate)}/{made.String("id")}", RunningGate.RootKey);
        Assert.Equal(HttpStatusCode.Created, (await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, Body)).Status);
    }

    [Fact]
    public async Task A_key_with_the_right_manages_its_own_organizations_webhooks_and_sees_no_others()
    {
        await using var gate = await Start(DatabaseKind.Sqlite);
        const string Body = """{"url":"https://example.com/","events":["*"]}""";
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"webhooks:manage\"]");
        var stranger = await gate.NewSecret("\"name\":\"Stranger\",\"rights\":[\"webhooks:manage\"]", await gate.NewProject());
        var other = await gate.NewSecret("\"name\":\"Other\",\"rights\":[\"keys:manage\",\"audit:read\",\"keys:read\"]");
        var made = await gate.Send("POST", Webhooks(gate), manager, Body);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var path = $"{Webhooks(gate)}/{made.String("id")}";

        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", path, manager)).Status);
        Assert.Equal("right_missing", (await gate.Send("GET", path, other)).String("code"));
        foreach (var (method, foreign, body) in new (string, string, string?)[]
        {
            ("GET", Webhooks(gate), null), ("POST", Webhooks(gate), Body),
            ("GET", path, null), ("PATCH", path, "{}"), ("DELETE", path, null),
            ("POST", path + "/rotate-secret", null), ("POST", path + "/test", null), ("GET", path + "/deliveries", null),
            ("POST", path + "/replay", """{"since":"2026-01-01T00:00:00Z"}"""),
            ("POST", path + "/deliveries/dlv_0000000000000000000000/replay", null),
        })
        {
            var answer = await gate.Send(method, foreign, stranger, body);
            Assert.True(answer.Status == HttpStatusCode.NotFound, $"{method} {foreign}: {answer}");
        }

        Assert.Equal(
            HttpStatusCode.NotFound,
            (await gate.Send("GET", $"/api/v1/organizations/org_0000000000000000000000/webhooks", RunningGate.RootKey)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await gate.Send("GET", $"{Webhooks(gate)}/whk_x", RunningGate.RootKey)).Status);
        Assert.True((await gate.Send("GET", path, manager)).Json.GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public async Task A_test_event_arrives_whatever_was_asked_for_and_deliveries_are_listed_by_pages()
    {
        await using var receiver = await Receiver.Start();
        await using var gate = await Start(DatabaseKind.Sqlite);
        var made = await gate.Send(
            "POST", Webhooks(gate), RunningGate.RootKey, $$"""{"url":"{{receiver.Url}}","events":["wallet.low"]}""");
        var path = $"{Webhooks(gate)}/{made.String("id")}";
        var sent = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            sent.Add((await gate.Send("POST", path + "/test", RunningGate.RootKey)).String("id"));
        }

        await receiver.Arrived(3);
        Assert.All(receiver.Log, got => Assert.Equal("webhook.test", got.Type));
        await gate.Services.GetRequiredService<WebhookCourier>().Idle();

        var first = await gate.Send("GET", path + "/deliveries?status=delivered&limit=2", RunningGate.RootKey);
        var second = await gate.Send(
            "GET", path + $"/deliveries?status=delivered&limit=2&cursor={first.String("next_cursor")}", RunningGate.RootKey);
        var rows = first.Json.GetProperty("data").EnumerateArray().Concat(second.Json.GetProperty("data").EnumerateArray()).ToList();
        Assert.Equal(Enumerable.Reverse(sent), rows.Select(row => row.GetProperty("id").GetString()));
        Assert.All(rows, row =>
        {
            Assert.Equal((200, 1, "delivered"), (row.GetProperty("response_status").GetInt32(), row.GetProperty("attempts").GetInt32(),
                row.GetProperty("status").GetString()));
            Assert.Equal("webhook.test", row.GetProperty("body").GetProperty("type").GetString());
        });
        var failed = await gate.Send("GET", path + "/deliveries?status=failed", RunningGate.RootKey);
        Assert.Equal(0, failed.Json.GetProperty("data").GetArrayLength());
        Assert.Equal("validation_failed", (await gate.Send("GET", path + "/deliveries?status=lost", RunningGate.RootKey)).String("code"));
    }

    [Fact]
    public async Task A_gate_that_stops_breaks_off_what_hangs_and_sends_it_again_after_the_next_start()
    {
        var folder = Directory.CreateTempSubdirectory("tollgate-webhooks-");
        await using var receiver = await Receiver.Start();
        receiver.Reply = http => Task.Delay(Timeout.Infinite, http.RequestAborted);
        var options = Options with { LogLevel = "none" };
        await using (var gate = await RunningGate.Start("default", options, folder.FullName))
        {
            await gate.Send("POST", Webhooks(gate), RunningGate.RootKey, $$"""{"url":"{{receiver.Url}}","events":["*"]}""");
            await gate.NewKey();
            await receiver.Arrived();
        }

        receiver.Reply = null;
        await using (await RunningGate.Start("default", options, folder.FullName))
        {
            await receiver.Arrived();
        }

        Assert.Equal(receiver.Log[0].Id, receiver.Log[1].Id);
        folder.Delete(recursive: true);
    }

    private static GateOptions Options => new() { WebhookHttp = "on", WebhookPrivateAddresses = "127.0.0.0/8", LogLevel = "none" };

    private static string Webhooks(RunningGate gate) => $"/api/v1/organizations/{gate.OrganizationId}/webhooks";

    private async Task<RunningGate> Start(DatabaseKind kind) => await RunningGate.Start(
        "default", Options, postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
}
