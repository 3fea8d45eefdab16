using Tollgate.Server.Console.Frame;

namespace Tollgate.Server.Console.Team;

/// <summary>A team as its page shows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Home">Where the page is.</param>
public sealed record TeamFacts(string Name, string Home)
{
    /// <summary>In the order in which they came.</summary>
    public required IReadOnlyList<MemberLine> Members { get; init; }

    /// <summary>Which of them these are, and of how many; null where all are shown.</summary>
    public string? Part { get; init; }

    /// <summary>Where those who came after them are; null at the end.</summary>
    public string? NextHref { get; init; }

    /// <summary>Those that wait; null to who may send none.</summary>
    public IReadOnlyList<InvitationLine>? Invitations { get; init; }

    /// <summary>Whether somebody may be invited.</summary>
    public bool MayInvite { get; init; }

    /// <summary>What can be done to it.</summary>
    public IReadOnlyList<PlaceOffer> Offers { get; init; } = [];

    /// <summary>What the roles are called, and what they may do.</summary>
    public IReadOnlyList<FormChoice> Roles { get; init; } = [];
}

/// <summary>A row of the members, of a team or of a project.</summary>
/// <param name="Href">Where the member is changed; null where one may not.</param>
/// <param name="Name">What people call them.</param>
/// <param name="Email">Their address, where they have one.</param>
/// <param name="Role">What they are.</param>
/// <param name="Since">Since when.</param>
/// <param name="IsYou">Whether it is who looks.</param>
public sealed record MemberLine(string? Href, string Name, string? Email, string Role, MomentFacts? Since, bool IsYou)
{
    /// <summary>Whether the operator keeps them from signing in.</summary>
    public bool IsSuspended { get; init; }
}

/// <summary>An invitation that waits.</summary>
/// <param name="Action">Where the form that takes it back is sent.</param>
/// <param name="Email">To whom.</param>
/// <param name="Role">As what.</param>
/// <param name="Inviter">Who has sent it.</param>
/// <param name="Sent">When.</param>
/// <param name="Ends">Until when it is good.</param>
public sealed record InvitationLine(string Action, string Email, string Role, string Inviter, MomentFacts? Sent, MomentFacts? Ends);

/// <summary>What can be done to a team, a member or a project.</summary>
/// <param name="Title">As a verb.</param>
/// <param name="Href">Where it is asked.</param>
/// <param name="Sentence">What it does.</param>
/// <param name="IsDanger">Whether it destroys something.</param>
public sealed record PlaceOffer(string Title, string Href, string Sentence, bool IsDanger);

/// <summary>A member, of a team or of a project, as the page of one shows it.</summary>
/// <param name="Title">What people call them.</param>
/// <param name="Where">What they are a member of.</param>
/// <param name="Action">Where the form with the role is sent.</param>
/// <param name="Back">Where all members are.</param>
public sealed record MemberFacts(string Title, string Where, string Action, string Back)
{
    public required string PersonId { get; init; }

    public string? Email { get; init; }

    public required string Role { get; init; }

    public MomentFacts? Since { get; init; }

    /// <summary>What they may be made; none where one may not.</summary>
    public IReadOnlyList<FormChoice> Roles { get; init; } = [];

    /// <summary>What to know before the role is changed.</summary>
    public string? Hint { get; init; }

    public IReadOnlyList<PlaceOffer> Offers { get; init; } = [];
}

/// <summary>A form with one name in it.</summary>
/// <param name="Title">What it does.</param>
/// <param name="Button">The same as a verb.</param>
/// <param name="Action">Where it is sent.</param>
/// <param name="Back">Where who does not want it goes.</param>
/// <param name="Max">Characters in the name.</param>
public sealed record NameFacts(string Title, string Button, string Action, string Back, int Max)
{
    public string? Value { get; init; }

    /// <summary>What is above the form.</summary>
    public IReadOnlyList<string> Sentences { get; init; } = [];
}

/// <summary>What a team is and what making one does, ahead of the button.</summary>
/// <param name="Action">Where the form is sent.</param>
/// <param name="NameMax">Characters in the name.</param>
/// <param name="IsHere">Whether the page stands in the place of a team's own.</param>
public sealed record NewTeamFacts(string Action, int NameMax, bool IsHere)
{
    public string? Name { get; init; }

    /// <summary>What happens to keys and money.</summary>
    public IReadOnlyList<string> Sentences { get; init; } = [];

    /// <summary>Why none can be made now; null where one can.</summary>
    public string? Refusal { get; init; }
}

/// <summary>An invitation that is being written.</summary>
/// <param name="Action">Where it is sent.</param>
/// <param name="Back">Where who does not want it goes.</param>
/// <param name="Team">To which team.</param>
public sealed record InviteFacts(string Action, string Back, string Team)
{
    public string? Email { get; init; }

    public IReadOnlyList<FormChoice> Roles { get; init; } = [];
}

/// <summary>To whom a team can be handed over.</summary>
/// <param name="Action">Where the choice is sent.</param>
/// <param name="Back">Where who does not want it goes.</param>
/// <param name="Team">Which team.</param>
public sealed record HandOverFacts(string Action, string Back, string Team)
{
    public IReadOnlyList<FormChoice> Heirs { get; init; } = [];

    public IReadOnlyList<string> Sentences { get; init; } = [];
}
