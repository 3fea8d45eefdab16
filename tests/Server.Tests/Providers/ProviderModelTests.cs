using System.Buffers;
using System.Text;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Tests.Providers;

/// <summary>What the files of the five companies turn into, row by row of what their pages promise.</summary>
public sealed class ProviderModelTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_750_000_000_123);

    private static string Error(string provider, Problem problem)
    {
        var output = new ArrayBufferWriter<byte>();
        var status = Given.Real(provider).Dialect.Write(output, problem, requestId: null, Now);
        return $"{status} {Encoding.UTF8.GetString(output.WrittenSpan)}";
    }

    private static string Needed(string provider, string method, string path)
    {
        var model = Given.Real(provider);
        var match = model.Routes.Match(method, path);
        return match.Kind == RouteMatchKind.Found ? model.Scopes.Describe(match.Requirement) : $"{match.Kind}";
    }

    [Theory]
    [InlineData("tensorlake", "live=tl_apiKey_ 40 once", ExpiryRule.Forbidden, KeyOperations.Delete)]
    [InlineData(
        "tensorx",
        "live=sk- 48 once",
        ExpiryRule.Forbidden,
        KeyOperations.Disable | KeyOperations.Enable | KeyOperations.Regenerate | KeyOperations.Delete)]
    [InlineData("tensorone", "live=tpo_live_,test=tpo_test_ 36 once", ExpiryRule.Optional, KeyOperations.Rotate | KeyOperations.Revoke)]
    [InlineData("tensoras", "live=tns_ 40 once", ExpiryRule.Forbidden, KeyOperations.Revoke)]
    [InlineData("tensorpool", "live=tp_ 40 revealable", ExpiryRule.Optional, KeyOperations.Regenerate | KeyOperations.Delete)]
    internal void Keys_are_as_documented(string provider, string shape, ExpiryRule expiry, KeyOperations operations)
    {
        var keys = Given.Real(provider).Keys;
        var environments = string.Join(',', keys.Environments.Select(each => $"{each.Name}={each.Prefix}"));
        Assert.Equal(shape, $"{environments} {keys.Length} {(keys.Revealable ? "revealable" : "once")}");
        Assert.Equal((expiry, operations, true), (keys.Expiry, keys.Operations, keys.Crc32Checksum));
    }

    [Fact]
    public void TX1_TX4_names_and_masks()
    {
        var keys = Given.Real("tensorx").Keys;
        Assert.Equal((3, 50, 8, 4), (keys.NameMin, keys.NameMax, keys.MaskHead, keys.MaskTail));
    }

    [Fact]
    public void TO2_types_of_keys()
    {
        var model = Given.Real("tensorone");
        Assert.Equal(["read", "read_write", "service"], model.Keys.Types.Select(type => type.Name));
        Assert.Equal(["read"], model.Keys.TypeNamed("read")!.Actions);
        Assert.True(model.Keys.TypeNamed("service")!.ScopesRequired);
        Assert.Equal(["ai", "training"], model.Keys.TypeNamed("service")!.Among!);
        Assert.Equal("read_write", model.Keys.DefaultType.Name);
        Assert.Equal(7, model.Keys.DefaultScopes.Count);
        Assert.True(model.Keys.AcceptsPermissions);
    }

    [Theory]
    [InlineData("tensorone", "POST", "/v2/endpoints", "endpoints:write")]
    [InlineData("tensorone", "GET", "/v2/clusters/c1/nodes", "clusters:read")]
    [InlineData("tensorone", "OPTIONS", "/v2/clusters", "MethodNotAllowed")]
    [InlineData("tensorone", "GET", "/v2/other", "NotFound")]
    [InlineData("tensoras", "POST", "/v1/knowledge-bases", "knowledge_bases")]
    [InlineData("tensoras", "POST", "/v1/retrieve", "rag")]
    [InlineData("tensoras", "POST", "/v1/chat/completions", "inference or rag")]
    [InlineData("tensoras", "GET", "/v1/models/org%2Fm", "inference")]
    [InlineData("tensorlake", "POST", "/documents/v2/files", "project")]
    [InlineData("tensorlake", "GET", "/platform/v1/organizations/o/projects/p/secrets", "project")]
    [InlineData("tensorlake", "GET", "/platform/v1/organizations/o/projects/p", "project")]
    [InlineData("tensorlake", "DELETE", "/platform/v1/organizations/o/projects/p", "administrative")]
    [InlineData("tensorlake", "POST", "/platform/v1/organizations/o/projects/p/members", "administrative")]
    [InlineData("tensorlake", "POST", "/platform/v1/organizations/o/projects", "administrative")]
    [InlineData("tensorlake", "GET", "/platform/v1/organizations", "administrative")]
    [InlineData("tensorpool", "POST", "/jobs", "jobs:write")]
    [InlineData("tensorx", "GET", "/v1/models", "all")]
    public void Routes_ask_for_what_is_documented(string provider, string method, string path, string expected) =>
        Assert.Equal(expected, Needed(provider, method, path));

    [Fact]
    public void TL3_no_key_is_administrative()
    {
        var scopes = Given.Real("tensorlake").Scopes;
        Assert.Equal(0UL, scopes.MaskOf(["project", "administrative"]) & scopes.BitOf("administrative"));
    }

    [Fact]
    public void TS8_TS9_one_scope_a_key_and_rag_chats_under_a_condition()
    {
        var model = Given.Real("tensoras");
        Assert.True(model.Keys.ExactlyOneScope);
        Assert.Equal(["all"], model.Keys.DefaultScopes);
        var chat = model.Routes.Match("POST", "/v1/chat/completions").Requirement;
        Assert.Equal((model.Scopes.BitOf("inference"), model.Scopes.BitOf("rag")), (chat.AnyScope, chat.ConditionalScopes));
        Assert.Equal("body.knowledge_bases is not empty", model.ConditionOf(chat)!.Text);
        Assert.Null(model.ConditionOf(default));
        Assert.Equal(model.Scopes.MaskOf(["inference", "rag", "knowledge_bases"]),
            model.Scopes.MaskOf(["all"]) & ~model.Scopes.BitOf("all"));
    }

    [Theory]
    [InlineData("tensorone", """401 {"error":"UNAUTHORIZED","message":"Invalid or missing API key","code":401}""")]
    [InlineData(
        "tensoras",
        """401 {"error":{"message":"Invalid API key. Please check your key and try again.","type":"authentication_error","""
        + "\"code\":\"invalid_api_key\"}}")]
    [InlineData("tensorpool", """401 {"error":"Invalid or missing authentication token"}""")]
    [InlineData(
        "tensorx",
        """401 {"error":{"message":"Invalid API Key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}""")]
    [InlineData(
        "tensorlake",
        """401 {"message":"The API key is invalid, was deleted, or was not sent as \"Authorization: Bearer\".","""
        + "\"code\":\"invalid_key\",\"timestamp\":1750000000123}")]
    public void A_bad_and_a_missing_key_are_refused_in_the_documented_words(string provider, string expected)
    {
        Assert.Equal(expected, Error(provider, Problem.Of(ProblemCode.InvalidKey)));
        Assert.Equal(expected, Error(provider, Problem.Of(ProblemCode.KeyMissing)));
    }

    [Theory]
    [InlineData(
        "tensorone",
        """403 {"error":"FORBIDDEN","message":"API key lacks required permissions","code":403,"""
        + "\"required_permission\":\"endpoints:write\"}")]
    [InlineData("tensoras", """403 {"error":{"message":"No.","type":"permission_error","code":"insufficient_scope"}}""")]
    [InlineData("tensorpool", """403 {"error":"Insufficient permissions"}""")]
    [InlineData(
        "tensorlake",
        """403 {"message":"The API key has the permissions of a project member only.","code":"scope_missing","""
        + "\"timestamp\":1750000000123}")]
    public void A_missing_permission_is_refused_in_the_documented_words(string provider, string expected) =>
        Assert.Equal(expected, Error(provider, new Problem(ProblemCode.ScopeMissing, "No.") { RequiredPermission = "endpoints:write" }));

    [Fact]
    public void An_error_without_words_of_its_own_is_worded_as_default() =>
        Assert.Equal(
            """409 {"error":"KEY_FINAL","message":"The key is revoked or deleted, which is final.","code":409}""",
            Error("tensorone", Problem.Of(ProblemCode.KeyFinal)));

    [Fact]
    public void The_files_status_stands_before_the_catalogues()
    {
        var dialect = Given.Model(Given.Least + "\n  permission_missing: { status: 404, body: { s: $status } }").Dialect;
        Assert.Equal(404, dialect.StatusOf(ProblemCode.BodyCondition));
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(404, dialect.Write(output, Problem.Of(ProblemCode.PermissionMissing), null, Now));
        Assert.Equal("""{"s":404}""", Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.Equal(413, dialect.StatusOf(ProblemCode.BodyTooLarge));
    }

    [Theory]
    [MemberData(nameof(ProviderFilesTests.Names), MemberType = typeof(ProviderFilesTests))]
    public void Every_error_of_every_provider_is_json(string provider)
    {
        var dialect = Given.Real(provider).Dialect;
        foreach (var code in ProblemCode.All)
        {
            var output = new ArrayBufferWriter<byte>();
            Assert.InRange(dialect.Write(output, Problem.Of(code) with { Errors = [new("/a", "\"b\"")] }, "req_1", Now), 400, 599);
            using var valid = System.Text.Json.JsonDocument.Parse(output.WrittenMemory);
        }
    }

    [Theory]
    [InlineData("tensorone", "POST", "/v2/auth/api-keys", SurfaceOperation.Create, SurfaceNeeds.ManageKeys, 201, null)]
    [InlineData("tensorone", "GET", "/v2/auth/api-keys", SurfaceOperation.List, SurfaceNeeds.AnyKey, 200, null)]
    [InlineData("tensorone", "DELETE", "/v2/auth/api-keys/key_1", SurfaceOperation.Revoke, SurfaceNeeds.ManageKeysOrSelf, 200, "key_1")]
    [InlineData(
        "tensorone",
        "POST",
        "/v2/auth/api-keys/key_1/rotate",
        SurfaceOperation.Rotate,
        SurfaceNeeds.ManageKeysOrSelf,
        200,
        "key_1")]
    [InlineData("tensorone", "GET", "/v2/auth/verify", SurfaceOperation.Whoami, SurfaceNeeds.AnyKey, 200, null)]
    [InlineData("tensorpool", "GET", "/me", SurfaceOperation.Whoami, SurfaceNeeds.AnyKey, 200, null)]
    [InlineData("tensorlake", "POST", "/platform/v1/keys/introspect", SurfaceOperation.Whoami, SurfaceNeeds.AnyKey, 200, null)]
    internal void Surfaces_are_where_they_are_documented(
        string provider, string method, string path, SurfaceOperation operation, SurfaceNeeds needs, int status, string? id)
    {
        Assert.Equal(RouteMatchKind.Found, Given.Real(provider).Surface.Match(method, path, out var route, out var found));
        Assert.Equal((operation, needs, status, id), (route!.Operation, route.Needs, route.Status, found));
    }

    [Fact]
    public void A_surface_has_no_other_paths_and_methods()
    {
        var surface = Given.Real("tensorone").Surface;
        Assert.Equal(RouteMatchKind.MethodNotAllowed, surface.Match("PUT", "/v2/auth/verify", out var route, out _));
        Assert.Null(route);
        Assert.Equal(RouteMatchKind.NotFound, surface.Match("GET", "/v2/auth", out _, out _));
    }

    [Fact]
    public void TO5_create_takes_the_documented_members() =>
        Assert.Equal(
            [("expiresAt", "expires_at"), ("name", "name"), ("permissions", "permissions"), ("scopes", "scopes")],
            Given.Real("tensorone").Surface.Routes.Single(route => route.Operation == SurfaceOperation.Create).Accepts
                .Where(pair => pair.Key is not "type" and not "description").OrderBy(pair => pair.Key)
                .Select(pair => (pair.Key, pair.Value)));

    [Fact]
    public void TO7_verify_answers_exactly_the_documented_fields() =>
        Assert.Equal(
            """{"valid":true,"key_id":"key_1","permissions":["read","write"],"scopes":["endpoints","clusters"],"""
            + """
            "expires_at":"2024-12-31T23:59:59Z"}
            """,
            Given.Written(
                Given.Real("tensorone").Surface.Routes.Single(route => route.Operation == SurfaceOperation.Whoami).Answers!,
                new TemplateValues
                {
                    KeyId = "key_1",
                    KeyPermissions = ["read", "write"],
                    KeyScopes = ["endpoints", "clusters"],
                    KeyExpiresAt = new DateTimeOffset(2024, 12, 31, 23, 59, 59, TimeSpan.Zero),
                }));

    [Fact]
    public void TL10_introspect_answers_three_ids() =>
        Assert.Equal(
            """{"id":"key_1","organizationId":"org_1","projectId":"proj_1"}""",
            Given.Written(
                Given.Real("tensorlake").Surface.Routes.Single().Answers!,
                new TemplateValues { KeyId = "key_1", KeyOrganizationId = "org_1", KeyProjectId = "proj_1" }));

    [Fact]
    public void An_example_keeps_what_is_sent_and_what_is_expected()
    {
        var example = Given.Real("tensoras").Examples.Single(each => each.Name == "a rag key may chat about a knowledge base");
        Assert.Equal((Methods.Post, "/v1/chat/completions", 200), (example.Method, example.Path, example.ExpectedStatus));
        Assert.Equal(["rag"], example.Key.Scopes!);
        Assert.Equal(
            """{"model":"llama-3.3-70b","knowledge_bases":["kb_1"],"messages":[{"role":"user","content":"Hello!"}]}""", example.Body);
        var refused = Given.Real("tensorone").Examples.Single(each => each.Name == "an expired key is refused");
        Assert.Equal(ExampleKeyKind.Expired, refused.Key.Kind);
        Assert.Equal(401, refused.ExpectedBody!.Value.GetProperty("code").GetInt32());
    }

    [Fact]
    public void A_foreign_shape_is_taken_however_short_and_masked_so_that_it_stays_hidden()
    {
        var file = Given.Least.Replace(
            "shown: once", "shown: once, accepts: [{ prefix: sk-, length: 16, checksum: none }]", StringComparison.Ordinal);

        Assert.Equal("sk-...", Given.Model(file).Keys.Format.Mask("sk-abcdefghijklmnop"));
    }
}
