using Tollgate.Server.Identity.OAuth;

namespace Tollgate.Server.Identity;

/// <summary>What the operator sets of people.</summary>
internal sealed record PeopleOptions
{
    /// <summary>Where people reach the console, without a slash at the end; null for where the gate listens.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>A session ends when it was not used for so long.</summary>
    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromHours(12);

    /// <summary>A session ends after so long, used or not.</summary>
    public TimeSpan SessionMost { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Rounds of PBKDF2 with SHA-512. Tests that try thousands of passwords take fewer; no option does.</summary>
    public int HashRounds { get; init; } = 220_000;

    /// <summary>The providers elsewhere that people can sign in with.</summary>
    public IReadOnlyList<ConnectionConfig> Connections { get; init; } = [];

    public bool IsSecure => PublicUrl?.StartsWith("https://", StringComparison.Ordinal) == true;
}
