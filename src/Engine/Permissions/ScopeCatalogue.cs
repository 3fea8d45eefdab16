namespace Tollgate.Engine.Permissions;

/// <summary>The scopes and actions a provider declares, numbered as bits. Built once at start; immutable.</summary>
public sealed class ScopeCatalogue
{
}
