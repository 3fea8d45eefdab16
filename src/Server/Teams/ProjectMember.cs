namespace Tollgate.Server.Teams;

/// <summary>What somebody is in a project, from the most to the least.</summary>
internal enum ProjectRole
{
    Admin,
    Member,
    Viewer,
}

/// <summary>Roles in projects as the API and the database write them.</summary>
internal static class ProjectRoles
{
    public static IReadOnlyList<string> Names { get; } = ["admin", "member", "viewer"];

    public static string Text(this ProjectRole role) => Names[(int)role];

    public static ProjectRole? Parse(string? text) =>
        Names.ToList().IndexOf(text ?? "") is >= 0 and var place ? (ProjectRole)place : null;
}

/// <summary>A member's place in a project of the team.</summary>
internal sealed record ProjectMember
{
    public required long ProjectNo { get; init; }

    public required long MemberNo { get; init; }

    public required long OrganizationNo { get; init; }

    /// <summary>One of <see cref="ProjectRoles.Names"/>.</summary>
    public required string Role { get; init; }

    public required long AddedAtMs { get; init; }

    public ProjectRole ProjectRole => ProjectRoles.Parse(Role) ?? throw new InvalidOperationException($"{Role} is no role.");
}

/// <summary>The same with what people call the member.</summary>
internal sealed record ListedProjectMember(ProjectMember Place, string PersonId, string Name, string? Email);

/// <summary>What somebody is in an organization that is a team, and in those of its projects that they were put into.</summary>
internal sealed record TeamStanding(TeamRole Role, IReadOnlyDictionary<long, ProjectRole> Projects);
