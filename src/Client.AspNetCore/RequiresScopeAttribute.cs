using Microsoft.AspNetCore.Authorization;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// Lets a request pass only with a key that holds a scope, such as <c>[RequiresScope("endpoints:write")]</c>. On a controller, an action
/// or a minimal API's handler; several must all be fulfilled.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class RequiresScopeAttribute : AuthorizeAttribute, IAuthorizationRequirementData
{
    private readonly TollgateRequirement _requirement;

    /// <param name="scope">A scope of the provider file, or <c>scope:action</c>.</param>
    public RequiresScopeAttribute(string scope)
    {
        _requirement = TollgateRequirement.OfScope(scope);
        AuthenticationSchemes = TollgateScheme.Name;
    }

    /// <summary>The scope.</summary>
    public string Scope => _requirement.Scope!;

    /// <inheritdoc/>
    public IEnumerable<IAuthorizationRequirement> GetRequirements() => [_requirement];
}

/// <summary>
/// Lets a request pass only where the routes of the gate's provider file let its method and path pass with the key it came with.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequiresRouteAttribute : AuthorizeAttribute, IAuthorizationRequirementData
{
    /// <summary>The requirement has no members: the request says it all.</summary>
    public RequiresRouteAttribute() => AuthenticationSchemes = TollgateScheme.Name;

    /// <inheritdoc/>
    public IEnumerable<IAuthorizationRequirement> GetRequirements() => [TollgateRequirement.Route];
}
