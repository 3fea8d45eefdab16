using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>Bad input gets a clear error in the right dialect, and nothing of it is stored.</summary>
public sealed class BadInputTests(Gates gates) : IClassFixture<Gates>
{
    /// <summary>Bodies that make no key, with the status, the code and the place that the management API names.</summary>
    public static TheoryData<string, string, int, string, string?> Bodies => new()
    {
        { "no name", "{}", 422, "validation_failed", "/name" },
        { "an empty name", "{\"name\":\"\"}", 422, "validation_failed", "/name" },
        { "a blank name", "{\"name\":\"  \"}", 422, "validation_failed", "/name" },
        { "a name of 101", $"{{\"name\":\"{new string('n', 101)}\"}}", 422, "validation_failed", "/name" },
        { "a control character", "{\"name\":\"a\\u0007b\"}", 422, "validation_failed", "/name" },
        { "U+0000", "{\"name\":\"a\\u0000b\"}", 422, "validation_failed", "/name" },
        { "U+0000 deep inside", "{\"name\":\"a\",\"metadata\":{\"k\":[\"\\u0000\"]}}", 422, "validation_failed", "/metadata/k/0" },
        { "U+0000 in a member's name", "{\"name\":\"a\",\"metadata\":{\"\\u0000\":1}}", 422, "validation_failed", null },
        { "half a surrogate pair", "{\"name\":\"\\ud800\"}", 400, "invalid_json", null },
        { "half a surrogate pair as a name", "{\"\\ud800\":1}", 400, "invalid_json", null },
        { "a number for a name", "{\"name\":7}", 422, "validation_failed", "/name" },
        { "an unknown scope", "{\"name\":\"a\",\"scopes\":[\"chat\",\"root\"]}", 422, "validation_failed", "/scopes/1" },
        { "a scope twice", "{\"name\":\"a\",\"scopes\":[\"chat\",\"chat\"]}", 422, "validation_failed", "/scopes/1" },
        { "a null scope", "{\"name\":\"a\",\"scopes\":[null]}", 422, "validation_failed", "/scopes/0" },
        { "an unknown right", "{\"name\":\"a\",\"rights\":[\"everything\"]}", 422, "validation_failed", "/rights/0" },
        { "an unknown environment", "{\"name\":\"a\",\"environment\":\"prod\"}", 422, "validation_failed", "/environment" },
        { "an unknown type", "{\"name\":\"a\",\"type\":\"admin\"}", 422, "validation_failed", "/type" },
        { "a past expiry", "{\"name\":\"a\",\"expires_at\":\"2020-01-01T00:00:00Z\"}", 422, "validation_failed", "/expires_at" },
        { "a time without zone", "{\"name\":\"a\",\"expires_at\":\"2030-01-01T00:00:00\"}", 422, "validation_failed", "/expires_at" },
        { "no address", "{\"name\":\"a\",\"allowed_addresses\":[\"everywhere\"]}", 422, "validation_failed", "/allowed_addresses" },
        { "metadata that is a list", "{\"name\":\"a\",\"metadata\":[1]}", 422, "validation_failed", "/metadata" },
        { "an unknown member", "{\"name\":\"a\",\"status\":\"active\"}", 422, "validation_failed", "/status" },
        { "an internal member", "{\"name\":\"a\",\"key_no\":1}", 422, "validation_failed", "/key_no" },
        { "a member in another case", "{\"name\":\"a\",\"Rights\":[\"verify\"]}", 422, "validation_failed", "/Rights" },
        { "a member twice", "{\"name\":\"a\",\"rights\":[],\"rights\":[\"verify\"]}", 400, "invalid_json", null },
        { "a member twice, once escaped", "{\"name\":\"a\",\"n\\u0061me\":\"b\"}", 400, "invalid_json", null },
        { "a deep member twice", "{\"name\":\"a\",\"metadata\":{\"x\":{\"y\":1,\"y\":2}}}", 400, "invalid_json", null },
        { "half an object", "{\"name\":\"a\"", 400, "invalid_json", null },
        { "two objects", "{\"name\":\"a\"}{\"name\":\"b\"}", 400, "invalid_json", null },
        { "a list", "[{\"name\":\"a\"}]", 400, "invalid_json", null },
        { "null", "null", 400, "invalid_json", null },
        { "a comment", "{\"name\":\"a\"/* */}", 400, "invalid_json", null },
        { "a thousand levels", string.Concat(Enumerable.Repeat("{\"metadata\":", 1_000)), 400, "invalid_json", null },
        { "65,537 bytes", $"{{\"name\":\"{new string('n', 65_526)}\"}}", 413, "body_too_large", null },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_bad_body_makes_no_key(string what, string body, int status, string code, string? pointer)
    {
        var gate = await gates.Of("default");
        var before = await gate.Rows();
        var answer = await gate.Send("POST", $"/api/v1/projects/{gate.ProjectId}/keys", RunningGate.RootKey, body);
        Assert.True((int)answer.Status == status && answer.String("code") == code, $"{what}: {answer}");
        Assert.Equal("application/problem+json", answer.Headers["Content-Type"]);
        if (pointer is not null)
        {
            Assert.Contains(pointer, answer.Json.GetProperty("errors").EnumerateArray().Select(error =>
                error.GetProperty("pointer").GetString()));
        }

        var theirs = await gate.Send("POST", "/v1/api-keys", RunningGate.RootKey, body);
        Assert.True(
            (int)theirs.Status == status && theirs.Json.GetProperty("error").GetProperty("code").GetString() == code, $"{what}: {theirs}");
        Assert.Equal(before, await gate.Rows());
    }

    [Fact]
    public async Task Every_fault_of_a_body_is_named_at_once()
    {
        var gate = await gates.Of("default");
        var answer = await gate.Create("\"name\":\"\",\"scopes\":[\"x\"],\"rights\":[\"y\"],\"environment\":\"z\"");
        Assert.Equal(
            ["/name", "/environment", "/scopes/0", "/rights/0"],
            answer.Json.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("pointer").GetString()));
    }

