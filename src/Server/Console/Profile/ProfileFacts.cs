using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;

namespace Tollgate.Server.Console.Profile;

/// <summary>Who looks, and their token.</summary>
/// <param name="Name">What they are called.</param>
/// <param name="Email">Null where they have none.</param>
/// <param name="Home">The page's own address.</param>
public sealed record ProfileFacts(string Name, string? Email, string Home)
{
    /// <summary>Null while there is none.</summary>
    public TokenLine? Token { get; init; }

    /// <summary>Whether the role makes one.</summary>
    public bool MayGenerate { get; init; }
}

/// <summary>A token without its secret.</summary>
public sealed record TokenLine(string Name, string Mask, KeyStatus Status)
{
    public MomentFacts? Made { get; init; }

    public MomentFacts? Used { get; init; }

    /// <summary>Where all of it is told.</summary>
    public string Href { get; init; } = "";

    /// <summary>Where it gets another secret; null where that is not on offer.</summary>
    public string? AnewHref { get; init; }
}
