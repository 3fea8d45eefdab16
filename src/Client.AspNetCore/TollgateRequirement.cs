using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tollgate.Client.AspNetCore;

/// <summary>What an endpoint asks of a key: a scope, or that the provider file's routes let its method and path pass.</summary>
public sealed record TollgateRequirement : IAuthorizationRequirement
{
    private TollgateRequirement(Kind kind, string? scope) => (Asks, Scope) = (kind, scope);

    /// <summary>The provider file's routes decide about the request's method and path, as they were sent.</summary>
    public static TollgateRequirement Route { get; } = new(Kind.Route, null);

    /// <summary>Nothing but a good key.</summary>
    internal static TollgateRequirement GoodKey { get; } = new(Kind.GoodKey, null);

    /// <summary>What the key must hold, such as <c>endpoints:write</c>; null where the route decides.</summary>
    public string? Scope { get; }

    private Kind Asks { get; }

    /// <summary>
    /// The key must hold this scope, such as <c>endpoints:write</c>. One that the gate's provider file does not declare lets nobody in.
    /// </summary>
    public static TollgateRequirement OfScope(string scope)
    {
        ArgumentException.ThrowIfNullOrEmpty(scope);
        return new(Kind.Scope, scope);
    }

    internal Question QuestionOf(string secret, string? address, HttpContext http) => Asks == Kind.Route
        ? new Question(secret, null, http.Request.Method, PathOf(http), address)
        : new Question(secret, Scope, null, null, address);

    /// <summary>
    /// The path as it was sent, undecoded: what the gate judges is what the caller wrote, and it refuses what could be read in two ways. In
    /// the absolute form, which only proxies send, there is none.
    /// </summary>
    private static string PathOf(HttpContext http)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target : target[..query];
        return path.StartsWith('/') ? path : "*";
    }

    private enum Kind
    {
        GoodKey,
        Scope,
        Route,
    }
}

/// <summary>Asks the gate what a requirement needs to know, unless the request has asked already.</summary>
internal sealed class TollgateRequirementHandler : AuthorizationHandler<TollgateRequirement>
{
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, TollgateRequirement requirement)
    {
        if (context.Resource is not HttpContext http || http.Features.Get<TollgateFeature>() is not { Key: not null } feature)
        {
            return;
        }

        var answer = await feature.Ask(requirement, http).ConfigureAwait(false);
        if (answer.Verdict is { Valid: true })
        {
            context.Succeed(requirement);
            return;
        }

        feature.Refusal ??= TollgateRefusal.Of(answer);
        context.Fail(new AuthorizationFailureReason(this, feature.Refusal.Code));
    }
}
