using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;

namespace Tollgate.Client.AspNetCore;

/// <summary>What endpoints, groups of them and policies ask of a key.</summary>
public static class TollgateEndpoints
{
    /// <summary>As <see cref="RequiresScopeAttribute"/>, for an endpoint or a group.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiresScopeAttribute(scope));

    /// <summary>As <see cref="RequiresRouteAttribute"/>, for an endpoint or a group.</summary>
    public static TBuilder RequireTollgateRoute<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiresRouteAttribute());

    /// <summary>For a policy of the application's own, such as the fallback policy, which guards every endpoint without one.</summary>
    public static AuthorizationPolicyBuilder RequireTollgate(this AuthorizationPolicyBuilder policy, TollgateRequirement requirement)
    {
        ArgumentNullException.ThrowIfNull(policy);
        policy.AddAuthenticationSchemes(TollgateScheme.Name).RequireAuthenticatedUser().AddRequirements(requirement);
        return policy;
    }
}
