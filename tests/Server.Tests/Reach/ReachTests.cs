using System.Net;
using System.Text.RegularExpressions;
using Dapper;
using Tollgate.Server.Access;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Reach;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.House;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Reach;

/// <summary>What people reach by their roles: projects, keys of their own, lists; and what the operator sees of them.</summary>
public sealed partial class ReachTests(Gates gates) : IClassFixture<Gates>
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task K5_what_one_has_no_role_in_is_answered_like_what_never_was(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var other = await ReachPlace.Make(place.Gate);
        foreach (var (method, path, id) in new[]
        {
            ("GET", "/api/v1/organizations/{id}", other.Organization), ("DELETE", "/api/v1/organizations/{id}", other.Organization),
            ("GET", "/api/v1/projects/{id}", other.Project), ("GET", "/api/v1/projects/{id}/keys", other.Project),
            ("DELETE", "/api/v1/keys/{id}", other.Key), ("GET", "/api/v1/keys/{id}/usage", other.Key),
            ("GET", "/api/v1/usage?project_id={id}", other.Project), ("GET", "/api/v1/audit?organization_id={id}", other.Organization),
            ("GET", $"/api/v1/usage?organization_id={place.Organization}&project_id={{id}}", other.Project),
            ("GET", $"/api/v1/usage?organization_id={place.Organization}&key_id={{id}}", other.Key),
        })
        {
            var foreign = await place.As("owner", method, path.Replace("{id}", id, StringComparison.Ordinal));
            var absent = await place.As("owner", method, path.Replace("{id}", id[..^4] + "0000", StringComparison.Ordinal));
            Assert.Equal(absent.Plain(), foreign.Plain());
            foreign.Has(HttpStatusCode.NotFound, "not_found");
        }

        (await place.As("member", "GET", $"/api/v1/projects/{place.Project}")).Has(HttpStatusCode.NotFound, "not_found");
        (await place.As("owner", "GET", "/api/v1/usage")).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Lists_and_logs_show_what_the_role_reaches_and_no_more(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var other = await ReachPlace.Make(place.Gate);
        var path = $"/api/v1/organizations/{place.Organization}/projects";
        Assert.Equal(2, (await Data("admin", path)).Count);
        Assert.Equal(2, (await Data("billing", path)).Count);
        Assert.Equal([place.Project], await Data("viewer", path));
        Assert.Empty(await Data("member", path));

        var secret = await place.Gate.NewSecret(project: place.Project);
        await place.Gate.Send("PATCH", $"/api/v1/projects/{other.Project}", RunningGate.RootKey, "{\"name\":\"Foreign\"}");
        (await place.As("owner", "PATCH", $"/api/v1/projects/{place.OtherProject}", "{\"name\":\"Own\"}")).Has(HttpStatusCode.OK);
        var audit = await place.As("owner", "GET", $"/api/v1/audit?organization_id={place.Organization}&limit=100");
        Assert.All(
            audit.Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray(),
            row => Assert.Equal(place.Organization, row.GetProperty("organization_id").GetString()));
        Assert.Contains(place["owner"].Person.Id, audit.Text, StringComparison.Ordinal);
        var narrow = await place.As("project admin", "GET", $"/api/v1/audit?project_id={place.Project}&limit=100");
        Assert.All(
            narrow.Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray(),
            row => Assert.Equal(place.Project, row.GetProperty("project_id").GetString()));
        Assert.DoesNotContain(place.OtherProject, narrow.Text, StringComparison.Ordinal);
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));

        async Task<List<string?>> Data(string who, string at) =>
            [.. (await place.As(who, "GET", at)).Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray()
                .Select(one => one.GetProperty("id").GetString())];
    }

    [Fact]
    public async Task TX11_where_members_see_projects_every_one_sees_the_masks_and_makes_no_key()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var place = await ReachPlace.Make(gate);
        var keys = (await place.As("member", "GET", $"/api/v1/projects/{place.Project}/keys")).Has(HttpStatusCode.OK);
        Assert.Contains("...", keys.Text, StringComparison.Ordinal);
        (await place.As("member", "POST", $"/api/v1/projects/{place.Project}/keys", "{\"name\":\"New key\"}"))
            .Has(HttpStatusCode.Forbidden, "role_missing");
        (await place.As("admin", "POST", $"/api/v1/projects/{place.Project}/keys", "{\"name\":\"New key\"}")).Has(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Where_members_make_keys_they_look_after_their_own_and_no_others()
    {
        await using var gate = await RunningGate.Start(
            "default", new GateOptions { LogLevel = "none" },
            with: provider => provider with { Teams = new TeamRules { MembersMakeKeys = true } });
        var place = await ReachPlace.Make(gate);
        var own = (await place.As("project member", "POST", $"/api/v1/projects/{place.Project}/keys", "{\"name\":\"Own\"}"))
            .Has(HttpStatusCode.Created).String("id");
        (await place.As("project member", "POST", $"/api/v1/keys/{own}/rotate")).Has(HttpStatusCode.OK);
        (await place.As("project member", "POST", $"/api/v1/keys/{place.Key}/rotate")).Has(HttpStatusCode.Forbidden, "role_missing");
        (await place.As("project member", "GET", $"/api/v1/keys/{place.Key}")).Has(HttpStatusCode.OK);
        (await place.As("viewer", "POST", $"/api/v1/projects/{place.Project}/keys", "{\"name\":\"Own\"}"))
            .Has(HttpStatusCode.Forbidden, "role_missing");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Who_leaves_the_team_leaves_its_projects_and_finds_none_of_them_when_back(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var (gate, id) = (place.Gate, place["viewer"].Person.Id);
        (await gate.Send("PUT", $"/api/v1/projects/{place.Project}/members/{place["stranger"].Person.Id}", RunningGate.RootKey,
            "{\"role\":\"viewer\"}")).Has(HttpStatusCode.NotFound, "not_found");
        (await place.As("viewer", "DELETE", $"/api/v1/organizations/{place.Organization}/members/{id}")).Has(HttpStatusCode.OK);
        Assert.DoesNotContain(
            id, (await place.As("owner", "GET", $"/api/v1/projects/{place.Project}/members")).Has(HttpStatusCode.OK).Text,
            StringComparison.Ordinal);
        (await place.As("viewer", "GET", $"/api/v1/projects/{place.Project}")).Has(HttpStatusCode.NotFound, "not_found");
        var members = await gate.Database.Read(connection => connection.ExecuteScalarAsync<long>(
            "SELECT COUNT(*) FROM project_members m JOIN projects p ON p.project_no = m.project_no WHERE p.id = @Project",
            new { place.Project }));
        Assert.Equal(3, members);
    }

    [Fact]
    public async Task In_ones_own_organization_one_may_everything_but_end_it()
    {
        var place = await ReachPlace.Make(await gates.Of("default"));
        var own = $"/api/v1/organizations/{place["stranger"].Person.OrganizationId}";
        var project = (await place.As("stranger", "POST", own + "/projects", "{\"name\":\"Mine\"}"))
            .Has(HttpStatusCode.Created).String("id");
        (await place.As("stranger", "POST", $"/api/v1/projects/{project}/keys", "{\"name\":\"Mine\"}")).Has(HttpStatusCode.Created);
        (await place.As("stranger", "PATCH", own, "{\"name\":\"Renamed\"}")).Has(HttpStatusCode.OK);
        (await place.As("stranger", "PATCH", own, "{\"plan\":\"enterprise\"}")).Has(HttpStatusCode.Forbidden, "operator_only");
        (await place.As("stranger", "PATCH", own, "{\"status\":\"active\"}")).Has(HttpStatusCode.Forbidden, "operator_only");
        (await place.As("stranger", "DELETE", own)).Has(HttpStatusCode.Conflict, "conflict");
        var me = (await place.As("stranger", "GET", "/api/v1/me")).Json;
        Assert.Equal("owner", Assert.Single(me.GetProperty("organizations").EnumerateArray()).GetProperty("role").GetString());
        (await place.As("stranger", "PATCH", "/api/v1/me", "{\"name\":\"\"}")).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        (await place.As("stranger", "PATCH", "/api/v1/me", "{\"name\":\"Ada\"}")).Has(HttpStatusCode.OK);
        Assert.Equal("Ada", (await place.As("stranger", "GET", "/api/v1/me")).String("name"));
        (await place.As("stranger", "POST", "/api/v1/teams", $"{{\"name\":\"T\",\"owner_id\":\"{place["owner"].Person.Id}\"}}"))
            .Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        (await place.As("stranger", "POST", "/api/v1/teams", "{\"name\":\"T\"}")).Has(HttpStatusCode.Created);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Who_is_in_no_team_has_their_own_organization_alone(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var person = place["stranger"].Person;
        var me = (await place.As("stranger", "GET", "/api/v1/me")).Has(HttpStatusCode.OK).Json;
        var own = Assert.Single(me.GetProperty("organizations").EnumerateArray());
        Assert.Equal(person.OrganizationId, own.GetProperty("id").GetString());
        var seen = (await place.As("operator", "GET", $"/api/v1/operator/people/{person.Id}")).Has(HttpStatusCode.OK).Json;
        Assert.Equal(0, seen.GetProperty("teams").GetArrayLength());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_operator_finds_people_and_organizations_by_what_is_known_of_them(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var person = place["billing"].Person;
        foreach (var search in new[] { person.Id, person.Email![..^3], person.Name.ToUpperInvariant() })
        {
            var found = (await place.As("operator", "GET", $"/api/v1/operator/people?search={Uri.EscapeDataString(search)}"))
                .Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray();
            Assert.Contains(person.Id, found.Select(one => one.GetProperty("id").GetString()));
        }

        var none = await place.As("operator", "GET", "/api/v1/operator/people?search=%25_");
        Assert.Equal(0, none.Json.GetProperty("data").GetArrayLength());
        var page = (await place.As("operator", "GET", "/api/v1/operator/people?limit=1")).Has(HttpStatusCode.OK).String("next_cursor");
        (await place.As("operator", "GET", $"/api/v1/operator/people?limit=1&cursor={page}")).Has(HttpStatusCode.OK);
        var one = (await place.As("operator", "GET", $"/api/v1/operator/people/{person.Id}")).Has(HttpStatusCode.OK).Json;
        Assert.Equal("billing", Assert.Single(one.GetProperty("teams").EnumerateArray()).GetProperty("role").GetString());
        var teams = (await place.As("operator", "GET", "/api/v1/organizations?search=THE%20TEAM")).Json.GetProperty("data");
        Assert.Contains(place.Organization, teams.EnumerateArray().Select(team => team.GetProperty("id").GetString()));
        Assert.Equal(1, (await place.As("operator", "GET", $"/api/v1/organizations?search={place.Organization}")).Json
            .GetProperty("data").GetArrayLength());
        (await place.As("operator", "PATCH", $"/api/v1/operator/people/{place["operator"].Person.Id}", "{\"status\":\"suspended\"}"))
            .Has(HttpStatusCode.Conflict, "conflict");
        (await place.As("operator", "PATCH", $"/api/v1/operator/people/{person.Id}", "{\"status\":\"suspended\"}")).Has(HttpStatusCode.OK);
        (await place.As("billing", "GET", "/api/v1/me")).Has(HttpStatusCode.Unauthorized, "session_ended");
        (await place.As("operator", "PATCH", $"/api/v1/operator/people/{person.Id}", "{\"status\":\"active\"}")).Has(HttpStatusCode.OK);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W14_every_look_of_an_operator_into_a_customers_organization_leaves_a_row(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        (string Path, string Target)[] looks =
        [
            ($"/api/v1/organizations/{place.Organization}", place.Organization),
            ($"/api/v1/organizations/{place.Organization}/members", place.Organization),
            ($"/api/v1/projects/{place.Project}/keys", place.Project),
            ($"/api/v1/keys/{place.Key}", place.Key),
            ($"/api/v1/usage?project_id={place.Project}", place.Project),
            ($"/api/v1/audit?organization_id={place.Organization}", place.Organization),
            ($"/api/v1/operator/people/{place["owner"].Person.Id}", place["owner"].Person.Id),
        ];
        foreach (var (path, target) in looks)
        {
            var before = await Rows();
            (await place.As("operator", "GET", path)).Has(HttpStatusCode.OK);
            var row = Assert.Single((await Rows()).Skip(before.Count));
            Assert.Equal(
                ("operator.look", "person", place["operator"].Person.Id, target),
                (row.Action, row.ActorType, row.ActorId, row.TargetId));
        }

        var count = (await Rows()).Count;
        (await place.As("operator", "GET", $"/api/v1/organizations/{place.Gate.OrganizationId}")).Has(HttpStatusCode.OK);
        (await place.As("operator", "GET", $"/api/v1/audit?organization_id={place.Gate.OrganizationId}")).Has(HttpStatusCode.OK);
        (await place.As("operator", "GET", "/api/v1/me")).Has(HttpStatusCode.OK);
        (await place.As("owner", "GET", looks[0].Path)).Has(HttpStatusCode.OK);
        Assert.Equal(count, (await Rows()).Count);

        Task<List<AuditLine>> Rows() => LooksOf(place);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W14_an_operators_look_leaves_a_row_whatever_it_names_and_whether_that_is_there_or_not(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var gone = await ReachPlace.Make(place.Gate);
        (await place.Gate.Send("DELETE", $"/api/v1/organizations/{gone.Organization}", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        var ownKey = (await place.Gate.NewPair("\"name\":\"The operator's\"")).Id;
        var (absent, person) = ($"{place.Organization[..^4]}0000", place["owner"].Person.Id);
        (string Path, int Status, string Target, string? Organization)[] looks =
        [
            ("/api/v1/audit", 200, "all", null),
            ($"/api/v1/audit?target_id={place.Key}", 200, "all", null),
            ($"/api/v1/audit?actor_id={person}", 200, "all", null),
            ("/api/v1/usage", 200, "all", null),
            ("/api/v1/usage/log", 200, "all", null),
            ("/api/v1/usage/log.csv", 200, "all", null),
            ("/api/v1/usage/log.ndjson", 200, "all", null),
            ("/api/v1/projects", 200, "all", null),
            ("/api/v1/organizations", 200, "all", null),
            ("/api/v1/organizations?search=team", 200, "all", null),
            ("/api/v1/operator/people", 200, "all", null),

            // What an endpoint does not go by hides nothing, and nor does something of the operator's own beside something that is not.
            ($"/api/v1/audit?key_id={ownKey}", 200, "all", null),
            ($"/api/v1/projects?organization_id={place.Gate.OrganizationId}", 200, "all", null),
            ($"/api/v1/usage?organization_id={place.Gate.OrganizationId}&project_id={place.Project}", 200, place.Project, null),

            // What was deleted is still a customer's, and what is not there was asked for.
            ($"/api/v1/usage?organization_id={gone.Organization}", 200, gone.Organization, gone.Organization),
            ($"/api/v1/audit?organization_id={gone.Organization}", 200, gone.Organization, gone.Organization),
            ($"/api/v1/audit?project_id={gone.Project}", 200, gone.Project, gone.Organization),
            ($"/api/v1/keys/{gone.Key}", 200, gone.Key, gone.Organization),
            ($"/api/v1/organizations/{gone.Organization}", 404, gone.Organization, gone.Organization),
            ($"/api/v1/audit?organization_id={absent}", 200, absent, null),
            ("/api/v1/audit?organization_id=x", 200, "unknown", null),
            ($"/api/v1/organizations/{absent}", 404, absent, null),
            ($"/api/v1/keys/{place.Key[..^4]}0000", 404, place.Key[..^4] + "0000", null),
            ($"/api/v1/operator/people/{person[..^4]}0000", 404, "unknown", null),
        ];
        foreach (var (path, status, target, organization) in looks)
        {
            var before = await LooksOf(place);
            var answer = await place.As("operator", "GET", path);
            Assert.True(status == (int)answer.Status, $"{path}: {answer}");
            var rows = (await LooksOf(place)).Skip(before.Count).ToList();
            Assert.True(rows.Count == 1, $"{path}: {rows.Count} rows");
            Assert.Equal(
                ("operator.look", place["operator"].Person.Id, target, organization),
                (rows[0].Action, rows[0].ActorId, rows[0].TargetId, rows[0].OrganizationId));
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task W14_the_same_look_of_the_root_key_is_a_row_an_hour_and_another_look_is_another(DatabaseKind kind)
    {
        var place = await ReachPlace.Make(await gates.Of(kind));
        var (path, key) = ($"/api/v1/organizations/{place.Organization}", $"/api/v1/keys/{place.Key}");
        var before = (await LooksOf(place)).Count;
        foreach (var look in new[] { path, path, key, $"{path}/members", key, path })
        {
            (await place.Gate.Send("GET", look, RunningGate.RootKey)).Has(HttpStatusCode.OK);
        }

        await place.Gate.Send("GET", "/api/v1/plans", RunningGate.RootKey);
        await place.Gate.Send("GET", "/api/v1/changes", RunningGate.RootKey);
        await place.Gate.Send("GET", $"/api/v1/organizations/{place.Gate.OrganizationId}", RunningGate.RootKey);
        await place.Gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, "{\"key\":\"x\"}");
        Assert.Equal(
            [("root", place.Organization), ("root", place.Key), ("root", place.Organization)],
            (await LooksOf(place)).Skip(before).Select(row => (row.ActorId, row.TargetId)));

        place.Gate.Clock.Advance(OperatorLooks.RootEvery);
        await place.Gate.Send("GET", path, RunningGate.RootKey);
        await place.Gate.Send("GET", path, RunningGate.RootKey);
        Assert.Equal(before + 4, (await LooksOf(place)).Count);
    }

    private static Task<List<AuditLine>> LooksOf(ReachPlace place) => place.Gate.Database.Read(
        async connection => (await connection.QueryAsync<AuditLine>(
            "SELECT action, actor_type, actor_id, target_id, organization_id FROM audit ORDER BY seq")).AsList());

    [Fact]
    public async Task A_suspended_organization_refuses_its_keys_at_the_next_check()
    {
        var place = await ReachPlace.Make(await gates.Of("default"));
        var secret = await place.Gate.NewSecret(project: place.Project);
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));
        var path = $"/api/v1/organizations/{place.Organization}";
        (await place.As("operator", "PATCH", path, "{\"status\":\"suspended\"}")).Has(HttpStatusCode.OK);
        Assert.Equal("organization_suspended", await place.Gate.CodeOf(secret));
        (await place.As("operator", "PATCH", path, "{\"status\":\"active\"}")).Has(HttpStatusCode.OK);
        Assert.Equal("allowed", await place.Gate.CodeOf(secret));
    }

    [Fact]
    public void The_guide_has_the_table_of_roles_as_it_is()
    {
        var guide = File.ReadAllText(Path.Combine(Repository.Root, "docs/guides/teams.md"));
        (string Name, Roles Role)[] columns =
        [
            ("owner", Roles.Owner), ("admin", Roles.Admin), ("billing", Roles.Billing), ("member", Roles.Member),
            ("project admin", Roles.ProjectAdmin), ("project member", Roles.ProjectMember), ("viewer", Roles.Viewer),
        ];
        Assert.Contains($"| act | {string.Join(" | ", columns.Select(column => column.Name))} |", guide, StringComparison.Ordinal);
        foreach (var act in Enum.GetValues<Act>().Where(act => RoleTable.Of(act) is not (Roles.None or Roles.Anybody)))
        {
            var marks = string.Join(" | ", columns.Select(column => RoleTable.Of(act).HasFlag(column.Role) ? "yes" : " "));
            var name = Words().Replace(act.ToString(), " $1").TrimStart().ToLowerInvariant();
            var row = guide.Split('\n').SingleOrDefault(line => line.StartsWith($"| {name} |", StringComparison.Ordinal));
            Assert.True(row is not null, $"The guide says nothing of: {name}");
            var cells = row.Split('|')[2..(2 + columns.Length)].Select(cell => cell.Trim() is { Length: > 0 } text ? text : " ");
            Assert.Equal(marks, string.Join(" | ", cells));
        }
    }

    [GeneratedRegex("([A-Z])")]
    private static partial Regex Words();
}
