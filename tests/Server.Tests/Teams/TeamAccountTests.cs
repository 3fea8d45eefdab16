using System.Net;
using Dapper;
using Tollgate.Server.Operating;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Identity;
using Tollgate.Server.Tests.Providers;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Teams;

/// <summary>Teams and the rest of the house: accounts, provider files, backups.</summary>
public sealed class TeamAccountTests(PostgresFixture postgres)
{
    private const string Ada = "ada@example.test";

    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_who_owns_a_team_alone_cannot_go_and_everybody_else_leaves_with_the_account(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Resting);
        var browser = await place.People.SignedIn(Ada);
        var id = await place.People.Ask<string>($"SELECT id FROM people WHERE email_key = '{Ada}'");
        var own = (await place.AsRoot(scope => place.Roster.Create(scope, "Her own", id))).Value.Team;
        var heir = await place.NewPerson("heir@example.test");
        await place.AsRoot(scope => place.Roster.Join(scope, own, heir, TeamRole.Admin));

        var refused = await Delete(browser);
        Assert.Equal(409, refused.Status);
        Assert.Contains("You are the last owner of the team Her own.", refused.Text, StringComparison.Ordinal);
        Assert.True(browser.IsSignedIn);
        Assert.Equal(200, (await browser.Get("/account")).Status);

        var export = await browser.Get("/account/export");
        var team = System.Text.Json.JsonElement.Parse(export.Text).GetProperty("teams")[0];
        Assert.Equal(
            (own.Id.Text, "Her own", "owner"),
            (team.GetProperty("organization_id").GetString(), team.GetProperty("name").GetString(), team.GetProperty("role").GetString()));

        var project = (await place.Gate.Send("GET", $"/api/v1/organizations/{own.Id}/projects", RunningGate.RootKey))
            .Json.GetProperty("data")[0].GetProperty("id").GetString();
        var (made, other) = (await place.Gate.NewPair(project: project), await place.Gate.NewPair(project: project));
        await TeamRows.IsMadeBy(place.Gate, made.Id, id);
        await place.AsRoot(scope => place.Roster.Transfer(scope, own.Id.Text, heir.Id));
        Assert.Equal("/sign-in?done=deleted", (await Delete(browser)).Location);

        Assert.Equal(0, await place.People.Ask<long>($"SELECT COUNT(*) FROM team_members WHERE person_id = '{id}'"));
        Assert.Equal(("key_deleted", "allowed"), (await place.Gate.CodeOf(made.Secret), await place.Gate.CodeOf(other.Secret)));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_providers_file_says_whether_there_are_teams_how_many_one_owns_and_how_they_are_called(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(
            kind, postgres, model => model with { Teams = new TeamRules { NameMax = 10, OwnedMax = 2 } });
        var ada = await place.NewPerson(Ada);
        var path = "/api/v1/teams";
        Assert.Equal(201, (int)(await Create("Research")).Status);
        Assert.Equal(201, (int)(await Create("0123456789")).Status);
        (await Create("Third")).Has(HttpStatusCode.Conflict, "conflict");
        var late = await Create("01234567890");
        late.Has(HttpStatusCode.UnprocessableEntity, "validation_failed");

        // A team is renamed within the same bound, others within theirs.
        Assert.Equal(422, (int)(await Rename(place.TeamId, "01234567890")).Status);
        Assert.Equal(200, (int)(await Rename(place.TeamId, "0123456789")).Status);
        Assert.Equal(200, (int)(await Rename(place.Gate.OrganizationId, "01234567890")).Status);

        Task<Answer> Create(string name) =>
            place.Gate.Send("POST", path, RunningGate.RootKey, $"{{\"name\":\"{name}\",\"owner_id\":\"{ada.Id}\"}}");
        Task<Answer> Rename(string id, string name) =>
            place.Gate.Send("PATCH", $"/api/v1/organizations/{id}", RunningGate.RootKey, $"{{\"name\":\"{name}\"}}");
    }

    [Fact]
    public async Task Where_there_are_no_teams_none_is_made()
    {
        await using var gate = await RunningGate.Start(
            "default", new Server.Hosting.GateOptions { LogLevel = "none" }, with: model => model with { Teams = null });
        var person = await TeamRows.NewPerson(gate, gate.OrganizationId);
        (await gate.Send("POST", "/api/v1/teams", RunningGate.RootKey, $"{{\"name\":\"A\",\"owner_id\":\"{person}\"}}"))
            .Has(HttpStatusCode.NotFound, "not_found");
    }

