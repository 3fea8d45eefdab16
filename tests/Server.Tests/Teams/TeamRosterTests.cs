using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Teams;

public sealed class TeamRosterTests(PostgresFixture postgres)
{
    public static TheoryData<DatabaseKind> Both => Databases.Both;

    /// <summary>
    /// Who tries, and what becomes of it: seeing the members, inviting, seeing invitations, changing a member and an owner, making an
    /// owner, removing a member and an owner, handing the team over.
    /// </summary>
    public static TheoryData<DatabaseKind, string, string> Matrix
    {
        get
        {
            var rows = new TheoryData<DatabaseKind, string, string>();
            foreach (var kind in new[] { DatabaseKind.Sqlite, DatabaseKind.PostgreSql })
            {
                rows.Add(kind, "owner", "ok ok ok ok ok ok ok ok ok");
                rows.Add(kind, "admin", "ok ok ok ok role_missing role_missing ok role_missing role_missing");
                rows.Add(kind, "billing", "ok" + string.Concat(Enumerable.Repeat(" role_missing", 8)));
                rows.Add(kind, "member", "ok" + string.Concat(Enumerable.Repeat(" role_missing", 8)));
                rows.Add(kind, "stranger", string.Join(' ', Enumerable.Repeat("not_found", 9)));
            }

            return rows;
        }
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task TL12_each_role_may_do_what_its_row_says_and_a_stranger_sees_no_team(DatabaseKind kind, string who, string expected)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var member = await place.NewMember("member@example.test", TeamRole.Member);
        var billing = await place.NewMember("billing@example.test", TeamRole.Billing);
        var second = await place.NewMember("second@example.test", TeamRole.Owner);
        var heir = await place.NewMember("heir@example.test", TeamRole.Member);
        var actor = TeamRoles.Parse(who) is { } role
            ? await place.NewMember("actor@example.test", role)
            : await place.NewPerson("actor@example.test");
        string[] codes =
        [
            (await place.Roster.Members(actor.Caller, place.TeamId, default)).CodeOf(),
            (await place.Invite(actor, "new@example.test", "admin")).CodeOf(),
            (await place.Book.List(actor.Caller, place.TeamId, default)).CodeOf(),
            (await Role(member, "admin")).CodeOf(),
            (await Role(place.Owner, "member")).CodeOf(),
            (await Role(billing, "owner")).CodeOf(),
            (await Remove(member)).CodeOf(),
            (await Remove(second)).CodeOf(),
            (await place.As(actor, scope => place.Roster.Transfer(scope, place.TeamId, heir.Id))).CodeOf(),
        ];

        Assert.Equal(expected, string.Join(' ', codes));

        Task<Problems.Outcome<Member>> Role(Person whom, string to) =>
            place.As(actor, scope => place.Roster.ChangeRole(scope, place.TeamId, whom.Id, to));
        Task<Problems.Outcome<Member>> Remove(Person whom) =>
            place.As(actor, scope => place.Roster.Remove(scope, place.TeamId, whom.Id));
    }

    [Fact]
    public async Task A_key_whatever_its_rights_sees_no_team()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var key = Callers.Key("key_1", Engine.Permissions.Rights.All);

