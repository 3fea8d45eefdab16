using System.Net;
using System.Net.Sockets;
using System.Text;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// Every shipped provider file holds what its examples say, and what no page documents (a path that is none, a body that is too large)
/// is still told in the file's own shape.
/// </summary>
public sealed class ProviderExamplesTests
{
    public static TheoryData<string> Shipped => [.. ProviderFiles.Shipped.Names()];

    [Fact]
    public void The_shipped_files_are_the_five_companies_the_default_its_base_and_the_template() => Assert.Equal(
        ["default", "openai", "template", "tensoras", "tensorlake", "tensorone", "tensorpool", "tensorx"], ProviderFiles.Shipped.Names());

    [Theory]
    [MemberData(nameof(Shipped))]
    public async Task Every_example_of_a_shipped_file_is_answered_as_written(string name)
    {
        var provider = ProviderFiles.Shipped.Load(name).Model!;
        Assert.NotEmpty(provider.Examples);
        var results = await ExampleRun.Run(provider);
        Assert.Equal(provider.Examples.Select(example => example.Name), results.Select(result => result.Example.Name));
        Assert.Empty(results.Where(result => result.Fault is not null).Select(result => $"{result.Example.Name}: {result.Fault}"));
    }

    [Fact]
    public async Task A_wrong_example_is_told_with_what_was_expected_and_what_came()
    {
        var results = await Changed(
            "tensorpool", "expect: { status: 403, body: { error: Insufficient permissions } }", "expect: { status: 201 }");
        var (example, fault) = Assert.Single(results, result => result.Fault is not null);
        Assert.Equal("a read-only token starts no jobs", example.Name);
        Assert.Equal("expected 201, got 403 {\"error\":\"Insufficient permissions\"}", fault);
    }

    [Theory]
    [InlineData("", 200)]
    [InlineData("    times: 2\n", 401)]
    public async Task An_example_is_sent_as_often_as_it_says_and_its_last_answer_counts(string times, int status)
    {
        var results = await Changed(
            "tensorone",
            "  - name: a read key may read\n",
            $"  - name: a key ends itself\n    send: DELETE /v2/auth/api-keys/{{key}}\n{times}    expect: {{ status: {status} }}\n"
            + "  - name: a read key may read\n");
        Assert.Null(results[0].Fault);
        Assert.Equal("a key ends itself", results[0].Example.Name);
    }

