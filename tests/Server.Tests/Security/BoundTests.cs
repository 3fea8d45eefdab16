using System.Net;
using System.Text;
using Tollgate.Engine.Keys;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Security;

/// <summary>What a stranger can make the gate hold has a bound, and others are served meanwhile.</summary>
public sealed class BoundTests(Gates gates) : IClassFixture<Gates>
{
    [Fact]
    public async Task A_header_of_a_megabyte_is_431()
    {
        var gate = await gates.Of("default");
        await using var call = await RawCall.To(gate.Address);
        await call.Write("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Long: ");
        var answer = call.Answer();
        var piece = Encoding.ASCII.GetBytes(new string('x', 65_536));
        for (var sent = 0; sent < 16 && await call.TryWrite(piece); sent++)
        {
            // Until a megabyte is out, or the gate has heard enough.
        }

        Assert.Equal(431, (await answer).Status);
    }

    [Fact]
    public async Task A_management_body_ends_at_64_kilobytes_with_or_without_a_length()
    {
        var gate = await gates.Of("default");
        var before = await gate.Rows();
        var body = $"{{\"name\":\"{new string('x', 70_000)}\"}}";
        foreach (var path in new[] { "/api/v1/organizations", "/v1/api-keys", "/api/v1/verify" })
        {
            var head = $"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                + $"Authorization: Bearer {RunningGate.RootKey}\r\n";
            var known = await RawCall.Send(gate.Address, $"{head}Content-Length: {body.Length}\r\n\r\n{body}");
            var chunked =
                await RawCall.Send(gate.Address, $"{head}Transfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n");
            Assert.True((known.Status, chunked.Status) == (413, 413), known.Text + chunked.Text);
            Assert.Contains("body_too_large", chunked.Text, StringComparison.Ordinal);
        }

        Assert.Equal(before, await gate.Rows());
    }

