using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Verification;

/// <summary>The check for API servers: every code it can answer, in exactly its shape, to those who may know.</summary>
public sealed partial class VerifyTests(Gates gates) : IClassFixture<Gates>
{
    [Fact]
    public async Task Every_code_is_reached_and_answered_in_its_shape()
    {
        var gate = await gates.Of("tensorone");
        var reached = new Dictionary<string, Answer>(StringComparer.Ordinal);
        async Task Reach(string code, string secret, string more = "")
        {
            var answer = await gate.Verify(secret, more);
            Assert.True(answer.Status == HttpStatusCode.OK && answer.String("code") == code, $"expected {code}, got {answer}");
            reached.Add(code, answer);
        }

        var good = await gate.NewSecret("\"name\":\"Good\",\"permissions\":[\"read\"],\"scopes\":[\"endpoints\"]");
        var own = $",\"project\":\"{gate.ProjectId}\"";
        await Reach("allowed", good, own + ",\"method\":\"GET\",\"path\":\"/v2/endpoints/7?page=2\"");
        await Reach("key_missing", "");
        await Reach("key_malformed", good[..^1] + (good[^1] == 'a' ? 'b' : 'a'));
        await Reach("key_unknown", gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0));
        await Reach("project_mismatch", good, $",\"project\":\"{await gate.NewProject()}\"");
        await Reach("route_unknown", good, ",\"method\":\"GET\",\"path\":\"/v2/nowhere\"");
        await Reach("action_missing", good, ",\"method\":\"POST\",\"path\":\"/v2/endpoints\"");
        await Reach("scope_missing", good, ",\"requires\":\"clusters:read\"");
        await Reach("model_refused", await gate.NewSecret("\"name\":\"One\",\"models\":[\"a\"]"), ",\"model\":\"b\"");
        await Reach(
            "address_refused", await gate.NewSecret("\"name\":\"Here\",\"allowed_addresses\":[\"192.0.2.0/24\"]"),
                ",\"address\":\"198.51.100.1\"");

        var (id, secret) = await gate.NewPair();
        var renewed = (await gate.Act(id, "rotate", "{\"grace_seconds\":0}")).String("secret");
        await Reach("key_retired", secret);
        await gate.Act(id, "disable");
        await Reach("key_disabled", renewed);
        await gate.Act(id, "revoke");
        await Reach("key_revoked", renewed);
        // As a team does it to the keys of who comes in.
        var (resting, archived) = await gate.NewPair();
        await gate.Database.Write<bool>(async scope =>
            await scope.Execute("UPDATE keys SET holds = 8 WHERE id = @resting", new { resting }) == 1);
        await Reach("key_archived", archived);
        var project = await gate.NewProject();
        var suspended = await gate.NewSecret("\"name\":\"Suspended\"", project);
        var organization = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
        await gate.Send("PATCH", $"/api/v1/organizations/{organization}", RunningGate.RootKey, "{\"status\":\"suspended\"}");
        await Reach("organization_suspended", suspended);
        var expiring = await gate.NewSecret("\"name\":\"Short\",\"expires_at\":\"2026-01-02T03:05:05Z\"");
        gate.Clock.Advance(TimeSpan.FromMinutes(1));
        await Reach("key_expired", expiring);

        var rag = await gates.Of("tensoras");
        var chat = await rag.Verify(await rag.NewSecret(
            "\"name\":\"Rag\",\"scopes\":[\"rag\"]"), ",\"method\":\"POST\",\"path\":\"/v1/chat/completions\"");
        reached.Add(chat.String("code"), chat);
        var neutral = await gates.Of("default");
        var (gone, deleted) = await neutral.NewPair();
        await neutral.Send("DELETE", $"/api/v1/keys/{gone}", RunningGate.RootKey);
        var last = await neutral.Verify(deleted);
        reached.Add(last.String("code"), last);