        Assert.Equal("not_found", (await place.Roster.Members(key, place.TeamId, default)).CodeOf());
        Assert.Equal("not_found", (await place.Gate.Database.Write(
            scope => place.Roster.Remove(scope, place.TeamId, place.Owner.Id), MutationContext.Of(key))).CodeOf());
        Assert.Equal("owner:owner", await place.Members());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_team_begins_with_one_owner_who_owns_no_other(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        Assert.Equal("owner:owner", await place.Members());
        Assert.Equal("conflict", (await place.AsRoot(scope => place.Roster.Create(scope, "Another", place.Owner.Id))).CodeOf());

        var other = await place.NewPerson("other@example.test");
        var longest = new string('n', 48);
        var before = await place.Count("organizations");
        Assert.Equal("validation_failed", (await place.AsRoot(scope => place.Roster.Create(scope, longest + "n", other.Id))).CodeOf());
        Assert.Equal("validation_failed", (await place.AsRoot(scope => place.Roster.Create(scope, "", other.Id))).CodeOf());
        Assert.Equal("validation_failed", (await place.AsRoot(scope => place.Roster.Create(scope, "Team", "per_nobody"))).CodeOf());
        Assert.Equal(before, await place.Count("organizations"));
        Assert.Equal("ok", (await place.AsRoot(scope => place.Roster.Create(scope, longest, other.Id))).CodeOf());

        // Nobody becomes the owner of a second one by another way either, until the first is deleted.
        await place.AsRoot(scope => place.Roster.Join(scope, place.Team, other, TeamRole.Member));
        Assert.Equal("conflict", (await Make(other, "owner")).CodeOf());
        Assert.Equal("conflict", (await place.As(
            place.Owner, scope => place.Roster.Transfer(scope, place.TeamId, other.Id))).CodeOf());
        var deleted = await place.People.Ask<string>(
            $"SELECT id FROM organizations WHERE name = '{longest}'");
        Assert.Equal(200, (int)(await place.Gate.Send("DELETE", $"/api/v1/organizations/{deleted}", RunningGate.RootKey)).Status);
        Assert.Equal("ok", (await Make(other, "owner")).CodeOf());

        Task<Problems.Outcome<Member>> Make(Person whom, string role) =>
            place.As(place.Owner, scope => place.Roster.ChangeRole(scope, place.TeamId, whom.Id, role));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task The_last_owner_stays_whoever_asks_and_however(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        var admin = await place.NewMember("admin@example.test", TeamRole.Admin);
        foreach (var tried in new[]
        {
            await place.As(place.Owner, scope => place.Roster.Remove(scope, place.TeamId, place.Owner.Id)),
            await place.AsRoot(scope => place.Roster.Remove(scope, place.TeamId, place.Owner.Id)),
            await place.As(place.Owner, scope => place.Roster.ChangeRole(scope, place.TeamId, place.Owner.Id, "admin")),
            await place.AsRoot(scope => place.Roster.ChangeRole(scope, place.TeamId, place.Owner.Id, "member")),
        })
        {
            Assert.Equal("conflict", tried.CodeOf());
        }

        Assert.Equal("owner:owner admin:admin", await place.Members());
        Assert.Equal("ok", (await place.As(
            place.Owner, scope => place.Roster.Transfer(scope, place.TeamId, admin.Id))).CodeOf());
        Assert.Equal("owner:admin admin:owner", await place.Members());
        Assert.Equal("ok", (await place.As(place.Owner, scope => place.Roster.Remove(scope, place.TeamId, place.Owner.Id))).CodeOf());
        Assert.Equal("admin:owner", await place.Members());
        Assert.Equal("not_found", (await place.Roster.Members(place.Owner.Caller, place.TeamId, default)).CodeOf());
    }

    [Theory, MemberData(nameof(Both))]
    public async Task An_owner_who_may_not_sign_in_is_none_to_leave_a_team_with(DatabaseKind kind)
    {
        await using var place = await TeamPlace.Start(kind, postgres);
        await place.NewMember("second@example.test", TeamRole.Owner);
        await place.People.SetDisabled("second@example.test", true);

        Assert.Equal("conflict", (await place.As(
            place.Owner, scope => place.Roster.Remove(scope, place.TeamId, place.Owner.Id))).CodeOf());
        Assert.Equal("conflict", (await place.As(
            place.Owner, scope => place.Roster.ChangeRole(scope, place.TeamId, place.Owner.Id, "admin"))).CodeOf());

        // Who comes back is one again.
        await place.People.SetDisabled("second@example.test", false);
        Assert.Equal("ok", (await place.As(place.Owner, scope => place.Roster.Remove(scope, place.TeamId, place.Owner.Id))).CodeOf());
        Assert.Equal("second:owner", await place.Members());
    }

    [Theory]
    [InlineData("billing")]
    [InlineData("member")]
    public async Task Everybody_may_leave_but_nobody_without_leave_puts_others_out(string role)
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var one = await place.NewMember("one@example.test", TeamRoles.Parse(role)!.Value);
        var two = await place.NewMember("two@example.test", TeamRole.Member);

        Assert.Equal("role_missing", (await place.As(one, scope => place.Roster.Remove(scope, place.TeamId, two.Id))).CodeOf());
        Assert.Equal("role_missing", (await place.As(
            one, scope => place.Roster.ChangeRole(scope, place.TeamId, one.Id, "admin"))).CodeOf());
        Assert.Equal("ok", (await place.As(one, scope => place.Roster.Remove(scope, place.TeamId, one.Id))).CodeOf());
        Assert.Equal("owner:owner two:member", await place.Members());
    }

    [Fact]
    public async Task What_is_no_team_and_who_is_no_member_are_not_there()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var personal = place.Gate.OrganizationId;

        Assert.Equal("not_found", (await place.Roster.Members(Caller.Root, personal, default)).CodeOf());
        Assert.Equal("not_found", (await place.Roster.Members(Caller.Root, "org_x", default)).CodeOf());
        Assert.Equal("not_found", (await place.AsRoot(scope => place.Book.Invite(scope, personal, "a@b.cd", "member"))).CodeOf());
        Assert.Equal("not_found", (await place.AsRoot(scope => place.Roster.Remove(scope, place.TeamId, "per_nobody"))).CodeOf());
        Assert.Equal("validation_failed", (await place.AsRoot(
            scope => place.Roster.ChangeRole(scope, place.TeamId, place.Owner.Id, "king"))).CodeOf());
    }

    [Fact]
    public async Task W14_each_change_of_a_team_is_in_the_audit_log_by_who_did_it_and_without_addresses()
    {
        await using var place = await TeamPlace.Start(DatabaseKind.Sqlite, postgres);
        var secret = await place.Secret("ada@example.test");
        var ada = await place.NewPerson("ada@example.test");
        await place.Accept(ada, secret);
        await place.As(place.Owner, scope => place.Roster.ChangeRole(scope, place.TeamId, ada.Id, "admin"));
        await place.As(ada, scope => place.Roster.Remove(scope, place.TeamId, ada.Id));

        var rows = (await place.People.Audit()).Where(row => row.OrganizationId == place.TeamId).ToList();
        Assert.Equal(
            [
                "organization.create root", "project.create root", "member.join root", $"invitation.create {place.Owner.Id}",
                $"invitation.accept {ada.Id}", $"member.join {ada.Id}", $"member.role {place.Owner.Id}", $"member.leave {ada.Id}",
            ],
            rows.Select(row => $"{row.Action} {row.ActorId}"));
        Assert.All(rows, row => Assert.DoesNotContain("example.test", row.BeforeJson + row.AfterJson, StringComparison.Ordinal));
    }
}
