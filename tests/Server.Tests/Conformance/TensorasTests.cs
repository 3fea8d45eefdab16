using System.Net;
using System.Text.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Keys;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// What Tensoras.ai promises under "Authentication" about API keys, row by row, against a gate that knows <c>providers/tensoras.yaml</c>
/// alone.
/// </summary>
public sealed class TensorasTests : IAsyncLifetime
{
    private const string InvalidKey = """
        {
          "error": {
            "message": "Invalid API key. Please check your key and try again.",
            "type": "authentication_error",
            "code": "invalid_api_key"
          }
        }
        """;

    private const string Hello = """
        {
            "model": "llama-3.3-70b",
            "messages": [{"role": "user", "content": "Hello!"}]
        }
        """;

    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync() => _gate = await RunningGate.Start("tensoras");

    public ValueTask DisposeAsync() => _gate.DisposeAsync();

    [Fact]
    public async Task TS7_a_key_is_tns_and_a_random_alphanumeric_string()
    {
        var (one, two) = (await _gate.NewSecret(), await _gate.NewSecret());
        Assert.Matches("^tns_[0-9A-Za-z]{40}$", one);
        Assert.NotEqual(one, two);
        Assert.Equal(HttpStatusCode.OK, (await Chat(one)).Status);
    }

    [Fact]
    public async Task TS7_what_is_no_such_key_is_refused_without_a_lookup_and_what_could_be_one_is_looked_up()
    {
        var secret = await _gate.NewSecret();
        var table = _gate.Services.GetRequiredService<KeyTable>();
        var wrongChecksum = secret[..^1] + (secret[^1] == 'A' ? 'B' : 'A');
        string[] junks =
        [
            "tns_", "tns_short", $"sk-{secret[4..]}", $"TNS_{secret[4..]}", secret + "0", secret[..^1] + "-", wrongChecksum,
        ];
        foreach (var junk in junks)
        {
            (await Chat(junk)).Is(HttpStatusCode.Unauthorized, InvalidKey);
            Assert.Equal("key_malformed", await _gate.CodeOf(junk));
            Assert.False(table.IsUnknown(KeyHash.Of(Encoding.ASCII.GetBytes(junk))), $"{junk[..4]}… was looked up");
        }

        await using var elsewhere = await RunningGate.Start("tensoras");
        var stranger = await elsewhere.NewSecret();
        (await Chat(stranger)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        Assert.Equal("key_unknown", await _gate.CodeOf(stranger));
        Assert.True(table.IsUnknown(KeyHash.Of(Encoding.ASCII.GetBytes(stranger))));
    }

    /// <summary>Every path of the page with the one narrow scope that opens it.</summary>
    [Theory]
    [InlineData("POST", "/v1/chat/completions", "inference")]
    [InlineData("POST", "/v1/completions", "inference")]
    [InlineData("POST", "/v1/embeddings", "inference")]
    [InlineData("POST", "/v1/rerank", "inference")]
    [InlineData("GET", "/v1/models", "inference")]
    [InlineData("GET", "/v1/models/llama-3.3-70b", "inference")]
    [InlineData("POST", "/v1/retrieve", "rag")]
    [InlineData("POST", "/v1/knowledge-bases", "knowledge_bases")]
    [InlineData("GET", "/v1/knowledge-bases", "knowledge_bases")]
    [InlineData("PATCH", "/v1/knowledge-bases/kb_1", "knowledge_bases")]
    [InlineData("DELETE", "/v1/knowledge-bases/kb_1", "knowledge_bases")]
    [InlineData("PUT", "/v1/knowledge-bases/kb_1/data-sources/ds_1", "knowledge_bases")]
    [InlineData("POST", "/v1/ingestion-jobs", "knowledge_bases")]
    [InlineData("GET", "/v1/ingestion-jobs/job_1", "knowledge_bases")]
    public async Task TS8_each_path_is_open_to_all_and_to_its_own_scope_and_to_no_other(string method, string path, string opens)
    {
        // Where more than one knowledge base may be made.
        await _gate.PutOn("developer");
        foreach (var scope in new[] { "all", "inference", "rag", "knowledge_bases" })
        {
            var answer = await _gate.Send(method, path, await KeyOf(scope), method == "GET" ? null : ModelCalls.Any);
            var expected = scope == "all" || scope == opens ? HttpStatusCode.OK : HttpStatusCode.Forbidden;
            Assert.True(answer.Status == expected, $"{scope}: {answer}");
        }
    }

    [Fact]
    public async Task TS8_a_key_made_without_a_scope_has_all()
    {
        var key = await _gate.NewKey();
        Assert.Equal("[\"all\"]", key.GetProperty("scopes").GetRawText());
        Assert.Equal(HttpStatusCode.OK, (await NewKnowledgeBase(key.GetProperty("secret").GetString()!)).Status);
    }

    [Theory]
    [InlineData("[\"inference\",\"rag\"]")]
    [InlineData("[\"all\",\"inference\"]")]
    [InlineData("[\"inference\",\"inference\"]")]
    [InlineData("[]")]
    [InlineData("[\"chat\"]")]
    public async Task TS8_a_key_has_exactly_one_of_the_four_scopes(string scopes)
    {
        var refused = await _gate.Ask($"{ManagementCalls.Some},\"scopes\":{scopes}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.StartsWith("/scopes", refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, (await _gate.Keys()).GetArrayLength());
    }

    [Fact]
    public async Task TS8_a_key_is_not_given_a_second_scope_later()
    {
        var key = await _gate.Make($"{ManagementCalls.Some},\"scopes\":[\"inference\"]");
        var refused = await _gate.Send(
            "PATCH", $"/api/v1/keys/{key.Id}", RunningGate.RootKey, "{\"scopes\":[\"inference\",\"knowledge_bases\"]}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await NewKnowledgeBase(key.Secret)).Status);
    }

    [Fact]
    public async Task TS9_an_inference_key_cannot_create_knowledge_bases() =>
        (await NewKnowledgeBase(await KeyOf("inference"))).Is(HttpStatusCode.Forbidden, InsufficientScope);

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"Hello"}],"knowledge_bases":["kb_1"]}""", true)]
    [InlineData("""{"knowledge_bases":["kb_1","kb_2"],"model":"m","messages":[{"role":"user","content":"Hello"}]}""", true)]
    [InlineData("""{"model":"m","messages":[]}""", false)]
    [InlineData("""{"model":"m","messages":[],"knowledge_bases":[]}""", false)]
    [InlineData("""{"model":"m","messages":[],"knowledge_bases":null}""", false)]
    [InlineData("""{"model":"m","messages":[],"knowledge_bases":""}""", false)]
    [InlineData("""{"model":"m","messages":[],"Knowledge_Bases":["kb_1"]}""", false)]
    [InlineData("""{"model":"m","messages":[{"knowledge_bases":["kb_1"]}]}""", false)]
    [InlineData("""[{"knowledge_bases":["kb_1"]}]""", false)]
    public async Task TS9_a_rag_key_chats_only_when_the_request_names_a_knowledge_base(string body, bool passes)
    {
        var rag = await KeyOf("rag");
        var answer = await _gate.Send("POST", "/v1/chat/completions", rag, body);
        if (passes)
        {
            Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
            Assert.Equal("chat.completion", answer.String("object"));
        }
        else
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
            Assert.Equal("insufficient_scope", answer.Json.GetProperty("error").GetProperty("code").GetString());
        }
    }

    [Theory]
    [InlineData("""{"knowledge_bases":["kb_1"],"knowledge_bases":[]}""")]
    [InlineData("""{"knowledge_bases":[],"knowledge_bases":["kb_1"]}""")]
    [InlineData("""{"knowledge_bases":["kb_1"]""")]
    [InlineData("""{"knowledge_bases":["kb_1"]} {}""")]
    [InlineData("")]
    public async Task TS9_a_body_that_could_be_read_in_two_ways_or_in_none_does_not_pass(string body)
    {
        var answer = await _gate.Send("POST", "/v1/chat/completions", await KeyOf("rag"), body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("invalid_request_error", answer.Json.GetProperty("error").GetProperty("type").GetString());
    }

    [Fact]
    public async Task TS9_a_rag_key_retrieves() =>
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("POST", "/v1/retrieve", await KeyOf("rag"), "{}")).Status);

    [Fact]
    public async Task TS10_a_key_has_a_name_and_a_scope_and_is_copied_once()
    {
        var made = await _gate.NewKey("\"name\":\"Production\",\"scopes\":[\"inference\"]");
        Assert.Equal("Production", made.GetProperty("name").GetString());
        Assert.Equal("[\"inference\"]", made.GetProperty("scopes").GetRawText());
        var (id, secret) = (made.GetProperty("id").GetString()!, made.GetProperty("secret").GetString()!);
        foreach (var path in new[] { $"/api/v1/keys/{id}", $"/api/v1/projects/{_gate.ProjectId}/keys", "/api/v1/audit" })
        {
            var later = await _gate.Send("GET", path, RunningGate.RootKey);
            Assert.Equal(HttpStatusCode.OK, later.Status);
            Assert.DoesNotContain(secret["tns_".Length..], later.Text, StringComparison.Ordinal);
        }

        Assert.Equal("not_revealable", (await _gate.Send("POST", $"/api/v1/keys/{id}/reveal", RunningGate.RootKey)).String("code"));
    }

    [Fact]
    public async Task TS10_a_revoked_key_stops_immediately_and_for_good()
    {
        var key = await _gate.Make();
        Assert.Equal(HttpStatusCode.OK, (await Chat(key.Secret)).Status);

        await _gate.Act(key.Id, "revoke");
        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        foreach (var undo in new[] { "enable", "disable" })
        {
            var refused = await _gate.Send("POST", $"/api/v1/keys/{key.Id}/{undo}", RunningGate.RootKey);
            Assert.Equal("key_final", refused.String("code"));
        }

        foreach (var absent in new[] { "regenerate", "rotate" })
        {
            var refused = await _gate.Send("POST", $"/api/v1/keys/{key.Id}/{absent}", RunningGate.RootKey);
            Assert.Equal("operation_not_offered", refused.String("code"));
        }

        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        Assert.Equal("revoked", (await _gate.Send("GET", $"/api/v1/keys/{key.Id}", RunningGate.RootKey)).String("status"));
    }

    [Fact]
    public async Task TS10_the_usage_of_a_key_is_its_requests_its_tokens_and_when_it_was_last_used()
    {
        var (key, other) = (await _gate.Make(), await _gate.Make());
        Assert.Equal("0 0 0 null", Figures(await _gate.UsageOf(key.Id)));

        var check = await _gate.Check(key.Secret, "llama-3.1-8b", 100, 200);
        await _gate.Report(check, 90, 150);
        _gate.Clock.Advance(TimeSpan.FromSeconds(5));
        await _gate.Report(await _gate.Check(key.Secret, "llama-3.3-70b", 10, 20), 10, 7);
        Assert.Equal("2 100 157 2026-01-02T03:04:10Z", Figures(await _gate.UsageOf(key.Id)));
        Assert.Equal("0 0 0 null", Figures(await _gate.UsageOf(other.Id)));
    }

    private static string Figures(JsonElement usage) =>
        $"{usage.GetProperty("requests")} {usage.GetProperty("input_tokens")} {usage.GetProperty("output_tokens")} "
        + (usage.GetProperty("last_used_at").GetString() ?? "null");

    [Theory]
    [InlineData(null)]
    [InlineData("tns_your_key_here")]
    [InlineData("nonsense")]
    public async Task TS13_a_missing_or_malformed_key_is_401_in_exactly_the_documented_body(string? key) =>
        (await Chat(key)).Is(HttpStatusCode.Unauthorized, InvalidKey);

    [Theory]
    [InlineData("inference", "/v1/retrieve")]
    [InlineData("knowledge_bases", "/v1/chat/completions")]
    [InlineData("rag", "/v1/embeddings")]
    public async Task TS13_a_key_without_the_scope_is_403_in_the_same_shape(string scope, string path) =>
        (await _gate.Send("POST", path, await KeyOf(scope), Hello)).Is(HttpStatusCode.Forbidden, InsufficientScope);

    private const string InsufficientScope = """
        {
          "error": {
            "message": "The API key lacks a required scope.",
            "type": "permission_error",
            "code": "insufficient_scope"
          }
        }
        """;

    private Task<string> KeyOf(string scope) => _gate.NewSecret($"{ManagementCalls.Some},\"scopes\":[\"{scope}\"]");

    [Theory]
    [InlineData(null, 1)]
    [InlineData("free", 1)]
    [InlineData("developer", 10)]
    [InlineData("pro", 50)]
    [InlineData("enterprise", null)]
    public async Task TS11_a_plan_allows_so_many_knowledge_bases_and_a_deleted_one_makes_room(string? plan, int? most)
    {
        if (plan is not null)
        {
            await _gate.PutOn(plan);
        }

        var key = await KeyOf("knowledge_bases");
        for (var i = 0; i < (most ?? 60); i++)
        {
            // More than the requests of a minute must not be what is found here.
            _gate.Clock.Advance(TimeSpan.FromSeconds(3));
            Assert.Equal(HttpStatusCode.OK, (await NewKnowledgeBase(key)).Status);
        }

        var over = await NewKnowledgeBase(key);
        if (most is null)
        {
            Assert.Equal(HttpStatusCode.OK, over.Status);
            return;
        }

        over.Is(HttpStatusCode.Forbidden, $$"""
            {
              "error": {
                "message": "The plan {{plan ?? "free"}} allows {{most}} of knowledge_bases, and there are {{most}}.",
                "type": "permission_error",
                "code": "quota_exceeded",
                "plan_limit": {{most}}
              }
            }
            """);
        Assert.Equal(HttpStatusCode.Forbidden, (await NewKnowledgeBase(await KeyOf("all"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("DELETE", "/v1/knowledge-bases/kb_1", key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await NewKnowledgeBase(key)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await NewKnowledgeBase(key)).Status);
    }

    private Task<Answer> Chat(string? key) => _gate.Send("POST", "/v1/chat/completions", key, Hello);

    private Task<Answer> NewKnowledgeBase(string key) => _gate.Send("POST", "/v1/knowledge-bases", key, "{\"name\":\"Handbook\"}");
}
