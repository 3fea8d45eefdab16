namespace Tollgate.Engine.Permissions;

/// <summary>
/// What a key may reach: one bit per scope and one per action, both numbered by the <see cref="ScopeCatalogue"/> at start.
/// The default grants nothing.
/// </summary>
public readonly record struct Grants(ulong Scopes, byte Actions)
{
    /// <summary>True when everything <paramref name="other"/> may do is within this.</summary>
    public bool Covers(Grants other) => (other.Scopes & ~Scopes) == 0 && (other.Actions & ~Actions) == 0;
}
