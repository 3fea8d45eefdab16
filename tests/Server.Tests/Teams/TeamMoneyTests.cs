using System.Net;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Tests.Teams;

/// <summary>TX11+: what was paid for moves to the team, and only that.</summary>
public sealed class TeamMoneyTests(PostgresFixture postgres)
{
    private const string Ada = "ada@example.test";

    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_joining_moves_what_was_paid_and_leaves_what_was_granted_and_is_held(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        (await gate.Enter("grant", "5", "welcome", ada.Organization)).Has(HttpStatusCode.Created);
        // Of the grant, since it is spent first: 3 of it are left.
        await gate.Spend("2", ada.Organization);
        Assert.True((await gate.Balance(ada.Organization)).TryHold(Wallets.Dollars("4")));

        var secret = await place.Secret(Ada);
        Assert.Equal("ok", (await place.Accept(ada.Person, secret)).CodeOf());

        // 13 are there, 4 of them held, so 9 are moved, although 10 were paid.
        Assert.Equal("4.00 4.00 0.00", await gate.Figures(ada.Organization));
        Assert.Equal("9.00 0.00 9.00", await gate.Figures(place.TeamId));
        var entries = (await gate.Entries(organization: ada.Organization)).Json.GetProperty("data")[0];
        Assert.Equal(
            ("transfer", "-9.00", $"to {place.TeamId}", ada.Person.Id),
            (entries.GetProperty("kind").GetString(), entries.GetProperty("amount").GetString(), entries.GetProperty("note").GetString(),
                entries.GetProperty("created_by").GetString()));
        Assert.Equal("link_ended", (await place.Accept(ada.Person, secret)).CodeOf());
        Assert.Equal("9.00 0.00 9.00", await gate.Figures(place.TeamId));
        (await gate.Balance(ada.Organization)).Settle(Wallets.Dollars("4"), Money.Zero);
        await Sound(gate);

        // What comes in afterwards is one's own again.
        await gate.TopUp("1", "more", ada.Organization);
        Assert.Equal("5.00 0.00 5.00", await gate.Figures(ada.Organization));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_grants_stay_and_count_as_spent_first(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var gate = place.Gate;
        foreach (var (name, steps, moved, stays) in new[]
        {
            ("paid", "top_up 10", "10.00", "0.00"), ("granted", "grant 10", "0.00", "10.00"),
            ("both", "top_up 10, grant 5", "10.00", "5.00"),
            ("spent", "grant 5, top_up 10, usage 7", "8.00", "0.00"), ("later", "top_up 10, usage 4, grant 5", "6.00", "5.00"),
            ("taken", "grant 5, top_up 10, adjustment -2", "10.00", "3.00"), ("back", "grant 5, usage 5, refund 2", "2.00", "0.00"),
        })
        {
            var who = await place.NewSettled($"{name}@example.test");
            foreach (var (step, i) in steps.Split(", ").Select((step, i) => (step.Split(' '), i)))
            {
                await (step[0] == "usage"
                    ? gate.Spend(step[1], who.Organization)
                    : gate.Enter(step[0], step[1], $"{i}", who.Organization));
            }

            var team = await place.NewTeam(name, who.Person);
            Assert.Equal(
                (name, moved, stays),
                (name, (await gate.Wallet(team.Id.Text)).String("balance"), (await gate.Wallet(who.Organization)).String("balance")));
        }

        await Sound(gate);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_joining_while_spending_loses_and_doubles_nothing(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        var balance = await gate.Balance(ada.Organization);
        var (secret, cost, spent) = (await place.Secret(Ada), Wallets.Dollars("0.05"), 0);

        var spenders = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (balance.TryTake(cost))
            {
                Interlocked.Increment(ref spent);
                await gate.Book("0.05", ada.Organization);
            }
        })).ToList();
        Assert.Equal("ok", (await place.Accept(ada.Person, secret)).CodeOf());
        await Task.WhenAll(spenders);

        var (own, team) = (await gate.Stored(ada.Organization), await gate.Stored(place.TeamId));
        Assert.Equal(Wallets.Dollars("10"), own.Balance + team.Balance + new Money(spent * cost.Micros));
        Assert.Equal((own.Sum, team.Sum), (own.Balance, team.Balance));
        Assert.Equal($"{team.Balance} 0.00 {team.Balance}", await gate.Figures(place.TeamId));
        Assert.Equal($"{own.Balance} 0.00 {own.Balance}", await gate.Figures(ada.Organization));
        await Sound(gate);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_the_balance_of_a_deleted_team_is_the_owners_who_deletes_it(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada, bob) = (place.Gate, await place.NewSettled(Ada), await place.NewSettled("bob@example.test"));
        await gate.TopUp("3", "in", ada.Organization);
        await gate.TopUp("4", "in", bob.Organization);
        var team = await place.NewTeam("Shared", ada.Person);
        await place.AsRoot(scope => place.Roster.Join(scope, team, bob.Person, TeamRole.Owner));
        Assert.Equal("7.00 0.00 7.00", await gate.Figures(team.Id.Text));

