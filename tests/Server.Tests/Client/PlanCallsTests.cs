using Tollgate.Client;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Client;

/// <summary>Plans, quotas and limits by the .NET client, against a gate.</summary>
public sealed class PlanCallsTests(PostgresFixture postgres)
{
    [Fact]
    public async Task An_operator_reads_plans_changes_one_sets_a_quota_and_limits_a_key()
    {
        await using var provider = await PlannedProvider.Of(DatabaseKind.Sqlite, postgres);
        await using var gate = await provider.Start();
        using var client = new TollgateClient(new Uri(gate.Address), RunningGate.RootKey);
        var cancel = TestContext.Current.CancellationToken;

        var plans = await client.Plans.ListAsync(cancel);
        Assert.Equal(["small", "medium", "large"], plans.Select(plan => plan.Name));
        Assert.Equal(("rpm", 60L, 10L), (plans[0].Limits[0].Name, plans[0].Limits[0].WindowSeconds, plans[0].Limits[0].Amount));
        Assert.Null(plans[2].Quotas[0].Amount);

        Assert.Equal("small", (await client.Organizations.GetAsync(gate.OrganizationId, cancel)).Plan);
        Assert.Equal(
            "medium", (await client.Organizations.ChangePlanAsync(gate.OrganizationId, "medium", cancellationToken: cancel)).Plan);

        var set = await client.Organizations.SetQuotaAsync(gate.OrganizationId, "boxes", 2, cancellationToken: cancel);
        Assert.Equal(new Quota("boxes", 2, 3), set);
        Assert.Equal([new Quota("things", 0, 10), set], await client.Organizations.QuotasAsync(gate.OrganizationId, cancel));

        var limits = new Dictionary<string, long> { ["rpm"] = 7, ["tpm"] = 70 };
        var asked = new NewKey { Name = "Slow", Limits = limits };
        var issued = await client.Keys.CreateAsync(gate.ProjectId, asked, cancellationToken: cancel);
        Assert.Equal(limits, issued.Key.Limits);
        var change = new KeyChange { Limits = new Dictionary<string, long?> { ["rpm"] = null } };
        var changed = await client.Keys.ChangeAsync(issued.Key.Id, change, cancellationToken: cancel);
        Assert.Equal(new Dictionary<string, long> { ["tpm"] = 70 }, changed.Limits);
    }
}
