using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// The authentication scheme: takes the key from <c>Authorization: Bearer</c>, asks the gate, and makes a principal of its facts. What the
/// endpoint requires is asked in the same question, so that a request costs one.
/// </summary>
internal sealed class TollgateHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> schemes, ILoggerFactory loggers, UrlEncoder encoder, RemoteGate gate,
    IOptions<TollgateOptions> options)
    : AuthenticationHandler<AuthenticationSchemeOptions>(schemes, loggers, encoder)
{
    /// <summary>Longer is no key of any provider.</summary>
    private const int SecretCharsMax = 1_024;

    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var sent = Request.Headers.Authorization;
        if (sent.Count > 1)
        {
            return Fail(NewFeature(""), TollgateRefusal.KeyAmbiguous);
        }

        if (sent.Count == 0 || SecretIn(sent[0]) is not { } secret)
        {
            return AuthenticateResult.NoResult();
        }

        var feature = NewFeature(secret);
        if (secret.Length > SecretCharsMax)
        {
            return Fail(feature, TollgateRefusal.InvalidKey);
        }

        var answer = await feature.Ask(FirstRequirement(), Context).ConfigureAwait(false);
        if (answer.Verdict is { Key: { } key } verdict && IsGoodKey(verdict))
        {
            feature.Key = key;
            return AuthenticateResult.Success(new AuthenticationTicket(PrincipalOf(key), Scheme.Name));
        }

        return Fail(feature, TollgateRefusal.Of(answer));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        (Context.Features.Get<TollgateFeature>()?.Refusal ?? TollgateRefusal.KeyMissing).Write(Context, options.Value);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        (Context.Features.Get<TollgateFeature>()?.Refusal ?? TollgateRefusal.Forbidden).Write(Context, options.Value);

    /// <summary>The text behind the scheme, in any case of it; null when the header is another scheme's or holds none.</summary>
    private static string? SecretIn(string? header) =>
        header is not null && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
        && header[Bearer.Length..].Trim() is { Length: > 0 } text
            ? text
            : null;

    private TollgateFeature NewFeature(string secret)
    {
        var address = options.Value.SendsAddress ? Context.Connection.RemoteIpAddress : null;
        address = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        var feature = new TollgateFeature(secret, address?.ToString(), gate);
        Context.Features.Set(feature);
        return feature;
    }

    private static AuthenticateResult Fail(TollgateFeature feature, TollgateRefusal refusal)
    {
        feature.Refusal = refusal;
        return AuthenticateResult.Fail(refusal.Title);
    }

    /// <summary>What the endpoint asks first, where it is known by now; the rest is asked when its turn comes.</summary>
    private TollgateRequirement FirstRequirement() =>
        (Context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizationRequirementData>() ?? [])
            .SelectMany(data => data.GetRequirements()).OfType<TollgateRequirement>().FirstOrDefault()
        ?? TollgateRequirement.GoodKey;

    /// <summary>Permission is judged after everything else: a key that only lacks it is good, and who sent it is known.</summary>
    private static bool IsGoodKey(Verdict verdict) =>
        verdict.Valid || verdict.Code is "scope_missing" or "action_missing" or "body_condition" or "model_refused" or "route_unknown";

    private ClaimsPrincipal PrincipalOf(VerdictKey key)
    {
        var identity = new ClaimsIdentity(Scheme.Name, TollgateScheme.KeyName, roleType: null);
        Add(ClaimTypes.NameIdentifier, key.Id);
        Add(TollgateScheme.KeyName, key.Name);
        Add(TollgateScheme.Project, key.ProjectId);
        Add(TollgateScheme.Organization, key.OrganizationId);
        Add(TollgateScheme.Environment, key.Environment);
        foreach (var scope in key.Scopes)
        {
            Add(TollgateScheme.Scope, scope);
        }

        foreach (var permission in key.Permissions)
        {
            Add(TollgateScheme.Permission, permission);
        }

        return new ClaimsPrincipal(identity);

        void Add(string type, string? value)
        {
            if (value is not null)
            {
                identity.AddClaim(new Claim(type, value, ClaimValueTypes.String, Scheme.Name));
            }
        }
    }
}
