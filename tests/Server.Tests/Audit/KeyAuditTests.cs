using System.Net;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Audit;

/// <summary>What a key may read of what was done to keys: its own project and environment, as everywhere else.</summary>
public sealed class KeyAuditTests(Gates gates) : IClassFixture<Gates>
{
    [Theory]
    [MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_key_reads_nothing_about_keys_of_another_environment(DatabaseKind kind)
    {
        var gate = await gates.Of(kind);
        var project = await gate.NewProject();
        var (live, _) = await gate.NewPair("\"name\":\"Live\",\"environment\":\"live\"", project);
        var (test, auditor) =
            await gate.NewPair("\"name\":\"Auditor\",\"environment\":\"test\",\"rights\":[\"audit:read\"]", project);
        (await gate.Act(live, "rotate")).Has(HttpStatusCode.OK);
        (await gate.Act(live, "revoke")).Has(HttpStatusCode.OK);
        (await gate.Send("PATCH", $"/api/v1/projects/{project}", RunningGate.RootKey, "{\"name\":\"Renamed\"}")).Has(HttpStatusCode.OK);

        Assert.Equal(["project.change ", "key.create test", "project.create "], await Rows(gate, auditor, ""));
        Assert.Equal(["key.create test"], await Rows(gate, auditor, $"?target_id={test}"));
        Assert.Empty(await Rows(gate, auditor, $"?target_id={live}"));
        Assert.Equal(
            ["key.revoke live", "key.rotate live", "key.create live"], await Rows(gate, RunningGate.RootKey, $"?target_id={live}"));
    }

    [Fact]
    public async Task A_secret_that_was_shown_again_is_told_with_the_environment_of_its_key()
    {
        var gate = await gates.Of("tensorpool");
        var (id, _) = await gate.NewPair();
        (await gate.Act(id, "reveal")).Has(HttpStatusCode.OK);
        var rows = await Rows(gate, RunningGate.RootKey, $"?target_id={id}");
        Assert.Equal(["key.reveal", "key.create"], rows.Select(row => row.Split(' ')[0]));
        Assert.Single(rows.Select(row => row.Split(' ')[1]).Distinct(StringComparer.Ordinal), name => name.Length > 0);
    }

    private static async Task<List<string>> Rows(RunningGate gate, string key, string query) =>
        [.. (await gate.Send("GET", "/api/v1/audit" + query, key)).Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray()
            .Select(row => $"{row.GetProperty("action")} {row.GetProperty("environment")}")];
}
