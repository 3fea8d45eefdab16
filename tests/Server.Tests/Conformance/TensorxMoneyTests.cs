using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Journal;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Conformance;

/// <summary>
/// What docs.tensorx.ai promises about usage and the balance, row by row, against a gate that knows <c>providers/tensorx.yaml</c> alone.
/// </summary>
public sealed class TensorxMoneyTests : IAsyncLifetime
{
    private const string InvalidKey = """
        {
          "error": { "message": "Invalid API Key", "type": "invalid_request_error", "param": null, "code": "invalid_api_key" }
        }
        """;

    private const string InsufficientBalance = """
        {
          "error": { "message": "Insufficient Balance", "type": "insufficient_quota", "param": null, "code": "insufficient_balance" }
        }
        """;

    private const string Qwen = "qwen3-235b";
    private const string Llama = "llama-3.3-70b";

    private RunningGate _gate = null!;

    public async ValueTask InitializeAsync() => _gate = await RunningGate.Start("tensorx");

    public ValueTask DisposeAsync() => _gate.DisposeAsync();

    [Fact]
    public async Task TX8_the_usage_of_a_key_is_its_total_cost_requests_tokens_last_use_and_models()
    {
        var (key, other) = (await _gate.Make(), await _gate.Make());
        await _gate.Report(await _gate.Check(key.Secret, Qwen, 1_000, 2_000), 900, 100);
        _gate.Clock.Advance(TimeSpan.FromSeconds(7));
        await _gate.Report(await _gate.Check(key.Secret, Llama, 1_000, 2_000), 1_000, 2_000);
        Assert.Equal("rate_limited", (await _gate.Check(key.Secret, Qwen, 1_999_000)).String("code"));

        // 900 × 0.20 + 100 × 0.85 and 1,000 × 0.35 + 2,000 × 0.75 for a million.
        var usage = await _gate.UsageOf(key.Id);
        Assert.Equal("0.002115 2 1900 2100", Sums(usage));
        Assert.Equal("2026-01-02T03:04:12Z", usage.GetProperty("last_used_at").GetString());
        Assert.Equal(
            [$"{Llama} 0.00185 1 1000 2000", $"{Qwen} 0.000265 1 900 100"],
            usage.GetProperty("models").EnumerateArray().Select(row => $"{row.GetProperty("model")} {Sums(row)}").Order());

        var unused = await _gate.UsageOf(other.Id);
        Assert.Equal(" 0 0 0", Sums(unused));
        Assert.Equal(JsonValueKind.Null, unused.GetProperty("last_used_at").ValueKind);
        Assert.Equal(0, unused.GetProperty("models").GetArrayLength());
    }

    [Fact]
    public async Task TX9_the_lines_of_the_usage_log_carry_the_keys_name_also_when_it_was_renamed_or_deleted()
    {
        var (key, other) = (await _gate.Make("\"name\":\"Mobile App\""), await _gate.Make("\"name\":\"Batch jobs\""));
        await _gate.Report(await _gate.Check(key.Secret, Qwen, 10, 10), 5, 5);
        await _gate.Report(await _gate.Check(other.Secret, Qwen, 10, 10), 6, 6);
        Assert.Equal(["Batch jobs 6", "Mobile App 5"], await Lines());

        var renamed = await _gate.Send("PATCH", $"/api/v1/keys/{key.Id}", RunningGate.RootKey, "{\"name\":\"Mobile App v2\"}");
        Assert.Equal(HttpStatusCode.OK, renamed.Status);
        await _gate.Report(await _gate.Check(key.Secret, Qwen, 10, 10), 7, 7);
        await _gate.Delete(other.Id);
        Assert.Equal(["Mobile App v2 7", "Batch jobs 6", "Mobile App v2 5"], await Lines());

        await _gate.Delete(key.Id);
        Assert.Equal(["Mobile App v2 7", "Batch jobs 6", "Mobile App v2 5"], await Lines());
        var export = await _gate.Send("GET", "/api/v1/usage/log.csv", RunningGate.RootKey);
        Assert.Equal(2, export.Text.Split("Mobile App v2").Length - 1);
    }

