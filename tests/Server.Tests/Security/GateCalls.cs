using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Journal;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>The calls that many tests make, each one line.</summary>
internal static partial class GateCalls
{
    /// <summary>Everything a mutation may leave behind.</summary>
    public static readonly string[] Tables =
    [
        "organizations", "projects", "keys", "secrets", "audit", "changes", "counters", "settings", "idempotency",
        "imported_keys", "quotas", "key_operations", "wallets", "wallet_entries", "webhooks", "webhook_deliveries",
        "people", "sessions", "links", "person_devices", "teams", "team_members", "team_invitations", "team_archives", "project_members",
    ];

    public static Task<Answer> Act(this RunningGate gate, string id, string operation, string? body = null, string? key = null) =>
        gate.Send("POST", $"/api/v1/keys/{id}/{operation}", key ?? RunningGate.RootKey, body);

    public static Task<Answer> Create(this RunningGate gate, string members, string? key = null, string? project = null) =>
        gate.Send("POST", $"/api/v1/projects/{project ?? gate.ProjectId}/keys", key ?? RunningGate.RootKey, $"{{{members}}}");

    /// <summary>Checks a secret as the operator; <paramref name="more"/> is further members, each with a comma before it.</summary>
    public static Task<Answer> Verify(this RunningGate gate, string secret, string more = "", string? key = null) =>
        gate.Send("POST", "/api/v1/verify", key ?? RunningGate.RootKey, $"{{\"key\":{JsonSerializer.Serialize(secret)}{more}}}");

    public static async Task<string> CodeOf(this RunningGate gate, string secret, string more = "") =>
        (await gate.Verify(secret, more)).String("code");

    public static async Task<(string Id, string Secret)> NewPair(
        this RunningGate gate, string members = "\"name\":\"A test key\"", string? project = null)
    {
        var key = await gate.NewKey(members, project);
        return (key.GetProperty("id").GetString()!, key.GetProperty("secret").GetString()!);
    }

    /// <summary>How many rows each table holds; what a refused request must leave as it was.</summary>
    public static async Task<string> Rows(this RunningGate gate)
    {
        // What requests of before have counted is written beside them.
        await gate.Services.GetRequiredService<Fold>().WaitAll();
        var counted = await gate.Database.Write<string>(async scope =>
        {
            var rows = new List<string>();
            foreach (var table in Tables)
            {
                rows.Add($"{table}: {await scope.Find<long>($"SELECT COUNT(*) FROM {table}")}");
            }

            return string.Join(", ", rows);
        });
        return counted.Value;
    }

    /// <summary>The answer without what differs from request to request.</summary>
    public static string Plain(this Answer answer)
    {
        var headers = answer.Headers.Where(header =>
            !header.Key.Equals("X-Request-Id", StringComparison.OrdinalIgnoreCase) && header.Key != "Date")
            .OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {header.Value}");
        return $"{(int)answer.Status}\n{string.Join('\n', headers)}\n{Varying().Replace(answer.Text, "")}";
    }

    public static Answer Has(this Answer answer, HttpStatusCode status, string? code = null)
    {
        Assert.True(answer.Status == status, $"expected {status} {code}, got {answer}");
        if (code is not null)
        {
            Assert.True(answer.String("code") == code, $"expected {status} {code}, got {answer}");
        }

        return answer;
    }

    [GeneratedRegex("req_[0-9a-z]+|(?<=\"timestamp\":)[0-9]+")]
    private static partial Regex Varying();
}
