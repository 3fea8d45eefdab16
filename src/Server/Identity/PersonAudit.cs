using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Server.Audit;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Identity;

/// <summary>What the audit log is told of people: who, what, how it ended; neither passwords nor links nor what strangers typed.</summary>
internal static class PersonAudit
{
    /// <summary>In place of an id, where an address is nobody's.</summary>
    public const string Unknown = "unknown";

    public static Task Tell(
        WriteScope scope, string action, Person? person, string? reason = null, JsonObject? before = null, JsonObject? after = null) =>
        AuditLog.Append(scope, new AuditEntry
        {
            Action = action,
            TargetType = "person",
            TargetId = person?.Id ?? Unknown,
            OrganizationId = person is { OrganizationId.Length: > 0 } ? person.OrganizationId : null,
            Before = Text(before),
            After = Text(after),
            Reason = reason,
        });

    /// <summary>A person as the audit log keeps it. No address: what is written there stays for good, and people go.</summary>
    public static JsonObject Shape(Person person) => new()
    {
        ["id"] = person.Id,
        ["organization_id"] = person.OrganizationId,
        ["is_operator"] = person.IsOperator != 0,
        ["has_password"] = person.PasswordHash is not null,
        ["is_verified"] = person.VerifiedAtMs is not null,
        ["status"] = person.DeletedAtMs is not null ? "deleted" : person.DisabledAtMs is not null ? "disabled" : "active",
    };

    private static string? Text(JsonObject? json) => json?.ToJsonString(JsonSerializerOptions.Default);
}