    [Fact]
    public async Task TX12_keys_need_a_balance_stop_at_five_cents_and_only_those_that_nobody_disabled_come_back_with_money()
    {
        var (organization, project) = await Unfunded();
        var path = $"/api/v1/projects/{project}/keys";
        var refused = await _gate.Send("POST", path, RunningGate.RootKey, "{\"name\":\"First\"}");
        Assert.Equal((HttpStatusCode.PaymentRequired, "balance_needed"), (refused.Status, refused.String("code")));
        Assert.Equal(0, (await _gate.Send("GET", path, RunningGate.RootKey)).Json.GetProperty("data").GetArrayLength());

        await _gate.TopUp("0.25", "payment 1", organization);
        var (used, idle, before, during) = (await New(project), await New(project), await New(project), await New(project));
        await _gate.Act(before.Id, "disable");

        // A millionth above the threshold all of them work; at it none does.
        await Spend(used, 999_995);
        Assert.Equal("0.050001 0.00 0.050001", await _gate.Figures(organization));
        Assert.Equal(("allowed", "allowed", "key_disabled"), (await Code(used), await Code(idle), await Code(before)));
        await Spend(used, 5);
        Assert.Equal("0.05 0.00 0.05", await _gate.Figures(organization));
        Assert.Equal(
            ("wallet_empty", "wallet_empty", "wallet_empty", "key_disabled"),
            (await Code(used), await Code(idle), await Code(during), await Code(before)));
        Assert.Equal("allowed", await Code(await New(_gate.ProjectId)));
        await _gate.Act(during.Id, "disable");

        await _gate.TopUp("0.10", "payment 2", organization);
        Assert.Equal(
            ("allowed", "allowed", "key_disabled", "key_disabled"),
            (await Code(used), await Code(idle), await Code(during), await Code(before)));
        Assert.Equal(HttpStatusCode.OK, (await Chat(idle.Secret)).Status);
        (await Chat(during.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
        (await Chat(before.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
    }

    [Fact]
    public async Task TX14_a_key_that_the_balance_holds_is_told_Insufficient_Balance_in_the_OpenAI_error_shape()
    {
        var (organization, project) = await Unfunded();
        await _gate.TopUp("0.25", "payment 1", organization);
        var key = await New(project);
        await Spend(key, 1_000_000);

        (await Chat(key.Secret)).Is(HttpStatusCode.PaymentRequired, InsufficientBalance);
        (await _gate.Send("GET", "/v1/models", key.Secret)).Is(HttpStatusCode.PaymentRequired, InsufficientBalance);
        foreach (var verified in new[] { await _gate.Check(key.Secret), await _gate.Check(key.Secret, Qwen, 1, 1) })
        {
            Assert.Equal((HttpStatusCode.OK, "wallet_empty"), (verified.Status, verified.String("code")));
            Assert.False(verified.Json.GetProperty("valid").GetBoolean());
        }

        // Held, yet not the holder's fault alone: what a person disabled does not read as unpaid.
        await _gate.Act(key.Id, "disable");
        (await Chat(key.Secret)).Is(HttpStatusCode.Unauthorized, InvalidKey);
    }

    [Fact]
    public async Task TX14_an_empty_wallet_reads_the_same_before_any_key_is_held()
    {
        var (organization, project) = await Unfunded();
        await _gate.TopUp("0.25", "payment 1", organization);
        var key = await New(project);
        Assert.Equal(HttpStatusCode.OK, (await Chat(key.Secret)).Status);

        // Spent in memory, as by a request whose booking is under way: the keys are not stopped yet, and nothing is left.
        var balance = await _gate.Balance(organization);
        Assert.True(balance.TryTake(balance.Available));
        (await Chat(key.Secret)).Is(HttpStatusCode.PaymentRequired, InsufficientBalance);
        Assert.Equal(("wallet_empty", "wallet_empty"), (await Code(key), (await _gate.Check(key.Secret, Qwen, 1, 1)).String("code")));
    }

    private async Task<(string Organization, string Project)> Unfunded()
    {
        var organization = (await _gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Customer\"}")).String("id");
        var project = await _gate.Send(
            "POST", $"/api/v1/organizations/{organization}/projects", RunningGate.RootKey, "{\"name\":\"Their project\"}");
        return (organization, project.String("id"));
    }

    private Task<MadeKey> New(string project) => _gate.Make(project: project);

    /// <summary>A paid request: so many tokens go in, at $0.20 a million.</summary>
    private async Task Spend(MadeKey key, long input) => await _gate.Report(await _gate.Check(key.Secret, Qwen, input), input, 0);

    private async Task<string> Code(MadeKey key) => (await _gate.Check(key.Secret)).String("code");

    private Task<Answer> Chat(string secret) => _gate.Send(
        "POST", "/v1/chat/completions", secret, ModelCalls.Of(Qwen));

    /// <summary>The usage log, newest first: whose key, and how many tokens came in.</summary>
    private async Task<string[]> Lines()
    {
        await _gate.Services.GetRequiredService<Fold>().WaitAll();
        var log = await _gate.Send("GET", "/api/v1/usage/log", RunningGate.RootKey);
        return [.. log.Json.GetProperty("data").EnumerateArray().Select(
            line => $"{line.GetProperty("key_name")} {line.GetProperty("input_tokens")}")];
    }

    private static string Sums(JsonElement sums) =>
        $"{sums.GetProperty("cost")} {sums.GetProperty("requests")} {sums.GetProperty("input_tokens")} {sums.GetProperty("output_tokens")}";
}
