namespace Tollgate.Engine.Permissions;

/// <summary>A part of the provider's API that a key may be allowed to reach, in the provider's own words.</summary>
public sealed record Scope(string Name, string Description)
{
    /// <summary>The scopes that a key with this one has as well, and in turn what those imply.</summary>
    public IReadOnlyList<string> Implies { get; init; } = [];

    /// <summary>
    /// False for what no key may ever have, such as the administration of an organization: its routes answer 403 to every key.
    /// </summary>
    public bool Grantable { get; init; } = true;
}

/// <summary>A kind of use, such as <c>write</c>, and the methods that are one.</summary>
public sealed record ScopeAction(string Name, IReadOnlyList<string> Methods);
