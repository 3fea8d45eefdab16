using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// The commands of the companies' own pages, run by bash and curl as a reader would who pasted them: only the host, the key, the id of
/// the key and an expiry date that has passed are other than printed.
/// </summary>
public sealed class CurlLinesTests
{
    private const string Create = """
        curl -X POST "https://api.tensorone.ai/v2/auth/api-keys" \
        -H "Authorization: Bearer YOUR_ADMIN_API_KEY" \
        -H "Content-Type: application/json" \
        -d '{
        "name": "Production API Key",
        "permissions": ["read", "write"],
        "expiresAt": "2024-12-31T23:59:59Z",
        "scopes": ["endpoints", "clusters"]
        }'
        """;

    private const string List = """
        curl -X GET "https://api.tensorone.ai/v2/auth/api-keys" \
        -H "Authorization: Bearer YOUR_API_KEY"
        """;

    private const string Revoke = """
        curl -X DELETE "https://api.tensorone.ai/v2/auth/api-keys/key_1234567890" \
        -H "Authorization: Bearer YOUR_API_KEY"
        """;

    private const string Rotate = """
        curl -X POST "https://api.tensorone.ai/v2/auth/api-keys/key_1234567890/rotate" \
        -H "Authorization: Bearer YOUR_API_KEY"
        """;

    private const string Verify = """
        curl -X GET "https://api.tensorone.ai/v2/auth/verify" \
        -H "Authorization: Bearer YOUR_API_KEY"
        """;

    private const string Me = """
        curl -H "Authorization: Bearer YOUR_API_TOKEN" \
          https://engine.tensorpool.dev/me
        """;

    private const string Chat = """
        curl https://api.tensoras.ai/v1/chat/completions \
          -H "Authorization: Bearer $TENSORAS_API_KEY" \
          -H "Content-Type: application/json" \
          -d '{
            "model": "llama-3.3-70b",
            "messages": [{"role": "user", "content": "Hello!"}]
          }'
        """;

    private const string Upload = """
        curl --request POST \
          --url https://api.tensorlake.ai/documents/v2/files \
          --header 'Authorization: Bearer <token>' \
          --header 'Content-Type: multipart/form-data' \
          --form 'labels={}'
        """;

    [Fact]
    public async Task TO5_TO6_TO7_the_five_lines_make_list_verify_rotate_and_revoke_a_key()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var admin = await gate.NewSecret(ManagementCalls.Admin);
        var made = await Run(gate, Create, ("YOUR_ADMIN_API_KEY", admin), ("2024-12-31", "2026-12-31"));
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var (id, secret) = (made.String("key_id"), made.String("key"));

        var listed = await Run(gate, List, ("YOUR_API_KEY", secret));
        Assert.Equal(HttpStatusCode.OK, listed.Status);
        Assert.Contains($"\"{id}\"", listed.Text, StringComparison.Ordinal);

        var verified = await Run(gate, Verify, ("YOUR_API_KEY", secret));
        Assert.Equal(HttpStatusCode.OK, verified.Status);
        var permissions = """ "permissions":["read","write"],"scopes":["endpoints","clusters"] """.Trim();
        Assert.Equal(
            $"{{\"valid\":true,\"key_id\":\"{id}\",{permissions},\"expires_at\":\"2026-12-31T23:59:59Z\"}}", verified.Text);

