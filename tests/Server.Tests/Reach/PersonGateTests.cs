using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Access;
using Tollgate.Server.Identity.Sessions;
using Tollgate.Server.Keys;
using Tollgate.Server.Reach;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Tests.Reach;

/// <summary>The session's cookie on the management API: whose a call is, what it must bring, and when it is over.</summary>
public sealed class PersonGateTests(Gates gates, PostgresFixture postgres) : IClassFixture<Gates>
{
    [Fact]
    public async Task W7_a_change_needs_the_token_of_its_very_session_and_a_look_needs_none()
    {
        var place = await ReachPlace.Make(await gates.Of("default"));
        var (path, body) = ($"/api/v1/projects/{place.Project}", "{\"name\":\"Other\"}");
        var cookie = ("Cookie", $"tollgate={place["owner"].Cookie}");
        foreach (var (method, at) in new[] { ("PATCH", path), ("DELETE", path), ("POST", path + "/keys"), ("PUT", path + "/members/x") })
        {
            (await place.Gate.Send(method, at, null, body, cookie)).Has(HttpStatusCode.BadRequest, "csrf_refused");
            (await place.Gate.Send(method, at, null, body, cookie, (ApiToken.Header, "")))
                .Has(HttpStatusCode.BadRequest, "csrf_refused");
            (await place.Gate.Send(method, at, null, body, cookie, (ApiToken.Header, place["admin"].Token(place.Gate))))
                .Has(HttpStatusCode.BadRequest, "csrf_refused");
        }

        var me = (await place.As("owner", "GET", "/api/v1/me")).Has(HttpStatusCode.OK);
        (await place.Gate.Send("PATCH", path, null, body, cookie, (ApiToken.Header, me.String("csrf_token")))).Has(HttpStatusCode.OK);
        (await place.Gate.Send("GET", path, null, null, cookie)).Has(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("cross-site")]
    [InlineData("same-site")]
    [InlineData("")]
    public async Task W7_what_comes_from_another_site_is_refused_a_look_too(string site)
    {
        var place = await ReachPlace.Make(await gates.Of("default"));
        var path = $"/api/v1/projects/{place.Project}";
        (await place.As("owner", "GET", path, null, ("Sec-Fetch-Site", site))).Has(HttpStatusCode.Forbidden, "cross_site");
        (await place.As("owner", "DELETE", path, null, ("Sec-Fetch-Site", site))).Has(HttpStatusCode.Forbidden, "cross_site");
        var own = (await place.As("owner", "GET", path, null, ("Sec-Fetch-Site", "same-origin"))).Has(HttpStatusCode.OK);
        Assert.Equal("same-origin", own.Headers["Cross-Origin-Resource-Policy"]);
        Assert.Equal("nosniff", own.Headers["X-Content-Type-Options"]);
        (await place.As("owner", "GET", path, null, ("Sec-Fetch-Site", "none"))).Has(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_cookie_is_taken_over_plain_http_on_the_machine_itself_alone()
    {
        var place = await ReachPlace.Make(await gates.Of("default"));
        (await place.As("owner", "GET", "/api/v1/me", null, ("Host", "console.example.test")))
            .Has(HttpStatusCode.MisdirectedRequest, "https_needed");
        (await place.As("owner", "GET", "/api/v1/me", null, ("Host", "localhost"))).Has(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_request_with_a_key_is_the_keys_whatever_cookie_it_has()
    {
        var place = await ReachPlace.Make(await gates.Of("default"));
        var secret = await place.Gate.NewSecret(project: place.Project);
        var cookie = ("Cookie", $"tollgate={place["owner"].Cookie}");
        Assert.Equal("key", (await place.Gate.Send("GET", "/api/v1/me", secret, null, cookie)).String("type"));
        (await place.Gate.Send("DELETE", $"/api/v1/keys/{place.Key}", secret, null, cookie))
            .Has(HttpStatusCode.Forbidden, "right_missing");
        (await place.Gate.Send("GET", "/api/v1/me", null, null, cookie, ("Authorization", "Basic b3duZXI6cHc=")))
            .Has(HttpStatusCode.Unauthorized, "key_missing");
        Assert.Equal("root", (await place.Gate.Send("GET", "/api/v1/me", RunningGate.RootKey)).String("type"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W6_a_session_that_idled_ended_or_was_taken_away_is_over_at_the_next_call(DatabaseKind kind)
    {
        await using var gate = await RunningGate.Start(
            "default", postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var place = await ReachPlace.Make(gate);
        async Task<int> Call(string who) => (int)(await place.As(who, "GET", $"/api/v1/projects/{place.Project}")).Status;
        Assert.Equal("200 200 200", $"{await Call("owner")} {await Call("admin")} {await Call("viewer")}");

        (await place.As("admin", "DELETE", "/api/v1/me/sessions/ses_0000000000000000000000"))
            .Has(HttpStatusCode.NotFound, "not_found");
        var sessions = (await place.As("admin", "GET", "/api/v1/me/sessions")).Json.GetProperty("data");
        var own = Assert.Single(sessions.EnumerateArray());
        Assert.True(own.GetProperty("is_this").GetBoolean());
        (await place.As("owner", "DELETE", $"/api/v1/me/sessions/{own.GetProperty("id").GetString()}"))
            .Has(HttpStatusCode.NotFound, "not_found");
        (await place.As("admin", "DELETE", $"/api/v1/me/sessions/{own.GetProperty("id").GetString()}")).Has(HttpStatusCode.OK);
        (await place.As("admin", "GET", "/api/v1/me")).Has(HttpStatusCode.Unauthorized, "session_ended");

        (await gate.Send(
            "PATCH", $"/api/v1/operator/people/{place["viewer"].Person.Id}", RunningGate.RootKey, "{\"status\":\"suspended\"}"))
            .Has(HttpStatusCode.OK);
        (await place.As("viewer", "GET", "/api/v1/me")).Has(HttpStatusCode.Unauthorized, "session_ended");

        // Idle for less than twelve hours at a time, and over after seven days all the same.
        for (var hours = 0; hours < 7 * 24 - 11; hours += 11)
        {
            Assert.Equal(200, await Call("owner"));
            gate.Clock.Advance(TimeSpan.FromHours(11));
        }

        gate.Clock.Advance(TimeSpan.FromHours(11));
        Assert.Equal("401 401", $"{await Call("owner")} {await Call("billing")}");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W16_who_is_put_out_while_a_call_arrives_changes_nothing(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var root = $"/api/v1/organizations/{place.Organization}/members/";
        await Between("admin", () => place.Gate.Send("DELETE", root + place["admin"].Person.Id, RunningGate.RootKey), 404);
        await Between(
            "project admin",
            () => place.Gate.Send(
                "PUT", $"/api/v1/projects/{place.Project}/members/{place["project admin"].Person.Id}", RunningGate.RootKey,
                "{\"role\":\"viewer\"}"),
            403);
        await Between("owner", () => place.As("owner", "DELETE", "/api/v1/me/sessions"), 200);
        await Between("owner", () => SignOut(place["owner"]), 401);

        async Task Between(string who, Func<Task<Answer>> change, int status)
        {
            const string Body = "{\"name\":\"Changed\"}";
            var signed = place[who];
            await using var call = await RawCall.To(place.Gate.Address);
            // The server asks for the body when it begins to read it: by then it has let the caller in.
            await call.Write(
                $"PATCH /api/v1/projects/{place.Project} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + $"Cookie: tollgate={signed.Cookie}\r\n{ApiToken.Header}: {signed.Token(place.Gate)}\r\n"
                + $"Content-Type: application/json\r\nContent-Length: {Body.Length}\r\nExpect: 100-continue\r\n\r\n");
            var asked = new byte["HTTP/1.1 100 Continue\r\n\r\n".Length];
            await call.Stream.ReadExactlyAsync(asked);
            Assert.StartsWith("HTTP/1.1 100", System.Text.Encoding.ASCII.GetString(asked), StringComparison.Ordinal);
            (await change()).Has(HttpStatusCode.OK);
            await call.Write(Body);
            var answer = (await call.Answer()).Text;
            Assert.Contains($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
            var name = (await place.Gate.Send("GET", $"/api/v1/projects/{place.Project}", RunningGate.RootKey)).String("name");
            Assert.Equal(status == 200 ? "Changed" : "The project", name);
            await place.Gate.Send("PATCH", $"/api/v1/projects/{place.Project}", RunningGate.RootKey, "{\"name\":\"The project\"}");
        }

        async Task<Answer> SignOut(SignedPerson who)
        {
            var ended = await place.Gate.Database.Write<int>(async scope => await SessionBook.EndAll(scope, who.Person, "asked"));
            Assert.Equal(1, ended.Value);
            return await place.Gate.Send("GET", "/healthz", null);
        }
    }

    [Fact]
    public async Task W12_what_gives_a_lot_away_asks_for_a_sign_in_of_the_last_minutes()
    {
        var gate = await gates.Of("default");
        var place = await ReachPlace.Make(gate, new CreateKey { Name = "Admin key", Rights = ["keys:manage"] });
        gate.Clock.Advance(SignedIn.FreshFor + TimeSpan.FromMilliseconds(1));
        var (org, keys) = ($"/api/v1/organizations/{place.Organization}", $"/api/v1/projects/{place.Project}/keys");
        var all = string.Join("\",\"", RightNames.All);
        foreach (var who in new[] { "owner", "operator" })
        {
            (await place.As(who, "POST", keys, $"{{\"name\":\"All\",\"rights\":[\"{all}\"]}}"))
                .Has(HttpStatusCode.Forbidden, "proof_needed");
            (await place.As(who, "POST", $"/api/v1/keys/{place.Key}/regenerate")).Has(HttpStatusCode.Forbidden, "proof_needed");
            (await place.As(who, "POST", $"/api/v1/keys/{place.Key}/rotate")).Has(HttpStatusCode.Forbidden, "proof_needed");
            (await place.As(who, "PATCH", $"/api/v1/keys/{place.Key}", "{\"rights\":[\"keys:manage\",\"verify\"]}"))
                .Has(HttpStatusCode.Forbidden, "proof_needed");
            (await place.As(who, "DELETE", org)).Has(HttpStatusCode.Forbidden, "proof_needed");
            (await place.As(who, "POST", org + "/transfer", $"{{\"person_id\":\"{place["admin"].Person.Id}\"}}"))
                .Has(HttpStatusCode.Forbidden, "proof_needed");
            // What gives little away goes on.
            (await place.As(who, "POST", keys, "{\"name\":\"Small\"}")).Has(HttpStatusCode.Created);
        }

        (await place.As("operator", "POST", "/api/v1/operator/links")).Has(HttpStatusCode.Forbidden, "proof_needed");
        var fresh = await gate.Database.Write<SignedPerson>(async scope => await SignedPerson.Begin(gate, scope, place["owner"].Person));
        (await fresh.Value.Send(gate, "POST", keys, $"{{\"name\":\"All\",\"rights\":[\"{all}\"]}}")).Has(HttpStatusCode.Created);
        (await fresh.Value.Send(gate, "DELETE", org)).Has(HttpStatusCode.OK);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task R2_who_left_or_deleted_something_is_told_so_again_by_the_same_key_and_session(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var (organization, key) = ($"/api/v1/organizations/{place.Organization}", ("Idempotency-Key", "once"));
        foreach (var (who, path) in new[]
        {
            ("viewer", $"{organization}/members/{place["viewer"].Person.Id}"),
            ("owner", $"/api/v1/projects/{place.OtherProject}"),
            ("owner", organization),
        })
        {
            var first = (await place.As(who, "DELETE", path, null, key)).Has(HttpStatusCode.OK);
            var again = (await place.As(who, "DELETE", path, null, key)).Has(HttpStatusCode.OK);
            Assert.Equal((first.Text, "true"), (again.Text, again.Headers["Idempotency-Replayed"]));
            (await place.As(who, "DELETE", path, null, ("Idempotency-Key", "another"))).Has(HttpStatusCode.NotFound, "not_found");
            (await place.As(who, "DELETE", path)).Has(HttpStatusCode.NotFound, "not_found");
            (await place.As("stranger", "DELETE", path, null, key)).Has(HttpStatusCode.NotFound, "not_found");
            (await place.Gate.Send("DELETE", path, null, null, key, ("Cookie", $"tollgate={place[who].Cookie}")))
                .Has(HttpStatusCode.BadRequest, "csrf_refused");
        }

        await place.Gate.Database.Write<int>(async scope => await SessionBook.EndAll(scope, place["owner"].Person, "asked"));
        (await place.As("owner", "DELETE", organization, null, key)).Has(HttpStatusCode.Unauthorized, "session_ended");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W16_an_export_goes_no_further_when_the_role_is_lost(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        foreach (var isPutOut in new[] { false, true })
        {
            var call = new HttpCall("GET", "/api/v1/usage/log.ndjson");
            var (http, cut) = (call.Context, new Cut());
            http.RequestServices = place.Gate.Services;
            http.Request.Host = new HostString("localhost");
            http.Request.QueryString = new QueryString($"?project_id={place.Project}");
            http.Request.Headers.Cookie = $"tollgate={place["viewer"].Cookie}";
            http.Features.Set<IHttpRequestLifetimeFeature>(cut);
            http.SetEndpoint(place.Gate.Services.GetRequiredService<EndpointDataSource>().Endpoints
                .Single(one => one.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName == "exportUsageLines"));
            await place.Gate.Services.GetRequiredService<PersonGate>()
                .Admit(http, context => new UsageExport(Pages(isPutOut), isCsv: false).ExecuteAsync(context))!;
            var lines = call.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(isPutOut ? (1, true) : (3, false), (lines.Length, cut.IsCut));
        }

        async IAsyncEnumerable<IReadOnlyList<UsageLogRow>> Pages(bool isPutOut)
        {
            yield return [new UsageLogRow { RequestNo = 3, Code = -1 }];
            if (isPutOut)
            {
                (await place.Gate.Send(
                    "DELETE", $"/api/v1/projects/{place.Project}/members/{place["viewer"].Person.Id}", RunningGate.RootKey))
                    .Has(HttpStatusCode.OK);
            }

            yield return [new UsageLogRow { RequestNo = 2, Code = -1 }];
            yield return [new UsageLogRow { RequestNo = 1, Code = -1 }];
        }
    }

    private sealed class Cut : IHttpRequestLifetimeFeature
    {
        public bool IsCut { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => IsCut = true;
    }

    [Fact]
    public async Task TL7_a_key_works_on_when_who_made_it_signs_out_leaves_or_is_suspended()
    {
        var gate = await gates.Of("default");
        var place = await ReachPlace.Make(gate);
        var made = (await place.As("admin", "POST", $"/api/v1/projects/{place.Project}/keys", "{\"name\":\"Made by a person\"}"))
            .Has(HttpStatusCode.Created);
        Assert.Equal(place["admin"].Person.Id, made.String("created_by"));
        Assert.Equal("allowed", await gate.CodeOf(made.String("secret")));
        (await place.As("admin", "DELETE", "/api/v1/me/sessions")).Has(HttpStatusCode.OK);
        await gate.Database.Write<int>(async scope => await SessionBook.EndAll(scope, place["admin"].Person, "asked"));
        Assert.Equal("allowed", await gate.CodeOf(made.String("secret")));
        var person = $"/api/v1/operator/people/{place["admin"].Person.Id}";
        (await gate.Send("PATCH", person, RunningGate.RootKey, "{\"status\":\"suspended\"}")).Has(HttpStatusCode.OK);
        Assert.Equal("allowed", await gate.CodeOf(made.String("secret")));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W16_where_the_role_cannot_be_read_nothing_is_shown_and_nothing_changes(DatabaseKind kind)
    {
        await using var gate = await RunningGate.Start(
            "default", postgres: kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null);
        var place = await ReachPlace.Make(gate);
        foreach (var table in new[] { "project_members", "team_members", "sessions" })
        {
            await gate.Database.Write<int>(async scope => await scope.Execute($"ALTER TABLE {table} RENAME TO {table}_away"));
            Assert.InRange((int)(await place.As("owner", "GET", $"/api/v1/projects/{place.Project}")).Status, 500, 503);
            Assert.InRange((int)(await place.As("owner", "DELETE", $"/api/v1/projects/{place.Project}")).Status, 500, 503);
            await gate.Database.Write<int>(async scope => await scope.Execute($"ALTER TABLE {table}_away RENAME TO {table}"));
        }

        (await place.As("owner", "GET", $"/api/v1/projects/{place.Project}")).Has(HttpStatusCode.OK);
    }
}
