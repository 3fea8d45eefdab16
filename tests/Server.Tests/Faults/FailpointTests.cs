using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Audit;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Providers;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Teams;

namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// The server process kills itself between two writes of a change; what a new one finds is all of the change or nothing, and asking again
/// with the same Idempotency-Key ends in the same state and the same answer.
/// </summary>
public abstract class FailpointTests(PostgresFixture postgres) : IDisposable
{
    private const int KilledBySignal9 = 128 + 9;

    /// <summary>Cheap to start: it makes one call in its life.</summary>
    private static readonly Dictionary<string, string> Lean = new()
    {
        ["DOTNET_gcServer"] = "0", ["DOTNET_TieredPGO"] = "0", ["TOLLGATE_LOG_LEVEL"] = "none",
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-crash-");

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>One operation, killed at each of its points.</summary>
    protected async Task Kill(DatabaseKind kind, string name)
    {
        var operation = CrashMatrix.All.Single(row => row.Name == name);
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var provider = operation.Provider == CrashOperation.Paid ? await PaidProvider() : operation.Provider;
        var gate = await Open(provider, database);
        foreach (var point in operation.AllPoints)
        {
            var call = await Prepare(gate, operation);
            var before = await Dump(gate);
            await gate.DisposeAsync();
            await Crash(call, point, provider, database);
            gate = await Open(provider, database);
            await Judge(gate, operation, call, CrashOperation.IsCommittedAt(point), before, $"{name} at {point} on {kind}");
        }

        await gate.DisposeAsync();
    }

    /// <summary>The gate as a new process would find its data, but for the process.</summary>
    private Task<RunningGate> Open(string provider, string? database) =>
        RunningGate.Start(provider, _folder.FullName, database, Today());

    private async Task<string> PaidProvider()
    {
        var file = Path.Combine(_folder.FullName, "paid.yaml");
        const string more = """

            wallet: { currency: USD, to_create_above: "0", disable_at: "0.05" }
            quotas: [{ name: things, amount: 5 }]
            sign_in: { teams: { personal_keys: archived, leaver_keys: deleted, balance: moved } }
            """;
        await File.WriteAllTextAsync(file, Given.Least + more);
        return file;
    }

    /// <summary>Its clock must not stand before what the processes in between have written.</summary>
    internal static ManualClock Today()
    {
        var clock = new ManualClock();
        clock.Advance(TimeProvider.System.GetUtcNow() - clock.GetUtcNow());
        return clock;
    }

    /// <summary>An organization, a project and a key for this case alone.</summary>
    private static async Task<CrashCall> Prepare(RunningGate gate, CrashOperation operation)
    {
        var organization = (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Case\"}")).String("id");
        await gate.Fund(organization);
        var project = (await gate.Send(
            "POST", $"/api/v1/organizations/{organization}/projects", RunningGate.RootKey, "{\"name\":\"Case\"}")).String("id");
        var (key, secret) = await gate.NewPair(project: project);
        var (person, member) = ("", "");
        if (operation.Body?.Contains("{person}", StringComparison.Ordinal) == true)
        {
            person = await TeamRows.NewPerson(gate, organization);
        }

        if (operation.Call.Contains("{member}", StringComparison.Ordinal))
        {
            (member, _, _) = await TeamRows.Make(gate.Database, organization);
            await TeamRows.IsMadeBy(gate, key, member);
        }

        if (operation.First is var (first, body))
        {
            var (method, path) = (first.Split(' ')[0], Filled(first.Split(' ')[1]));
            Assert.Equal(201, (int)(await gate.Send(method, $"/api/v1{path}", RunningGate.RootKey, body)).Status);
        }

        var call = Filled(operation.Call)!.Split(' ');
        return new CrashCall(call[0], "/api/v1" + call[1], Filled(operation.Body), secret, "case-" + key);

        string? Filled(string? text) => text?
            .Replace("{organization}", organization, StringComparison.Ordinal).Replace("{project}", project, StringComparison.Ordinal)
            .Replace("{key}", key, StringComparison.Ordinal)
            .Replace("{person}", person, StringComparison.Ordinal).Replace("{member}", member, StringComparison.Ordinal)
            .Replace("{hash}", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))), StringComparison.Ordinal);
    }

    private async Task Crash(CrashCall call, string point, string provider, string? database)
    {
        await using var doomed = await ServedGate.Start(
            _folder.FullName, provider, rootKey: RunningGate.RootKey, database: database,
            environment: new Dictionary<string, string>(Lean) { ["TOLLGATE_FAILPOINT"] = point });
        using var calls = new ServedCalls(doomed);
        try
        {
            for (var left = 5;; left--)
            {
                var answer = await calls.Send(
                    call.Method, call.Path, call.Body, idempotencyKey: call.IdempotencyKey, mediaType: call.MediaType);
                // Such as that the database is slow just now: nothing was changed, and a client asks again.
                Assert.True(
                    answer.Status == HttpStatusCode.ServiceUnavailable && left > 0, $"{point} was not passed: {answer}\n{doomed.Said}");
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
        catch (HttpRequestException)
        {
            Assert.True(KilledBySignal9 == await doomed.WaitForExit(), doomed.Said);
        }
    }

    private static async Task Judge(
        RunningGate gate, CrashOperation operation, CrashCall call, bool isCommitted, Tables before, string which)
    {
        var found = await Dump(gate);
        Assert.True(isCommitted ? found.Adds(before) == operation.Adds : found.Text == before.Text, $"{which}: added {found.Adds(before)}");
        Assert.Equal(isCommitted ? operation.OldSecret : "allowed", await gate.CodeOf(call.Secret));

        var first = await Retry();
        Assert.True((int)first.Status is 200 or 201, $"{which}: {first}");
        Assert.Equal(isCommitted, first.Headers.ContainsKey("Idempotency-Replayed"));
        var ended = await Dump(gate);
        Assert.Equal(operation.Adds, ended.Adds(before));
        var second = await Retry();
        Assert.Equal((first.Status, first.Text), (second.Status, second.Text));
        Assert.Equal(ended.Text, (await Dump(gate)).Text);

        Assert.Equal(operation.OldSecret, await gate.CodeOf(call.Secret));
        if (first.Json.TryGetProperty("mask", out _) && first.Json.TryGetProperty("secret", out var secret))
        {
            Assert.Equal("allowed", await gate.CodeOf(secret.GetString()!));
        }

        var chain = await gate.Services.GetRequiredService<AuditLog>().Verify();
        Assert.True(chain.IsWhole, $"{which}: {chain.Sentence}");

        Task<Answer> Retry() => gate.Send(
            call.Method, call.Path, RunningGate.RootKey, call.Body,
            ("Idempotency-Key", call.IdempotencyKey), ("Content-Type", call.MediaType));
    }

    /// <summary>Every row of every table, but for the numbers of the run and of the owner, which each start moves.</summary>
    private static Task<Tables> Dump(RunningGate gate) => gate.Database.Read(async connection =>
    {
        var text = new StringBuilder();
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var table in GateCalls.Tables)
        {
            // What waits to be sent is tried meanwhile, which changes the rows and not their number.
            var columns = table.StartsWith("webhook", StringComparison.Ordinal) ? "id" : "*";
            var rows = (await connection.QueryAsync($"SELECT {columns} FROM {table}")).Cast<IDictionary<string, object?>>()
                .Select(row => string.Join('|', row.Select(cell => Written(cell.Value))))
                .Where(row => table != "counters" || !row.StartsWith("owner|", StringComparison.Ordinal))
                .Where(row => table != "counters" || !row.StartsWith("run|", StringComparison.Ordinal))
                // A check is counted some time after it, and the first one of a project and environment gives them a number.
                .Where(row => table != "counters" || !row.StartsWith("place|", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal).ToList();
            counts.Add(table, table is "counters" or "settings" ? 0 : rows.Count);
            text.Append(table).Append('\n').AppendJoin('\n', rows).Append('\n');
        }

        return new Tables(text.ToString(), counts);
    });

    private static string Written(object? cell) =>
        cell is byte[] bytes ? Convert.ToHexString(bytes) : Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "";

    private sealed record CrashCall(string Method, string Path, string? Body, string Secret, string IdempotencyKey)
    {
        /// <summary>Imports are lines of JSON.</summary>
        public string MediaType =>
            Path.StartsWith("/api/v1/import", StringComparison.Ordinal) ? "application/x-ndjson" : "application/json";
    }

    private sealed record Tables(string Text, SortedDictionary<string, int> Counts)
    {
        public string Adds(Tables before) => string.Join(", ", Order
            .Where(table => Counts[table] != before.Counts[table]).Select(table => $"{table} {Counts[table] - before.Counts[table]}"));

        private static readonly string[] Order =
        [
            "wallets", "wallet_entries", "organizations", "projects", "keys", "imported_keys", "secrets", "audit", "changes", "idempotency",
            "links", "people", "sessions", "person_devices",
            "webhooks", "webhook_deliveries", "quotas", "key_operations", "counters", "settings",
            "teams", "team_members", "team_invitations", "team_archives",
        ];
    }
}
