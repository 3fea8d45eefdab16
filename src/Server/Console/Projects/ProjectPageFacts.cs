using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Team;

namespace Tollgate.Server.Console.Projects;

/// <summary>A row of the projects.</summary>
/// <param name="Href">Its own page.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Id">By which programs name it.</param>
/// <param name="Keys">Keys in it that are not ended; null where one may not see them.</param>
/// <param name="Role">What one is there.</param>
/// <param name="Made">Since when it is there.</param>
public sealed record ProjectLine(string Href, string Name, string Id, string? Keys, string Role, MomentFacts? Made);

/// <summary>The projects that somebody reaches.</summary>
/// <param name="Home">Where the page is.</param>
/// <param name="Organization">Whose projects they are.</param>
public sealed record ProjectListFacts(string Home, string Organization)
{
    public required IReadOnlyList<ProjectLine> Lines { get; init; }

    /// <summary>Whether one may see the keys of any.</summary>
    public bool ShowsKeys => Lines.Any(one => one.Keys is not null);

    /// <summary>Where the older ones are.</summary>
    public string? Next { get; init; }

    public bool MayMake { get; init; }

    /// <summary>Where another name is given to the organization; null where it is done elsewhere, or may not be.</summary>
    public string? Rename { get; init; }
}

/// <summary>A project as its page shows it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Id">By which programs name it.</param>
/// <param name="Home">Where the page is.</param>
/// <param name="Role">What one is there.</param>
public sealed record ProjectFacts(string Name, string Id, string Home, string Role)
{
    public required string Organization { get; init; }

    /// <summary>How many keys are in it; null where one may not see them.</summary>
    public string? Keys { get; init; }

    public string? KeysHref { get; init; }

    public MomentFacts? Made { get; init; }

    /// <summary>Who is in it; null where there are none, or one may not see them.</summary>
    public IReadOnlyList<MemberLine>? Members { get; init; }

    /// <summary>Who reaches it without being in it.</summary>
    public string? Others { get; init; }

    public bool MayAdd { get; init; }

    public IReadOnlyList<PlaceOffer> Offers { get; init; } = [];
}

/// <summary>Whom of the team to put into a project.</summary>
/// <param name="Action">Where the form is sent.</param>
/// <param name="Back">Where who does not want it goes.</param>
/// <param name="Project">Into which project.</param>
public sealed record AddMemberFacts(string Action, string Back, string Project)
{
    /// <summary>Those of the team who are not in it.</summary>
    public IReadOnlyList<FormChoice> People { get; init; } = [];

    public IReadOnlyList<FormChoice> Roles { get; init; } = [];

    /// <summary>Where others are invited to the team; null where one may not.</summary>
    public string? Invite { get; init; }
}