        var rotated = await Run(gate, Rotate, ("YOUR_API_KEY", secret), ("key_1234567890", id));
        Assert.Equal(HttpStatusCode.OK, rotated.Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Run(gate, Verify, ("YOUR_API_KEY", secret))).Status);

        var fresh = rotated.String("key");
        Assert.Equal(HttpStatusCode.OK, (await Run(gate, Revoke, ("YOUR_API_KEY", fresh), ("key_1234567890", id))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Run(gate, Verify, ("YOUR_API_KEY", fresh))).Status);
    }

    [Fact]
    public async Task TO5_the_expiry_date_as_printed_has_passed_and_is_refused_in_the_dialect_with_nothing_stored()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var refused = await Run(gate, Create, ("YOUR_ADMIN_API_KEY", RunningGate.RootKey));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("""{"error":"VALIDATION_FAILED","message":"expiresAt: must lie in the future.","code":422}""", refused.Text);
        Assert.Equal(0, (await gate.Keys()).GetArrayLength());
        var audit = await gate.Send("GET", "/api/v1/audit?action=key.create", RunningGate.RootKey);
        Assert.Equal(0, audit.Json.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task TO3_the_create_line_with_an_ordinary_key_is_403()
    {
        await using var gate = await RunningGate.Start("tensorone");
        var refused = await Run(gate, Create, ("YOUR_ADMIN_API_KEY", await gate.NewSecret()), ("2024-12-31", "2026-12-31"));
        Assert.Equal(HttpStatusCode.Forbidden, refused.Status);
        Assert.Equal("keys:manage", refused.String("required_permission"));
    }

    [Fact]
    public async Task TP2_TP3_the_line_for_me_answers_whose_the_token_is_and_401_without_a_good_one()
    {
        await using var gate = await RunningGate.Start("tensorpool");
        var answer = await Run(gate, Me, ("YOUR_API_TOKEN", await gate.NewSecret()));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(gate.OrganizationId, answer.String("id"));

        var refused = await Run(gate, Me);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        Assert.Equal("""{"error":"Invalid or missing authentication token"}""", refused.Text);
    }

    [Fact]
    public async Task TS8_the_chat_line_reads_its_key_from_the_environment_and_passes()
    {
        await using var gate = await RunningGate.Start("tensoras");
        var answer = await Run(gate, Chat, await gate.NewSecret($"{ManagementCalls.Some},\"scopes\":[\"inference\"]"));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("chat.completion", answer.String("object"));

        var refused = await Run(gate, Chat, "tns_your_key_here");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
    }

    [Fact]
    public async Task TL9_the_upload_line_passes_with_a_good_key_and_not_without()
    {
        await using var gate = await RunningGate.Start("tensorlake");
        var answer = await Run(gate, Upload, ("<token>", await gate.NewSecret()));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("POST", answer.String("method"));
        Assert.InRange(answer.Json.GetProperty("body_bytes").GetInt32(), "labels={}".Length, 1_000);

        Assert.Equal(HttpStatusCode.Unauthorized, (await Run(gate, Upload)).Status);
    }

    private static Task<Answer> Run(RunningGate gate, string line, params (string Printed, string Actual)[] changes)
    {
        foreach (var (printed, actual) in changes)
        {
            Assert.Contains(printed, line, StringComparison.Ordinal);
            line = line.Replace(printed, actual, StringComparison.Ordinal);
        }

        return Run(gate, line, "");
    }

    /// <summary>Runs a line in bash. What the test needs beside it, such as the status, curl is told by a configuration file.</summary>
    private static async Task<Answer> Run(RunningGate gate, string line, string key)
    {
        var home = Directory.CreateTempSubdirectory("tollgate-curl-").FullName;
        await File.WriteAllTextAsync(
            Path.Combine(home, ".curlrc"), "silent\nshow-error\nnoproxy = \"*\"\nmax-time = 60\nwrite-out = \"\\n%{http_code}\"\n");
        var host = Hosts.Single(line.Contains);
        var start = new ProcessStartInfo("bash", ["-c", line.Replace(host, gate.Address, StringComparison.Ordinal)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment["CURL_HOME"] = home;
        start.Environment["TENSORAS_API_KEY"] = key;
        using var bash = Process.Start(start)!;
        var error = bash.StandardError.ReadToEndAsync();
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Directory.Delete(home, recursive: true);
        Assert.True(bash.ExitCode == 0, $"curl ended with {bash.ExitCode}: {await error}");
        var end = output.LastIndexOf('\n');
        var status = (HttpStatusCode)int.Parse(output.AsSpan(end + 1), CultureInfo.InvariantCulture);
        return new Answer(status, output[..end], new Dictionary<string, string>());
    }

    private static readonly string[] Hosts =
    [
        "https://api.tensorone.ai", "https://engine.tensorpool.dev", "https://api.tensoras.ai", "https://api.tensorlake.ai",
    ];
}
