using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Teams;

/// <summary>What the operator has suspended stays where it is: neither its money nor its owner leaves by way of a team.</summary>
public sealed class TeamSuspensionTests(PostgresFixture postgres)
{
    private const string Ada = "ada@example.test";

    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Who_is_suspended_makes_and_joins_no_team_and_moves_no_money_by_it(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        var secret = await place.Secret(Ada);
        await place.SetStatus(ada.Organization, "suspended");

        var made = await place.As(ada.Person, scope => place.Roster.Create(scope, "Away", null));
        Assert.Equal("conflict", made.CodeOf());
        Assert.Contains("is suspended", made.Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal("conflict", (await place.AsRoot(scope => place.Roster.Create(scope, "Away", ada.Person.Id))).CodeOf());
        Assert.Equal("conflict", (await place.Accept(ada.Person, secret)).CodeOf());

        Assert.Equal("10.00 0.00 10.00", await gate.Figures(ada.Organization));
        Assert.Equal(1, await place.Count("teams"));
        Assert.Equal("owner:owner", await place.Members());

        // And the invitation is as good as before once it is open again.
        await place.SetStatus(ada.Organization, "active");
        Assert.Equal("ok", (await place.Accept(ada.Person, secret)).CodeOf());
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(place.TeamId));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Nobody_joins_a_team_that_is_suspended(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        var secret = await place.Secret(Ada);
        await place.SetStatus(place.TeamId, "suspended");

        var refused = await place.Accept(ada.Person, secret);

        Assert.Equal("conflict", refused.CodeOf());
        Assert.Contains("The team is suspended", refused.Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(ada.Organization));
        Assert.Equal("owner:owner", await place.Members());
        await place.SetStatus(place.TeamId, "active");
        Assert.Equal("ok", (await place.Accept(ada.Person, secret)).CodeOf());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_suspended_organization_is_deleted_by_the_operator_alone_and_pays_nobody(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada) = (place.Gate, await place.NewSettled(Ada));
        await gate.TopUp("10", "in", ada.Organization);
        var team = await place.NewTeam("Shared", ada.Person);
        await place.SetStatus(team.Id.Text, "suspended");

        var refused = await place.Close(ada.Person, team.Id.Text);
        Assert.Equal("conflict", refused.CodeOf());
        Assert.Contains("Shared is suspended", refused.Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(team.Id.Text));

        Assert.Equal("ok", (await place.Close(null, team.Id.Text)).CodeOf());
        Assert.Equal("0.00 0.00 0.00", await gate.Figures(ada.Organization));
        Assert.Equal(10_000_000, await place.People.Ask<long>(
            $"SELECT balance_micros FROM wallets WHERE organization_no = {team.OrganizationNo}"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_a_deleted_team_had_goes_to_no_owner_who_is_suspended(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres, TeamPlace.Moving);
        var (gate, ada, bob) = (place.Gate, await place.NewSettled(Ada), await place.NewSettled("bob@example.test"));
        await gate.TopUp("10", "in", ada.Organization);
        var team = await place.NewTeam("Shared", ada.Person);
        await place.AsRoot(scope => place.Roster.Join(scope, team, bob.Person, TeamRole.Owner));
        await place.SetStatus(ada.Organization, "suspended");

        Assert.Equal("conflict", (await place.Close(ada.Person, team.Id.Text)).CodeOf());
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(team.Id.Text));

        Assert.Equal("ok", (await place.Close(null, team.Id.Text)).CodeOf());
        Assert.Equal("0.00 0.00 0.00", await gate.Figures(ada.Organization));
        Assert.Equal("10.00 0.00 10.00", await gate.Figures(bob.Organization));
    }

    [Fact]
    public async Task Who_is_suspended_takes_his_organization_away_with_no_account_either()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var browser = await place.People.SignedIn(Ada);
        var own = await place.People.Ask<string>($"SELECT organization_id FROM people WHERE email_key = '{Ada}'");
        await place.SetStatus(own, "suspended");

        var refused = await browser.Send(await browser.Get("/account"), "/account/delete", ("confirm", "delete"));

        Assert.Equal(409, refused.Status);
        Assert.Contains("is suspended", refused.Text, StringComparison.Ordinal);
        Assert.True(browser.IsSignedIn);
        await place.SetStatus(own, "active");
        Assert.Equal("/sign-in?done=deleted", (await browser.Send(
            await browser.Get("/account"), "/account/delete", ("confirm", "delete"))).Location);
    }
}