        // A key that is not in memory is loaded before anybody is answered, or nothing is known of it and a problem tells why.
        // What limits and wallets refuse is told by tests of their own.
        string[] inside =
            ["not_loaded", "too_many_unknown_keys", "rate_limited", "exceeds_limit", "in_flight_holds", "wallet_empty", "busy"];
        var all = Enum.GetValues<VerdictCode>().Select(code => code.ToText()).Except(inside);
        Assert.Equal(all.Order(StringComparer.Ordinal), reached.Keys.Order(StringComparer.Ordinal));
        Assert.All(reached, AssertShape);
        Assert.Equal("endpoints:write", reached["action_missing"].String("required_permission"));
        Assert.Equal("clusters:read", reached["scope_missing"].String("required_permission"));
    }

    [Fact]
    public async Task A_secret_in_its_grace_is_told_with_its_end_and_the_new_one_without()
    {
        var gate = await gates.Of("default");
        var (id, secret) = await gate.NewPair();
        var renewed = (await gate.Act(id, "rotate", "{\"grace_seconds\":60}")).String("secret");

        var end = Rfc3339Time.Format(gate.Clock.GetUtcNow().AddMinutes(1));
        Assert.Equal(end, (await gate.Verify(secret)).String("secret_ends_at"));
        Assert.DoesNotContain("secret_ends_at", (await gate.Verify(renewed)).Text, StringComparison.Ordinal);
        gate.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("key_retired", await gate.CodeOf(secret));
    }

    [Fact]
    public async Task An_allowed_key_is_told_with_its_facts_member_for_member()
    {
        var gate = await gates.Of("default");
        var (id, secret) = await gate.NewPair(
            "\"name\":\"Café \\\"7\\\"\",\"environment\":\"test\",\"scopes\":[\"files\",\"chat\"],\"rights\":[\"verify\"],"
            + "\"metadata\":{\"plan\":[1,2]},\"expires_at\":\"2030-01-01T00:00:00.999Z\"");
        var actions = gate.Services.GetRequiredService<ProviderModel>().Keys.DefaultType.Actions;
        var permissions = string.Join(',', actions.Select(action => $"\"{action}\""));
        Assert.Equal(
            "{\"valid\":true,\"code\":\"allowed\",\"reason\":\"The key may make this request.\",\"key\":{\"id\":\"" + id
            + "\",\"name\":\"Café \\\"7\\\"\",\"project_id\":\"" + gate.ProjectId + "\",\"organization_id\":\"" + gate.OrganizationId
            + "\",\"environment\":\"test\",\"type\":\"standard\",\"permissions\":[" + permissions
            + "],\"scopes\":[\"files\",\"chat\"],\"rights\":[\"verify\"],"
            + "\"expires_at\":\"2030-01-01T00:00:00Z\",\"metadata\":{\"plan\":[1,2]}},\"request_id\":\"req_\",\"limits\":["
            + "{\"name\":\"rpm\",\"limit\":10000,\"remaining\":9999,\"reset_after_ms\":$},"
            + "{\"name\":\"tpm\",\"limit\":10000000,\"remaining\":10000000,\"reset_after_ms\":0}],\"cacheable\":false}",
            Reset().Replace(Unnumbered((await gate.Verify(secret)).Text), "$1$$"));
        Assert.Equal(
            "{\"valid\":false,\"code\":\"key_malformed\",\"reason\":\"The key does not have the form of a key of this provider, "
            + "or its checksum is wrong.\",\"key\":null,\"request_id\":\"req_\"}",
            Unnumbered((await gate.Verify(new string('k', 10_000))).Text));
    }

    [Fact]
    public async Task A_batch_takes_a_thousand_checks_and_not_one_more()
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret();
        var full = await Batch(gate, [.. Enumerable.Repeat("{\"key\":\"x\"}", 999), $"{{\"key\":\"{secret}\",\"requires\":\"chat\"}}"]);
        var data = full.Has(HttpStatusCode.OK).Json.GetProperty("data");
        Assert.Equal(1_000, data.GetArrayLength());
        Assert.Equal("key_malformed", data[0].GetProperty("code").GetString());
        Assert.Equal("allowed", data[999].GetProperty("code").GetString());
        Assert.Equal("{\"data\":[]}", (await Batch(gate, [])).Text);

        (await Batch(gate, [.. Enumerable.Repeat("{\"key\":\"x\"}", 1_001)])).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        var fault = (await Batch(gate, ["{\"key\":\"x\"}", "{\"key\":\"x\",\"requires\":\"nothing\"}"]))
            .Has(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("/checks/1/requires", fault.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
        (await Batch(gate, [$"{{\"key\":\"{new string('x', 1_048_576)}\"}}"])).Has(HttpStatusCode.RequestEntityTooLarge, "body_too_large");
    }

    [Fact]
    public async Task An_explanation_names_each_step_up_to_the_one_that_failed()
    {
        var gate = await gates.Of("tensorone");
        var secret = await gate.NewSecret("\"name\":\"Reader\",\"permissions\":[\"read\"],\"scopes\":[\"endpoints\"]");
        var answer = await gate.Send(
            "POST", "/api/v1/verify/explain", RunningGate.RootKey, $"{{\"key\":\"{secret}\",\"requires\":\"endpoints:write\"}}");
        Assert.Equal(
            """
            {"valid":false,"code":"action_missing","reason":"The key lacks the permission for this action.","steps":[
            {"step":"credential","outcome":"passed","detail":null},{"step":"shape","outcome":"passed","detail":null},
            {"step":"lookup","outcome":"passed","detail":null},{"step":"status","outcome":"passed","detail":null},
            {"step":"address","outcome":"passed","detail":null},{"step":"project","outcome":"passed","detail":null},
            {"step":"permission","outcome":"failed","detail":"The key lacks the permission for this action."},
            {"step":"limits","outcome":"not_reached","detail":null}],"limits":[],"retry_after_ms":null}
            """.ReplaceLineEndings(""),
            answer.Has(HttpStatusCode.OK).Text);
    }

    [Fact]
    public async Task A_key_of_one_organization_learns_nothing_of_anothers_and_the_operators_own_learns_all()
    {
        var gate = await gates.Of("default");
        var project = await gate.NewProject();
        var verifier = await gate.NewSecret("\"name\":\"Verifier\",\"rights\":[\"verify\"]", project);
        var operators = await gate.NewSecret("\"name\":\"Operator's\",\"rights\":[\"verify\"]");
        var mine = await gate.NewSecret("\"name\":\"Mine\"", project);
        var (id, foreign) = await gate.NewPair(project: await gate.NewProject());
        var unknown = gate.Services.GetRequiredService<ProviderModel>().Keys.Format.Mint(0);

        Assert.Equal("allowed", (await gate.Verify(mine, "", verifier)).String("code"));
        Assert.Equal("allowed", (await gate.Verify(foreign, "", operators)).String("code"));
        var never = await gate.Verify(unknown, "", verifier);
        foreach (var more in new[] { "", ",\"requires\":\"chat\"", ",\"address\":\"127.0.0.1\"", $",\"project\":\"{project}\"" })
        {
            Assert.Equal(never.Plain(), (await gate.Verify(foreign, more, verifier)).Plain());
        }

        await gate.Act(id, "revoke");
        Assert.Equal(never.Plain(), (await gate.Verify(foreign, "", verifier)).Plain());
        Assert.Equal((await Explain(gate, unknown, verifier)).Plain(), (await Explain(gate, foreign, verifier)).Plain());
        var batch = await gate.Send(
            "POST", "/api/v1/verify/batch", verifier, $"{{\"checks\":[{{\"key\":\"{foreign}\"}},{{\"key\":\"{unknown}\"}}]}}");
        var told = batch.Json.GetProperty("data");
        Assert.Equal(Unnumbered(told[1].GetRawText()), Unnumbered(told[0].GetRawText()));
    }

    [Fact]
    public async Task A_body_may_come_in_pieces_and_its_key_escaped()
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret();
        var escaped = string.Concat(secret.Select(character => $"\\u{(int)character:x4}"));
        await using var call = await RawCall.To(gate.Address);
        await call.Write(
            $"POST /api/v1/verify HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: bEARER {RunningGate.RootKey}\r\n"
            + "Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n");
        foreach (var piece in $"{{\"k\\u0065y\":\"{escaped}\"}}".Chunk(7))
        {
            await call.Write($"{piece.Length:x}\r\n{new string(piece)}\r\n");
            await call.Stream.FlushAsync();
        }

        await call.Write("0\r\n\r\n");
        var answer = await call.Answer();
        Assert.Equal(200, answer.Status);
        Assert.Contains("\"code\":\"allowed\"", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_names_a_project_asks_for_a_key_of_it()
    {
        var gate = await gates.Of("tensorlake");
        var secret = await gate.NewSecret();
        string Path(string project) =>
            $",\"method\":\"GET\",\"path\":\"/platform/v1/organizations/{gate.OrganizationId}/projects/{project}/secrets\"";
        var other = await gate.NewProject();
        Assert.Equal("allowed", await gate.CodeOf(secret, Path(gate.ProjectId)));
        Assert.Equal("project_mismatch", await gate.CodeOf(secret, Path(other)));
        Assert.Equal("allowed", await gate.CodeOf(secret, Path(gate.ProjectId) + $",\"project\":\"{gate.ProjectId}\""));
        (await gate.Verify(secret, Path(gate.ProjectId) + $",\"project\":\"{other}\"")).Has(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [InlineData("project")]
    [InlineData("requires")]
    [InlineData("method", ",\"path\":\"/v1/models\"")]
    [InlineData("path", ",\"method\":\"GET\"")]
    [InlineData("address")]
    public async Task An_empty_member_is_refused_and_does_not_mean_any(string member, string more = "")
    {
        var gate = await gates.Of("default");
        var check = $"{{\"key\":\"{await gate.NewSecret()}\",\"{member}\":\"\"{more}}}";
        var answers = new[]
        {
            ($"/{member}", await gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, check)),
            ($"/{member}", await gate.Send("POST", "/api/v1/verify/explain", RunningGate.RootKey, check)),
            ($"/checks/0/{member}", await Batch(gate, [check])),
        };
        foreach (var (pointer, answer) in answers)
        {
            answer.Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
            Assert.Equal(pointer, answer.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
        }
    }

    private static void AssertShape(KeyValuePair<string, Answer> row)
    {
        var (code, answer) = row;
        var members = answer.Json.EnumerateObject().Select(member => member.Name).ToList();
        string[] more = code is "action_missing" or "scope_missing" or "body_condition" ? ["required_permission"]
            : code == "allowed" ? ["limits", "cacheable"] : [];
        Assert.Equal(["valid", "code", "reason", "key", "request_id", .. more], members);
        Assert.Equal(code == "allowed", answer.Json.GetProperty("valid").GetBoolean());
        Assert.EndsWith(".", answer.String("reason"), StringComparison.Ordinal);
        var isKnown = code is not ("key_missing" or "key_malformed" or "key_unknown");
        Assert.Equal(isKnown ? JsonValueKind.Object : JsonValueKind.Null, answer.Json.GetProperty("key").ValueKind);
        Assert.Equal("application/json", answer.Headers["Content-Type"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
    }

    private static Task<Answer> Batch(RunningGate gate, IEnumerable<string> checks) => gate.Send(
        "POST", "/api/v1/verify/batch", RunningGate.RootKey, $"{{\"checks\":[{string.Join(',', checks)}]}}");

    /// <summary>Without what differs from request to request.</summary>
    private static string Unnumbered(string text) => RequestNumber().Replace(text, "\"req_\"");

    /// <summary>A slot of two seconds is left whole, wherever in it the request came.</summary>
    [GeneratedRegex("(\"reset_after_ms\":)6[0-2]000(?=})")]
    private static partial Regex Reset();

    [GeneratedRegex("\"req_[0-9a-z]+\"")]
    private static partial Regex RequestNumber();

    private static Task<Answer> Explain(RunningGate gate, string secret, string key) =>
        gate.Send("POST", "/api/v1/verify/explain", key, $"{{\"key\":\"{secret}\"}}");

    [Fact]
    public async Task A_key_outside_the_operators_organization_recognizes_no_key_of_another_environment()
    {
        var gate = await gates.Of("tensorone");
        var project = await gate.NewProject();
        var asker = await gate.NewSecret("\"name\":\"API server\",\"environment\":\"test\",\"rights\":[\"verify\"]", project);
        var live = await gate.NewSecret("\"name\":\"Live\"", project);
        var test = await gate.NewSecret("\"name\":\"Test\",\"environment\":\"test\"", project);

        Assert.Equal("key_unknown", (await gate.Verify(live, key: asker)).String("code"));
        Assert.Equal("allowed", (await gate.Verify(test, key: asker)).String("code"));
    }
}
