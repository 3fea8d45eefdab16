using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>Paths as they are sent, byte for byte: what could mean one thing here and another behind is refused, not repaired.</summary>
public sealed class PathTests(Gates gates) : IClassFixture<Gates>
{
    [Theory]
    [InlineData("/v1/models/../models")]
    [InlineData("/v1/./models")]
    [InlineData("/v1/models/..")]
    [InlineData("//v1/models")]
    [InlineData("/v1//models")]
    [InlineData("/v1/%2e%2e/models")]
    [InlineData("/v1/%2E/models")]
    [InlineData("/v1/.%2e/models")]
    [InlineData("/v1%2Fmodels")]
    [InlineData("/v1%2fapi-keys")]
    [InlineData("/v1/api-keys%2Fx")]
    [InlineData("/v1/models/..%2Fapi-keys")]
    [InlineData("/v1\\models")]
    [InlineData("/v1/models%5c..")]
    [InlineData("/v1/models/%5C")]
    [InlineData("/v1/models/%252e%252e/x")]
    [InlineData("/v1/models/%252Fx")]
    [InlineData("/v1/models/%")]
    [InlineData("/v1/models/%zz")]
    [InlineData("/v1/models/%00")]
    [InlineData("/v1/models/%ff")]
    [InlineData("/v1/models/..;/x")]
    [InlineData("http://localhost/v1/models/../api-keys")]
    [InlineData("http://localhost//v1/models")]
    [InlineData("http://localhost?a=/v1/models")]
    [InlineData("http://localhost?/v1/models")]
    [InlineData("http://localhost#/v1/models")]
    [InlineData("http:?a=://localhost/v1/models")]
    [InlineData("/api/v1/../../v1/models")]
    [InlineData("/api/v1/keys/%2e%2e/projects")]
    [InlineData("/api/v1//projects")]
    [InlineData("/api%2Fv1/projects")]
    [InlineData("/api/v1%2Fprojects")]
    [InlineData("/api/v1/keys/x%2Frevoke")]
    [InlineData("/api/v1/projects%5c")]
    [InlineData("/api/v1/projects/%00")]
    public async Task A_path_trick_is_refused_with_400_even_to_the_root_key(string target)
    {
        var gate = await gates.Of("default");
        var answer = await RawCall.Get(gate.Address, target, RunningGate.RootKey);
        Assert.True(answer.Status == 400, answer.Text);
        // What the server itself refuses before us has no body; what is ours says why.
        Assert.True(answer.Body.Length == 0 || answer.Text.Contains("path_refused", StringComparison.Ordinal), answer.Text);
    }

    [Theory]
    [InlineData("/v1/models", 200)]
    [InlineData("http://localhost/v1/models", 200)]
    [InlineData("http://localhost/v1/models?x=..//", 200)]
    [InlineData("/v1/models/echo%2Dsmall", 200)]
    [InlineData("/v1/mod%65ls", 200)]
    [InlineData("/v1/Models", 404)]
    [InlineData("/v1/models/", 200)]
    [InlineData("/%61pi/v1/projects", 404)]
    [InlineData("/API/v1/projects", 404)]
    [InlineData("/Healthz", 404)]
    [InlineData("/apix/v1/projects", 404)]
    public async Task A_plain_path_is_matched_as_it_was_sent(string target, int status)
    {
        var gate = await gates.Of("default");
        var answer = await RawCall.Get(gate.Address, target, RunningGate.RootKey);
        Assert.True(answer.Status == status, answer.Text);
        Assert.DoesNotContain("First project", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_trick_gets_past_a_keys_permissions()
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret("\"name\":\"Models\",\"scopes\":[\"models\"]");
        string[] targets =
        [
            "/v1/models/../files", "/v1/models%2F..%2Ffiles", "/v1/models/..%2ffiles", "/v1/models;/../files", "/v1/models/%2e%2e/files",
            "/v1/files", "/v1/FILES", "/v1/models\\..\\files", "http://localhost/v1/files", "/v1/files?path=/v1/models",
        ];
        foreach (var target in targets)
        {
            Assert.InRange((await RawCall.Get(gate.Address, target, secret)).Status, 400, 404);
        }

        Assert.Equal(200, (await RawCall.Get(gate.Address, "/v1/models", secret)).Status);
    }
}
