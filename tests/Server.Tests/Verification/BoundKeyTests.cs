using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Verification;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Tests.Verification;

/// <summary>What an API server that asks is told of a key that may be used for some models only.</summary>
public sealed class BoundKeyTests(PostgresFixture postgres)
{
    private const string Bound = "\"name\":\"Bound\",\"models\":[\"b\",\"a \\\"quoted\\\" one\"]";

    [Fact]
    public async Task Single_batch_and_explanation_say_the_same_and_a_refusal_takes_nothing()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var secret = await gate.NewSecret(Bound);
        const string Other = "\"model\":\"other\",\"tokens\":{\"input\":10,\"max_output\":10}";

        var single = (await gate.Verify(secret, "," + Other)).Has(HttpStatusCode.OK);
        Assert.Equal("model_refused", single.String("code"));
        Assert.Equal("The key may not be used for this model.", single.String("reason"));
        Assert.False(single.Json.TryGetProperty("reservation", out _));
        Assert.Equal("[\"b\",\"a \\\"quoted\\\" one\"]", single.Json.GetProperty("key").GetProperty("models").GetRawText());
        var one = $"{{\"key\":\"{secret}\"";
        var batch = await gate.Send(
            "POST", "/api/v1/verify/batch", RunningGate.RootKey,
            $"{{\"checks\":[{one},{Other}}},{one},\"model\":\"b\"}},{one}}},{one},\"model\":\"a \\\"quoted\\\" one\"}}]}}");
        Assert.Equal(
            ["model_refused", "allowed", "allowed", "allowed"],
            batch.Json.GetProperty("data").EnumerateArray().Select(answer => answer.GetProperty("code").GetString()));
        // Ten a minute; three of the five above were made.
        Assert.Equal(7, Remaining(batch.Json.GetProperty("data")[3]));

        var steps = (await gate.Send("POST", "/api/v1/verify/explain", RunningGate.RootKey, $"{one},{Other}}}")).Json;
        Assert.Equal("model_refused", steps.GetProperty("code").GetString());
        Assert.Equal(
            ["permission failed The key may not be used for this model."],
            steps.GetProperty("steps").EnumerateArray().Where(step => step.GetProperty("outcome").GetString() == "failed")
                .Select(step => $"{step.GetProperty("step")} {step.GetProperty("outcome")} {step.GetProperty("detail")}"));
        Assert.Equal(6, Remaining((await gate.Verify(secret)).Json));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_owner_reads_of_the_refusal_in_the_log_and_the_metrics_count_it(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        var secret = await gate.NewSecret(Bound);
        var refused = await gate.Verify(secret, ",\"model\":\"other\"");

        await gate.Services.GetRequiredService<Fold>().WaitAll();
        var told = (await gate.Send("GET", $"/api/v1/requests/{refused.String("request_id")}", RunningGate.RootKey)).Has(HttpStatusCode.OK);

        var line = told.Json.GetProperty("request");
        Assert.Equal(("model_refused", "other"), (line.GetProperty("code").GetString(), line.GetProperty("model").GetString()));
        var metrics = await gate.Send("GET", "/metrics", RunningGate.RootKey);
        Assert.Contains("code=\"model_refused\"} 1", metrics.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_in_the_room_can_ask_which_models_a_key_may_use()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        var (bound, free) = (await gate.NewSecret(Bound), await gate.NewSecret());
        var names = gate.Services.GetRequiredService<ModelNames>();

        var profile = await ProfileOf(gate, bound);
        Assert.Equal(["b", "a \"quoted\" one"], names.NamesOf(profile));
        Assert.Equal([true, false, false], new[] { "b", "B", "never met" }.Select(name => names.MayUse(profile, name)));
        profile = await ProfileOf(gate, free);
        Assert.Null(names.NamesOf(profile));
        Assert.True(names.MayUse(profile, "never met"));
    }

    private static async Task<Engine.Keys.KeyProfile> ProfileOf(RunningGate gate, string secret)
    {
        Assert.Equal("allowed", await gate.CodeOf(secret));
        var request = new CheckRequest { Secret = System.Text.Encoding.ASCII.GetBytes(secret), NowMs = gate.Clock.NowMs };
        return gate.Services.GetRequiredService<Gatekeeper>().Check(request).Key.Profile;
    }

    private static long Remaining(JsonElement answer) => answer.GetProperty("limits")[0].GetProperty("remaining").GetInt64();
}
