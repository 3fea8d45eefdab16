using Tollgate.Client;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Client;

/// <summary>A filter whose name the gate does not know would select everything in silence, so each is tried on a real one.</summary>
public sealed class AuditFilterTests
{
    [Fact]
    public async Task Each_filter_of_the_client_selects_its_own_rows_at_a_real_gate()
    {
        await using var gate = await RunningGate.Start("default");
        var other = await gate.NewProject();
        var key = (await gate.NewKey()).GetProperty("id").GetString()!;
        var foreign = (await gate.NewKey(project: other)).GetProperty("id").GetString()!;
        using var client = new TollgateClient(new Uri(gate.Address), RunningGate.RootKey);

        Assert.Equal([key], await Targets(client, new AuditFilter { Target = key }));
        Assert.Equal([foreign], await Targets(client, new AuditFilter { Project = other, Action = "key.create" }));
        Assert.Equal([key], await Targets(client, new AuditFilter { Organization = gate.OrganizationId, Action = "key.create" }));
        Assert.Equal([foreign, key], await Targets(client, new AuditFilter { Actor = "root", Action = "key.create" }));
        Assert.Empty(await Targets(client, new AuditFilter { Actor = "nobody" }));
    }

    private static async Task<List<string?>> Targets(TollgateClient client, AuditFilter filter) =>
        await client.Audit.ListAsync(filter, TestContext.Current.CancellationToken).Select(row => row.Target.Id).ToListAsync();
}