    [Fact]
    public void TX11plus_the_file_of_tensorx_says_all_of_it()
    {
        var expected = new TeamRules
        {
            NameMax = 48, OwnedMax = 1, ArchivesPersonalKeys = true, DeletesLeaverKeys = true, MovesBalance = true,
            MembersSeeProjects = true,
            RoleNames = new TeamRoleNames { Owner = "team owner", Admin = "team admin", Member = "team member" },
        };
        Assert.Equal(expected, Given.Real("tensorx").Teams);
        Assert.Equal(new TeamRules(), Given.Real("default").Teams);
        Assert.Null(Given.Model("sign_in: { teams: false }\n" + Given.Least).Teams);
        Assert.Equal(new TeamRules(), Given.Model("sign_in: { teams: true }\n" + Given.Least).Teams);
        Assert.Equal(
            new TeamRules { OwnedMax = 3, MovesBalance = true },
            Given.Model("sign_in: { teams: { owned_max: 3, balance: moved, leaver_keys: kept } }\n" + Given.Least).Teams);
    }

    [Theory]
    [InlineData("sign_in: { teams: maybe }", "1:19: teams is true or false, not")]
    [InlineData("sign_in: { teams: { owned_mx: 1 } }", "1:21: unknown field \"owned_mx\"; did you mean \"owned_max\"?")]
    [InlineData("sign_in: { teams: { name_max: 101 } }", "1:31: name_max is a whole number from 1 to 100, not")]
    [InlineData("sign_in: { teams: { balance: gone } }", "1:30: balance is one of kept, moved, not \"gone\"")]
    [InlineData("sign_in: { teams: { roles: { onwer: boss } } }", "1:30: unknown field \"onwer\"; did you mean \"owner\"?")]
    [InlineData("sign_in: { teams: [true] }", "1:19: teams: expected a map of fields, found")]
    [InlineData("sign_in: true", "1:10: sign in: expected a map of fields, found")]
    public void A_file_that_says_something_else_of_teams_is_refused_at_its_place(string text, string expected) => Assert.Contains(
        Given.Read(text + "\n" + Given.Least).Errors, error => error.ToString().Contains(expected, StringComparison.Ordinal));

