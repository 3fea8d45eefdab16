using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Tollgate.Cli.Import;

/// <summary>
/// LiteLLM's table <c>LiteLLM_VerificationToken</c>. <c>token</c> is the SHA-256 of the key in hexadecimal, and the only id a key has
/// there; <c>key_name</c> is a mask such as <c>sk-...wxyz</c>, <c>key_alias</c> what people call it. Times are UTC.
/// </summary>
internal static partial class LiteLlmShape
{
    public static ExportShape Shape { get; } = new()
    {
        System = "litellm",
        Taken = new HashSet<string> { "token", "key_name", "key_alias", "expires", "blocked", "created_at" },
        Kept = new HashSet<string>
        {
            "user_id", "team_id", "organization_id", "project_id", "agent_id", "models", "allowed_routes", "permissions", "metadata",
        },
        NotEnforced = new HashSet<string> { "models", "allowed_routes", "permissions" },
        Immaterial = new HashSet<string> { "updated_at", "updated_by", "created_by", "last_active", "rotation_count", "last_rotation_at" },
        Map = Map,
    };

    private static JsonObject Map(TableRow row)
    {
        var token = Cell.Text(row["token"]);
        // Early versions kept keys in clear, and a key in clear begins like one.
        var isText = token?.StartsWith("sk-", StringComparison.Ordinal) == true;
        var mask = Mask().Match(Cell.Text(row["key_name"]) ?? "");
        var isMasked = !isText && mask.Success;
        return new JsonObject
        {
            ["external_id"] = isText ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token!))) : token,
            ["name"] = Cell.Text(row["key_alias"]) ?? "LiteLLM key",
            ["secret"] = isText ? token : null,
            ["secret_sha256"] = isText ? null : token,
            ["start"] = isMasked ? mask.Groups["start"].Value : null,
            ["end"] = isMasked ? mask.Groups["end"].Value : null,
            ["disabled"] = Cell.Flag(row["blocked"]),
            ["expires_at"] = Cell.Time(row["expires"]),
            ["created_at"] = Cell.Time(row["created_at"]),
        };
    }

    [GeneratedRegex(@"\A(?<start>[!-~]{1,16}?)\.\.\.(?<end>[!-~]{1,8})\z")]
    private static partial Regex Mask();
}
