using System.Diagnostics;
using System.Net;
using Npgsql;
using Tollgate.Server.Hosting;
using Tollgate.Server.Tests.Fixtures;

namespace Tollgate.Server.Tests.Changes;

/// <summary>What a gate that has lost its lock says of changes, and to the root key once its lease has ended.</summary>
public sealed class LostLockTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_gate_without_its_lock_does_not_say_that_nothing_changed_nor_believe_in_its_root_key()
    {
        var database = await postgres.NewDatabase();
        await using var gate = await RunningGate.Start("default", new GateOptions { LeaseSeconds = 2 }, postgres: database);
        var start = await Ask(gate, "");
        var query = $"?after={start.Json.GetProperty("next_after").GetInt64()}&wait=";
        var waiting = Ask(gate, query + "30");

        await OwnPostgres.Ask<int>(Elsewhere(database), $"UPDATE pg_database SET datallowconn = false WHERE {Named(database)} RETURNING 1");
        await postgres.CutConnections(database);

        AssertUnavailable(await waiting);
        Assert.False(gate.Database.OwnsLock);
        AssertUnavailable(await Ask(gate, query + "0"));
        AssertUnavailable(await Ask(gate, ""));

        for (var waited = Stopwatch.StartNew(); gate.Database.TrustsMemory;)
        {
            Assert.InRange(waited.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
            await Task.Delay(5);
        }

        AssertUnavailable(await gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, "{\"key\":\"x\"}"));
        AssertUnavailable(await gate.Send("POST", "/api/v1/verify/explain", RunningGate.RootKey, "{\"key\":\"x\"}"));
    }

    private static void AssertUnavailable(Answer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.ServiceUnavailable, answer.ToString());
        Assert.Equal("unavailable", answer.String("code"));
    }

    private static Task<Answer> Ask(RunningGate gate, string query) => gate.Send("GET", "/api/v1/changes" + query, RunningGate.RootKey);

    private static string Named(string database) => $"datname = '{new NpgsqlConnectionStringBuilder(database).Database}'";

    private static string Elsewhere(string database) =>
        new NpgsqlConnectionStringBuilder(database) { Database = "postgres" }.ConnectionString;
}
