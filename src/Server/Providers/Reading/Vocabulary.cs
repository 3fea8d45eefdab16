namespace Tollgate.Server.Providers.Reading;

/// <summary>
/// The fields a map of the provider file may have. <paramref name="Name"/> is also the map's definition in <c>providers/schema.json</c>.
/// </summary>
internal sealed record Shape(string Name, IReadOnlyList<string> Required, IReadOnlyList<string> Optional)
{
    public IEnumerable<string> Fields => Required.Concat(Optional);
}

/// <summary>Every word of the provider file, in one place. A test holds it and the schema together.</summary>
internal static class Vocabulary
{
    public static readonly Shape File = new(
        "file",
        ["provider", "keys", "permissions", "errors"],
        [
            "extend", "models", "limits", "plans", "quotas", "key_operations", "wallet", "headers", "surface", "sign_in", "examples",
        ]);

    public static readonly Shape Provider = new("provider", ["name", "base_url", "key_variable"], []);

    public static readonly Shape Keys = new(
        "keys",
        ["secret", "mask", "name", "expiry", "operations"],
        ["rotation", "types", "default_type", "scopes", "accepts_permissions"]);

    public static readonly Shape Secret = new(
        "secret", ["length", "alphabet", "checksum", "shown"], ["prefix", "environments", "accepts"]);

    public static readonly Shape Foreign = new("foreign", ["prefix", "length", "checksum"], []);

    public static readonly Shape Mask = new("mask", ["head", "tail"], []);

    public static readonly Shape KeyName = new("key_name", ["min", "max"], []);

    public static readonly Shape Rotation = new("rotation", ["grace"], ["grace_max"]);

    public static readonly Shape KeyType = new("key_type", ["actions"], ["scopes", "among"]);

    public static readonly Shape KeyScopes = new("key_scopes", [], ["default", "exactly_one"]);

    public static readonly Shape Permissions = new("permissions", ["scopes", "routes"], ["actions"]);

    public static readonly Shape Scope = new("scope", ["description"], ["implies", "grantable"]);

    public static readonly Shape AnyOf = new("any_of", ["any"], []);

    public static readonly Shape Conditional = new("conditional", ["scope", "when"], []);

    public static readonly Shape Model = new(
        "model", ["id"], ["input", "output", "cached_input", "reasoning", "default_output", "max_output"]);

    public static readonly Shape Limit = new("limit", ["name", "counts"], ["per", "where", "except", "amount"]);

    public static readonly Shape Quota = new("quota", ["name"], ["made_by", "deleted_by", "amount"]);

    public static readonly Shape KeyOperations = new("key_operations", ["amount", "per"], []);

    public static readonly Shape Wallet = new(
        "wallet", ["currency"], ["to_create_above", "disable_at", "low_at", "top_up_url", "mode", "step_tokens"]);

    public static readonly Shape Headers = new("headers", [], ["rate_limit"]);

    public static readonly Shape Surface = new(
        "surface",
        [],
        ["key_view", "whoami", "create", "list", "get", "revoke", "rotate", "regenerate", "delete", "disable", "enable"]);

    public static readonly Shape SurfaceRoute = new("surface_route", ["at", "needs"], ["accepts", "status", "answers"]);

    public static readonly Shape SignIn = new("sign_in", [], ["teams"]);

    public static readonly Shape Teams = new("teams", [], [
            "name_max", "owned_max", "personal_keys", "leaver_keys", "balance", "members_see_projects", "members_make_keys", "roles",
        ]);

    public static readonly Shape TeamRoles = new(
        "team_roles", [], ["owner", "admin", "billing", "member", "project_admin", "project_member", "viewer"]);

    public static readonly Shape Error = new("error", ["body"], ["status", "headers"]);

    public static readonly Shape Example = new("example", ["name", "send", "expect"], ["key", "body", "times"]);

    public static readonly Shape ExampleKey = new("example_key", [], ["type", "permissions", "scopes", "environment", "state"]);

    public static readonly Shape Expectation = new("expectation", ["status"], ["body"]);

    public static IReadOnlyList<Shape> All { get; } =
    [
        File, Provider, Keys, Secret, Foreign, Mask, KeyName, Rotation, KeyType, KeyScopes, Permissions, Scope, AnyOf, Conditional,
        Model, Limit, Quota, KeyOperations, Wallet, Headers, Surface, SurfaceRoute, SignIn, Teams, TeamRoles, Error, Example, ExampleKey,
        Expectation,
    ];
}