        Assert.Equal("ok", (await place.Close(bob.Person, team.Id.Text)).CodeOf());

        Assert.Equal("0.00 0.00 0.00", await gate.Figures(ada.Organization));
        Assert.Equal("7.00 0.00 7.00", await gate.Figures(bob.Organization));
        await Sound(gate);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_no_team_is_deleted_while_a_part_of_its_balance_is_held(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        var team = (await place.NewTeam("Shared", ada.Person)).Id.Text;
        Assert.True((await gate.Balance(team)).TryHold(Wallets.Dollars("4")));

        foreach (var who in new[] { ada.Person, null })
        {
            var refused = await place.Close(who, team);
            Assert.Equal("conflict", refused.CodeOf());
            Assert.Contains("4.00 of its balance is held", refused.Problem!.Detail, StringComparison.Ordinal);
            Assert.Equal("10.00 4.00 6.00", await gate.Figures(team));
            Assert.Equal("0.00 0.00 0.00", await gate.Figures(ada.Organization));
        }

        (await gate.Balance(team)).Settle(Wallets.Dollars("4"), Wallets.Dollars("1"));
        await gate.Book("1", team);
        Assert.Equal("ok", (await place.Close(ada.Person, team)).CodeOf());
        Assert.Equal("9.00 0.00 9.00", await gate.Figures(ada.Organization));
        await Sound(gate);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_deleting_a_team_waits_for_what_was_settled_and_is_not_booked(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("2", "in", ada.Organization);
        var team = (await place.NewTeam("Shared", ada.Person)).Id.Text;
        var project = (await gate.Send("GET", $"/api/v1/organizations/{team}/projects", RunningGate.RootKey))
            .Json.GetProperty("data")[0].GetProperty("id").GetString()!;
        var key = await gate.NewPair(project: project);
        var held = (await gate.Verify(
            key.Secret, ",\"model\":\"echo\",\"tokens\":{\"input\":1000000,\"max_output\":0}")).Has(HttpStatusCode.OK);
        (await gate.Send(
            "POST", "/api/v1/usage", RunningGate.RootKey,
            $"{{\"reservation\":\"{held.String("reservation")}\",\"input_tokens\":1000000,\"output_tokens\":0}}")).Has(HttpStatusCode.OK);

        (await gate.Send("DELETE", $"/api/v1/organizations/{team}", RunningGate.RootKey)).Has(HttpStatusCode.OK);

        Assert.Equal("1.75 0.00 1.75", await gate.Figures(ada.Organization));
        await Sound(gate);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11plus_a_write_that_fails_moves_nothing(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        var key = await gate.NewPair(project: ada.Project);

        await Assert.ThrowsAsync<InvalidOperationException>(() => place.AsRoot<Member>(async scope =>
        {
            await place.Roster.Join(scope, place.Team, ada.Person, TeamRole.Member);
            throw new InvalidOperationException("as a bug would");
        }));

        Assert.Equal("10.00 0.00 10.00", await gate.Figures(ada.Organization));
        Assert.Equal("0.00 0.00 0.00", await gate.Figures(place.TeamId));
        Assert.Equal("allowed", await gate.CodeOf(key.Secret));
        await place.Enter(ada);
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(place.TeamId));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task TX11_usage_of_a_team_key_is_billed_to_the_team_and_not_to_who_made_it(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await place.Enter(ada);
        await gate.TopUp("1", "own", ada.Organization);
        await gate.TopUp("2", "team", place.TeamId);
        var key = await gate.NewPair(project: await place.Project());
        await TeamRows.IsMadeBy(gate, key.Id, ada.Person.Id);

        var held = (await gate.Verify(
            key.Secret, ",\"model\":\"echo\",\"tokens\":{\"input\":1000000,\"max_output\":0}")).Has(HttpStatusCode.OK);
        (await gate.Send(
            "POST", "/api/v1/usage", RunningGate.RootKey,
            $"{{\"reservation\":\"{held.String("reservation")}\",\"input_tokens\":1000000,\"output_tokens\":0}}")).Has(HttpStatusCode.OK);

        Assert.Equal("1.75 0.00 1.75", await gate.Figures(place.TeamId));
        Assert.Equal("1.00 0.00 1.00", await gate.Figures(ada.Organization));
    }

    private static async Task Sound(RunningGate gate)
    {
        var report = await gate.Database.Read(
            connection => new WalletCheck(connection, new Dictionary<long, Money>(), Cost: null).Run());
        Assert.True(report.IsSound, string.Join('\n', report.Named));
    }
}
