using System.Net;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// What docs.tensorx.ai promises about API keys, row by row, against a gate that knows <c>providers/tensorx.yaml</c> alone.
/// </summary>
public sealed class TensorxTests : IAsyncLifetime
{
    private const string InvalidKey = """
        {
          "error": { "message": "Invalid API Key", "type": "invalid_request_error", "param": null, "code": "invalid_api_key" }
        }
        """;

    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync() => _gate = await RunningGate.Start("tensorx");

    public ValueTask DisposeAsync() => _gate.DisposeAsync();

    [Theory]
    [InlineData("ab", false)]
    [InlineData("éé", false)]
    [InlineData("   ", false)]
    [InlineData("", false)]
    [InlineData("abc", true)]
    [InlineData("äöü", true)]
    [InlineData("CI/CD Pipeline", true)]
    public async Task TX1_a_name_has_3_to_50_characters(string name, bool isTaken)
    {
        var answer = await Create(name);
        Assert.Equal(isTaken ? HttpStatusCode.Created : HttpStatusCode.UnprocessableEntity, answer.Status);
        if (!isTaken)
        {
            Assert.Equal("/name", answer.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
            Assert.Contains("3 to 50 characters", answer.String("detail"), StringComparison.Ordinal);
        }

        Assert.Equal(isTaken ? 1 : 0, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TX1_fifty_characters_are_taken_and_fifty_one_are_not()
    {
        Assert.Equal(HttpStatusCode.Created, (await Create(new string('é', 50))).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Create(new string('é', 51))).Status);
        Assert.Equal(1, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TX1_a_key_is_not_renamed_to_what_it_could_not_be_made_as()
    {
        var key = await _gate.Make("\"name\":\"Development\"");
        var refused = await _gate.Send("PATCH", $"/api/v1/keys/{key.Id}", RunningGate.RootKey, "{\"name\":\"ab\"}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("Development", (await _gate.Send("GET", $"/api/v1/keys/{key.Id}", RunningGate.RootKey)).String("name"));
    }

    [Fact]
    public async Task TX2_the_full_key_is_shown_once_and_by_no_other_endpoint()
    {
        var key = await _gate.Make();
        string[] paths =
        [
            $"/api/v1/keys/{key.Id}", $"/api/v1/projects/{_gate.ProjectId}/keys", $"/api/v1/projects/{_gate.ProjectId}", "/api/v1/audit",
        ];
        foreach (var path in paths)
        {
            var answer = await _gate.Send("GET", path, RunningGate.RootKey);
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.DoesNotContain(key.Secret[3..], answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"secret\":", answer.Text, StringComparison.Ordinal);
        }

        foreach (var operation in new[] { "disable", "enable" })
        {
            Assert.False((await _gate.Act(key.Id, operation)).TryGetProperty("secret", out _));
        }

        var reveal = await _gate.Send("POST", $"/api/v1/keys/{key.Id}/reveal", RunningGate.RootKey);
        Assert.Equal(HttpStatusCode.Forbidden, reveal.Status);
        Assert.Equal("not_revealable", reveal.String("code"));
    }

    [Fact]
    public async Task TX2_no_file_of_the_data_folder_holds_a_full_key_so_no_backup_does()
    {
        var folder = Directory.CreateTempSubdirectory("tollgate-test-").FullName;
        string[] secrets;
        var id = "";
        await using (var gate = await RunningGate.Start("tensorx", folder))
        {
            // With an Idempotency-Key the answer, secret included, is kept for a while: sealed.
            var made = await gate.Send(
                "POST", $"/api/v1/projects/{gate.ProjectId}/keys", RunningGate.RootKey, "{\"name\":\"Kept\"}", ("Idempotency-Key", "once"));
            id = made.String("id");
            secrets = [made.String("secret"), (await gate.Act(id, "regenerate")).GetProperty("secret").GetString()!, RunningGate.RootKey];
        }

        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        var contents = await Task.WhenAll(files.Select(async file => Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file))));
        Directory.Delete(folder, recursive: true);
        Assert.Contains(contents, content => content.Contains(id, StringComparison.Ordinal));
        Assert.All(contents, content => Assert.DoesNotContain(secrets, secret => content.Contains(secret[3..], StringComparison.Ordinal)));
    }

    [Fact]
    public async Task TX3_a_key_is_sk_and_48_characters() =>
        Assert.Matches("^sk-[0-9A-Za-z]{48}$", await _gate.NewSecret());

    [Fact]
    public async Task TX4_a_key_is_displayed_as_its_first_8_characters_three_dots_and_its_last_4()
    {
        var key = await _gate.NewKey();
        var secret = key.GetProperty("secret").GetString()!;
        Assert.Equal($"{secret[..8]}...{secret[^4..]}", key.GetProperty("mask").GetString());

        var renewed = await _gate.Act(key.GetProperty("id").GetString()!, "regenerate");
        var fresh = renewed.GetProperty("secret").GetString()!;
        Assert.Equal($"{fresh[..8]}...{fresh[^4..]}", (await _gate.Keys())[0].GetProperty("mask").GetString());
    }

    [Fact]
    public async Task TX5_a_disabled_key_rejects_every_request_at_once_until_it_is_enabled()
    {
        var key = await _gate.Make();
        Assert.Equal(HttpStatusCode.OK, (await Chat(key.Secret)).Status);

        await _gate.Act(key.Id, "disable");
        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        (await _gate.Send("GET", "/v1/models", key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _gate.Send("GET", $"/api/v1/keys/{key.Id}", key.Secret)).Status);
        Assert.Equal("key_disabled", await _gate.CodeOf(key.Secret));

        await _gate.Act(key.Id, "enable");
        Assert.Equal(HttpStatusCode.OK, (await Chat(key.Secret)).Status);
    }

    [Fact]
    public async Task TX6_regenerate_keeps_the_entry_and_kills_the_old_secret_instantly()
    {
        var key = await _gate.Make("\"name\":\"Production API\"");
        Assert.Equal(HttpStatusCode.OK, (await Chat(key.Secret)).Status);

        var renewed = await _gate.Act(key.Id, "regenerate");
        var fresh = renewed.GetProperty("secret").GetString()!;
        Assert.Equal(key.Id, renewed.GetProperty("id").GetString());
        Assert.Equal("Production API", renewed.GetProperty("name").GetString());
        Assert.NotEqual(key.Secret, fresh);
        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        Assert.Equal(HttpStatusCode.OK, (await Chat(fresh)).Status);
        Assert.Equal(1, (await _gate.Keys()).GetArrayLength());
        Assert.Equal(["key.regenerate", "key.create"], await Actions(key.Id));
    }

    [Fact]
    public async Task TX6_regenerating_a_disabled_key_does_not_wake_it()
    {
        var key = await _gate.Make();
        await _gate.Act(key.Id, "disable");
        var fresh = (await _gate.Act(key.Id, "regenerate")).GetProperty("secret").GetString()!;
        (await Chat(fresh)).Is(HttpStatusCode.Unauthorized, InvalidKey);

        await _gate.Act(key.Id, "enable");
        Assert.Equal(HttpStatusCode.OK, (await Chat(fresh)).Status);
        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
    }

    [Fact]
    public async Task TX7_delete_is_immediate_and_cannot_be_undone()
    {
        var key = await _gate.Make();
        Assert.Equal(HttpStatusCode.OK, (await Chat(key.Secret)).Status);

        await _gate.Delete(key.Id);
        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        foreach (var undo in new[] { "enable", "regenerate", "disable" })
        {
            var answer = await _gate.Send("POST", $"/api/v1/keys/{key.Id}/{undo}", RunningGate.RootKey);
            Assert.Equal("key_final", answer.String("code"));
        }

        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
    }

    [Fact]
    public async Task TX7_a_deleted_key_leaves_the_list_and_its_entry_and_history_stay_readable()
    {
        var key = await _gate.Make("\"name\":\"Mobile App v2\"");
        await _gate.Delete(key.Id);
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
        var kept = await _gate.Send("GET", $"/api/v1/keys/{key.Id}", RunningGate.RootKey);
        Assert.Equal(("Mobile App v2", "deleted"), (kept.String("name"), kept.String("status")));
        Assert.Equal(["key.delete", "key.create"], await Actions(key.Id));
    }

    [Fact]
    public async Task TX10_create_and_regenerate_are_fifteen_an_hour_together_and_the_operator_and_import_are_exempt()
    {
        var manager = (await _gate.Make("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]")).Secret;
        var key = await _gate.Make();
        var path = $"/api/v1/projects/{_gate.ProjectId}/keys";
        for (var i = 0; i < 15; i++)
        {
            var done = i % 3 == 0
                ? await _gate.Send("POST", $"/api/v1/keys/{key.Id}/regenerate", manager)
                : await _gate.Send("POST", path, manager, $"{{\"name\":\"Key {i}\"}}", ("Idempotency-Key", $"key-{i}"));
            Assert.True((int)done.Status < 300, done.ToString());
            _gate.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        foreach (var refused in new[]
        {
            await _gate.Send("POST", path, manager, "{\"name\":\"One more\"}"),
            await _gate.Send("POST", $"/api/v1/keys/{key.Id}/regenerate", manager),
        })
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
            Assert.Equal("key_operations_exceeded", refused.String("code"));
            Assert.Equal(("2700", "false"), (refused.Headers["Retry-After"], refused.Headers["x-should-retry"]));
        }

        var again = await _gate.Send("POST", path, manager, "{\"name\":\"Key 14\"}", ("Idempotency-Key", "key-14"));
        Assert.Equal((HttpStatusCode.Created, "true"), (again.Status, again.Headers["Idempotency-Replayed"]));
        await _gate.Make();
        await _gate.Act(key.Id, "regenerate");
        var row = $"{{\"external_id\":\"1\",\"name\":\"Moved in\",\"secret_sha256\":\"{new string('a', 64)}\"}}";
        var import = await _gate.Send(
            "POST", $"/api/v1/import?project={_gate.ProjectId}", RunningGate.RootKey, row, ("Content-Type", "application/x-ndjson"));
        Assert.Equal(1, import.Json.GetProperty("created").GetInt32());

        _gate.Clock.Advance(TimeSpan.FromSeconds(2_699));
        Assert.Equal("1", (await _gate.Send("POST", path, manager, "{\"name\":\"One more\"}")).Headers["Retry-After"]);
        _gate.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Created, (await _gate.Send("POST", path, manager, "{\"name\":\"One more\"}")).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await _gate.Send("POST", path, manager, "{\"name\":\"One more\"}")).Status);
    }

    [Theory]
    [InlineData("sk-not-a-key")]
    [InlineData("not even that")]
    [InlineData(null)]
    public async Task TX14_a_bad_or_missing_key_is_told_in_the_OpenAI_error_shape(string? key) =>
        (await Chat(key)).Is(HttpStatusCode.Unauthorized, InvalidKey);

    private Task<Answer> Create(string name) => _gate.Ask($"\"name\":{JsonSerializer.Serialize(name)}");

    private Task<Answer> Chat(string? secret) => _gate.Send(
        "POST", "/v1/chat/completions", secret, ModelCalls.Of("qwen3-235b"));

    private async Task<string[]> Actions(string id)
    {
        var audit = await _gate.Send("GET", $"/api/v1/audit?target_id={id}", RunningGate.RootKey);
        return [.. audit.Json.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("action").GetString()!)];
    }
}
