using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Tollgate.Server.Audit;

/// <summary>What a mutation says of itself; who, when and from where come from its write.</summary>
internal sealed record AuditEntry
{
    /// <summary>Such as <c>key.create</c>.</summary>
    public required string Action { get; init; }

    public required string TargetType { get; init; }

    public required string TargetId { get; init; }

    public string? OrganizationId { get; init; }

    public string? ProjectId { get; init; }

    /// <summary>Of the key that the row is about, which a key of another environment must not read; null when it is about no key.</summary>
    public string? Environment { get; init; }

    /// <summary>The target before the change as JSON text, without secrets; null when it did not exist.</summary>
    public string? Before { get; init; }

    /// <summary>The target after the change as JSON text, without secrets; null when it is gone.</summary>
    public string? After { get; init; }

    public string? Reason { get; init; }
}

/// <summary>One link of the chain, as it is kept.</summary>
internal sealed record AuditRow
{
    /// <summary>The hash before the first row.</summary>
    public const string NoHash = "0000000000000000000000000000000000000000000000000000000000000000";

    public long Seq { get; init; }

    public long AtMs { get; init; }

    public required string ActorType { get; init; }

    public required string ActorId { get; init; }

    public required string ActorName { get; init; }

    public required string Action { get; init; }

    public required string TargetType { get; init; }

    public required string TargetId { get; init; }

    public string? OrganizationId { get; init; }

    public string? ProjectId { get; init; }

    public string? Environment { get; init; }

    public string? BeforeJson { get; init; }

    public string? AfterJson { get; init; }

    public string? Reason { get; init; }

    public string? Address { get; init; }

    public string? UserAgent { get; init; }

    public required string RequestId { get; init; }

    public required string PrevHash { get; init; }

    public string Hash { get; init; } = "";

    /// <summary>
    /// SHA-256 over the previous row's hash (32 bytes) and this row as JSON in UTF-8: every member above but the two hashes, in that
    /// order, snake_case, nulls written, text escaped as <see cref="Utf8JsonWriter"/> does by default.
    /// </summary>
    public string ComputeHash()
    {
        var bytes = new ArrayBufferWriter<byte>(1_024);
        bytes.Write(Convert.FromHexString(PrevHash));
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        json.WriteNumber("seq"u8, Seq);
        json.WriteNumber("at_ms"u8, AtMs);
        json.WriteString("actor_type"u8, ActorType);
        json.WriteString("actor_id"u8, ActorId);
        json.WriteString("actor_name"u8, ActorName);
        json.WriteString("action"u8, Action);
        json.WriteString("target_type"u8, TargetType);
        json.WriteString("target_id"u8, TargetId);
        json.WriteString("organization_id"u8, OrganizationId);
        json.WriteString("project_id"u8, ProjectId);
        json.WriteString("environment"u8, Environment);
        json.WriteString("before_json"u8, BeforeJson);
        json.WriteString("after_json"u8, AfterJson);
        json.WriteString("reason"u8, Reason);
        json.WriteString("address"u8, Address);
        json.WriteString("user_agent"u8, UserAgent);
        json.WriteString("request_id"u8, RequestId);
        json.WriteEndObject();
        json.Flush();
        return Convert.ToHexStringLower(SHA256.HashData(bytes.WrittenSpan));
    }
}
