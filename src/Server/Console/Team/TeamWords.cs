using Tollgate.Engine.Wallet;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Console.Team;

/// <summary>Roles, and what coming and going does to keys and money, in words and as the provider file has it.</summary>
internal sealed class TeamWords(ProviderModel provider)
{
    /// <summary>Where the file says that there are no teams, there may be some of before.</summary>
    private readonly TeamRules _rules = provider.Teams ?? new TeamRules();

    /// <summary>Whether money goes with people.</summary>
    public bool MovesBalance => _rules.MovesBalance && provider.Wallet is not null;

    public string Amount(Money amount) => Shown.Cost(amount.Micros, provider.Wallet?.Currency);

    public static string NameOf(string name, string? email) => name.Length > 0 ? name : email ?? "Somebody without a name";

    public static string Keys(long count) => count == 1 ? "1 key" : $"{Shown.Number(count)} keys";

    /// <summary>As the provider calls it, and as everybody does where it has no word of its own.</summary>
    public string Role(TeamRole role) => role switch
    {
        TeamRole.Owner => _rules.RoleNames.Owner,
        TeamRole.Admin => _rules.RoleNames.Admin,
        TeamRole.Billing => _rules.RoleNames.Billing,
        _ => _rules.RoleNames.Member,
    } ?? role.Text();

    /// <inheritdoc cref="Role(TeamRole)"/>
    public string Role(ProjectRole role) => role switch
    {
        ProjectRole.Admin => _rules.RoleNames.ProjectAdmin,
        ProjectRole.Member => _rules.RoleNames.ProjectMember,
        _ => _rules.RoleNames.Viewer,
    } ?? role.Text();

    public string Hint(TeamRole role) => role switch
    {
        TeamRole.Owner => "May do all of it. Only owners hand the team over or delete it.",
        TeamRole.Admin => "Manages keys, projects and members, but for the owners.",
        TeamRole.Billing => "Sees balance, usage and audit log. Makes no keys.",
        _ when _rules.MembersSeeProjects => "Sees every project, its usage and the masks of its keys.",
        _ => "Sees who is in the team, and the projects that they are put into.",
    };

    public string Hint(ProjectRole role) => role switch
    {
        ProjectRole.Admin => "Manages its keys and who is in it.",
        ProjectRole.Member when _rules.MembersMakeKeys => "Makes keys, and manages those that they made.",
        ProjectRole.Member => "Sees its usage and the masks of its keys, as a viewer does.",
        _ => "Sees its usage and the masks of its keys.",
    };

    public FormChoice[] Choices(IEnumerable<TeamRole> roles, TeamRole? chosen) =>
        [.. roles.Select(role => new FormChoice(role.Text(), Role(role), Hint(role), role == chosen))];

    public FormChoice[] Choices(ProjectRole? chosen) =>
        [.. Enum.GetValues<ProjectRole>().Select(role => new FormChoice(role.Text(), Role(role), Hint(role), role == chosen))];

    /// <summary>What making a team does to who makes it.</summary>
    public IEnumerable<string> OfMaking(Crossed crossed)
    {
        if (MovesBalance)
        {
            yield return crossed.Moved > Money.Zero
                ? $"{Amount(crossed.Moved)}, all that you have paid in and not spent, moves from your own balance to the team's. "
                    + "It does not come back when you leave. What you were granted stays."
                : "No money moves: nothing that you have paid in is left.";
            yield return "What the team's keys use is paid from the team's balance.";
        }

        if (_rules.ArchivesPersonalKeys)
        {
            yield return crossed.KeysHeld switch
            {
                0 => "None of your own keys stops by it. While you are in a team, you make none outside it.",
                1 => "Your own key is held while you are in a team: requests with it are refused, and you make no other outside it.",
                var count => $"Your own {Shown.Number(count)} keys are held while you are in a team: requests with them are refused, "
                    + "and you make no others outside it.",
            };
            if (crossed.KeysHeld > 0)
            {
                var again = crossed.KeysHeld == 1 ? "It works again, just as it was," : "They work again, just as they were,";
                yield return $"{again} when you have left the last team that you are in.";
            }
        }

        if (!MovesBalance && !_rules.ArchivesPersonalKeys)
        {
            yield return "Your own keys, projects and balance stay as they are.";
        }

        yield return "You are its owner. It begins with one project, without keys and without other members.";
    }

    /// <summary>What it does when somebody goes, or is put out.</summary>
    public IEnumerable<string> OfLeaving(long keysDeleted, bool isSelf)
    {
        var who = isSelf ? "you" : "they";
        yield return isSelf
            ? "You reach nothing of it any more, from this moment on. To come back you need another invitation."
            : "They reach nothing of the team any more, from this moment on. Invitations that they have sent end.";
        if (_rules.DeletesLeaverKeys)
        {
            yield return keysDeleted switch
            {
                0 => $"No key ends by it: none that {who} made for the team is left.",
                1 => $"The key that {who} made for the team is deleted. Requests with it are refused at once, and nothing brings it back.",
                _ => $"{Keys(keysDeleted)} of the team, which {who} made or their keys made, are deleted. "
                    + "Requests with them are refused at once, and nothing brings them back.",
            };
        }
        else
        {
            yield return isSelf
                ? "The keys that you made for the team go on working; they are the team's."
                : "The keys that they made for the team go on working. Rotate those whose secrets they know.";
        }

        if (_rules.ArchivesPersonalKeys)
        {
            yield return isSelf
                ? "Your own keys work again, just as they were, if this is the last team that you are in."
                : "Their own keys work again, if this is the last team that they are in.";
        }

        if (MovesBalance)
        {
            yield return $"What {who} paid in stays with the team.";
        }
    }

    /// <summary>What becomes of keys, people and money when a team is deleted.</summary>
    /// <param name="keys">Those that end.</param>
    /// <param name="members">How many people leave it by that.</param>
    /// <param name="paid">What is left of what was paid for.</param>
    public IEnumerable<string> OfDeleting(long keys, long members, Money paid)
    {
        yield return keys == 0
            ? "Its projects are deleted. No key ends by it: there is none."
            : $"Its projects are deleted, and {Keys(keys)} with them: requests are refused at once. Nothing brings them back.";
        yield return members == 1
            ? "You are the only one in it."
            : $"All {Shown.Number(members)} members leave it, you among them.";
        if (_rules.ArchivesPersonalKeys)
        {
            yield return "Whose last team it is, their own keys work again, just as they were.";
        }

        if (provider.Wallet is not null)
        {
            yield return MovesBalance
                ? paid > Money.Zero
                    ? $"{Amount(paid)}, what was paid in and is not spent, moves to your own balance. What was granted is lost."
                    : "No money moves: nothing that was paid in is left. What was granted is lost."
                : "What is left of its balance moves to nobody. Ask who runs this service, before you delete it.";
        }
    }
}
