using System.Collections.Frozen;

namespace Tollgate.Server.Providers;

/// <summary>A name in a body template that stands for a value: <c>$key.id</c>.</summary>
internal enum Placeholder
{
    KeyId,
    KeyName,
    KeyMask,
    KeyEnvironment,
    KeyType,
    KeyStatus,
    KeyPermissions,
    KeyScopes,
    KeyExpiresAt,
    KeyCreatedAt,
    KeyDescription,
    KeyProjectId,
    KeyOrganizationId,
    Secret,
    Keys,
    OrganizationId,
    OrganizationName,
    OrganizationCreatedAt,
    ProjectId,
    ProjectName,
    Status,
    Code,
    CodeUpper,
    Message,
    RequiredPermission,
    RequestId,
    TimestampMs,
    Errors,
    RetryAfter,
    Limit,
    Remaining,
    LimitName,
    PlanLimit,
    TopUpUrl,
}

/// <summary>What a template is written for; a placeholder needs one of these.</summary>
[Flags]
internal enum TemplateSpot
{
    None = 0,
    Error = 1,
    Answer = 2,
    AboutAKey = 4,
    NewSecret = 8,
    List = 16,
}

/// <summary>One row per placeholder: its name in files, and the spots at which it has a value.</summary>
internal sealed record PlaceholderName(string Text, Placeholder Placeholder, TemplateSpot Spot)
{
    public static IReadOnlyList<PlaceholderName> All { get; } =
    [
        new("key.id", Placeholder.KeyId, TemplateSpot.AboutAKey),
        new("key.name", Placeholder.KeyName, TemplateSpot.AboutAKey),
        new("key.mask", Placeholder.KeyMask, TemplateSpot.AboutAKey),
        new("key.environment", Placeholder.KeyEnvironment, TemplateSpot.AboutAKey),
        new("key.type", Placeholder.KeyType, TemplateSpot.AboutAKey),
        new("key.status", Placeholder.KeyStatus, TemplateSpot.AboutAKey),
        new("key.permissions", Placeholder.KeyPermissions, TemplateSpot.AboutAKey),
        new("key.scopes", Placeholder.KeyScopes, TemplateSpot.AboutAKey),
        new("key.expires_at", Placeholder.KeyExpiresAt, TemplateSpot.AboutAKey),
        new("key.created_at", Placeholder.KeyCreatedAt, TemplateSpot.AboutAKey),
        new("key.description", Placeholder.KeyDescription, TemplateSpot.AboutAKey),
        new("key.project_id", Placeholder.KeyProjectId, TemplateSpot.AboutAKey),
        new("key.organization_id", Placeholder.KeyOrganizationId, TemplateSpot.AboutAKey),
        new("secret", Placeholder.Secret, TemplateSpot.NewSecret),
        new("keys", Placeholder.Keys, TemplateSpot.List),
        new("organization.id", Placeholder.OrganizationId, TemplateSpot.Answer),
        new("organization.name", Placeholder.OrganizationName, TemplateSpot.Answer),
        new("organization.created_at", Placeholder.OrganizationCreatedAt, TemplateSpot.Answer),
        new("project.id", Placeholder.ProjectId, TemplateSpot.Answer),
        new("project.name", Placeholder.ProjectName, TemplateSpot.Answer),
        new("status", Placeholder.Status, TemplateSpot.Error),
        new("code", Placeholder.Code, TemplateSpot.Error),
        new("CODE", Placeholder.CodeUpper, TemplateSpot.Error),
        new("message", Placeholder.Message, TemplateSpot.Error),
        new("required_permission", Placeholder.RequiredPermission, TemplateSpot.Error),
        new("request_id", Placeholder.RequestId, TemplateSpot.Error),
        new("timestamp_ms", Placeholder.TimestampMs, TemplateSpot.Error),
        new("errors", Placeholder.Errors, TemplateSpot.Error),
        new("retry_after", Placeholder.RetryAfter, TemplateSpot.Error),
        new("limit", Placeholder.Limit, TemplateSpot.Error),
        new("remaining", Placeholder.Remaining, TemplateSpot.Error),
        new("limit_name", Placeholder.LimitName, TemplateSpot.Error),
        new("plan_limit", Placeholder.PlanLimit, TemplateSpot.Error),
        new("top_up_url", Placeholder.TopUpUrl, TemplateSpot.Error),
    ];

    public static FrozenDictionary<string, PlaceholderName> ByText { get; } =
        All.ToFrozenDictionary(name => name.Text, StringComparer.Ordinal);

    /// <summary>Where the placeholder may stand, for the message about one that stands elsewhere.</summary>
    public string Where => Spot switch
    {
        TemplateSpot.Error => "in errors",
        TemplateSpot.AboutAKey => "in key_view and in answers about one key",
        TemplateSpot.NewSecret => "in the answers of create, rotate and regenerate",
        TemplateSpot.List => "in the answer of list",
        _ => "in the answers of the surface",
    };
}
