using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Teams;

/// <summary>
/// Teams on the management API, for the root key and for people by their roles. What a person may do is decided by the doors too, so that
/// it holds wherever a person comes to them.
/// </summary>
internal static class TeamEndpoints
{
    public static void MapTeams(this IEndpointRouteBuilder api)
    {
        api.MapPost("/teams", Create).WithName("createTeam").WithTags("Teams").WithSummary("Create a team")
            .Takes(typeof(CreateTeam)).Gives(typeof(MadeTeam), 201).OperatorOnly().Idempotent().For(Act.Oneself);

        var team = api.MapGroup("/organizations/{id}").WithTags("Teams").OperatorOnly();
        team.MapGet("/members", Members).WithName("listMembers").WithSummary("List the members of a team").Gives(typeof(MemberList))
            .For(Act.SeeMembers);
        team.MapPatch("/members/{person}", ChangeRole).WithName("updateMember").WithSummary("Change a member's role")
            .Takes(typeof(ChangeMember)).Gives(typeof(MembershipAnswer)).Idempotent().For(Act.ManageMembers);
        team.MapDelete("/members/{person}", Remove).WithName("removeMember").WithSummary("Remove a member")
            .Gives(typeof(MembershipAnswer)).Idempotent().For(Act.Leave);
        team.MapGet("/members/{person}/preview", Preview).WithName("previewMemberRemoval")
            .WithSummary("See what removing a member would do").Gives(typeof(RemovalPreview)).For(Act.Leave);
        team.MapPost("/transfer", Transfer).WithName("transferTeam").WithSummary("Hand a team over to another member")
            .Takes(typeof(TransferTeam)).Gives(typeof(MembershipAnswer)).Idempotent().For(Act.HandOver);
        team.MapGet("/invitations", Invitations).WithName("listInvitations").WithSummary("List the invitations that wait")
            .Gives(typeof(InvitationList)).For(Act.ManageMembers);
        team.MapPost("/invitations", Invite).WithName("createInvitation").WithSummary("Invite somebody by mail")
            .Takes(typeof(CreateInvitation)).Gives(typeof(InvitationAnswer), 201).Idempotent().For(Act.ManageMembers);
        team.MapDelete("/invitations/{invitation}", Withdraw).WithName("deleteInvitation").WithSummary("Take an invitation back")
            .Gives(typeof(InvitationAnswer)).Idempotent().For(Act.ManageMembers);
    }

    private static async Task<IResult> Create(HttpContext http, TeamRoster roster, PlanBook plans, MutationRunner mutations)
    {
        if (!(await RequestBody.Read(http, TeamWire.Default.CreateTeam)).TryGet(out var body, out var problem))
        {
            return new ProblemResult(problem);
        }

        await roster.Ready();
        return await mutations.Run(
            http, body.Raw, scope => roster.Create(scope, body.Value.Name, body.Value.OwnerId),
            made => MutationAnswer.Of(201, MadeTeam.Of(made, plans, roster.MovesBalance), TeamWire.Default.MadeTeam));
    }

    private static async Task<IResult> Members(HttpContext http, string id, TeamRoster roster) =>
        (await roster.Members(Caller.Of(http), id, http.RequestAborted)).TryGet(out var members, out var problem)
            ? Answers.Json(new MemberList([.. members.Select(MemberAnswer.Of)], null), TeamWire.Default.MemberList)
            : new ProblemResult(problem);

    private static async Task<IResult> ChangeRole(
        HttpContext http, string id, string person, TeamRoster roster, MutationRunner mutations) =>
        (await RequestBody.Read(http, TeamWire.Default.ChangeMember)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => roster.ChangeRole(scope, id, person, body.Value.Role), Shown)
            : new ProblemResult(problem);

    private static Task<IResult> Remove(HttpContext http, string id, string person, TeamRoster roster, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
            (await roster.Remove(scope, id, person)).TryGet(out var member, out var problem) ? Shown(member) : problem);

    private static async Task<IResult> Preview(HttpContext http, string id, string person, TeamRoster roster) =>
        (await roster.Preview(Caller.Of(http), id, person, http.RequestAborted)).TryGet(out var leaving, out var problem)
            ? Answers.Json(new RemovalPreview(leaving.Member.PersonId, leaving.KeysDeleted), TeamWire.Default.RemovalPreview)
            : new ProblemResult(problem);

    private static async Task<IResult> Transfer(HttpContext http, string id, TeamRoster roster, MutationRunner mutations) =>
        (await RequestBody.Read(http, TeamWire.Default.TransferTeam)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => roster.Transfer(scope, id, body.Value.PersonId), Shown)
            : new ProblemResult(problem);

    private static async Task<IResult> Invitations(HttpContext http, string id, InvitationBook book) =>
        (await book.List(Caller.Of(http), id, http.RequestAborted)).TryGet(out var waiting, out var problem)
            ? Answers.Json(new InvitationList([.. waiting.Select(InvitationAnswer.Of)], null), TeamWire.Default.InvitationList)
            : new ProblemResult(problem);

    private static async Task<IResult> Invite(HttpContext http, string id, InvitationBook book, MutationRunner mutations) =>
        (await RequestBody.Read(http, TeamWire.Default.CreateInvitation)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw, scope => book.Invite(scope, id, body.Value.Email, body.Value.Role),
                made => MutationAnswer.Of(201, InvitationAnswer.Of(made), TeamWire.Default.InvitationAnswer))
            : new ProblemResult(problem);

    private static Task<IResult> Withdraw(HttpContext http, string id, string invitation, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
            (await InvitationBook.Withdraw(scope, id, invitation)).TryGet(out var gone, out var problem)
                ? MutationAnswer.Of(200, InvitationAnswer.Of(gone), TeamWire.Default.InvitationAnswer)
                : problem);

    private static MutationAnswer Shown(Member member) =>
        MutationAnswer.Of(200, MembershipAnswer.Of(member), TeamWire.Default.MembershipAnswer);
}
