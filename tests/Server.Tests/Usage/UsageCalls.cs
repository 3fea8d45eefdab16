using System.Net;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Usage;
using Tollgate.Server.Journal;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Usage;

/// <summary>Puts usage of keys into a running gate, as its check does: into the spool, and folded when the call returns.</summary>
internal static class UsageCalls
{
    /// <summary>A request of the key that passed; answers its id.</summary>
    public static async Task<string> NewRequest(this RunningGate gate, string keyId) =>
        RequestId.Of((await gate.Use(keyId, new UsageEvent { Kind = UsageKind.Passed }))[0]);

    /// <summary>
    /// Events of one key, each of a request of its own unless it names one, at the gate's time unless it names another; answers the
    /// requests' numbers.
    /// </summary>
    public static async Task<IReadOnlyList<long>> Use(this RunningGate gate, string keyId, params UsageEvent[] events)
    {
        var (keyNo, organizationNo) = await gate.Database.Read(connection => connection.QuerySingleAsync<(long, long)>(
            "SELECT k.key_no, o.organization_no FROM keys k JOIN project_owners o ON o.project_no = k.project_no WHERE k.id = @keyId",
            new { keyId }));
        var (spool, numbers) = (gate.Services.GetRequiredService<Spool>(), gate.Services.GetRequiredService<RequestNumbers>());
        var requests = new List<long>();
        var sequence = 0L;
        foreach (var given in events)
        {
            var happened = given;
            happened.RequestNo = given.RequestNo == 0 ? numbers.Next() : given.RequestNo;
            (happened.KeyNo, happened.OrganizationNo) = ((uint)keyNo, (uint)organizationNo);
            happened.AtMs = given.AtMs == 0 ? gate.Clock.NowMs : given.AtMs;
            happened.AdmittedAtMs = given.AdmittedAtMs == 0 ? happened.AtMs : given.AdmittedAtMs;
            happened.ClockMs = happened.AdmittedAtMs;
            Assert.True(spool.Buffer.TryAppend(in happened, out sequence));
            requests.Add(happened.RequestNo);
        }

        await gate.Services.GetRequiredService<Fold>().WaitFolded(sequence);
        return requests;
    }

    public static async Task<JsonElement> Usage(this RunningGate gate, string query = "", string? key = null)
    {
        var answer = await gate.Send("GET", "/api/v1/usage" + query, key ?? RunningGate.RootKey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    public static async Task<IReadOnlyList<JsonElement>> Log(this RunningGate gate, string query = "", string? key = null)
    {
        var answer = await gate.Send("GET", "/api/v1/usage/log" + query, key ?? RunningGate.RootKey);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return [.. answer.Json.GetProperty("data").EnumerateArray()];
    }
}
