namespace Tollgate.Engine.Permissions;

/// <summary>
/// What a request needs of its key: any one bit of <see cref="AnyScope"/> together with every bit of <see cref="Actions"/>.
/// A key that has none of those scopes but one of <see cref="ConditionalScopes"/> passes when the body condition numbered
/// <see cref="Condition"/> holds. The default asks for nothing but a good key.
/// </summary>
public readonly record struct Requirement(ulong AnyScope, byte Actions, ulong ConditionalScopes = 0, ushort Condition = 0)
{
    /// <summary>Whether a scope is asked for at all.</summary>
    public bool NeedsScope => (AnyScope | ConditionalScopes) != 0;
}