    [Theory, MemberData(nameof(Both))]
    public async Task A_restore_brings_nobody_back_into_a_team_unless_it_is_told_and_wanted(DatabaseKind kind)
    {
        await using var place = await Operating.Place.New(kind, postgres);
        string left, lower, stays, team;
        await using (var gate = await place.Start())
        {
            (team, left, lower, stays) = await Members(gate);
        }

        var backup = await place.Backup();
        await using (var gate = await place.Start())
        {
            (await gate.Send("DELETE", $"/api/v1/organizations/{team}/members/{left}", RunningGate.RootKey)).Has(HttpStatusCode.OK);
            (await gate.Send("PATCH", $"/api/v1/organizations/{team}/members/{lower}", RunningGate.RootKey, "{\"role\":\"member\"}"))
                .Has(HttpStatusCode.OK);
        }

        var asked = await place.Run("restore", backup);
        Assert.Contains($"would be in the team {team} again, as billing", asked.Output, StringComparison.Ordinal);
        Assert.Contains($"would be admin of the team {team} again", asked.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(stays, asked.Output, StringComparison.Ordinal);

        var done = await place.Run("restore", backup, "--yes", "--keep-revocations");
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("ok       audit chain", (await place.Run("doctor")).Output, StringComparison.Ordinal);
        await using (var gate = await place.Start())
        {
            var rows = await gate.Database.Read(connection => connection.QueryAsync<string>(
                "SELECT person_id || ' ' || role FROM team_members ORDER BY member_no"));
            Assert.Equal([$"{stays} owner", $"{lower} member"], rows);
        }
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_restore_brings_nobody_back_into_a_project_unless_it_is_told_and_wanted(DatabaseKind kind)
    {
        await using var place = await Operating.Place.New(kind, postgres);
        string out1, lower, stays, gone, project;
        await using (var gate = await place.Start())
        {
            (var team, out1, lower, stays) = await Members(gate);
            gone = await TeamRows.NewPerson(gate, gate.OrganizationId);
            await gate.Database.Write<bool>(async scope =>
            {
                var person = (await Server.Identity.PersonDirectory.Find(scope, gone))!;
                var organization = (await Server.Organizations.OrganizationRegister.Find(scope, team)).Value;
                return (await Roster(gate).Join(scope, organization, person, TeamRole.Member)).IsOk;
            });
            project = (await gate.Send("GET", $"/api/v1/organizations/{team}/projects", RunningGate.RootKey))
                .Json.GetProperty("data")[0].GetProperty("id").GetString()!;
            foreach (var person in new[] { out1, lower, stays, gone })
            {
                (await gate.Send("PUT", $"{Path()}/{person}", RunningGate.RootKey, "{\"role\":\"admin\"}")).Has(HttpStatusCode.OK);
            }
        }

        var backup = await place.Backup();
        await using (var gate = await place.Start())
        {
            (await gate.Send("DELETE", $"{Path()}/{out1}", RunningGate.RootKey)).Has(HttpStatusCode.OK);
            (await gate.Send("PUT", $"{Path()}/{lower}", RunningGate.RootKey, "{\"role\":\"viewer\"}")).Has(HttpStatusCode.OK);
            var team = (await gate.Send("GET", $"/api/v1/projects/{project}", RunningGate.RootKey)).String("organization_id");
            (await gate.Send("DELETE", $"/api/v1/organizations/{team}/members/{gone}", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        }

        var asked = await place.Run("restore", backup);
        Assert.Contains($"would be in the project {project} again, as admin", asked.Output, StringComparison.Ordinal);
        Assert.Contains($"would be admin of the project {project} again", asked.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(stays, asked.Output, StringComparison.Ordinal);

        var done = await place.Run("restore", backup, "--yes", "--keep-revocations");
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("ok       audit chain", (await place.Run("doctor")).Output, StringComparison.Ordinal);
        await using (var gate = await place.Start())
        {
            var rows = await gate.Database.Read(connection => connection.QueryAsync<string>(
                """
                SELECT coalesce(t.person_id, 'nobody') || ' ' || p.role FROM project_members p
                LEFT JOIN team_members t ON t.member_no = p.member_no ORDER BY p.member_no
                """));
            Assert.Equal([$"{stays} admin", $"{lower} viewer"], rows);
        }

        string Path() => $"/api/v1/projects/{project}/members";
    }

    [Theory, MemberData(nameof(Both))]
    public async Task No_place_in_a_project_outlives_the_project_or_the_team(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var member = await place.NewMember(Ada, TeamRole.Member);
        var first = await place.Project();
        var second = (await place.Gate.Send(
            "POST", $"/api/v1/organizations/{place.TeamId}/projects", RunningGate.RootKey, "{\"name\":\"Second\"}")).String("id");
        foreach (var project in new[] { first, second })
        {
            (await place.Gate.Send("PUT", $"/api/v1/projects/{project}/members/{member.Id}", RunningGate.RootKey, "{\"role\":\"viewer\"}"))
                .Has(HttpStatusCode.OK);
        }

        (await place.Gate.Send("DELETE", $"/api/v1/projects/{first}", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        Assert.Equal(1, await place.Count("project_members"));
        (await place.Gate.Send("DELETE", $"/api/v1/organizations/{place.TeamId}", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        Assert.Equal(0, await place.Count("project_members"));
    }

    [Fact]
    public void A_backup_holds_no_invitations_that_were_used_since() => Assert.Contains("team_invitations", BackupWriter.LeftOut);

    private static async Task<(string Team, string Left, string Lower, string Stays)> Members(RunningGate gate)
    {
        var stays = await TeamRows.NewPerson(gate, gate.OrganizationId);
        var team = (await gate.Send(
            "POST", "/api/v1/teams", RunningGate.RootKey, $"{{\"name\":\"Team\",\"owner_id\":\"{stays}\"}}")).String("id");
        var ids = new List<string>();
        foreach (var role in new[] { TeamRole.Billing, TeamRole.Admin })
        {
            ids.Add((await gate.Database.Write<string>(async scope =>
            {
                var organization = (await Server.Organizations.OrganizationRegister.Find(scope, team)).Value;
                var person = await TeamRows.NewPerson(scope, gate.OrganizationId);
                await Roster(gate).Join(scope, organization, person, role);
                return person.Id;
            })).Value);
        }

        return (team, ids[0], ids[1], stays);
    }

    private static TeamRoster Roster(RunningGate gate) =>
        (TeamRoster)gate.Services.GetService(typeof(TeamRoster))!;

    private static async Task<Identity.Page> Delete(Browser browser) =>
        await browser.Send(await browser.Get("/account"), "/account/delete", ("confirm", "delete"));
}