    [Theory]
    [InlineData("/api/v1/verify")]
    [InlineData("/api/v1/verify/batch")]
    [InlineData("/api/v1/verify/explain")]
    [InlineData("/api/v1/organizations")]
    [InlineData("/v1/api-keys")]
    public async Task Bytes_that_are_no_text_and_other_media_types_are_refused(string path)
    {
        var gate = await gates.Of("default");
        var before = await gate.Rows();
        byte[][] bodies =
        [
            [.. "{\"key\":\""u8, 0xC3, 0x28, .. "\"}"u8], [.. "{\""u8, 0xFF, .. "\":\"x\"}"u8],
            [.. "{\"checks\":[{\"key\":\""u8, 0xE2, 0x28, .. "\"}]}"u8], [.. "{\"name\":\""u8, 0xED, 0xA0, 0x80, .. "\"}"u8],
            [.. "{\"key\":\"\\uD800\"}"u8], [.. "{\"checks\":[{\"key\":\"x\",\"project\":\"\\uDC00\"}]}"u8],
        ];
        foreach (var body in bodies)
        {
            var status = (await Post(gate, path, body, "application/json")).Status;
            Assert.True(
                status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity,
                    $"{status} for {Encoding.Latin1.GetString(body)}");
        }

        foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "application/xml", null })
        {
            var answer = await Post(gate, path, "{\"name\":\"x\",\"key\":\"x\"}"u8.ToArray(), type);
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.Status);
        }

        Assert.Equal(before, await gate.Rows());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_530)]
    [InlineData(1_531)]
    [InlineData(8_000)]
    public async Task Half_a_surrogate_pair_in_a_key_is_no_text_however_long_the_key_is(int before)
    {
        var gate = await gates.Of("default");
        foreach (var path in new[] { "/api/v1/verify", "/api/v1/verify/explain" })
        {
            var answer = await gate.Send("POST", path, RunningGate.RootKey, $"{{\"key\":\"{new string('x', before)}\\ud800\"}}");
            Assert.True(answer.Status == HttpStatusCode.BadRequest && answer.String("code") == "invalid_json", answer.ToString());
        }
    }

    [Theory]
    [InlineData("{\"key\":\"x\",\"secret\":\"y\"}", 422, "validation_failed", "/secret")]
    [InlineData("{\"key\":\"x\",\"key\":\"y\"}", 400, "invalid_json", null)]
    [InlineData("{\"key\":null}", 422, "validation_failed", "/key")]
    [InlineData("{\"key\":{\"a\":1}}", 422, "validation_failed", "/key")]
    [InlineData("{}", 422, "validation_failed", "/key")]
    [InlineData("[]", 422, "validation_failed", "")]
    [InlineData("{\"key\":\"x\"} {}", 400, "invalid_json", null)]
    [InlineData("{\"key\":\"x\",\"requires\":\"nothing\"}", 422, "validation_failed", "/requires")]
    [InlineData("{\"key\":\"x\",\"requires\":\"chat\",\"method\":\"GET\",\"path\":\"/\"}", 422, "validation_failed", "/requires")]
    [InlineData("{\"key\":\"x\",\"method\":\"GET\"}", 422, "validation_failed", "/path")]
    [InlineData("{\"key\":\"x\",\"path\":\"/v1/models\"}", 422, "validation_failed", "/method")]
    [InlineData("{\"key\":\"x\",\"method\":\"GET\",\"path\":\"/v1/../admin\"}", 422, "validation_failed", "/path")]
    [InlineData("{\"key\":\"x\",\"address\":\"here\"}", 422, "validation_failed", "/address")]
    public async Task A_check_that_makes_no_sense_is_told_where(string body, int status, string code, string? pointer)
    {
        var gate = await gates.Of("default");
        foreach (var path in new[] { "/api/v1/verify", "/api/v1/verify/explain" })
        {
            var answer = await gate.Send("POST", path, RunningGate.RootKey, body);
            Assert.True((int)answer.Status == status && answer.String("code") == code, answer.ToString());
            if (pointer is not null)
            {
                Assert.Equal(pointer, answer.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
            }
        }
    }

    [Fact]
    public async Task The_key_is_taken_from_one_authorization_header_its_scheme_in_any_case()
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret();
        foreach (var scheme in new[] { "Bearer", "bearer", "BEARER", "bEaReR" })
        {
            Assert.Equal(200, (await Raw(gate, "/v1/models", $"Authorization: {scheme} {secret}\r\n")).Status);
        }

        (string Headers, int Status, string Code)[] rows =
        [
            ("", 401, "key_missing"),
            ("Authorization: Bearer\r\n", 401, "key_missing"),
            ("Authorization: Basic abc\r\n", 401, "key_missing"),
            ($"Authorization: {secret}\r\n", 401, "key_missing"),
            ($"X-Api-Key: {secret}\r\n", 401, "key_missing"),
            ($"Cookie: key={secret}\r\n", 401, "key_missing"),
            ($"Authorization: Bearer {new string('k', 10_000)}\r\n", 401, "invalid_key"),
            ($"Authorization: Bearer {secret}, Bearer {secret}\r\n", 401, "invalid_key"),
            ($"Authorization: Bearer {secret}\r\nAuthorization: Bearer {secret}\r\n", 400, "authorization_ambiguous"),
            ($"Authorization: Bearer {secret}\r\nauthorization: Basic x\r\n", 400, "authorization_ambiguous"),
        ];
        foreach (var (headers, status, code) in rows)
        {
            var ours = await Raw(gate, $"/api/v1/projects/{gate.ProjectId}", headers);
            Assert.True(
                ours.Status == status && ours.Text.Contains($"\"code\":\"{code}\"", StringComparison.Ordinal), $"{headers}: {ours.Text}");
            var theirs = await Raw(gate, "/v1/models", headers);
            Assert.True(
                theirs.Status == status && theirs.Text.Contains("{\"error\":{", StringComparison.Ordinal), $"{headers}: {theirs.Text}");
        }
    }

    [Fact]
    public async Task An_id_that_is_none_is_absent_and_a_wrong_method_is_told()
    {
        var gate = await gates.Of("default");
        foreach (var id in new[] { "x", "key_", "1", "root", "key_" + new string('a', 300), "' OR 1=1 --" })
        {
            (await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)).Has(HttpStatusCode.NotFound, "not_found");
            (await gate.Act(id, "revoke")).Has(HttpStatusCode.NotFound, "not_found");
        }

        (await gate.Send("PUT", "/api/v1/projects", RunningGate.RootKey, "{}")).Has(HttpStatusCode.MethodNotAllowed, "method_not_allowed");
        (await gate.Send("GET", "/api/v1/verify", RunningGate.RootKey)).Has(HttpStatusCode.MethodNotAllowed, "method_not_allowed");
        (await gate.Send("GET", "/api/v1/nothing", RunningGate.RootKey)).Has(HttpStatusCode.NotFound, "not_found");
        (await gate.Send("GET", "/api", null)).Has(HttpStatusCode.NotFound, "not_found");
        Assert.Equal("method_not_allowed", ErrorOf(await gate.Send("DELETE", "/v1/models", RunningGate.RootKey)));
        Assert.Equal("method_not_allowed", ErrorOf(await gate.Send("PUT", "/v1/api-keys", RunningGate.RootKey)));
        Assert.Equal("route_unknown", ErrorOf(await gate.Send("GET", "/v1/nothing", RunningGate.RootKey)));
        Assert.Equal("route_unknown", ErrorOf(await gate.Send("POST", "/API/v1/verify", RunningGate.RootKey, "{\"key\":\"x\"}")));
        Assert.Equal(
            "not_found", ErrorOf(await gate.Send("GET", "/v1/api-keys", RunningGate.RootKey, null, ("X-Tollgate-Project", "prj_x"))));
    }

    [Fact]
    public async Task A_key_in_the_url_is_refused_and_named_in_the_log_by_its_mask_once()
    {
        await using var gate = await RunningGate.Start("default", logLevel: "trace");
        var log = LogCapture.Of(gate);
        var secret = await gate.NewSecret();
        string[] urls =
        [
            $"/v1/models?key={secret}", $"/v1/models?a=1;api_key={secret}&b=2", $"/api/v1/projects?cursor={secret}",
            $"/v1/models?auth=Bearer%20{secret}", $"/v1/models?{secret}", $"/v1/models?k={Uri.HexEscape(secret[0])}{secret[1..]}",
            $"/v1/models?list=1,{secret},2", $"/healthz?{secret}", $"/v1/models/{secret}", $"/api/v1/keys/{secret}",
        ];
        foreach (var url in urls)
        {
            var answer = await gate.Send("GET", url, secret);
            Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{url}: {answer}");
            Assert.Contains("key_in_query", answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, answer.Text, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await gate.Send("GET", $"/v1/models?key={RunningGate.RootKey}", null)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", "/v1/models?page=2&q=nothing+like+a+key", secret)).Status);
        Assert.Single(log.Lines, line => line.Contains($"{secret[..10]}...{secret[^4..]}", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains(secret[10..^4], StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains(RunningGate.RootKey[..12], StringComparison.Ordinal));
    }

    private static string ErrorOf(Answer answer) => answer.Json.GetProperty("error").GetProperty("code").GetString()!;

    private static Task<RawAnswer> Raw(RunningGate gate, string path, string headers) =>
        RawCall.Send(gate.Address, $"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");

    private static async Task<Answer> Post(RunningGate gate, string path, byte[] body, string? type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", RunningGate.RootKey);
        request.Content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        using var response = await gate.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse(text).ValueKind);
        return new Answer(response.StatusCode, text, new Dictionary<string, string>());
    }
}
