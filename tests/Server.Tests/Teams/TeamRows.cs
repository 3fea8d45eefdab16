using Tollgate.Server.Identity;
using Tollgate.Server.Identity.SecondStep;
using Tollgate.Server.Organizations;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Teams;

/// <summary>Makes people without their sign-up, for tests that are about something else and need many.</summary>
internal static class TeamRows
{
    /// <summary>Makes an organization a team with an owner and a member, and an invitation; somebody is beside it.</summary>
    public static async Task<(string Member, string Nobody, string Invitation)> Make(Database database, string organizationId)
    {
        var invitation = InvitationIds.New();
        var made = await database.Write<(string, string, string)>(async scope =>
        {
            var team = (await OrganizationRegister.Find(scope, organizationId)).Value;
            await TeamSql.Insert(scope, team.OrganizationNo);
            await Enter(scope, team, await NewPerson(scope, team.Id.Text), TeamRole.Owner);
            var member = await NewPerson(scope, team.Id.Text);
            await Enter(scope, team, member, TeamRole.Member);
            await TeamSql.Insert(
                scope,
                new Invitation
                {
                    InvitationNo = await scope.NextNumber("invitation"), Id = invitation, OrganizationNo = team.OrganizationNo,
                    Email = "waits@example.test", EmailKey = "waits@example.test", Role = "member", Inviter = "Somebody",
                    CreatedAtMs = scope.NowMs, EndsAtMs = scope.NowMs + 60_000,
                },
                System.Text.Encoding.ASCII.GetBytes(invitation));
            return (member.Id, (await NewPerson(scope, team.Id.Text)).Id, invitation);
        });
        return made.Value;
    }

    /// <summary>The same with an organization of its own; the id.</summary>
    public static async Task<string> NewPerson(RunningGate gate, string organizationId) =>
        (await gate.Database.Write<string>(async scope => (await NewPerson(scope, organizationId)).Id)).Value;

    /// <summary>As if somebody had made this key: who makes keys is told by the row.</summary>
    public static async Task IsMadeBy(RunningGate gate, string keyId, string maker) => Assert.Equal(1, (await gate.Database.Write<int>(
        async scope => await scope.Execute("UPDATE keys SET created_by = @maker WHERE id = @keyId", new { keyId, maker }))).Value);

    /// <summary>As if somebody had set up a second step.</summary>
    public static async Task GiveStep(Database database, string personId) => Assert.True((await database.Write<bool>(async scope =>
    {
        var person = await PersonDirectory.Find(scope, personId);
        await AuthenticatorSql.Insert(scope, new Authenticator
        {
            PersonNo = person!.PersonNo, Secret = [1, 2, 3], CreatedAtMs = scope.NowMs,
        });
        await AuthenticatorSql.InsertCode(scope, person.PersonNo, [1, 2, 3]);
        return true;
    })).IsOk);

    private static async Task Enter(WriteScope scope, Organization team, Person person, TeamRole role) => await TeamSql.Insert(
        scope,
        new Member
        {
            MemberNo = await scope.NextNumber("member"), OrganizationNo = team.OrganizationNo, PersonNo = person.PersonNo,
            PersonId = person.Id, Role = role.Text(), JoinedAtMs = scope.NowMs,
        });

    /// <summary>Somebody whose address is confirmed; nobody has signed up for it.</summary>
    public static async Task<Person> NewPerson(WriteScope scope, string organizationId, string? email = null)
    {
        var number = await scope.NextNumber("person");
        email ??= $"person{number}@example.test";
        var person = new Person
        {
            PersonNo = number, Name = $"Person {number}", Email = email, EmailKey = email, VerifiedAtMs = scope.NowMs, Stamp = "none",
            OrganizationId = organizationId, CreatedAtMs = scope.NowMs,
        };
        await PersonSql.Insert(scope, person);
        return person;
    }
}