    [Fact]
    public async Task A_call_of_100_megabytes_is_413_and_is_not_held()
    {
        var gate = await gates.Of("default");
        var key = await gate.NewSecret();
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", "/v1/models", key)).Status);
        await using var call = await RawCall.To(gate.Address);
        await call.Write(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
            + $"Content-Type: application/json\r\nAuthorization: Bearer {key}\r\n\r\n");
        var chunk = Encoding.ASCII.GetBytes($"100000\r\n{new string('x', 0x100000)}\r\n");
        var answer = call.Answer();
        var allocated = GC.GetTotalAllocatedBytes();
        var sent = 0;
        while (sent < 100 && await call.TryWrite(chunk))
        {
            sent++;
        }

        Assert.Equal(413, (await answer).Status);
        Assert.InRange(sent, 32, 99);
        Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, 64 << 20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_only_passes_of_100_megabytes_passes_and_is_not_held(bool asRoot)
    {
        var gate = await gates.Of("default");
        var key = asRoot ? RunningGate.RootKey : await gate.NewSecret();
        Assert.Equal(HttpStatusCode.OK, (await gate.Send("GET", "/v1/models", key)).Status);
        await using var call = await RawCall.To(gate.Address);
        await call.Write(
            "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
            + $"Content-Type: application/json\r\nAuthorization: Bearer {key}\r\n\r\n");
        var chunk = Encoding.ASCII.GetBytes($"100000\r\n{new string('x', 0x100000)}\r\n");
        var answer = call.Answer();
        var allocated = GC.GetTotalAllocatedBytes();
        for (var sent = 0; sent < 100; sent++)
        {
            Assert.True(await call.TryWrite(chunk));
        }

        await call.Write("0\r\n\r\n");
        Assert.Contains($"\"body_bytes\":{100 << 20}", (await answer).Text, StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - allocated, 0, 32 << 20);
    }

    [Fact]
    public async Task A_hundred_slow_connections_hold_up_nobody()
    {
        var gate = await gates.Of("default");
        var secret = await gate.NewSecret();
        var slow = new List<RawCall>();
        for (var i = 0; i < 100; i++)
        {
            var call = await RawCall.To(gate.Address);
            slow.Add(call);
            await call.Write(i % 2 == 0
                ? "POST /api/v1/verify HTTP/1.1\r\nHost: loc"
                : "POST /api/v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
                    + $"Authorization: Bearer {RunningGate.RootKey}\r\n\r\n{{");
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var codes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => gate.CodeOf(secret))).WaitAsync(patience.Token);
        Assert.All(codes, code => Assert.Equal("allowed", code));
        foreach (var call in slow)
        {
            await call.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_connection_that_never_ends_its_header_or_its_body_is_closed_within_20_seconds()
    {
        var gate = await gates.Of("default");
        await using var header = await RawCall.To(gate.Address);
        await using var body = await RawCall.To(gate.Address);
        await header.Write("POST /api/v1/verify HTTP/1.1\r\nHost: loc");
        await body.Write(
            "POST /api/v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
            + $"Authorization: Bearer {RunningGate.RootKey}\r\n\r\n{{");
        var answers = await Task.WhenAll(header.Answer(), body.Answer())
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(408, answers[0].Status);
        Assert.InRange(answers[1].Status, 400, 408);
    }

    [Fact]
    public async Task A_batch_of_ten_thousand_checks_is_refused_whole()
    {
        var gate = await gates.Of("default");
        foreach (var (checks, status) in new[] { (1_000, 200), (1_001, 422), (10_000, 422) })
        {
            var body = $"{{\"checks\":[{string.Join(',', Enumerable.Repeat("{\"key\":\"x\"}", checks))}]}}";
            var answer = await gate.Send("POST", "/api/v1/verify/batch", RunningGate.RootKey, body);
            Assert.True((int)answer.Status == status, $"{checks}: {answer}");
        }
    }

    [Fact]
    public async Task A_project_of_ten_thousand_keys_is_listed_page_by_page_and_closed_whole()
    {
        const int keys = 10_000;
        var gate = await gates.Of("default");
        var project = await gate.NewProject();
        await gate.NewPair(project: project);
        await Multiply(gate, project, keys - 1);

        var listed = new HashSet<string>(StringComparer.Ordinal);
        var cursor = "";
        for (var page = 1; page <= keys / 100; page++)
        {
            var answer = await gate.Send("GET", $"/api/v1/projects/{project}/keys?limit=100{cursor}", RunningGate.RootKey);
            var ids = answer.Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray().ToList();
            Assert.Equal(100, ids.Count);
            listed.UnionWith(ids.Select(key => key.GetProperty("id").GetString()!));
            cursor = $"&cursor={answer.String("next_cursor")}";
            Assert.Equal(page == keys / 100, answer.String("next_cursor") is null);
        }

        Assert.Equal(keys, listed.Count);
        var closed = (await gate.Send("DELETE", $"/api/v1/projects/{project}", RunningGate.RootKey)).Has(HttpStatusCode.OK);
        Assert.Equal(keys, closed.Json.GetProperty("keys_revoked").GetInt32());
        var told = await gate.Database.Write<long>(async scope => await scope.Find<long>(
            "SELECT COUNT(DISTINCT target_id) FROM audit WHERE project_id = @project AND action = 'key.revoke'", new { project }));
        Assert.Equal(keys, told.Value);
    }

    /// <summary>Copies of a project's one key, written past every door: ten thousand calls would take minutes.</summary>
    private static async Task Multiply(RunningGate gate, string project, int copies) => await gate.Database.Write<bool>(async scope =>
    {
        for (var i = 1; i <= copies; i++)
        {
            await scope.Execute(
                """
                INSERT INTO keys (key_no, id, project_no, environment, type, name, permissions, scopes, rights, allowed_addresses,
                                  metadata, holds, created_at_ms, created_by, row_version)
                SELECT 1000000 + @i, @id, k.project_no, environment, type, k.name, permissions, scopes, rights, allowed_addresses,
                       metadata, holds, k.created_at_ms, created_by, row_version
                FROM keys k WHERE k.key_no = (SELECT MIN(o.key_no) FROM keys o JOIN project_owners p ON p.project_no = o.project_no
                                              WHERE p.project_id = @project)
                """,
                new { i, id = KeyId.New().ToString(), project });
        }

        return true;
    });

    [Fact]
    public async Task A_list_of_ten_thousand_names_is_refused_whole()
    {
        var gate = await gates.Of("default");
        var names = string.Join(',', Enumerable.Repeat("\"chat\"", 9_000));
        (await gate.Create($"\"name\":\"Many\",\"scopes\":[{names}]")).Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
        var addresses = string.Join(',', Enumerable.Repeat("\"10.0.0.1\"", 65));
        (await gate.Create($"\"name\":\"Many\",\"allowed_addresses\":[{addresses}]"))
            .Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
    }
}
