namespace Tollgate.Server.Tests.Client;

/// <summary>Answers as the management API writes them.</summary>
internal static class Sample
{
    /// <summary>Not in the shape of any provider's key.</summary>
    public const string Secret = "s3cret-of-the-sample";

    public static string Key(string id = "key_1", string name = "first", string status = "active", string more = "") =>
        $$"""
        {"id":"{{id}}","project_id":"prj_1","organization_id":"org_1","environment":"live","type":null,"name":"{{name}}",
         "description":"for tests","mask":"abc...wxyz","status":"{{status}}","holds":[],"permissions":["read","write"],
         "scopes":["endpoints"],"rights":["verify"],"allowed_addresses":["10.0.0.0/8"],"metadata":{"team":"a","n":1},
         "created_at":"2026-01-02T03:04:05Z","created_by":"root","expires_at":"2027-01-02T03:04:05Z","revoked_at":null,
         "deleted_at":null,"secrets":[{"mask":"abc...wxyz","created_at":"2026-01-02T03:04:05Z","ends_at":null}]{{more}}}
        """;

    public static string Issued(string secret = Secret) => Key(more: $",\"secret\":\"{secret}\"");

    public static string Project(string id = "prj_1") =>
        $$"""{"id":"{{id}}","organization_id":"org_1","name":"main","status":"active","created_at":"2026-01-02T03:04:05Z"}""";

    public static string Page(string? next, params string[] items) =>
        $$"""{"data":[{{string.Join(',', items)}}],"next_cursor":{{(next is null ? "null" : $"\"{next}\"")}}}""";

    public static string Verdict(bool valid) =>
        $$"""
        {"valid":{{(valid ? "true" : "false")}},"code":"{{(valid ? "valid" : "permission_missing")}}","reason":"A sentence.",
         "key":{"id":"key_1","name":"first","project_id":"prj_1","organization_id":"org_1","environment":"live","type":null,
         "permissions":["read"],"scopes":["endpoints"],"rights":[],"expires_at":null,"metadata":{"team":"a"} },
         "required_permission":{{(valid ? "null" : "\"endpoints:write\"")}} }
        """;
}
