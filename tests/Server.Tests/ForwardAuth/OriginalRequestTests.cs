using System.Net;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Problems;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.ForwardAuth;

/// <summary>Which request is judged: told once it is taken, told not or twice it is refused, whoever's key it brings.</summary>
public sealed class OriginalRequestTests(Gates gates) : IClassFixture<Gates>
{
    private const string Missing = "original_request_missing";
    private const string Ambiguous = "original_request_ambiguous";

    [Theory]
    [InlineData(Missing, "", "")]
    [InlineData(Missing, "", "X-Forwarded-Method: GET")]
    [InlineData(Missing, "", "X-Forwarded-Uri: /v1/models")]
    [InlineData(Missing, "", "X-Forwarded-Method:|X-Forwarded-Uri: /v1/models")]
    [InlineData(Missing, "", "X-Forwarded-Method: GET|X-Forwarded-Uri:")]
    [InlineData(Missing, "", "X-Original-Method: GET")]
    [InlineData(Missing, "", "X-Original-URI: /v1/models")]
    [InlineData(Missing, "", "X-Envoy-Original-Path: /v1/models|X-Rewrite-URL: /v1/models")]
    [InlineData(Ambiguous, "", "X-Forwarded-Method: GET|X-Forwarded-Uri: /v1/models|X-Forwarded-Uri: /v1/models")]
    [InlineData(Ambiguous, "", "X-Forwarded-Method: GET|X-Forwarded-Method: POST|X-Forwarded-Uri: /v1/models")]
    [InlineData(Ambiguous, "", "X-Original-Method: GET|X-Original-URI: /v1/models|X-Original-URI: /v1/files")]
    [InlineData(Ambiguous, "", "X-Original-Method: GET|X-Forwarded-Uri: /v1/models")]
    [InlineData(Ambiguous, "", "X-Forwarded-Method: GET|X-Forwarded-Uri: /v1/models|X-Original-Method: GET|X-Original-URI: /v1/models")]
    [InlineData(Ambiguous, "", "X-Forwarded-Method: GET|X-Forwarded-Uri: /v1/models|X-Original-URI:")]
    [InlineData(Ambiguous, "/v1/models", "X-Forwarded-Uri: /v1/models")]
    [InlineData(Ambiguous, "/v1/models", "X-Original-Method: GET")]
    [InlineData(Ambiguous, "/", "X-Forwarded-Method: GET|X-Forwarded-Uri: /v1/models")]
    public async Task A_request_that_is_told_not_or_more_than_once_is_refused(string code, string path, string headers)
    {
        var gate = await gates.Of("default");
        foreach (var key in new[] { RunningGate.RootKey, await gate.NewSecret() })
        {
            foreach (var style in path.Length > 0 ? [""] : new[] { "", "?style=nginx", "?style=refusal" })
            {
                var answer = await Ask(gate, path + style, key, headers);
                Assert.Equal(style == "?style=nginx" ? 403 : 400, answer.Status);
                Assert.Contains($"X-Tollgate-Code: {code}\r\n", answer.Text, StringComparison.Ordinal);
                Assert.Equal(style == "?style=nginx", answer.Text.Contains("X-Tollgate-Status: 400\r\n", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public async Task The_refusal_is_worded_by_the_catalogue_and_by_the_provider()
    {
        var gate = await gates.Of("default");
        var answer = await gate.Send("GET", AuthorizeDoor.Path, RunningGate.RootKey);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(ProblemCode.OriginalRequestMissing.Title, answer.Header(AuthorizeDoor.ReasonHeader));
        Assert.Contains("X-Forwarded-Uri", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?style=Nginx")]
    [InlineData("?style=")]
    [InlineData("?style=nginx&style=refusal")]
    [InlineData("?limit=5")]
    [InlineData("?limit=5&style=nginx")]
    public async Task A_query_that_is_no_style_is_refused_as_the_customers_own(string query)
    {
        var gate = await gates.Of("default");
        var answer = await gate.Forwarded(RunningGate.RootKey, "/v1/models", style: query);

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (answer.Status, answer.Header(AuthorizeDoor.CodeHeader)));
    }

    [Fact]
    public async Task The_pair_of_a_proxy_does_not_depend_on_the_style_which_a_customer_may_have_written()
    {
        var gate = await gates.Of("default");
        var files = await gate.NewSecret("\"name\":\"Files\",\"scopes\":[\"files\"]");

        // A proxy that appends the customer's query, and a customer that tells of a request it may make.
        var answer = await gate.Send(
            "GET", AuthorizeDoor.Path + "?style=nginx", files, body: null,
            (OriginalRequest.ForwardedMethod, "GET"), (OriginalRequest.ForwardedUri, "/v1/models"),
            (OriginalRequest.OriginalMethod, "GET"), (OriginalRequest.OriginalUri, "/v1/files"));

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal(Ambiguous, answer.Header(AuthorizeDoor.CodeHeader));
    }

    [Theory]
    [InlineData("get", "/v1/models")]
    [InlineData("GET, POST", "/v1/models")]
    [InlineData("TRACE", "/v1/models")]
    [InlineData("CONNECT", "/v1/models")]
    [InlineData("POST", "/v1/models")]
    public async Task A_method_that_no_route_takes_is_refused(string method, string uri)
    {
        var gate = await gates.Of("default");
        var answer = await gate.Forwarded(RunningGate.RootKey, uri, method);

        Assert.Equal((HttpStatusCode.MethodNotAllowed, "method_not_allowed"), (answer.Status, answer.Header(AuthorizeDoor.CodeHeader)));
    }

    [Theory]
    [InlineData("/v1/models?key={0}")]
    [InlineData("/v1/models?{0}")]
    [InlineData("/v1/models/{0}")]
    [InlineData("/v1/models?a=%22{0}%22")]
    public async Task A_key_in_the_original_url_is_refused_and_flagged_by_its_mask(string uri)
    {
        await using var gate = await RunningGate.Start("default", logLevel: "warning");
        var log = LogCapture.Of(gate);
        foreach (var ask in new Func<string, string, Task<Answer>>[]
        {
            (key, told) => gate.Forwarded(key, told), (key, told) => gate.Nginx(key, told, style: "?style=refusal"),
            (key, told) => gate.Appended(key, told),
        })
        {
            var secret = await gate.NewSecret();
            var answer = await ask(secret, string.Format(System.Globalization.CultureInfo.InvariantCulture, uri, secret));

            Assert.Equal((HttpStatusCode.BadRequest, "key_in_query"), (answer.Status, answer.Header(AuthorizeDoor.CodeHeader)));
            Assert.DoesNotContain(secret, answer.Text, StringComparison.Ordinal);
        }

        Assert.Equal(3, log.Lines.Count(line => line.Contains("A key was sent in a URL and refused", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("/api/v1/authorizes")]
    [InlineData("/api/v1/Authorize")]
    [InlineData("/api/v1/authorize%2F")]
    [InlineData("/api/v1/%61uthorize")]
    public async Task Only_the_doors_own_path_leads_to_it(string path)
    {
        var gate = await gates.Of("default");
        var answer = await Ask(gate, path, RunningGate.RootKey, "X-Forwarded-Method: GET|X-Forwarded-Uri: /v1/models", prefix: "");

        Assert.InRange(answer.Status, 400, 404);
    }

    private static Task<RawAnswer> Ask(RunningGate gate, string path, string key, string headers, string prefix = AuthorizeDoor.Path) =>
        RawCall.Send(
            gate.Address,
            $"GET {prefix}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n"
            + string.Concat(headers.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(header => header + "\r\n")) + "\r\n");
}
