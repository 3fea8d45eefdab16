using Tollgate.Server.Problems;

namespace Tollgate.Server.Providers;

/// <summary>
/// What the placeholders of a body stand for in one answer. A member left null is written as JSON null, save those of errors,
/// which are left out together with their name. Times are written RFC 3339 in UTC, without fractions.
/// </summary>
internal sealed record TemplateValues
{
    public string? KeyId { get; init; }

    public string? KeyName { get; init; }

    public string? KeyMask { get; init; }

    public string? KeyEnvironment { get; init; }

    public string? KeyType { get; init; }

    public string? KeyStatus { get; init; }

    public IReadOnlyList<string>? KeyPermissions { get; init; }

    public IReadOnlyList<string>? KeyScopes { get; init; }

    public DateTimeOffset? KeyExpiresAt { get; init; }

    public DateTimeOffset? KeyCreatedAt { get; init; }

    public string? KeyDescription { get; init; }

    public string? KeyProjectId { get; init; }

    public string? KeyOrganizationId { get; init; }

    /// <summary>Never printed: see <see cref="ToString"/>.</summary>
    public string? Secret { get; init; }

    /// <summary>The keys of a list, each written by <see cref="KeyView"/>.</summary>
    public IReadOnlyList<TemplateValues>? Keys { get; init; }

    /// <summary>The surface's <see cref="Surface.KeyView"/>, needed where <see cref="Keys"/> is given.</summary>
    public BodyTemplate? KeyView { get; init; }

    public string? OrganizationId { get; init; }

    public string? OrganizationName { get; init; }

    public DateTimeOffset? OrganizationCreatedAt { get; init; }

    public string? ProjectId { get; init; }

    public string? ProjectName { get; init; }

    public int? Status { get; init; }

    public string? Code { get; init; }

    public string? Message { get; init; }

    public string? RequiredPermission { get; init; }

    public string? RequestId { get; init; }

    public long? TimestampMs { get; init; }

    public IReadOnlyList<FieldError>? Errors { get; init; }

    /// <summary>Seconds.</summary>
    public long? RetryAfter { get; init; }

    public long? Limit { get; init; }

    public long? Remaining { get; init; }

    public string? LimitName { get; init; }

    public long? PlanLimit { get; init; }

    public string? TopUpUrl { get; init; }

    public override string ToString() => $"values of {KeyId ?? Code ?? "an answer"}";
}
