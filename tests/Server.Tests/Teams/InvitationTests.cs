using Tollgate.Server.Identity;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Teams;

public sealed class InvitationTests(PostgresFixture postgres)
{
    private const string Ada = "ada@example.test";

    public static TheoryData<DatabaseKind> Both => Databases.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task An_invitation_comes_by_mail_and_lets_its_address_in_once(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var secret = await place.Secret(Ada, "billing");
        var seen = await place.Book.Look(secret, default);
        Assert.Equal(("The team", Ada, "billing", place.Owner.Name), (
            seen!.Team.Name, seen.Invitation.Email, seen.Invitation.Role, seen.Invitation.Inviter));

        // Looking, as mail scanners do, uses nothing up; and there is an account only now.
        var ada = await place.NewPerson(Ada);
        Assert.Equal("billing", (await place.Accept(ada, secret)).Value.Member.Role);
        Assert.Equal("owner:owner ada:billing", await place.Members());
        Assert.Equal("link_ended", (await place.Accept(ada, secret)).CodeOf());
        Assert.Null(await place.Book.Look(secret, default));
        Assert.Equal(0, await place.Count("team_invitations"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Of_fifty_who_use_one_link_at_once_one_joins(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var (secret, ada) = (await place.Secret(Ada), await place.NewPerson(Ada));

        var codes = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ => (await place.Accept(ada, secret)).CodeOf()));

        Assert.Equal((1, 49), (codes.Count(code => code == "ok"), codes.Count(code => code == "link_ended")));
        Assert.Equal(2, await place.Count("team_members"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task It_is_good_for_its_address_alone_and_for_who_has_proved_to_read_it(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var secret = await place.Secret(Ada);
        var mallory = await place.NewPerson("mallory@example.test");
        var ada = await place.NewPerson(Ada);

        Assert.Equal("link_ended", (await place.Accept(mallory, secret)).CodeOf());
        await place.People.Run($"UPDATE people SET verified_at_ms = NULL WHERE id = '{ada.Id}'");
        Assert.Equal("link_ended", (await place.Accept(ada, secret)).CodeOf());
        await place.People.Run($"UPDATE people SET verified_at_ms = 1, disabled_at_ms = 1 WHERE id = '{ada.Id}'");
        Assert.Equal("link_ended", (await place.Accept(ada, secret)).CodeOf());
        foreach (var wrong in new[] { "", "x", secret[..^1], secret + "x", new string('a', SecretText.Length) })
        {
            Assert.Equal("link_ended", (await place.Accept(ada, wrong)).CodeOf());
            Assert.Null(await place.Book.Look(wrong, default));
        }

        // None of them has used it up.
        await place.People.Run($"UPDATE people SET disabled_at_ms = NULL WHERE id = '{ada.Id}'");
        Assert.Equal("ok", (await place.Accept(ada, secret)).CodeOf());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task It_ends_after_seven_days_and_when_another_replaces_it_or_it_is_withdrawn(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var ada = await place.NewPerson(Ada);
        var first = await place.Secret(Ada);
        var second = await place.Secret(Ada);
        Assert.Equal("link_ended", (await place.Accept(ada, first)).CodeOf());
        Assert.Equal(1, await place.Count("team_invitations"));

        place.Clock.Advance(InvitationBook.Life - TimeSpan.FromMilliseconds(1));
        Assert.NotNull(await place.Book.Look(second, default));
        place.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("link_ended", (await place.Accept(ada, second)).CodeOf());
        Assert.Null(await place.Book.Look(second, default));

        var third = await place.Secret(Ada);
        var waiting = Assert.Single((await place.Book.List(place.Owner.Caller, place.TeamId, default)).Value);
        Assert.Equal("ok", (await place.As(
            place.Owner, scope => InvitationBook.Withdraw(scope, place.TeamId, waiting.Id))).CodeOf());
        Assert.Equal("link_ended", (await place.Accept(ada, third)).CodeOf());
        Assert.Equal("not_found", (await place.As(
            place.Owner, scope => InvitationBook.Withdraw(scope, place.TeamId, waiting.Id))).CodeOf());
    }

    [Fact]
    public async Task Addresses_that_differ_in_case_are_one_and_those_that_are_none_are_refused()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var ada = await place.NewPerson(Ada);
        Assert.Equal("ok", (await place.Invite(place.Owner, "ADA@Example.TEST")).CodeOf());
        Assert.Equal(1, await place.Count("team_invitations"));
        var secret = await place.Secret(Ada);
        Assert.Equal(1, await place.Count("team_invitations"));
        Assert.Equal("ok", (await place.Accept(ada, secret)).CodeOf());

        var mails = (await place.People.Mails()).Count;
        foreach (var (email, role, code) in new[]
        {
            (Ada, "member", "conflict"), ("no address", "member", "validation_failed"), ("a@b.cd, c@d.ef", "member", "validation_failed"),
            ("a@b.cd\r\nBcc: c@d.ef", "member", "validation_failed"), ("a@b.cd", "owner", "validation_failed"),
            ("a@b.cd", "", "validation_failed"),
        })
        {
            Assert.Equal(code, (await place.Invite(place.Owner, email, role)).CodeOf());
        }

        Assert.Equal(mails, (await place.People.Mails()).Count);
        Assert.Equal(0, await place.Count("team_invitations"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task W1_an_invitation_is_the_same_work_whether_there_is_an_account_or_not(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        await place.NewPerson(Ada);
        Assert.Equal("ok", (await place.Invite(place.Owner, Ada)).CodeOf());
        var (mails, audit) = ((await place.People.Mails()).Count, (await place.People.Audit()).Count);
        Assert.Equal("ok", (await place.Invite(place.Owner, "bob@example.test")).CodeOf());

        Assert.Equal((mails + 1, audit + 1), ((await place.People.Mails()).Count, (await place.People.Audit()).Count));
        Assert.All(await place.People.Mails(), mail => Assert.Equal(("invitation", false), (mail.Template, mail.IsBlank)));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_hundred_may_wait_and_five_hundred_be_in_a_team(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        for (var i = 1; i <= InvitationBook.WaitingMax; i++)
        {
            Assert.Equal("ok", (await place.Invite(place.Owner, $"person{i}@example.test")).CodeOf());
        }

        Assert.Equal("conflict", (await place.Invite(place.Owner, "one-more@example.test")).CodeOf());
        Assert.Equal("ok", (await place.Invite(place.Owner, "person7@example.test", "admin")).CodeOf());

        var secret = TeamPlace.SecretOf(await place.People.Link("person8@example.test"));
        var late = TeamPlace.SecretOf(await place.People.Link("person9@example.test"));
        await place.AsRoot<bool>(async scope =>
        {
            for (var i = 2; i < TeamRoster.MembersMax; i++)
            {
                var person = await TeamRows.NewPerson(scope, place.TeamId, $"filler{i}@example.test");
                await place.Roster.Join(scope, place.Team, person, TeamRole.Member);
            }

            return true;
        });
        Assert.Equal("ok", (await place.Accept(await place.NewPerson("person8@example.test"), secret)).CodeOf());
        Assert.Equal(TeamRoster.MembersMax, await place.Count("team_members"));
        Assert.Equal("conflict", (await place.Accept(await place.NewPerson("person9@example.test"), late)).CodeOf());
        Assert.Equal("conflict", (await place.Invite(place.Owner, "person10@example.test")).CodeOf());
        Assert.Equal(TeamRoster.MembersMax, await place.Count("team_members"));
    }

    [Fact]
    public async Task W4_the_link_is_in_no_table_and_the_deleted_team_lets_nobody_in()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var (secret, ada) = (await place.Secret(Ada), await place.NewPerson(Ada));
        Assert.Equal(0, await place.People.Ask<long>(
            $"SELECT COUNT(*) FROM team_invitations WHERE CAST(secret_hash AS TEXT) LIKE '%{secret}%' OR id LIKE '%{secret}%'"));

        var deleted = await place.Gate.Send("DELETE", $"/api/v1/organizations/{place.TeamId}", RunningGate.RootKey);
        Assert.Equal(200, (int)deleted.Status);
        Assert.Equal("link_ended", (await place.Accept(ada, secret)).CodeOf());
        Assert.Null(await place.Book.Look(secret, default));
        Assert.Equal("not_found", (await place.Roster.Members(place.Owner.Caller, place.TeamId, default)).CodeOf());
    }

    [Fact]
    public async Task The_operator_makes_a_team_invites_and_hands_it_over_on_the_management_api()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var (bob, ada) = (await place.NewPerson("bob@example.test"), await place.NewPerson(Ada));
        var body = $$"""{"name":"Research","owner_id":"{{bob.Id}}"}""";
        var team = await place.Gate.Send("POST", "/api/v1/teams", RunningGate.RootKey, body, ("Idempotency-Key", "one"));
        Assert.Equal(201, (int)team.Status);
        Assert.Equal(team.Text, (await place.Gate.Send(
            "POST", "/api/v1/teams", RunningGate.RootKey, body, ("Idempotency-Key", "one"))).Text);

        var path = $"/api/v1/organizations/{team.String("id")}";
        var invited = await place.Gate.Send(
            "POST", $"{path}/invitations", RunningGate.RootKey, $$"""{"email":"{{Ada}}","role":"member"}""");
        Assert.Equal((201, "The operator"), ((int)invited.Status, invited.String("inviter")));
        var secret = TeamPlace.SecretOf(await place.People.Link(Ada));
        Assert.DoesNotContain(secret, invited.Text, StringComparison.Ordinal);
        Assert.Equal("ok", (await place.Accept(ada, secret)).CodeOf());

        var moved = await place.Gate.Send(
            "POST", $"{path}/transfer", RunningGate.RootKey, $$"""{"person_id":"{{ada.Id}}"}""");
        Assert.Equal("owner", moved.String("role"));
        var members = await place.Gate.Send("GET", $"{path}/members", RunningGate.RootKey);
        Assert.Equal(
            [$"{bob.Id} admin", $"{ada.Id} owner"],
            members.Json.GetProperty("data").EnumerateArray().Select(
                one => $"{one.GetProperty("person_id").GetString()} {one.GetProperty("role").GetString()}"));
    }
}