    [Fact]
    public async Task A_wrong_member_is_told_with_its_place_in_the_body()
    {
        var results = await Changed(
            "tensoras", "error: { type: permission_error, code: insufficient_scope }", "error: { type: permission_error, code: other }");
        var (_, fault) = Assert.Single(results, result => result.Fault is not null);
        Assert.StartsWith("expected {", fault, StringComparison.Ordinal);
        Assert.EndsWith("(at /error/code)", fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_example_whose_key_the_file_forbids_says_why()
    {
        var results = await Changed("tensorone", "{ type: service, scopes: [ai] }", "{ type: service }");
        var (_, fault) = Assert.Single(results, result => result.Fault is not null);
        Assert.StartsWith("its key could not be made: scopes: must name at least one of", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tensorlake", "/nowhere")]
    [InlineData("tensorone", "/v2/nowhere")]
    [InlineData("tensorpool", "/you")]
    [InlineData("tensoras", "/v1/audio")]
    [InlineData("tensorx", "/v2/models")]
    public async Task A_path_that_no_route_names_is_404_in_the_dialect(string name, string path)
    {
        await using var gate = await RunningGate.Start(name);
        foreach (var key in new[] { null, await gate.NewSecret(), RunningGate.RootKey })
        {
            (await gate.Send("GET", path, key)).Is(
                HttpStatusCode.NotFound, Worded(gate, name, 404, "route_unknown", "No route has this path."));
        }
    }

    [Theory]
    [InlineData("tensorlake", "GET", "/platform/v1/keys/introspect", "POST")]
    [InlineData("tensorone", "PUT", "/v2/auth/api-keys", "GET, HEAD, POST")]
    [InlineData("tensorpool", "POST", "/me", "GET, HEAD")]
    [InlineData("tensoras", "GET", "/v1/retrieve", "POST")]
    [InlineData("tensorx", "DELETE", "/v1/models", "GET, HEAD")]
    public async Task A_method_that_the_path_does_not_take_is_405_in_the_dialect_and_names_those_it_takes(
        string name, string method, string path, string allowed)
    {
        await using var gate = await RunningGate.Start(name);
        var answer = await gate.Send(method, path, await gate.NewSecret());
        answer.Is(HttpStatusCode.MethodNotAllowed, Worded(gate, name, 405, "method_not_allowed", "This path does not take this method."));
        Assert.Equal(allowed, answer.Headers["Allow"]);
    }

    [Theory]
    [InlineData("tensoras")]
    [InlineData("tensorx")]
    public async Task A_call_to_a_model_above_the_bound_is_413_in_the_dialect_before_it_is_sent(string name)
    {
        await using var gate = await RunningGate.Start(name);
        var answer = await Announce(gate, "/v1/chat/completions", await gate.NewSecret(), new GateOptions().BodyBytesMax + 1);
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.EndsWith(
            "\r\n\r\n" + Worded(gate, name, 413, "body_too_large", "The body is too large."), answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_small_bound_holds_calls_to_a_model_and_neither_what_only_passes_nor_the_management_API()
    {
        var options = new GateOptions { LogLevel = "none", BodyBytesMax = 1_024 };
        await using var gate = await RunningGate.Start("tensoras", options);
        var secret = await gate.NewSecret();
        Assert.StartsWith("HTTP/1.1 413 ", await Announce(gate, "/v1/chat/completions", secret, 1_025), StringComparison.Ordinal);
        (await gate.Send("POST", "/v1/chat/completions", secret, ModelCalls.Any.PadRight(1_024))).Has(HttpStatusCode.OK);
        var passes = await gate.Send("POST", "/v1/rerank", secret, new string(' ', 3_000));
        Assert.Equal(3_000, passes.Has(HttpStatusCode.OK).Json.GetProperty("body_bytes").GetInt32());

        var described = $"{{\"name\":\"Wide\",\"metadata\":{{\"a\":\"{new string('x', 3_000)}\"}}}}";
        (await gate.Send("POST", $"/api/v1/projects/{gate.ProjectId}/keys", RunningGate.RootKey, described)).Has(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_body_above_the_bound_is_413_also_where_a_condition_must_read_it()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var secret = await gate.NewSecret($"{ManagementCalls.Some},\"scopes\":[\"rag\"]");
        var answer = await Announce(gate, "/v1/chat/completions", secret, new GateOptions().BodyBytesMax + 1);
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body_too_large\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_management_body_above_64_KiB_is_413_in_the_dialect_and_nothing_is_stored()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var body = $"{{\"name\":\"{new string('x', 65_536)}\"}}";
        (await gate.Send("POST", "/v2/auth/api-keys", RunningGate.RootKey, body)).Is(
            HttpStatusCode.RequestEntityTooLarge,
            Worded(gate, "tensorone", 413, "body_too_large", "The body may have at most 65536 bytes."));
        Assert.Equal(0, (await gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task Malformed_JSON_on_a_route_with_a_condition_is_400_with_its_place_and_never_its_text()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var secret = await gate.NewSecret($"{ManagementCalls.Some},\"scopes\":[\"rag\"]");
        (await gate.Send("POST", "/v1/chat/completions", secret, "{\"knowledge_bases\": [\"kb_1\"")).Is(HttpStatusCode.BadRequest, """
            {
              "error": {
                "message": "The body is not valid JSON at line 1, byte 28.",
                "type": "invalid_request_error",
                "code": "invalid_json"
              }
            }
            """);
    }

    [Fact]
    public async Task Malformed_JSON_is_refused_where_it_would_call_a_model_and_passes_where_nothing_depends_on_it()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var secret = await gate.NewSecret();
        var call = (await gate.Send("POST", "/v1/chat/completions", secret, "{\"model\":")).Has(HttpStatusCode.BadRequest);
        Assert.Equal("invalid_json", call.Json.GetProperty("error").GetProperty("code").GetString());

        var other = (await gate.Send("POST", "/v1/rerank", secret, "{\"model\":")).Has(HttpStatusCode.OK);
        Assert.Equal(9, other.Json.GetProperty("body_bytes").GetInt32());
    }

    /// <summary>How each company's file words what its pages do not name.</summary>
    private static string Worded(RunningGate gate, string name, int status, string code, string message) => name switch
    {
        "tensorlake" => $$"""{"message":"{{message}}","code":"{{code}}","timestamp":{{gate.Clock.NowMs}}}""",
        "tensorone" => $$"""{"error":"{{code.ToUpperInvariant()}}","message":"{{message}}","code":{{status}}}""",
        "tensorpool" => $$"""{"error":"{{message}}"}""",
        "tensoras" => $$$"""{"error":{"message":"{{{message}}}","type":"invalid_request_error","code":"{{{code}}}"}}""",
        _ => $$$"""{"error":{"message":"{{{message}}}","type":"invalid_request_error","param":null,"code":"{{{code}}}"}}""",
    };

    /// <summary>Runs the examples of a shipped file in which pairs of texts were replaced, each of which must occur once.</summary>
    private static async Task<IReadOnlyList<ExampleOutcome>> Changed(string name, params string[] changes)
    {
        var folder = Directory.CreateTempSubdirectory("tollgate-provider-").FullName;
        var shipped = ProviderFiles.Shipped.PathOf(name);
        var text = await File.ReadAllTextAsync(shipped);
        foreach (var change in changes.Chunk(2))
        {
            Assert.Equal(2, text.Split(change[0]).Length);
            text = text.Replace(change[0], change[1], StringComparison.Ordinal);
        }

        File.Copy(ProviderFiles.Shipped.PathOf("openai"), Path.Combine(folder, "openai.yaml"));
        var file = Path.Combine(folder, $"{name}.yaml");
        await File.WriteAllTextAsync(file, text);
        var loaded = ProviderFiles.Shipped.Load(file);
        Assert.True(loaded.Model is not null, string.Join('\n', loaded.Errors));
        var results = await ExampleRun.Run(loaded.Model);
        Directory.Delete(folder, recursive: true);
        return results;
    }

    /// <summary>Announces a body and sends none of it: what the gate answers, it answers by the announcement alone.</summary>
    private static async Task<string> Announce(RunningGate gate, string path, string secret, int bytes)
    {
        var address = new Uri(gate.Address);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {secret}\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {bytes}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
