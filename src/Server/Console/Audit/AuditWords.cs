using System.Text.Json;

namespace Tollgate.Server.Console.Audit;

/// <summary>The audit log's codes in words, and what its rows tell of a change.</summary>
internal static class AuditWords
{
    private const int ChangesMax = 4;
    private const int ValueCharsMax = 60;

    /// <summary>In the order in which the filter has them.</summary>
    public static IReadOnlyList<(string Code, string Words)> Actions { get; } =
    [
        ("key.create", "Made a key"), ("key.import", "Moved a key in"), ("key.change", "Changed a key"),
        ("key.disable", "Disabled a key"), ("key.enable", "Enabled a key"), ("key.rotate", "Rotated a key's secret"),
        ("key.regenerate", "Gave a key a new secret"), ("key.reveal", "Looked at a key's secret"), ("key.revoke", "Revoked a key"),
        ("key.delete", "Deleted a key"), ("project.create", "Made a project"), ("project.change", "Changed a project"),
        ("project.delete", "Deleted a project"), ("project_member.set", "Gave somebody a role in a project"),
        ("project_member.remove", "Took somebody out of a project"), ("organization.create", "Made the organization"),
        ("organization.change", "Changed the organization"), ("organization.delete", "Deleted the organization"),
        ("organization.hold_keys", "Held the organization's keys"), ("organization.lift_keys", "Let the organization's keys work again"),
        ("member.join", "Joined"), ("member.role", "Changed somebody's role"), ("member.remove", "Put somebody out"),
        ("member.leave", "Left"), ("invitation.create", "Invited somebody"), ("invitation.accept", "Accepted an invitation"),
        ("invitation.withdraw", "Withdrew an invitation"), ("wallet.top_up", "Put money in"), ("wallet.grant", "Granted money"),
        ("wallet.refund", "Gave money back"), ("wallet.adjustment", "Corrected the balance"),
        ("wallet.transfer", "Moved money between organizations"), ("quota.set", "Set how much of a quota is used"),
        ("webhook.create", "Made a webhook"), ("webhook.change", "Changed a webhook"),
        ("webhook.rotate_secret", "Gave a webhook a new secret"), ("webhook.test", "Sent a test event"),
        ("webhook.replay", "Sent events again"), ("webhook.disable", "Disabled a webhook that failed"),
        ("webhook.delete", "Deleted a webhook"), ("person.sign_up", "Signed up"), ("person.create", "Made an account"),
        ("person.verify", "Confirmed an address"), ("person.rename", "Changed a name"), ("person.email_ask", "Asked for another address"),
        ("person.email", "Changed an address"), ("person.reset_ask", "Asked for another password"),
        ("person.magic_ask", "Asked for a link to sign in"), ("person.reset", "Chose a password by a link"),
        ("person.password", "Changed a password"), ("person.change", "Changed a person"),
        ("person.disable", "Kept a person from signing in"),
        ("person.enable", "Let a person sign in again"), ("person.delete", "Deleted an account"), ("session.begin", "Signed in"),
        ("session.end", "Ended a session"), ("session.end_all", "Ended sessions"), ("sign_in.refuse", "Was not signed in"),
        ("sign_in.first_step", "Passed the first step of a sign-in"), ("connection.add", "Connected an account elsewhere"),
        ("connection.remove", "Removed an account elsewhere"), ("passkey.add", "Added a passkey"),
        ("passkey.remove", "Removed a passkey"), ("second_step.add", "Turned the second step on"),
        ("second_step.codes", "Made new recovery codes"), ("second_step.remove", "Turned the second step off"),
        ("operator.look", "Looked at the organization"), ("operator.link", "Made a link that signs the operator in"),
    ];

    /// <summary>Members that say what something new comes to.</summary>
    private static readonly string[] Telling = ["amount", "role"];

    private static readonly Dictionary<string, string> Words =
        Actions.ToDictionary(action => action.Code, action => action.Words, StringComparer.Ordinal);

    /// <summary>The code itself where there are no words for it.</summary>
    public static string Of(string code) => Words.GetValueOrDefault(code, code);

    /// <summary>What a target is called by what was kept of it; null where nothing there is a name.</summary>
    public static string? NameOf(string? before, string? after)
    {
        foreach (var text in new[] { after, before }.OfType<string>())
        {
            var json = JsonElement.Parse(text);
            foreach (var member in new[] { "name", "url" })
            {
                if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty(member, out var value)
                    && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } name)
                {
                    return name;
                }
            }
        }

        return null;
    }

    /// <summary>
    /// What is different after a change, the plain members alone: <c>name: before → after</c>. Of what was just made, what it comes to: an
    /// amount, a role. Of what has gone, nothing.
    /// </summary>
    public static IReadOnlyList<string> Changes(string? before, string? after)
    {
        if (after is null || JsonElement.Parse(after) is not { ValueKind: JsonValueKind.Object } now)
        {
            return [];
        }

        if (before is null)
        {
            return
            [
                .. Telling.Where(member => now.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String)
                    .Select(member => $"{member}: {Text(now.GetProperty(member))}"),
            ];
        }

        if (JsonElement.Parse(before) is not { ValueKind: JsonValueKind.Object } old)
        {
            return [];
        }

        return
        [
            .. now.EnumerateObject().Where(member => old.TryGetProperty(member.Name, out var was)
                && Text(was) is { } from && Text(member.Value) is { } to && from != to)
            .Take(ChangesMax)
            .Select(member => $"{member.Name.Replace('_', ' ')}: {Text(old.GetProperty(member.Name))} → {Text(member.Value)}"),
        ];
    }

    /// <summary>Null for what does not read in a line.</summary>
    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "none",
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.String => Cut(value.GetString()!),
        JsonValueKind.Array when value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String) =>
            value.GetArrayLength() == 0 ? "none" : Cut(string.Join(", ", value.EnumerateArray().Select(one => one.GetString()))),
        _ => null,
    };

    /// <summary>Between characters, not within one.</summary>
    private static string Cut(string text) => text.Length <= ValueCharsMax ? text
        : string.Concat(text.AsSpan(0, ValueCharsMax - (char.IsHighSurrogate(text[ValueCharsMax - 1]) ? 1 : 0)), "…");
}
