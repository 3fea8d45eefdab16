using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Docs;
using Tollgate.Server.ForwardAuth;
using Tollgate.Server.Providers;
using Tollgate.Server.Telemetry;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Docs;

public sealed partial class OpenApiTests
{
    [Fact]
    public async Task Anybody_reads_the_same_document_as_JSON_and_as_YAML()
    {
        await using var gate = await RunningGate.Start("default");

        var json = await gate.Send("GET", "/openapi.json", key: null);
        var yaml = await gate.Send("GET", "/openapi.yaml", key: null);

        Assert.Equal((HttpStatusCode.OK, "application/json"), (json.Status, json.Headers["Content-Type"]));
        Assert.Equal((HttpStatusCode.OK, "application/yaml"), (yaml.Status, yaml.Headers["Content-Type"]));
        Assert.Equal(JsonNode.Parse(json.Text)!.ToJsonString(), YamlTests.Read(yaml.Text).ToJsonString());
        Assert.StartsWith("3.1.", json.String("openapi"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_endpoint_is_described_with_an_id_and_texts_of_its_own()
    {
        await using var gate = await RunningGate.Start("default");
        // The provider's own places and the door for proxies are no endpoints: both are answered ahead of routing.
        var operations = Operations(await Document(gate))
            .Where(one => !one.Id.StartsWith("provider", StringComparison.Ordinal) && one.Id != AuthorizePath.OperationId).ToList();

        var endpoints = gate.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText != "/" && !Own().IsMatch(endpoint.RoutePattern.RawText!)
                && !ConsolePaths.IsAt("/" + endpoint.RoutePattern.RawText!.TrimStart('/')))
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
                .Select(method => $"{method} {"/" + endpoint.RoutePattern.RawText!.Trim('/')}"));
        Assert.Equal(endpoints.Order(), operations.Select(one => $"{one.Method.ToUpperInvariant()} {one.Path}").Order());
        Assert.Equal(OperationTexts.Operations.Order(), operations.Select(one => one.Id).Order());
        Assert.All(operations, one => Assert.NotEqual(one.Text("summary"), one.Text("description")));
    }

    [Fact]
    public async Task Every_record_has_a_text_and_every_text_a_record()
    {
        await using var gate = await RunningGate.Start("tensorx");
        var schemas = (await Document(gate))["components"]!["schemas"]!.AsObject().Select(schema => schema.Key);

        Assert.Equal(SchemaTexts.Records.Order(), schemas.Where(name => name != "Problem").Order());
    }

    [Theory]
    [InlineData("default")]
    [InlineData("tensorone")]
    public async Task Without_a_key_each_call_is_refused_as_described_unless_it_is_described_as_open(string provider)
    {
        await using var gate = await RunningGate.Start(provider);
        var route = gate.Services.GetRequiredService<ProviderModel>().Routes.Routes[0];
        var original = route.Pattern.Text.Replace("/**", "/x", StringComparison.Ordinal);
        foreach (var one in Operations(await Document(gate)))
        {
            var answer = await gate.Send(
                one.Method.ToUpperInvariant(), one.Path.Replace("{id}", "x", StringComparison.Ordinal), key: null, body: null,
                (OriginalRequest.ForwardedMethod, "GET"), (OriginalRequest.ForwardedUri, original));

            var isOpen = one.Body["security"] is JsonArray { Count: 0 };
            Assert.Equal((one.Id, isOpen ? 200 : 401), (one.Id, (int)answer.Status));
            Assert.Equal(one.Id + isOpen, one.Id + (one.Path is "/healthz" or "/readyz"));
            Assert.NotNull(one.Body["responses"]![isOpen ? "200" : "401"]);
        }
    }

    [Fact]
    public async Task Callers_prove_who_they_are_by_a_bearer_key()
    {
        await using var gate = await RunningGate.Start("default");
        var document = await Document(gate);

        Assert.Equal("""[{"bearer":[]}]""", document["security"]!.ToJsonString());
        var scheme = document["components"]!["securitySchemes"]!["bearer"]!;
        Assert.Equal(("http", "bearer"), ((string?)scheme["type"], (string?)scheme["scheme"]));
    }

    [Fact]
    public async Task The_server_is_where_the_caller_reached_it()
    {
        await using var gate = await RunningGate.Start("default");

        Assert.Equal(gate.Address, await ServerAt(gate, host: null));
        Assert.Equal("http://gate.example.test:8443", await ServerAt(gate, "gate.example.test:8443"));
        Assert.Equal("http://[::1]:8700", await ServerAt(gate, "[::1]:8700"));
    }

    [Theory]
    [InlineData("under_score.test")]
    [InlineData("-dash.test")]
    public async Task A_host_that_is_no_name_and_port_is_not_repeated(string host)
    {
        await using var gate = await RunningGate.Start("default");
        var answer = await gate.Send("GET", "/openapi.yaml", null, null, ("Host", host));

        Assert.DoesNotContain(host, answer.Text, StringComparison.Ordinal);
        Assert.Contains($"url: \"{gate.Address}\"", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Numbers_are_numbers_only_and_only_what_is_needed_is_required()
    {
        await using var gate = await RunningGate.Start("default");
        var document = await Document(gate);
        var schemas = document["components"]!["schemas"]!;

        Assert.DoesNotMatch(NumberOrText(), document.ToJsonString());
        Assert.Equal("""["name"]""", schemas["CreateKey"]!["required"]!.ToJsonString());
        Assert.Equal("""["key"]""", schemas["Verify"]!["required"]!.ToJsonString());
        Assert.Null(schemas["ChangeKey"]!["required"]);
        Assert.Null(schemas["RotateKey"]!["required"]);
        Assert.Contains("\"expires_at\"", schemas["Key"]!["required"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("""["null","string"]""", schemas["Key"]!["properties"]!["expires_at"]!["type"]!.ToJsonString());
    }

    [Fact]
    public async Task The_providers_bounds_are_the_documents()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var members = (await Document(gate))["components"]!["schemas"]!["CreateKey"]!["properties"]!;

        Assert.Equal((1, 100), ((int)members["name"]!["minLength"]!, (int)members["name"]!["maxLength"]!));
        Assert.Equal("""["live","test",null]""", members["environment"]!["enum"]!.ToJsonString());
        Assert.Equal("""["read","write"]""", members["permissions"]!["items"]!["enum"]!.ToJsonString());
        Assert.Contains("\"webhooks\"", members["scopes"]!["items"]!["enum"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_that_change_something_take_an_idempotency_key()
    {
        await using var gate = await RunningGate.Start("default");
        var operations = Operations(await Document(gate)).ToList();
        // A check changes nothing that is kept under a key, and a report names its reservation or brings a key of its own.
        string[] repeatable = ["/api/v1/verify", "/api/v1/usage"];
        var changing = operations.Where(one =>
            one.Method != "get" && !repeatable.Any(path => one.Path.StartsWith(path, StringComparison.Ordinal)));

        Assert.Equal(changing.Select(one => one.Id), operations
            .Where(one => one.Body["parameters"]?.ToJsonString().Contains("parameters/Idempotency-Key", StringComparison.Ordinal) == true)
            .Select(one => one.Id));
    }

    [Fact]
    public async Task The_providers_own_paths_are_described_in_its_names_and_answers()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var create = (await Document(gate))["paths"]!["/v2/auth/api-keys"]!["post"]!;

        var body = create["requestBody"]!["content"]!["application/json"]!["schema"]!;
        Assert.Equal(
            ["description", "expiresAt", "name", "permissions", "scopes", "type"],
            body["properties"]!.AsObject().Select(member => member.Key).Order());
        Assert.Equal("""["name"]""", body["required"]!.ToJsonString());
        Assert.Equal(
            """{"error":"UNAUTHORIZED","message":"Invalid or missing API key","code":401}""",
            create["responses"]!["401"]!["content"]!["application/json"]!["examples"]!["invalid_key"]!["value"]!.ToJsonString());
        Assert.NotNull(create["responses"]!["201"]!["content"]!["application/json"]!["example"]!["key_id"]);
    }

    [Theory]
    [InlineData("default")]
    [InlineData("tensorlake")]
    [InlineData("tensorpool")]
    public async Task No_example_looks_like_a_real_key(string provider)
    {
        await using var gate = await RunningGate.Start(provider);

        Assert.DoesNotMatch(LongWord(), (await gate.Send("GET", "/openapi.json", key: null)).Text);
    }

    private static async Task<JsonNode> Document(RunningGate gate) =>
        JsonNode.Parse((await gate.Send("GET", "/openapi.json", key: null)).Text)!;

    private static async Task<string> ServerAt(RunningGate gate, string? host)
    {
        (string, string)[] headers = host is null ? [] : [("Host", host)];
        var answer = await gate.Send("GET", "/openapi.json", null, null, headers);
        return (string)JsonNode.Parse(answer.Text)!["servers"]!.AsArray().Single()!["url"]!;
    }

    private static IEnumerable<Operation> Operations(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select new Operation(path.Key, operation.Key, operation.Value!);

    [GeneratedRegex("""\["(?:integer|number)","string"\]|\["string","(?:integer|number)"\]""")]
    private static partial Regex NumberOrText();

    [GeneratedRegex("[0-9A-Za-z]{30}")]
    private static partial Regex LongWord();

    /// <summary>The document's own endpoints, which do not describe themselves.</summary>
    [GeneratedRegex("^/?(?:openapi|docs|mail|llms)")]
    private static partial Regex Own();

    private sealed record Operation(string Path, string Method, JsonNode Body)
    {
        public string Id => Text("operationId");

        public string Text(string member) => (string)Body[member]!;
    }
}
