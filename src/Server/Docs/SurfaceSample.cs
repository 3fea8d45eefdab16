using Tollgate.Server.Providers;

namespace Tollgate.Server.Docs;

/// <summary>A key that never was, to show how the provider's answers read.</summary>
internal static class SurfaceSample
{
    public static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static TemplateValues Of(ProviderModel provider, SurfaceOperation operation)
    {
        var key = Key(provider) with { KeyStatus = StatusAfter(operation) };
        return operation == SurfaceOperation.List ? key with { Keys = [key], KeyView = provider.Surface.KeyView } : key;
    }

    private static TemplateValues Key(ProviderModel provider)
    {
        var rules = provider.Keys;
        var type = rules.DefaultType;
        var environment = rules.Environments[0];
        return new TemplateValues
        {
            KeyId = "key_" + new string('0', 22),
            KeyName = "Production server",
            KeyMask = $"{environment.Prefix}…",
            KeyEnvironment = environment.Name,
            KeyType = type.Name,
            KeyPermissions = type.Actions,
            KeyScopes = type.ScopesRequired ? [.. (type.Among ?? []).Take(1)] : rules.DefaultScopes,
            KeyExpiresAt = rules.Expiry == ExpiryRule.Forbidden ? null : Now.AddYears(1),
            KeyCreatedAt = Now,
            KeyProjectId = "prj_" + new string('0', 22),
            KeyOrganizationId = "org_" + new string('0', 22),
            Secret = $"{environment.Prefix}…",
            ProjectId = "prj_" + new string('0', 22),
            ProjectName = "Production",
            OrganizationId = "org_" + new string('0', 22),
            OrganizationName = "Research",
            OrganizationCreatedAt = Now,
        };
    }

    private static string StatusAfter(SurfaceOperation operation) => operation switch
    {
        SurfaceOperation.Revoke => "revoked",
        SurfaceOperation.Delete => "deleted",
        SurfaceOperation.Disable => "disabled",
        _ => "active",
    };
}
