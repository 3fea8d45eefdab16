namespace Tollgate.Server.Console.Frame;

/// <summary>What the frame around every page of the console shows. Public, as a component's parameters must be.</summary>
/// <param name="Style">Where the style sheet is.</param>
/// <param name="Script">Where the script is, without which everything works but copying.</param>
/// <param name="Person">Who is signed in.</param>
/// <param name="Organization">Where they are.</param>
/// <param name="Project">Which project of it; null for all.</param>
/// <param name="Home">The place's own address.</param>
public sealed record FrameFacts(string Style, string Script, string Person, string Organization, string? Project, string Home)
{
    /// <summary>What cannot wait, on every page; null for nothing.</summary>
    public FrameWarning? Warning { get; init; }

    /// <summary>The pages of this place.</summary>
    public IReadOnlyList<FrameLink> Pages { get; init; } = [];

    /// <summary>The pages over everybody; none but for who runs the gate.</summary>
    public IReadOnlyList<FrameLink> OperatorPages { get; init; } = [];

    /// <summary>Where else to go.</summary>
    public IReadOnlyList<FrameLink> Organizations { get; init; } = [];

    /// <summary>The projects of the organization.</summary>
    public IReadOnlyList<FrameLink> Projects { get; init; } = [];

    /// <summary>Where all projects are listed, when there are more than those; null when there are not.</summary>
    public string? MoreProjects { get; init; }

    /// <summary>Where a project is made; null where one may not.</summary>
    public string? NewProject { get; init; }

    /// <summary>Where a team is made; null where one may not.</summary>
    public string? NewTeam { get; init; }
}

/// <summary>What needs somebody soon, or has failed already, and where it is told in full.</summary>
public sealed record FrameWarning(string Sentence, string Href, string Link, bool HasFailed);

/// <summary>A link of the frame.</summary>
/// <param name="Title">What is there.</param>
/// <param name="Href">Where.</param>
/// <param name="IsHere">Whether one is there now.</param>
public sealed record FrameLink(string Title, string Href, bool IsHere);
