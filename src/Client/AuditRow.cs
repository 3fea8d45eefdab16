using System.Text.Json;

namespace Tollgate.Client;

/// <summary>Who did what to what, when and from where.</summary>
public sealed record AuditRow
{
    /// <summary>Grows by one per row.</summary>
    public required long Seq { get; init; }

    public required DateTimeOffset At { get; init; }

    public required AuditActor Actor { get; init; }

    public required string Action { get; init; }

    public required AuditTarget Target { get; init; }

    public string? OrganizationId { get; init; }

    public string? ProjectId { get; init; }

    /// <summary>The target before the change, without secrets; null when it was made by it.</summary>
    public JsonElement? Before { get; init; }

    /// <summary>The target after the change, without secrets.</summary>
    public JsonElement? After { get; init; }

    public string? Reason { get; init; }

    public string? Address { get; init; }

    public string? RequestId { get; init; }
}

public sealed record AuditActor(string Type, string? Id = null, string? Name = null);

public sealed record AuditTarget(string Type, string? Id = null);

/// <summary>Which rows are wanted. A null member does not filter.</summary>
public sealed record AuditFilter
{
    public string? Organization { get; init; }

    public string? Project { get; init; }

    public string? Actor { get; init; }

    public string? Target { get; init; }

    public string? Action { get; init; }

    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? To { get; init; }
}
