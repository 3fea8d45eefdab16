using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Access;
using Tollgate.Server.Keys;
using Tollgate.Server.Quotas;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.ForwardAuth;
using Tollgate.Server.Tests.Middleware;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Quotas;

/// <summary>How many of a thing an organization may have, counted by the requests that make and delete one, or said.</summary>
public sealed class QuotaTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Of_many_at_once_only_as_many_are_made_as_the_plan_allows_and_a_restart_forgets_none(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        string secret;
        await using (var gate = await provider.Start())
        {
            secret = await gate.NewSecret();
            await Plan(gate, "medium");
            var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Make(gate, secret)));
            Assert.Equal(10, answers.Count(answer => answer.Status == HttpStatusCode.OK));
            Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), IsFull);
            Assert.Equal("things 10 of 10, boxes 0 of 3", await Listed(gate));
        }

        await using var again = await provider.Start();
        IsFull(await Make(again, secret));
        Assert.Equal("things 10 of 10, boxes 0 of 3", await Listed(again));
        await Delete(again, secret);
        Assert.Equal(HttpStatusCode.OK, (await Make(again, secret)).Status);
        IsFull(await Make(again, secret));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Deleting_frees_one_and_never_more_than_there_are(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        var secret = await gate.NewSecret();
        await Delete(gate, secret);
        await Delete(gate, secret);
        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));
        Assert.Equal(HttpStatusCode.OK, (await Make(gate, secret)).Status);
        IsFull(await Make(gate, secret));
        await Delete(gate, secret);
        await Delete(gate, secret);
        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));

        // Only what is named counts: other methods, other paths, and what was refused.
        await gate.Send("GET", "/v1/things/a", secret);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("POST", "/v1/things", null)).Status);
        var narrow = await gate.NewSecret("\"name\":\"Files\",\"scopes\":[\"files\"]");
        Assert.Equal(HttpStatusCode.Forbidden, (await Make(gate, narrow)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("POST", "/v1/things", RunningGate.RootKey, "{}")).Status);
        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));
    }

    [Fact]
    public async Task Each_organization_counts_for_itself_and_a_smaller_plan_takes_nothing_away()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var (secret, other) = (await gate.NewSecret(), await gate.NewSecret(project: await gate.NewProject()));
        await Plan(gate, "large");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await Make(gate, secret)).Status);
        }

        Assert.Equal("things 3 of any, boxes 0 of any", await Listed(gate));
        Assert.Equal(HttpStatusCode.OK, (await Make(gate, other)).Status);
        IsFull(await Make(gate, other));

        await Plan(gate, "small");
        IsFull(await Make(gate, secret));
        await Delete(gate, secret);
        await Delete(gate, secret);
        IsFull(await Make(gate, secret));
        await Delete(gate, secret);
        Assert.Equal(HttpStatusCode.OK, (await Make(gate, secret)).Status);
    }

    [Fact]
    public async Task A_request_that_comes_to_nothing_gives_its_place_back_once()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var keeper = gate.Services.GetRequiredService<QuotaKeeper>();
        foreach (var (makes, status, left) in new[]
        {
            (true, 200, 5), (true, 299, 5), (true, 300, 4), (true, 404, 4), (true, 503, 4), (false, 204, 4),
            (false, 300, 5), (false, 404, 5),
        })
        {
            await Set(gate, "things", "{\"used\":5}");
            var counted = new CountedRequest(keeper, organizationNo: 1, new(Quota: 0, makes));
            await counted.Ended(status);
            await counted.Ended(status);
            await counted.Ended(isSuccess: false);
            Assert.Equal($"things {left} of 1, boxes 0 of 0", await Listed(gate));
        }

        // Refused while its body came in, when it had its place already.
        await Set(gate, "things", "{\"used\":0}");
        var secret = await gate.NewSecret();
        var broken = await RawCall.Send(
            gate.Address,
            "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + $"Authorization: Bearer {secret}\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n\r\n");
        Assert.Equal(400, broken.Status);
        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));
        Assert.Equal(HttpStatusCode.OK, (await Make(gate, secret)).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_the_quota_refuses_takes_nothing_of_the_limits_and_what_they_refuse_takes_no_place(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        var secret = await gate.NewSecret();
        Assert.Equal(HttpStatusCode.OK, (await Make(gate, secret)).Status);
        Assert.All(
            await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Make(gate, secret))),
            IsFull);

        // One of ten a minute was taken: nine are left.
        for (var i = 0; i < 9; i++)
        {
            await Delete(gate, secret);
        }

        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));
        Assert.All(
            await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Make(gate, secret))),
            answer => Assert.Equal(HttpStatusCode.TooManyRequests, answer.Status));
        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));
        gate.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.OK, (await Make(gate, secret)).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_that_is_revoked_while_its_place_is_taken_makes_nothing_and_leaves_the_place_free(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        var (id, secret) = await gate.NewPair();
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var ring = gate.Services.GetRequiredService<KeyRing>();
        var hasTurn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var revocation = Task.Run(() => gate.Database.Write(
            async scope =>
            {
                hasTurn.SetResult();
                await mayEnd.Task;
                return await ring.Revoke(scope, id);
            },
            MutationContext.Of(Caller.Root)));
        await hasTurn.Task;
        var request = Make(gate, secret);
        // What is booked meanwhile may wait in front of it.
        await GuardedApp.Until(() => gate.Database.WriteQueueLength >= 1);
        mayEnd.SetResult();

        Assert.True((await revocation).IsOk);
        Assert.Equal(HttpStatusCode.Unauthorized, (await request).Status);
        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_proxy_hears_of_a_used_up_quota_takes_no_place_and_the_refused_request_takes_nothing_else(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        var secret = await gate.NewSecret();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(secret, "/v1/things", "POST")).Status);
        }

        Assert.Equal("things 0 of 1, boxes 0 of 0", await Listed(gate));
        await Set(gate, "things", "{\"used\":1}");
        for (var i = 0; i < 20; i++)
        {
            var refused = await gate.Forwarded(secret, "/v1/things", "POST");
            IsFull(refused);
            Assert.Equal("quota_exceeded", refused.Header("X-Tollgate-Code"));
        }

        var nginx = await gate.Nginx(secret, "/v1/things", "POST");
        Assert.Equal((HttpStatusCode.Forbidden, "403"), (nginx.Status, nginx.Header("X-Tollgate-Status")));
        IsFull(await gate.Nginx(secret, "/v1/things", "POST", "?style=refusal"));
        var stranger = await gate.Forwarded(secret[..^1] + (secret[^1] == 'a' ? 'b' : 'a'), "/v1/things", "POST");
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.Status);

        // Two of ten a minute were taken: eight are left, and then the limit refuses.
        await Set(gate, "things", "{\"used\":0}");
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(secret, "/v1/things", "POST")).Status);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await gate.Forwarded(secret, "/v1/things", "POST")).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Forwarded(RunningGate.RootKey, "/v1/things", "POST")).Status);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_operator_says_the_number_which_is_audited_and_told_once_a_key(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        Assert.Equal("{\"name\":\"boxes\",\"used\":3,\"limit\":0}", (await Set(gate, "boxes", "{\"used\":3}")).Has(HttpStatusCode.OK).Text);
        Assert.Equal("{\"name\":\"boxes\",\"used\":2,\"limit\":0}", (await Set(gate, "boxes", "{\"used\":2}")).Has(HttpStatusCode.OK).Text);
        Assert.Equal("things 0 of 1, boxes 2 of 0", await Listed(gate));
        (await Set(gate, "things", "{\"used\":1000000000}")).Has(HttpStatusCode.OK);
        (await Set(gate, "things", "{\"used\":0}")).Has(HttpStatusCode.OK);

        var audit = await gate.Send("GET", $"/api/v1/audit?organization_id={gate.OrganizationId}&action=quota.set", RunningGate.RootKey);
        var rows = audit.Json.GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(4, rows.Count);
        Assert.Equal("{\"name\":\"boxes\",\"used\":3,\"limit\":0}", rows[2].GetProperty("before").GetRawText());
        Assert.Equal("{\"name\":\"boxes\",\"used\":2,\"limit\":0}", rows[2].GetProperty("after").GetRawText());

        var path = $"/api/v1/organizations/{gate.OrganizationId}/quotas/boxes";
        await gate.Send("PUT", path, RunningGate.RootKey, "{\"used\":7}", ("Idempotency-Key", "once"));
        (await Set(gate, "boxes", "{\"used\":8}")).Has(HttpStatusCode.OK);
        var replayed = await gate.Send("PUT", path, RunningGate.RootKey, "{\"used\":7}", ("Idempotency-Key", "once"));
        Assert.Equal("true", replayed.Headers["Idempotency-Replayed"]);
        Assert.Equal("things 0 of 1, boxes 8 of 0", await Listed(gate));
    }

    [Fact]
    public async Task What_is_no_number_or_no_quota_is_refused_and_nothing_is_stored()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var rows = await gate.Rows();
        foreach (var body in new[]
        {
            "{\"used\":-1}", "{\"used\":1.5}", "{\"used\":1000000001}", "{\"used\":1e300}", "{\"used\":99999999999999999999}",
            "{\"used\":\"1\"}", "{\"used\":null}", "{}", "{\"used\":1,\"limit\":5}",
        })
        {
            (await Set(gate, "things", body)).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        }

        (await Set(gate, "things", "{\"used\":1,\"used\":2}")).Has(HttpStatusCode.BadRequest, "invalid_json");
        foreach (var name in new[] { "rpm", "Things", "thing", new string('x', 200) })
        {
            (await Set(gate, name, "{\"used\":1}")).Has(HttpStatusCode.NotFound, "not_found");
        }

        (await gate.Send("PUT", "/api/v1/organizations/org_0000000000000000000000/quotas/things", RunningGate.RootKey, "{\"used\":1}"))
            .Has(HttpStatusCode.NotFound, "not_found");
        Assert.Equal(rows, await gate.Rows());
    }

    [Fact]
    public async Task A_key_of_the_operators_organization_counts_for_all_and_any_other_reads_its_own_alone()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var project = await gate.NewProject();
        var customer = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
        var server = await gate.NewSecret("\"name\":\"API server\",\"rights\":[\"usage:write\"]");
        var own = await gate.NewSecret("\"name\":\"Own\",\"rights\":[\"usage:read\",\"usage:write\"]", project);
        var path = $"/api/v1/organizations/{customer}/quotas";

        (await gate.Send("PUT", path + "/things", server, "{\"used\":1}")).Has(HttpStatusCode.OK);
        (await gate.Send("GET", path, server)).Has(HttpStatusCode.OK);
        Assert.Equal(
            "{\"data\":[{\"name\":\"things\",\"used\":1,\"limit\":1},{\"name\":\"boxes\",\"used\":0,\"limit\":0}]}",
            (await gate.Send("GET", path, own)).Has(HttpStatusCode.OK).Text);
        (await gate.Send("PUT", path + "/things", own, "{\"used\":0}")).Has(HttpStatusCode.Forbidden, "operator_only");
        (await gate.Send("GET", $"/api/v1/organizations/{gate.OrganizationId}/quotas", own)).Has(HttpStatusCode.NotFound, "not_found");
        (await gate.Send("GET", path, await gate.NewSecret(project: project))).Has(HttpStatusCode.Forbidden, "right_missing");
    }

    private static Task<Answer> Make(RunningGate gate, string secret) => gate.Send("POST", "/v1/things", secret, "{}");

    private static async Task Delete(RunningGate gate, string secret) =>
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("DELETE", "/v1/things/a", secret)).Status);

    private static void IsFull(Answer answer)
    {
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        var error = answer.Json.GetProperty("error");
        Assert.Equal("quota_exceeded", error.GetProperty("code").GetString());
        Assert.Matches("^The plan [a-z]+ allows [0-9]+ of things", error.GetProperty("message").GetString());
    }

    private static Task<Answer> Set(RunningGate gate, string name, string body) =>
        gate.Send("PUT", $"/api/v1/organizations/{gate.OrganizationId}/quotas/{name}", RunningGate.RootKey, body);

    private static async Task Plan(RunningGate gate, string plan) => (await gate.Send(
        "PATCH", $"/api/v1/organizations/{gate.OrganizationId}", RunningGate.RootKey, $"{{\"plan\":\"{plan}\"}}")).Has(HttpStatusCode.OK);

    private static async Task<string> Listed(RunningGate gate)
    {
        var quotas = await gate.Send("GET", $"/api/v1/organizations/{gate.OrganizationId}/quotas", RunningGate.RootKey);
        return string.Join(", ", quotas.Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray().Select(quota =>
            $"{quota.GetProperty("name")} {quota.GetProperty("used")} of "
            + (quota.GetProperty("limit") is { ValueKind: System.Text.Json.JsonValueKind.Number } limit ? limit.ToString() : "any")));
    }
}
