using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Organizations;

/// <summary>An organization as the management API shows it.</summary>
internal sealed record OrganizationAnswer(string Id, string Name, string Status, string Plan, DateTimeOffset CreatedAt)
{
    public static OrganizationAnswer Of(Organization organization, PlanBook plans) => new(
        organization.Id.Text,
        organization.Name,
        organization.Status,
        plans.Of(organization.Plan).Name,
        DateTimeOffset.FromUnixTimeMilliseconds(organization.CreatedAtMs));
}

/// <summary>A project as the management API shows it.</summary>
internal sealed record ProjectAnswer(string Id, string OrganizationId, string Name, string Status, DateTimeOffset CreatedAt)
{
    public static ProjectAnswer Of(Project project) => new(
        project.Id.Text,
        project.OrganizationId.Text,
        project.Name,
        project.Status,
        DateTimeOffset.FromUnixTimeMilliseconds(project.CreatedAtMs));
}

internal sealed record CreateOrganization(string? Name);

internal sealed record ChangeOrganization(string? Name, string? Status, string? Plan)
{
    /// <summary>Why, for the audit log of the organization, which its people can read; the operator's to give.</summary>
    public string? Reason { get; init; }
}

internal sealed record CreateProject(string? Name);

internal sealed record ChangeProject(string? Name);

/// <summary>What a DELETE answers: what is gone, and how many keys were revoked with it.</summary>
internal sealed record DeletedAnswer(string Id, bool Deleted, int KeysRevoked);

internal sealed record OrganizationList(IReadOnlyList<OrganizationAnswer> Data, string? NextCursor);

internal sealed record ProjectList(IReadOnlyList<ProjectAnswer> Data, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(OrganizationAnswer))]
[JsonSerializable(typeof(ProjectAnswer))]
[JsonSerializable(typeof(CreateOrganization))]
[JsonSerializable(typeof(ChangeOrganization))]
[JsonSerializable(typeof(CreateProject))]
[JsonSerializable(typeof(ChangeProject))]
[JsonSerializable(typeof(DeletedAnswer))]
[JsonSerializable(typeof(OrganizationList))]
[JsonSerializable(typeof(ProjectList))]
[JsonSerializable(typeof(PlanList))]
internal sealed partial class OrganizationWire : JsonSerializerContext
{
    /// <summary>The record as the audit log keeps it.</summary>
    public static string Json(Organization organization, PlanBook plans) =>
        JsonSerializer.Serialize(Organizations.OrganizationAnswer.Of(organization, plans), Default.OrganizationAnswer);

    public static string Json(Project project) => JsonSerializer.Serialize(Organizations.ProjectAnswer.Of(project), Default.ProjectAnswer);
}
