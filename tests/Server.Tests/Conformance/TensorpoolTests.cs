using System.Net;
using System.Text.Json;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// What docs.tensorpool.dev promises under "Authentication", row by row, against a gate that knows <c>providers/tensorpool.yaml</c> alone.
/// </summary>
public sealed class TensorpoolTests : IAsyncLifetime
{
    private const string InvalidToken = """
        {
          "error": "Invalid or missing authentication token"
        }
        """;

    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync() => _gate = await RunningGate.Start("tensorpool");

    public ValueTask DisposeAsync() => _gate.DisposeAsync();

    [Fact]
    public async Task TP1_a_token_can_be_copied_again_and_each_time_is_audited()
    {
        var token = await _gate.Make();
        Assert.Equal(0, await Reveals());
        for (var times = 1; times <= 2; times++)
        {
            var revealed = await _gate.Act(token.Id, "reveal");
            Assert.Equal(token.Secret, revealed.GetProperty("secret").GetString());
            Assert.Equal(times, await Reveals());
        }

        async Task<int> Reveals()
        {
            var audit = await _gate.Send("GET", $"/api/v1/audit?action=key.reveal&target_id={token.Id}", RunningGate.RootKey);
            Assert.DoesNotContain(token.Secret, audit.Text, StringComparison.Ordinal);
            return audit.Json.GetProperty("data").GetArrayLength();
        }
    }

    [Fact]
    public async Task TP1_a_generated_token_takes_the_place_of_the_old_one_at_once_and_can_be_copied_too()
    {
        var token = await _gate.Make();
        Assert.Equal(HttpStatusCode.OK, (await Me(token.Secret)).Status);

        var fresh = (await _gate.Act(token.Id, "regenerate")).GetProperty("secret").GetString()!;
        (await Me(token.Secret)).Is(HttpStatusCode.Unauthorized, InvalidToken);
        Assert.Equal(HttpStatusCode.OK, (await Me(fresh)).Status);
        Assert.Equal(fresh, (await _gate.Act(token.Id, "reveal")).GetProperty("secret").GetString());
    }

    [Fact]
    public async Task TP2_me_answers_the_accounts_information()
    {
        var token = await _gate.Make("\"name\":\"Laptop\",\"type\":\"read_only\"");
        var organization = (await _gate.Send("GET", $"/api/v1/organizations/{_gate.OrganizationId}", RunningGate.RootKey)).Json;
        var project = (await _gate.Send("GET", $"/api/v1/projects/{_gate.ProjectId}", RunningGate.RootKey)).Json;
        (await Me(token.Secret)).Is(HttpStatusCode.OK, JsonSerializer.Serialize(new
        {
            id = _gate.OrganizationId,
            name = organization.GetProperty("name").GetString(),
            created_at = organization.GetProperty("created_at").GetString(),
            project = new { id = _gate.ProjectId, name = project.GetProperty("name").GetString() },
            token = new { id = token.Id, name = "Laptop", permissions = new[] { "read" } },
        }));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer")]
    [InlineData("Bearer your_api_token_here")]
    [InlineData("Basic dXNlcjpwYXNz")]
    public async Task TP3_a_missing_or_bad_token_is_401_in_exactly_the_documented_body(string? authorization)
    {
        foreach (var path in new[] { "/me", "/jobs", "/storage/volumes/v1" })
        {
            var answer = authorization is null
                ? await _gate.Send("GET", path, null)
                : await _gate.Send("GET", path, null, null, ("Authorization", authorization));
            answer.Is(HttpStatusCode.Unauthorized, InvalidToken);
        }
    }

    [Fact]
    public async Task TP3_tokens_that_were_good_once_get_the_same_body()
    {
        var (deleted, expired, disabled) = (
            await _gate.Make(),
            await _gate.Make($"{ManagementCalls.Some},\"expires_at\":\"{_gate.Clock.GetUtcNow().AddHours(1):yyyy-MM-ddTHH:mm:ssZ}\""),
            await _gate.Make());
        Assert.Equal(HttpStatusCode.OK, (await Me(expired.Secret)).Status);
        await _gate.Delete(deleted.Id);
        await _gate.Act(disabled.Id, "disable");
        _gate.Clock.Advance(TimeSpan.FromHours(1));
        foreach (var token in new[] { deleted, expired, disabled })
        {
            (await Me(token.Secret)).Is(HttpStatusCode.Unauthorized, InvalidToken);
        }
    }

    [Theory]
    [InlineData("POST", "/jobs")]
    [InlineData("DELETE", "/jobs/j1")]
    [InlineData("PUT", "/storage/volumes/v1")]
    public async Task TP4_a_good_token_without_the_permission_is_403_in_the_same_shape(string method, string path)
    {
        var token = await _gate.NewSecret($"{ManagementCalls.Some},\"type\":\"read_only\"");
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("GET", path, token)).Status);
        (await _gate.Send(method, path, token)).Is(HttpStatusCode.Forbidden, "{\"error\": \"Insufficient permissions\"}");
    }

    [Fact]
    public async Task TP4_a_token_for_jobs_alone_does_not_reach_storage()
    {
        var token = await _gate.NewSecret($"{ManagementCalls.Some},\"scopes\":[\"jobs\"]");
        Assert.Equal(HttpStatusCode.OK, (await _gate.Send("POST", "/jobs", token)).Status);
        (await _gate.Send("GET", "/storage", token)).Is(HttpStatusCode.Forbidden, "{\"error\": \"Insufficient permissions\"}");
    }

    private Task<Answer> Me(string secret) => _gate.Send("GET", "/me", secret);
}
