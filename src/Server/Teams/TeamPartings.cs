using Tollgate.Server.Access;
using Tollgate.Server.Identity;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Teams;

/// <summary>The half of the door through which people go: out of a team, and all of them when it ends.</summary>
internal sealed partial class TeamRoster
{
    /// <summary>Puts somebody out, at once. Oneself too: that is leaving, which everybody may but the last owner.</summary>
    public async Task<Outcome<Member>> Remove(WriteScope scope, string organizationId, string personId)
    {
        var isSelf = scope.Context.Caller is { Kind: CallerKind.Person, Id: var own } && own == personId;
        if (!(await Managed(scope, organizationId, personId, isSelf ? null : TeamRole.Member)).TryGet(out var found, out var problem))
        {
            return problem;
        }

        var (team, member) = found;
        if (!isSelf && member.TeamRole == TeamRole.Owner && !scope.Context.Caller.IsFreshAt(scope.NowMs))
        {
            return Problem.Of(ProblemCode.ProofNeeded);
        }

        if (member.TeamRole == TeamRole.Owner && await IsLastOwner(scope, member))
        {
            return LastOwner;
        }

        await Part(scope, team, member, isSelf ? "member.leave" : "member.remove");
        return member;
    }

    /// <summary>How many keys of the team would end if a member left; to who may remove that member, and to the member.</summary>
    public async Task<Outcome<Leaving>> Preview(Caller caller, string organizationId, string personId, CancellationToken cancel)
    {
        if (!(await organizations.Find(organizationId, cancel)).TryGet(out var team, out var problem))
        {
            return problem;
        }

        var isSelf = caller is { Kind: CallerKind.Person, Id: var own } && own == personId;
        var found = await database.Read(
            connection => Managed(connection, null, caller, team, personId, isSelf ? null : TeamRole.Member), cancel);
        return found.TryGet(out var member, out problem)
            ? new Leaving(member, await crossing.KeysOfLeaver(team, member, cancel))
            : problem;
    }

    /// <summary>
    /// When an organization was deleted, by whatever way: nobody is in it any more, and what is left of what was paid for is the owner's
    /// who deleted it, or else of who has been one for longest. Or why it cannot be deleted now.
    /// </summary>
    public async Task<Problem?> Closed(WriteScope scope, Organization team)
    {
        if (!await TeamSql.IsTeam(scope.Connection, scope.Transaction, team.OrganizationNo))
        {
            return null;
        }

        var members = await TeamSql.Members(scope.Connection, scope.Transaction, team.OrganizationNo);
        var heirs = members.Where(member => member.TeamRole == TeamRole.Owner)
            .OrderBy(owner => owner.PersonId == scope.Context.Caller.Id ? 0 : 1);
        await TeamSql.Empty(scope, team.OrganizationNo);
        Failpoint.Pass("team.member");
        return await crossing.Close(scope, team, members, heirs);
    }

    /// <summary>Takes somebody who is to be no more out of every team; refused for the last owner of one.</summary>
    public async Task<Problem?> LeaveAll(WriteScope scope, Person person)
    {
        foreach (var member in await TeamSql.Of(scope.Connection, scope.Transaction, person.Id))
        {
            var place = await OrganizationRegister.PlaceOf(scope, member.OrganizationNo);
            if (!(await OrganizationRegister.Find(scope, place.Id)).TryGet(out var team, out var problem))
            {
                return problem;
            }

            if (member.TeamRole == TeamRole.Owner && await IsLastOwner(scope, member))
            {
                return new Problem(
                    ProblemCode.Conflict,
                    $"You are the last owner of the team {team.Name}. Make somebody else its owner first, or delete the team.");
            }

            await Part(scope, team, member, "member.leave");
        }

        return null;
    }

    /// <summary>Who may not sign in any more lets nobody in either: called in the write of the suspension.</summary>
    public static async Task Suspended(WriteScope scope, Person person)
    {
        foreach (var of in await ProjectRoster.TeamsOf(scope.Connection, scope.Transaction, person.Id))
        {
            await InvitationBook.WithdrawAllOf(scope, of.Team, of.Member);
        }
    }

    private async Task Part(WriteScope scope, Organization team, Member member, string action)
    {
        await ProjectRoster.Leave(scope, member);
        await TeamSql.Remove(scope, member.MemberNo);
        Failpoint.Pass("team.member");
        await Tell(scope, action, team, member, null);
        await InvitationBook.WithdrawAllOf(scope, team, member);
        await crossing.Leave(scope, team, member);
    }
}
