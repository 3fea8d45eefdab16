using System.Text.Json.Serialization;
using Tollgate.Server.Organizations;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Teams;

internal sealed record CreateTeam(string? Name, string? OwnerId);

/// <summary>A team that was made, and what coming into it did: what moved to its wallet, null where none moves, and keys held.</summary>
internal sealed record MadeTeam(
    string Id, string Name, string Status, string Plan, DateTimeOffset CreatedAt, string? BalanceMoved, long KeysHeld)
{
    public static MadeTeam Of(Joined made, PlanBook plans, bool isMoving)
    {
        var team = OrganizationAnswer.Of(made.Team, plans);
        return new(
            team.Id, team.Name, team.Status, team.Plan, team.CreatedAt, isMoving ? made.Crossed.Moved.ToString() : null,
            made.Crossed.KeysHeld);
    }
}

internal sealed record ChangeMember(string? Role);

internal sealed record TransferTeam(string? PersonId);

internal sealed record CreateInvitation(string? Email, string? Role);

/// <summary>Somebody's place in a team, after a change of it.</summary>
internal sealed record MembershipAnswer(string PersonId, string Role, DateTimeOffset JoinedAt)
{
    public static MembershipAnswer Of(Member member) =>
        new(member.PersonId, member.Role, DateTimeOffset.FromUnixTimeMilliseconds(member.JoinedAtMs));
}

/// <summary>The same in a list, with what people call them.</summary>
internal sealed record MemberAnswer(string PersonId, string Name, string? Email, string Role, DateTimeOffset JoinedAt)
{
    public static MemberAnswer Of(ListedMember listed) => new(
        listed.Member.PersonId, listed.Name, listed.Email, listed.Member.Role,
        DateTimeOffset.FromUnixTimeMilliseconds(listed.Member.JoinedAtMs));
}

internal sealed record MemberList(IReadOnlyList<MemberAnswer> Data, string? NextCursor);

/// <summary>What removing a member would do.</summary>
internal sealed record RemovalPreview(string PersonId, long KeysDeleted);

/// <summary>An invitation without its link, which is in its mail and nowhere else.</summary>
internal sealed record InvitationAnswer(
    string Id, string Email, string Role, string Inviter, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt)
{
    public static InvitationAnswer Of(Invitation invitation) => new(
        invitation.Id, invitation.Email, invitation.Role, invitation.Inviter,
        DateTimeOffset.FromUnixTimeMilliseconds(invitation.CreatedAtMs), DateTimeOffset.FromUnixTimeMilliseconds(invitation.EndsAtMs));
}

internal sealed record InvitationList(IReadOnlyList<InvitationAnswer> Data, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(CreateTeam))]
[JsonSerializable(typeof(MadeTeam))]
[JsonSerializable(typeof(ChangeMember))]
[JsonSerializable(typeof(TransferTeam))]
[JsonSerializable(typeof(CreateInvitation))]
[JsonSerializable(typeof(MembershipAnswer))]
[JsonSerializable(typeof(MemberList))]
[JsonSerializable(typeof(RemovalPreview))]
[JsonSerializable(typeof(InvitationAnswer))]
[JsonSerializable(typeof(InvitationList))]
internal sealed partial class TeamWire : JsonSerializerContext;
