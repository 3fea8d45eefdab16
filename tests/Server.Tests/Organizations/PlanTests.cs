using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Keys;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Hosting;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Organizations;

/// <summary>Which plan an organization has, who says so, and when it holds.</summary>
public sealed class PlanTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_organization_has_the_first_plan_until_it_is_put_on_another_which_holds_at_the_next_check(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        var secret = await gate.NewSecret();
        Assert.Equal("allowed", await gate.CodeOf(secret));
        Assert.Equal((0, 1L), Known(gate, secret));
        Assert.Equal("small", (await Root(gate, "GET")).String("plan"));
        var changes = gate.Database.Changes.Seq;

        Assert.Equal("medium", (await Root(gate, "PATCH", "{\"plan\":\"medium\"}")).Has(HttpStatusCode.OK).String("plan"));

        Assert.Equal((1, 1L), Known(gate, secret));
        Assert.Equal("medium", (await Root(gate, "GET")).String("plan"));
        var listed = await gate.Send("GET", "/api/v1/organizations", RunningGate.RootKey);
        Assert.Equal("medium", listed.Json.GetProperty("data")[0].GetProperty("plan").GetString());
        Assert.Equal(changes + 1, gate.Database.Changes.Seq);
        var audit = (await gate.Send("GET", $"/api/v1/audit?organization_id={gate.OrganizationId}", RunningGate.RootKey))
            .Json.GetProperty("data")[0];
        Assert.Equal("organization.change", audit.GetProperty("action").GetString());
        Assert.Equal("small", audit.GetProperty("before").GetProperty("plan").GetString());
        Assert.Equal("medium", audit.GetProperty("after").GetProperty("plan").GetString());

        // A change of something else leaves it, and a key that is loaded later finds it.
        Assert.Equal("medium", (await Root(gate, "PATCH", "{\"name\":\"Renamed\"}")).String("plan"));
        var late = await gate.NewSecret();
        Assert.Equal("allowed", await gate.CodeOf(late));
        Assert.Equal((1, 1L), Known(gate, late));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_plan_that_does_not_exist_is_refused_with_the_names_of_those_that_do_and_nothing_is_stored(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        await using var gate = await provider.Start();
        var rows = await gate.Rows();
        foreach (var plan in new[] { "\"huge\"", "\"\"", "\"Small\"", "7", "[\"small\"]" })
        {
            var refused = (await Root(gate, "PATCH", $"{{\"name\":\"Other\",\"plan\":{plan}}}"))
                .Has(HttpStatusCode.UnprocessableEntity, "validation_failed");
            Assert.Equal("/plan", refused.Json.GetProperty("errors")[0].GetProperty("pointer").GetString());
            if (plan[0] == '"')
            {
                Assert.Contains("small, medium, large", refused.String("detail"), StringComparison.Ordinal);
            }
        }

        Assert.Equal(rows, await gate.Rows());
        Assert.Equal("small", (await Root(gate, "GET")).String("plan"));
        var key = await gate.NewSecret("\"name\":\"Any\",\"rights\":[\"keys:manage\",\"usage:write\"]");
        (await gate.Send("PATCH", $"/api/v1/organizations/{gate.OrganizationId}", key, "{\"plan\":\"large\"}"))
            .Has(HttpStatusCode.Forbidden, "operator_only");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_plan_that_the_file_has_no_more_means_the_default_and_is_logged_once(DatabaseKind kind)
    {
        await using var provider = await PlannedProvider.Of(kind, postgres);
        string secret;
        await using (var gate = await provider.Start())
        {
            secret = await gate.NewSecret();
            await Root(gate, "PATCH", "{\"plan\":\"medium\"}");
        }

        provider.Say(PlannedProvider.Plans.Replace("medium:", "middle:", StringComparison.Ordinal));
        await using (var gate = await provider.Start(logLevel: "warning"))
        {
            var log = LogCapture.Of(gate);
            Assert.Equal("allowed", await gate.CodeOf(secret));
            Assert.Equal(0, Known(gate, secret).Plan);
            Assert.Equal("small", (await Root(gate, "GET")).String("plan"));
            Assert.Equal("small", (await Root(gate, "PATCH", "{\"name\":\"Renamed\"}")).String("plan"));
            Assert.Single(log.Lines, line => line.Contains("has no plan medium any more", StringComparison.Ordinal));
        }

        // The name was kept: with the plan back in the file, wherever it stands there, it holds again.
        provider.Say(PlannedProvider.Plans.Replace(
            "small:", "tiny: { rpm: 1, tpm: 1, things: 0, boxes: 0 }\n  small:", StringComparison.Ordinal));
        await using var again = await provider.Start();
        Assert.Equal("allowed", await again.CodeOf(secret));
        Assert.Equal(2, Known(again, secret).Plan);
        Assert.Equal("medium", (await Root(again, "GET")).String("plan"));
    }

    [Fact]
    public async Task The_plans_are_listed_with_what_each_allows_to_every_key()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        (await gate.Send("GET", "/api/v1/plans", null)).Has(HttpStatusCode.Unauthorized, "key_missing");
        var plans = (await gate.Send("GET", "/api/v1/plans", await gate.NewSecret())).Has(HttpStatusCode.OK).Json.GetProperty("data");

        Assert.Equal(["small", "medium", "large"], plans.EnumerateArray().Select(plan => plan.GetProperty("name").GetString()));
        Assert.Equal([true, false, false], plans.EnumerateArray().Select(plan => plan.GetProperty("is_default").GetBoolean()));
        Assert.Equal(
            "[{\"name\":\"rpm\",\"counts\":\"requests\",\"window_seconds\":60,\"amount\":10},"
            + "{\"name\":\"tpm\",\"counts\":\"tokens\",\"window_seconds\":60,\"amount\":1000},"
            + "{\"name\":\"parallel\",\"counts\":\"concurrent_requests\",\"window_seconds\":null,\"amount\":4}]",
            plans[0].GetProperty("limits").GetRawText());
        Assert.Equal(
            "[{\"name\":\"things\",\"amount\":null},{\"name\":\"boxes\",\"amount\":null}]", plans[2].GetProperty("quotas").GetRawText());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_check_pays_from_the_organizations_balance_where_the_provider_has_a_wallet(bool hasWallet)
    {
        await using var gate = await RunningGate.Start("default", new GateOptions { LogLevel = "none" }, with: provider => provider with
        {
            Wallet = hasWallet ? new WalletRules { Currency = "USD" } : null,
        });
        var secret = await gate.NewSecret();
        await gate.CodeOf(secret);

        var balance = Entry(gate, secret).Balance;
        Assert.Same(hasWallet ? gate.Services.GetRequiredService<BalanceTable>().Of(1) : null, balance);
    }

    private static (byte Plan, long OrganizationNo) Known(RunningGate gate, string secret) =>
        (Entry(gate, secret).Plan, Entry(gate, secret).OrganizationNo);

    /// <summary>What the check knows of the key's owner.</summary>
    private static ProjectEntry Entry(RunningGate gate, string secret)
    {
        var request = new CheckRequest { Secret = Encoding.ASCII.GetBytes(secret), NowMs = gate.Clock.NowMs };
        return gate.Services.GetRequiredService<Gatekeeper>().Check(request).Project!;
    }

    private static Task<Answer> Root(RunningGate gate, string method, string? body = null) =>
        gate.Send(method, $"/api/v1/organizations/{gate.OrganizationId}", RunningGate.RootKey, body);
}
