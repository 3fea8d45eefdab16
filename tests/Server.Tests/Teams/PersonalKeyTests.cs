using System.Net;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Teams;

/// <summary>TX11: what joining and leaving do to keys, where the provider file says that they do something.</summary>
public sealed class PersonalKeyTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-teams-");

    public static TheoryData<DatabaseKind> Both => Databases.Both;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Both))]
    public async Task TX11_personal_keys_rest_while_on_a_team_and_are_afterwards_exactly_what_they_were(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Resting);
        var ada = await place.NewSettled("ada@example.test");
        var gate = place.Gate;
        var (plain, disabled) = (await gate.NewPair(project: ada.Project), await gate.NewPair(project: ada.Project));
        var ends = place.Clock.GetUtcNow().AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        var expiring = await gate.NewPair($"\"name\":\"Ends\",\"expires_at\":\"{ends}\"", ada.Project);
        var revoked = await gate.NewPair(project: ada.Project);
        await gate.Act(disabled.Id, "disable");
        await gate.Act(revoked.Id, "revoke");
        var (others, teams) = (await gate.NewSecret(), await gate.NewPair(project: await place.Project()));

        await place.Enter(ada);

        Assert.Equal("key_archived", await gate.CodeOf(plain.Secret));
        Assert.Equal(HttpStatusCode.Unauthorized, (await gate.Send("GET", "/v1/models", plain.Secret)).Status);
        Assert.Equal(
            ("archived", "person archived", "archived", ""),
            (await place.Holds(plain.Id), await place.Holds(disabled.Id), await place.Holds(expiring.Id), await place.Holds(revoked.Id)));
        Assert.Equal(("allowed", "allowed"), (await gate.CodeOf(others), await gate.CodeOf(teams.Secret)));
        var explained = await gate.Send(
            "POST", "/api/v1/verify/explain", RunningGate.RootKey, $"{{\"key\":\"{plain.Secret}\"}}");
        Assert.Equal("key_archived", explained.String("code"));

        // What a person does to them meanwhile is theirs, and another key comes to rest at once or is not made.
        Assert.Equal("key_disabled", await gate.CodeOf(disabled.Secret));
        (await gate.Act(disabled.Id, "enable")).Has(HttpStatusCode.OK);
        Assert.Equal("key_archived", await gate.CodeOf(disabled.Secret));
        (await gate.Act(disabled.Id, "disable")).Has(HttpStatusCode.OK);
        (await gate.Create("\"name\":\"One more\"", project: ada.Project)).Has(HttpStatusCode.Conflict, "conflict");
        var import = await gate.Send(
            "POST", $"/api/v1/import?project={ada.Project}", RunningGate.RootKey,
            $"{{\"external_id\":\"one\",\"name\":\"Moved in\",\"secret_sha256\":\"{new string('a', 64)}\"}}",
            ("Content-Type", "application/x-ndjson"));
        var moved = import.Text.Split("key_")[1].Split('"')[0];
        Assert.Equal("archived", await place.Holds($"key_{moved}"));
        place.Clock.Advance(TimeSpan.FromHours(2));

        await place.Leave(ada);

        Assert.Equal(
            ("allowed", "key_disabled", "key_expired", "key_revoked"),
            (await gate.CodeOf(plain.Secret), await gate.CodeOf(disabled.Secret), await gate.CodeOf(expiring.Secret),
                await gate.CodeOf(revoked.Secret)));
        Assert.Equal(
            ("", "person", "", ""),
            (await place.Holds(plain.Id), await place.Holds(disabled.Id), await place.Holds(expiring.Id),
                await place.Holds($"key_{moved}")));
        Assert.Equal(0, await place.Count("team_archives"));
        (await gate.Create("\"name\":\"One more\"", project: ada.Project)).Has(HttpStatusCode.Created);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_keys_come_back_with_the_last_team_that_is_left_and_when_it_is_deleted(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Resting);
        var (ada, bob) = (await place.NewSettled("ada@example.test"), await place.NewSettled("bob@example.test"));
        var key = await place.Gate.NewPair(project: ada.Project);
        await place.Enter(ada);
        var own = await place.NewTeam("Second", ada.Person);
        await place.AsRoot(scope => place.Roster.Join(scope, own, bob.Person, TeamRole.Admin));

        await place.Leave(ada);
        Assert.Equal("key_archived", await place.Gate.CodeOf(key.Secret));

        // An owner is told before how many keys end by the deletion.
        await place.Gate.NewPair(project: await ProjectOf(place, own.Id.Text));
        var preview = await place.Gate.Send("GET", $"/api/v1/organizations/{own.Id}/deletion", RunningGate.RootKey);
        Assert.Equal((1, false), (preview.Json.GetProperty("keys_revoked").GetInt32(), preview.Json.GetProperty("deleted").GetBoolean()));
        var closed = await place.Close(ada.Person, own.Id.Text);

        Assert.Equal(1, closed.Value.KeysRevoked);
        Assert.Equal("allowed", await place.Gate.CodeOf(key.Secret));
        Assert.Equal(0, await place.People.Ask<long>(
            $"SELECT COUNT(*) FROM team_members WHERE person_id IN ('{ada.Person.Id}', '{bob.Person.Id}')"));
        Assert.Equal("ok", (await place.AsRoot(scope => place.Roster.Create(scope, "Third", ada.Person.Id))).CodeOf());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_a_leavers_team_keys_end_with_him_as_the_preview_has_said(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Resting);
        var (ada, bob) = (await place.NewSettled("ada@example.test"), await place.NewSettled("bob@example.test"));
        await place.Enter(ada, "admin");
        await place.Enter(bob);
        var (gate, project) = (place.Gate, await place.Project());
        var (made, manager) = (await gate.NewPair(project: project), await gate.NewPair(project: project));
        var ended = await gate.NewPair(project: project);
        var (bobs, roots) = (await gate.NewPair(project: project), await gate.NewPair(project: project));
        var child = await gate.NewPair(project: project);
        var personal = await gate.NewPair();
        foreach (var (key, maker) in new[]
        {
            (made.Id, ada.Person.Id), (manager.Id, ada.Person.Id), (ended.Id, ada.Person.Id), (personal.Id, ada.Person.Id),
            (bobs.Id, bob.Person.Id), (child.Id, manager.Id),
        })
        {
            await TeamRows.IsMadeBy(gate, key, maker);
        }

        await gate.Act(ended.Id, "revoke");
        var path = $"/api/v1/organizations/{place.TeamId}/members/{ada.Person.Id}";
        Assert.Equal(3, (await gate.Send("GET", $"{path}/preview", RunningGate.RootKey)).Json.GetProperty("keys_deleted").GetInt32());
        Assert.Equal(
            ("ok", "role_missing", "not_found"),
            (
                (await place.Roster.Preview(ada.Person.Caller, place.TeamId, ada.Person.Id, default)).CodeOf(),
                (await place.Roster.Preview(bob.Person.Caller, place.TeamId, ada.Person.Id, default)).CodeOf(),
                (await place.Roster.Preview(place.Owner.Caller, place.TeamId, "per_nobody", default)).CodeOf()));
        Assert.Equal("allowed", await gate.CodeOf(made.Secret));

        (await gate.Send("DELETE", path, RunningGate.RootKey)).Has(HttpStatusCode.OK);

        Assert.Equal(
            ("key_deleted", "key_deleted", "key_deleted", "key_revoked"),
            (await gate.CodeOf(made.Secret), await gate.CodeOf(manager.Secret), await gate.CodeOf(child.Secret),
                await gate.CodeOf(ended.Secret)));
        Assert.Equal(
            ("allowed", "allowed", "allowed"),
            (await gate.CodeOf(bobs.Secret), await gate.CodeOf(roots.Secret), await gate.CodeOf(personal.Secret)));
        Assert.Equal(3, (await place.People.Audit()).Count(row => row is { Action: "key.delete", Reason: "who made it left the team" }));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_no_check_that_begins_after_somebody_left_passes_with_his_key(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Resting);
        var (gate, project, left) = (place.Gate, await place.Project(), 0);
        var ada = await place.NewSettled("ada@example.test");
        await place.Enter(ada);
        var key = await gate.NewPair(project: project);
        await TeamRows.IsMadeBy(gate, key.Id, ada.Person.Id);
        Assert.Equal("allowed", await gate.CodeOf(key.Secret));

        var checks = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var late = new List<string>();
            while (late.Count < 10)
            {
                var isLate = Volatile.Read(ref left) == 1;
                var code = await gate.CodeOf(key.Secret);
                if (isLate)
                {
                    late.Add(code);
                }
            }

            return late;
        })).ToList();
        await place.Leave(ada);
        Volatile.Write(ref left, 1);

        Assert.All((await Task.WhenAll(checks)).SelectMany(late => late), code => Assert.Equal("key_deleted", code));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Where_the_file_says_nothing_personal_keys_team_keys_and_money_stay(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, model => TeamPlace.Moving(model) with { Teams = new TeamRules() });
        var ada = await place.NewSettled("ada@example.test");
        await Wallet.Wallets.TopUp(place.Gate, "10", "in", ada.Organization);
        await Wallet.Wallets.TopUp(place.Gate, "10", "in", place.TeamId);
        var (own, made) = (await place.Gate.NewPair(project: ada.Project), await place.Gate.NewPair(project: await place.Project()));
        await TeamRows.IsMadeBy(place.Gate, made.Id, ada.Person.Id);

        await place.Enter(ada);
        Assert.Equal("allowed", await place.Gate.CodeOf(own.Secret));
        Assert.Equal("10.00 0.00 10.00", await Wallet.Wallets.Figures(place.Gate, ada.Organization));
        Assert.Equal(0, (await place.Roster.Preview(ada.Person.Caller, place.TeamId, ada.Person.Id, default)).Value.KeysDeleted);
        await place.Leave(ada);
        Assert.Equal("allowed", await place.Gate.CodeOf(made.Secret));
    }

    [Fact]
    public async Task The_operators_own_keys_and_money_are_no_persons()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres, TeamPlace.Moving);
        var key = await place.Gate.NewPair();
        var before = await Wallet.Wallets.Figures(place.Gate);
        var operators = await place.NewPerson("operator@example.test");
        await place.Accept(operators, await place.Secret("operator@example.test"));

        Assert.Equal("owner:owner operator:member", await place.Members());
        Assert.Equal("allowed", await place.Gate.CodeOf(key.Secret));
        Assert.Equal(before, await Wallet.Wallets.Figures(place.Gate));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11_a_suspended_team_stops_at_once_and_its_members_keys_rest_on(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Resting);
        var ada = await place.NewSettled("ada@example.test");
        var own = await place.Gate.NewPair(project: ada.Project);
        await place.Enter(ada);
        var key = await place.Gate.NewPair(project: await place.Project());
        Assert.Equal("allowed", await place.Gate.CodeOf(key.Secret));

        var path = $"/api/v1/organizations/{place.TeamId}";
        (await place.Gate.Send("PATCH", path, RunningGate.RootKey, "{\"status\":\"suspended\"}")).Has(HttpStatusCode.OK);
        Assert.NotEqual("allowed", await place.Gate.CodeOf(key.Secret));
        Assert.Equal("key_archived", await place.Gate.CodeOf(own.Secret));
        (await place.Gate.Send("PATCH", path, RunningGate.RootKey, "{\"status\":\"active\"}")).Has(HttpStatusCode.OK);
        Assert.Equal("allowed", await place.Gate.CodeOf(key.Secret));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Keys_follow_a_file_that_says_something_else_with_the_next_start(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var clock = new ManualClock();
        string organization, secret;
        await using (var gate = await Start(new TeamRules()))
        {
            organization = (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Own\"}")).String("id");
            var project = (await gate.Send(
                "POST", $"/api/v1/organizations/{organization}/projects", RunningGate.RootKey, "{\"name\":\"Own\"}")).String("id");
            secret = await gate.NewSecret(project: project);
            var person = await TeamRows.NewPerson(gate, organization);
            (await gate.Send("POST", "/api/v1/teams", RunningGate.RootKey, $"{{\"name\":\"Team\",\"owner_id\":\"{person}\"}}"))
                .Has(HttpStatusCode.Created);
            Assert.Equal("allowed", await gate.CodeOf(secret));
        }

        await using (var gate = await Start(new TeamRules { ArchivesPersonalKeys = true }))
        {
            Assert.Equal("key_archived", await gate.CodeOf(secret));
        }

        await using (var gate = await Start(new TeamRules()))
        {
            Assert.Equal("allowed", await gate.CodeOf(secret));
        }

        Task<RunningGate> Start(TeamRules rules) => RunningGate.Start(
            "default", new Server.Hosting.GateOptions { LogLevel = "none" }, _folder.FullName, database, clock,
            model => model with { Teams = rules });
    }

    private static async Task<string> ProjectOf(TeamPlace place, string organization) =>
        (await place.Gate.Send("GET", $"/api/v1/organizations/{organization}/projects", RunningGate.RootKey))
        .Json.GetProperty("data")[0].GetProperty("id").GetString()!;
}
