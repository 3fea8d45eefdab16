using System.Text.Json.Nodes;
using Tollgate.Client;

namespace Tollgate.Server.Tests.Client;

public sealed class TollgateClientTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_created_key_comes_with_its_secret_and_all_its_facts()
    {
        await using var gate = await StandInGate.Start(new Answer(201, Sample.Issued()));
        using var client = new TollgateClient(gate.Address, "caller");

        var issued = await client.Keys.CreateAsync("prj_1", new NewKey { Name = "first" }, cancellationToken: Cancel);

        Assert.Equal(Sample.Secret, issued.Secret!.Reveal());
        Assert.Equal(("key_1", "first", KeyStatus.Active), (issued.Key.Id, issued.Key.Name, issued.Key.Status));
        Assert.Equal(["read", "write"], issued.Key.Permissions);
        Assert.Equal("a", (string?)issued.Key.Metadata["team"]);
        Assert.Equal(new DateTimeOffset(2027, 1, 2, 3, 4, 5, TimeSpan.Zero), issued.Key.ExpiresAt);
        Assert.Equal("abc...wxyz", issued.Key.Secrets.Single().Mask);
    }

    [Fact]
    public async Task A_create_names_only_what_was_given_and_its_caller()
    {
        await using var gate = await StandInGate.Start(new Answer(201, Sample.Issued()));
        using var client = new TollgateClient(gate.Address, "caller");

        await client.Keys.CreateAsync(
            "prj_1",
            new NewKey { Name = "first", ExpiresAt = new(2027, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(1)), Scopes = ["b", "a"] },
            cancellationToken: Cancel);

        Assert.Equal(("POST", "/api/v1/projects/prj_1/keys"), (gate.Only.Method, gate.Only.Path));
        Assert.Equal("""{"name":"first","scopes":["b","a"],"expires_at":"2027-01-02T02:04:05Z"}""", gate.Only.Body);
        Assert.Equal("Bearer caller", gate.Only.Headers["Authorization"]);
        Assert.Equal("application/json", gate.Only.Headers["Content-Type"]);
    }

    [Fact]
    public async Task A_create_that_was_cut_off_is_sent_again_under_the_same_idempotency_key()
    {
        await using var gate = await StandInGate.Start(asked => asked.Number == 1 ? Answer.Cut : new Answer(201, Sample.Issued()));
        using var client = new TollgateClient(gate.Address, "caller", new TollgateClientOptions { Time = new HastyClock() });

        var issued = await client.Keys.CreateAsync("prj_1", new NewKey { Name = "first" }, cancellationToken: Cancel);

        Assert.Equal(Sample.Secret, issued.Secret!.Reveal());
        Assert.Equal(2, gate.Log.Count);
        Assert.Equal(gate.Log[0].Headers["Idempotency-Key"], gate.Log[1].Headers["Idempotency-Key"]);
        Assert.Equal(gate.Log[0].Body, gate.Log[1].Body);
    }

    [Fact]
    public async Task Two_creates_carry_different_idempotency_keys_and_a_given_one_is_used()
    {
        await using var gate = await StandInGate.Start(new Answer(201, Sample.Issued()));
        using var client = new TollgateClient(gate.Address, "caller");
        var key = new NewKey { Name = "first" };

        await client.Keys.CreateAsync("prj_1", key, cancellationToken: Cancel);
        await client.Keys.CreateAsync("prj_1", key, cancellationToken: Cancel);
        await client.Keys.CreateAsync("prj_1", key, "mine", Cancel);

        var used = gate.Log.Select(asked => asked.Headers["Idempotency-Key"]).ToList();
        Assert.Equal(3, used.Distinct().Count());
        Assert.Equal("mine", used[2]);
    }

    [Fact]
    public async Task Every_change_of_a_key_carries_an_idempotency_key_and_goes_where_the_api_says()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Issued()));
        using var client = new TollgateClient(gate.Address, "caller");

        await client.Keys.DisableAsync("key_1", cancellationToken: Cancel);
        await client.Keys.EnableAsync("key_1", cancellationToken: Cancel);
        await client.Keys.RevokeAsync("key_1", cancellationToken: Cancel);
        await client.Keys.DeleteAsync("key_1", cancellationToken: Cancel);
        await client.Keys.ChangeAsync("key_1", new KeyChange { Name = "new" }, cancellationToken: Cancel);
        await client.Keys.ChangeAsync(
            "key_1", new KeyChange { Scopes = [], ClearsExpiry = true, ClearsDescription = true }, cancellationToken: Cancel);
        await client.Keys.ChangeAsync("key_1", new KeyChange { Models = ["a"] }, cancellationToken: Cancel);
        await client.Keys.ChangeAsync("key_1", new KeyChange { ClearsModels = true }, cancellationToken: Cancel);
        await client.Keys.RotateAsync("key_1", new Rotation { GraceSeconds = 60 }, cancellationToken: Cancel);
        await client.Keys.RegenerateAsync("key_1", cancellationToken: Cancel);
        var revealed = await client.Keys.RevealAsync("key_1", cancellationToken: Cancel);

        Assert.Equal(Sample.Secret, revealed.Reveal());
        Assert.Equal(
            [
                "POST /api/v1/keys/key_1/disable ",
                "POST /api/v1/keys/key_1/enable ",
                "POST /api/v1/keys/key_1/revoke ",
                "DELETE /api/v1/keys/key_1 ",
                """PATCH /api/v1/keys/key_1 {"name":"new"}""",
                """PATCH /api/v1/keys/key_1 {"scopes":[],"description":null,"expires_at":null}""",
                """PATCH /api/v1/keys/key_1 {"models":["a"]}""",
                """PATCH /api/v1/keys/key_1 {"models":null}""",
                """POST /api/v1/keys/key_1/rotate {"grace_seconds":60}""",
                "POST /api/v1/keys/key_1/regenerate ",
                "POST /api/v1/keys/key_1/reveal ",
            ],
            gate.Log.Select(asked => $"{asked.Method} {asked.Path} {asked.Body}"));
        Assert.All(gate.Log, asked => Assert.Equal(32, asked.Headers["Idempotency-Key"].Length));
    }

    [Fact]
    public async Task A_list_is_walked_page_by_page_and_only_as_far_as_it_is_read()
    {
        await using var gate = await StandInGate.Start(asked => new Answer(200, asked.Path.Split("cursor=") switch
        {
            [_, "c%2B1"] => Sample.Page("c2", Sample.Key("key_3")),
            [_, "c2"] => Sample.Page(null),
            _ => Sample.Page("c+1", Sample.Key("key_1"), Sample.Key("key_2")),
        }));
        using var client = new TollgateClient(gate.Address, "caller");

        var two = await client.Keys.ListAsync("prj_1", KeyStatus.Active, Cancel).Take(2).Select(key => key.Id).ToListAsync(Cancel);
        Assert.Equal(["key_1", "key_2"], two);
        Assert.Equal("/api/v1/projects/prj_1/keys?status=active", gate.Only.Path);

        var all = await client.Keys.ListAsync("prj_1", cancellationToken: Cancel).Select(key => key.Id).ToListAsync(Cancel);
        Assert.Equal(["key_1", "key_2", "key_3"], all);
    }

    [Fact]
    public async Task A_list_whose_cursor_comes_back_ends_in_an_error_and_not_in_a_loop()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Page("same", Sample.Key())));
        using var client = new TollgateClient(gate.Address, "caller");

        await Assert.ThrowsAsync<TollgateException>(
            async () => await client.Keys.ListAsync("prj_1", cancellationToken: Cancel).Take(1_000).CountAsync(Cancel));
        Assert.Equal(2, gate.Log.Count);
    }

    [Fact]
    public async Task A_refusal_carries_the_problem_whole()
    {
        await using var gate = await StandInGate.Start(Answer.Problem(422, "validation_failed", "name: 3 to 50 characters"));
        using var client = new TollgateClient(gate.Address, "caller");

        var refusal = await Assert.ThrowsAsync<TollgateException>(
            () => client.Keys.CreateAsync("prj_1", new NewKey { Name = "ab" }, cancellationToken: Cancel));

        Assert.Equal("name: 3 to 50 characters", refusal.Message);
        Assert.Equal((422, "validation_failed", "req_1"), (refusal.Problem.Status, refusal.Problem.Code, refusal.Problem.RequestId));
        Assert.Equal(new FieldProblem("/name", "3 to 50 characters"), refusal.Problem.Errors.Single());
        Assert.Equal("keys:manage", refusal.Problem.RequiredPermission);
        Assert.Single(gate.Log);
    }

    [Theory]
    [InlineData(503, null, null, 3)]
    [InlineData(503, "7", null, 3)]
    [InlineData(429, "7", null, 3)]
    [InlineData(429, null, null, 1)]
    [InlineData(429, "3600", null, 1)]
    [InlineData(503, "7", "false", 1)]
    [InlineData(500, null, null, 1)]
    [InlineData(409, null, null, 1)]
    public async Task Only_what_passes_by_itself_is_tried_again(int status, string? retryAfter, string? shouldRetry, int tries)
    {
        List<(string, string)> headers = [];
        if (retryAfter is not null)
        {
            headers.Add(("Retry-After", retryAfter));
        }

        if (shouldRetry is not null)
        {
            headers.Add(("x-should-retry", shouldRetry));
        }

        await using var gate = await StandInGate.Start(new Answer(status, "{}", [.. headers]));
        var clock = new HastyClock();
        using var client = new TollgateClient(gate.Address, "caller", new TollgateClientOptions { Time = clock });

        var refusal = await Assert.ThrowsAsync<TollgateException>(() => client.Keys.GetAsync("key_1", Cancel));

        Assert.Equal(status, refusal.Problem.Status);
        Assert.Equal(tries, gate.Log.Count);
        Assert.Equal(tries - 1, clock.Waits.Count);
        Assert.All(clock.Waits, wait => Assert.Equal(retryAfter is null ? wait : TimeSpan.FromSeconds(7), wait));
    }

    [Theory]
    [InlineData(200, "<html>welcome</html>")]
    [InlineData(200, """{"id":"key_1"}""")]
    [InlineData(502, "<html>bad gateway</html>")]
    public async Task An_answer_that_is_not_a_gates_is_an_error_of_its_own(int status, string body)
    {
        await using var gate = await StandInGate.Start(new Answer(status, body));
        using var client = new TollgateClient(gate.Address, "caller", new TollgateClientOptions { RetriesMax = 0 });

        var refusal = await Assert.ThrowsAsync<TollgateException>(() => client.Keys.GetAsync("key_1", Cancel));

        Assert.Equal((status, Problem.UnexpectedAnswer), (refusal.Problem.Status, refusal.Problem.Code));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","errors":null""")]
    public async Task A_problem_that_names_no_members_has_an_empty_list_of_them(string errors)
    {
        var body = $$"""{"type":"/docs/errors/not_found","title":"A title.","status":404,"code":"not_found"{{errors}}}""";
        await using var gate = await StandInGate.Start(new Answer(404, body));
        using var client = new TollgateClient(gate.Address, "caller");

        var refusal = await Assert.ThrowsAsync<TollgateException>(() => client.Keys.GetAsync("key_1", Cancel));

        Assert.Empty(refusal.Problem.Errors);
        Assert.Equal(("A title.", "not_found"), (refusal.Message, refusal.Problem.Code));
    }

    [Fact]
    public async Task What_an_answer_leaves_out_is_empty_and_not_null()
    {
        const string body = """{"id":"key_1","project_id":"prj_1","organization_id":"org_1","name":"first","status":"active"}""";
        await using var gate = await StandInGate.Start(new Answer(200, body));
        using var client = new TollgateClient(gate.Address, "caller");

        var key = await client.Keys.GetAsync("key_1", Cancel);

        Assert.Empty(key.Holds.Concat(key.Permissions).Concat(key.Scopes).Concat(key.Rights).Concat(key.AllowedAddresses));
        Assert.Empty(key.Secrets);
        Assert.Empty(key.Metadata);
        // No list is every model; an empty one would be none.
        Assert.Null(key.Models);
    }

    [Fact]
    public async Task A_page_without_its_data_is_no_page()
    {
        await using var gate = await StandInGate.Start(new Answer(200, "{}"));
        using var client = new TollgateClient(gate.Address, "caller");

        var refusal = await Assert.ThrowsAsync<TollgateException>(() => client.Projects.PageAsync(cancellationToken: Cancel));

        Assert.Equal(Problem.UnexpectedAnswer, refusal.Problem.Code);
    }

    [Fact]
    public async Task Words_a_newer_gate_may_say_do_not_break_an_older_client()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key(status: "archived", more: ",\"colour\":\"red\"")));
        using var client = new TollgateClient(gate.Address, "caller");

        Assert.Equal(KeyStatus.Unknown, (await client.Keys.GetAsync("key_1", Cancel)).Status);
    }

    [Theory]
    [InlineData("../organizations/org_1")]
    [InlineData("..")]
    [InlineData("key_1?x=1")]
    [InlineData("key%2F1")]
    [InlineData("")]
    public async Task An_id_cannot_lead_a_call_to_another_address(string id)
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key()));
        using var client = new TollgateClient(gate.Address, "caller");

        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.Keys.DeleteAsync(id, cancellationToken: Cancel));
        Assert.Empty(gate.Log);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_since_it_would_carry_the_key_elsewhere()
    {
        await using var elsewhere = await StandInGate.Start(new Answer(200, Sample.Key()));
        await using var gate = await StandInGate.Start(new Answer(307, "", ("Location", elsewhere.Address + "api/v1/keys/key_1")));
        using var client = new TollgateClient(gate.Address, "caller");

        await Assert.ThrowsAsync<TollgateException>(() => client.Keys.GetAsync("key_1", Cancel));
        Assert.Empty(elsewhere.Log);
    }

    [Fact]
    public async Task A_callers_own_http_client_is_used_and_left_alone()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Key()));
        using var http = new HttpClient { BaseAddress = new Uri(gate.Address, "behind/a/path") };
        using (var client = new TollgateClient(http, "caller"))
        {
            await client.Keys.GetAsync("key_1", Cancel);
        }

        Assert.Equal("/behind/a/path/api/v1/keys/key_1", gate.Only.Path);
        Assert.Null(http.DefaultRequestHeaders.Authorization);
        await http.GetAsync(gate.Address, Cancel);
    }

    [Fact]
    public async Task A_check_is_asked_as_it_came_and_its_verdict_is_an_answer_also_when_it_is_no()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Verdict(false)));
        using var client = new TollgateClient(gate.Address, "caller");

        var verdict = await client.Verify.CheckAsync(Check.Of("any\u00A0text ") with { Method = "POST", Path = "/v2/endpoints" }, Cancel);

        Assert.False(verdict.Valid);
        Assert.Equal(("permission_missing", "endpoints:write", "key_1"), (verdict.Code, verdict.RequiredPermission, verdict.Key!.Id));
        var sent = JsonNode.Parse(gate.Only.Body)!.AsObject();
        Assert.Equal("any\u00A0text ", (string?)sent["key"]);
        Assert.Equal(["key", "method", "path"], sent.Select(member => member.Key));
        Assert.False(gate.Only.Headers.ContainsKey("Idempotency-Key"));
    }

    [Fact]
    public async Task A_batch_of_one_too_many_is_not_sent()
    {
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Page(null, Sample.Verdict(true), Sample.Verdict(false))));
        using var client = new TollgateClient(gate.Address, "caller");
        Check[] checks = [.. Enumerable.Repeat(Check.Of("k"), VerifyCalls.BatchMax)];

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.Verify.CheckAsync([.. checks, checks[0]], Cancel));
        Assert.Empty(gate.Log);

        var verdicts = await client.Verify.CheckAsync(checks, Cancel);
        Assert.Equal([true, false], verdicts.Select(verdict => verdict.Valid));
    }

    [Fact]
    public async Task The_audit_log_is_asked_with_its_filter()
    {
        const string row = """
            {"seq":7,"at":"2026-01-02T03:04:05Z","actor":{"type":"root","id":"root","name":"root key"},"action":"key.create",
             "target":{"type":"key","id":"key_1"},"organization_id":"org_1","project_id":"prj_1","before":null,"after":{"name":"first"},
             "reason":null,"address":"127.0.0.1","request_id":"req_1"}
            """;
        await using var gate = await StandInGate.Start(new Answer(200, Sample.Page(null, row)));
        using var client = new TollgateClient(gate.Address, "caller");
        var filter = new AuditFilter { Target = "key_1", Action = "key.create", From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) };

        var rows = await client.Audit.ListAsync(filter, Cancel).ToListAsync(Cancel);

        Assert.Equal((7, "root", "first"), (rows[0].Seq, rows[0].Actor.Id, rows[0].After!.Value.GetProperty("name").GetString()));
        Assert.Equal("/api/v1/audit?target_id=key_1&action=key.create&from=2026-01-01T00%3A00%3A00Z", gate.Only.Path);
    }

    [Fact]
    public async Task Organizations_and_projects_go_where_the_api_says()
    {
        await using var gate = await StandInGate.Start(asked => new Answer(200, asked.Method == "DELETE"
            ? """{"id":"prj_1","deleted":true,"keys_revoked":3}"""
            : asked.Method == "GET" ? Sample.Page(null, Sample.Project()) : Sample.Project()));
        using var client = new TollgateClient(gate.Address, "caller");

        await client.Organizations.CreateAsync("a", cancellationToken: Cancel);
        await client.Organizations.SuspendAsync("org_1", cancellationToken: Cancel);
        await client.Projects.CreateAsync("org_1", "b", cancellationToken: Cancel);
        var projects = await client.Projects.ListAsync("org_1", Cancel).ToListAsync(Cancel);
        var deletion = await client.Projects.DeleteAsync("prj_1", cancellationToken: Cancel);

        Assert.Equal(new Deletion("prj_1", true, 3), deletion);
        Assert.Equal(OwnerStatus.Active, projects.Single().Status);
        Assert.Equal(
            [
                """POST /api/v1/organizations {"name":"a"}""",
                """PATCH /api/v1/organizations/org_1 {"status":"suspended"}""",
                """POST /api/v1/organizations/org_1/projects {"name":"b"}""",
                "GET /api/v1/organizations/org_1/projects ",
                "DELETE /api/v1/projects/prj_1 ",
            ],
            gate.Log.Select(asked => $"{asked.Method} {asked.Path} {asked.Body}"));
    }

    [Fact]
    public void A_secret_prints_as_redacted_wherever_it_is_held()
    {
        Secret secret = Sample.Secret;
        var key = new Key { Id = "key_1", ProjectId = "prj_1", OrganizationId = "org_1", Name = "first" };

        var printed = $"{secret} {new IssuedKey(key, secret)} {new Check { Key = secret }}";

        Assert.DoesNotContain(Sample.Secret, printed, StringComparison.Ordinal);
        Assert.Equal("[redacted]", secret.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\r\nX-Other: 1")]
    [InlineData("ä")]
    public void A_caller_cannot_be_given_a_key_that_no_header_can_carry(string text) =>
        Assert.ThrowsAny<ArgumentException>(() => Secret.From(text));
}
