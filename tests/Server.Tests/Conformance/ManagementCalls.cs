using System.Net;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>The management calls that every company's promises are tried with, made with the operator's key.</summary>
internal static class ManagementCalls
{
    public const string Some = "\"name\":\"A test key\"";

    /// <summary>What makes a key one that manages others: what TensorOne's page calls an admin key.</summary>
    public const string Admin = "\"name\":\"Admin key\",\"rights\":[\"keys:manage\"]";

    public static async Task<MadeKey> Make(this RunningGate gate, string members = Some, string? project = null)
    {
        var key = await gate.NewKey(members, project);
        return new MadeKey(key.GetProperty("id").GetString()!, key.GetProperty("secret").GetString()!);
    }

    /// <summary>Asks for a key, whatever comes back.</summary>
    public static Task<Answer> Ask(this RunningGate gate, string members) =>
        gate.Send("POST", $"/api/v1/projects/{gate.ProjectId}/keys", RunningGate.RootKey, $"{{{members}}}");

    /// <summary>Disables, enables, revokes or regenerates a key, which must succeed.</summary>
    public static async Task<JsonElement> Act(this RunningGate gate, string id, string operation)
    {
        var answer = await gate.Send("POST", $"/api/v1/keys/{id}/{operation}", RunningGate.RootKey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.Json;
    }

    public static async Task Delete(this RunningGate gate, string id)
    {
        var answer = await gate.Send("DELETE", $"/api/v1/keys/{id}", RunningGate.RootKey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
    }

    /// <summary>What an API server is told about a key: the code of the verdict.</summary>
    public static async Task<string> CodeOf(this RunningGate gate, string secret, string? project = null)
    {
        var call = JsonSerializer.Serialize(new { key = secret, project });
        return (await gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, call)).String("code");
    }

    /// <summary>
    /// What an API server asks before its work: may this key use so many of the model's tokens? Without a model it asks for a request only.
    /// </summary>
    public static Task<Answer> Check(this RunningGate gate, string secret, string? model = null, long input = 0, long output = 0) =>
        gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, JsonSerializer.Serialize(
            model is null ? new { key = secret } : (object)new { key = secret, model, tokens = new { input, max_output = output } }));

    /// <summary>What it tells afterwards: the check's reservation is settled, and answered once that is in the database.</summary>
    public static async Task<Answer> Report(this RunningGate gate, Answer check, long input, long output, int status = 200)
    {
        var body = new { reservation = check.String("reservation"), input_tokens = input, output_tokens = output, status };
        var answer = await gate.Send("POST", "/api/v1/usage", RunningGate.RootKey, JsonSerializer.Serialize(body));
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer;
    }

    public static async Task<JsonElement> UsageOf(this RunningGate gate, string keyId)
    {
        var answer = await gate.Send("GET", $"/api/v1/keys/{keyId}/usage", RunningGate.RootKey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer.Json;
    }

    /// <summary>Puts the first organization on a plan.</summary>
    public static async Task PutOn(this RunningGate gate, string plan)
    {
        var put = await gate.Send(
            "PATCH", $"/api/v1/organizations/{gate.OrganizationId}", RunningGate.RootKey, $"{{\"plan\":\"{plan}\"}}");
        Assert.True(put.Status == HttpStatusCode.OK && put.String("plan") == plan, put.ToString());
    }

    /// <summary>The keys of the first project, newest first.</summary>
    public static async Task<JsonElement> Keys(this RunningGate gate) =>
        (await gate.Send("GET", $"/api/v1/projects/{gate.ProjectId}/keys", RunningGate.RootKey)).Json.GetProperty("data");

    /// <summary>
    /// Holds an answer to a body as a page prints it: the same members in the same order, with the same values, and no others.
    /// </summary>
    public static void Is(this Answer answer, HttpStatusCode status, string documented)
    {
        Assert.True(answer.Status == status, $"expected {(int)status}, got {answer}");
        Assert.Equal(Compact(documented), Compact(answer.Text));
        Assert.StartsWith("application/json", answer.Headers["Content-Type"], StringComparison.Ordinal);
    }

    /// <summary>Without the line breaks and spaces between members; their order stays.</summary>
    private static string Compact(string json) => JsonSerializer.Serialize(JsonElement.Parse(json));
}

/// <summary>A key just made, with the secret that was shown.</summary>
internal sealed record MadeKey(string Id, string Secret);
