using System.Buffers;
using System.Security.Cryptography;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Organizations;

namespace Tollgate.Server.Teams;

/// <summary>What somebody may do in a team, from the most to the least.</summary>
internal enum TeamRole
{
    Owner,
    Admin,
    Billing,
    Member,
}

/// <summary>Roles as the API and the database write them.</summary>
internal static class TeamRoles
{
    public static IReadOnlyList<string> Names { get; } = ["owner", "admin", "billing", "member"];

    /// <summary>Those that one can be invited to: a team is handed over to who is in it.</summary>
    public static IReadOnlyList<string> Invited { get; } = ["admin", "billing", "member"];

    public static string Text(this TeamRole role) => Names[(int)role];

    public static TeamRole? Parse(string? text) =>
        Names.ToList().IndexOf(text ?? "") is >= 0 and var place ? (TeamRole)place : null;

    /// <summary>Whether one may invite people and look after those of a role. Only owners look after owners.</summary>
    public static bool MayManage(TeamRole who, TeamRole whom) =>
        who == TeamRole.Owner || (who == TeamRole.Admin && whom != TeamRole.Owner);
}

/// <summary>Somebody's place in a team.</summary>
internal sealed record Member
{
    public required long MemberNo { get; init; }

    public required long OrganizationNo { get; init; }

    public required long PersonNo { get; init; }

    public required string PersonId { get; init; }

    /// <summary>One of <see cref="TeamRoles.Names"/>.</summary>
    public required string Role { get; init; }

    public required long JoinedAtMs { get; init; }

    /// <summary>The organization of one's own, whose keys and money a team may have to do with; null for an operator.</summary>
    public long? OwnOrganizationNo { get; init; }

    public TeamRole TeamRole => TeamRoles.Parse(Role) ?? throw new InvalidOperationException($"{Role} is no role.");
}

/// <summary>A member with what people call them, and whether the operator lets them sign in.</summary>
internal sealed record ListedMember(Member Member, string Name, string? Email, bool MaySignIn);

/// <summary>What it would do if a member left: so many keys of the team would end.</summary>
internal sealed record Leaving(Member Member, long KeysDeleted);

/// <summary>A team that somebody is in.</summary>
internal sealed record Membership(Organization Team, Member Member)
{
    public TeamRole Role => Member.TeamRole;
}

/// <summary>What coming into a team did, or would do: what moves to its wallet, and how many keys of one's own are held.</summary>
internal readonly record struct Crossed(Money Moved, long KeysHeld);

/// <summary>Somebody has come into a team.</summary>
internal sealed record Joined(Organization Team, Member Member, Crossed Crossed);

/// <summary>An invitation that can still be used. Its secret is known to who has the mail alone.</summary>
internal sealed record Invitation
{
    public required long InvitationNo { get; init; }

    public required string Id { get; init; }

    public required long OrganizationNo { get; init; }

    /// <summary>As it was typed.</summary>
    public required string Email { get; init; }

    public required string EmailKey { get; init; }

    public required string Role { get; init; }

    /// <summary>What whoever sent it is called.</summary>
    public required string Inviter { get; init; }

    /// <summary>Null for the operator.</summary>
    public string? InviterId { get; init; }

    public required long CreatedAtMs { get; init; }

    public required long EndsAtMs { get; init; }
}

/// <summary>What an invitation says to whoever opens its link.</summary>
internal sealed record Invited(Organization Team, Invitation Invitation);

/// <summary>Ids of invitations: a prefix and 22 random characters.</summary>
internal static class InvitationIds
{
    private const string Prefix = "inv_";
    private const int Length = 22;
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    public static string New() => Prefix + RandomNumberGenerator.GetString(Alphabet, Length);

    /// <summary>What has another shape is no id, and is not looked up.</summary>
    public static bool IsOne(string text) =>
        text.Length == Prefix.Length + Length && text.StartsWith(Prefix, StringComparison.Ordinal)
        && text.AsSpan(Prefix.Length).IndexOfAnyExcept(Characters) < 0;
}
