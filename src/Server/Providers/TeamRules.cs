namespace Tollgate.Server.Providers;

/// <summary>What the provider says of teams. The default leaves what people have alone.</summary>
internal sealed record TeamRules
{
    public const int NameMaxUsual = 48;
    public const int OwnedMaxUsual = 1;

    /// <summary>What an organization's name can have at all.</summary>
    public const int NameMaxMost = 100;

    public const int OwnedMaxMost = 1_000;

    /// <summary>Characters in a team's name.</summary>
    public int NameMax { get; init; } = NameMaxUsual;

    /// <summary>Teams that one person may own at a time.</summary>
    public int OwnedMax { get; init; } = OwnedMaxUsual;

    /// <summary>Whether the keys of somebody's own organization are held while that person is in a team.</summary>
    public bool ArchivesPersonalKeys { get; init; }

    /// <summary>Whether the keys that somebody made for a team are deleted when that person leaves it.</summary>
    public bool DeletesLeaverKeys { get; init; }

    /// <summary>Whether what somebody has paid for moves to the team that he makes or joins.</summary>
    public bool MovesBalance { get; init; }

    /// <summary>Every member sees every project of the team, as a viewer does; else those that they were put into.</summary>
    public bool MembersSeeProjects { get; init; }

    /// <summary>A project's members make keys, and look after those that they made.</summary>
    public bool MembersMakeKeys { get; init; }

    /// <summary>What the provider calls the roles.</summary>
    public TeamRoleNames RoleNames { get; init; } = new();
}

/// <summary>What the provider calls roles, in teams and in projects; null for those that it has no word of its own for.</summary>
internal sealed record TeamRoleNames
{
    public const int LengthMax = 40;

    public string? Owner { get; init; }

    public string? Admin { get; init; }

    public string? Billing { get; init; }

    public string? Member { get; init; }

    public string? ProjectAdmin { get; init; }

    public string? ProjectMember { get; init; }

    public string? Viewer { get; init; }
}
