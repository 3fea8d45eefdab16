using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Engine.Limits;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Usage;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Tests.Journal;

/// <summary>A journal on a store of its own, without a gate around it; what it debits is kept in a table of the test's.</summary>
internal sealed class TestJournal : IAsyncDisposable
{
    public const long HourMs = 3_600_000;

    public static readonly Limit[] Limits =
    [
        new() { Name = "rpm", Counts = LimitCounts.Requests, WindowMs = 60_000 },
        new() { Name = "hourly", Counts = LimitCounts.Requests, WindowMs = HourMs },
        new() { Name = "daily_tokens", Counts = LimitCounts.Tokens, WindowMs = 24 * HourMs },
    ];

    private readonly TestStore _store;

    private TestJournal(TestStore store, Spool spool, Fold fold) => (_store, Spool, Fold) = (store, spool, fold);

    public Spool Spool { get; }

    public Fold Fold { get; }

    public Database Database => _store.Database;

    /// <summary>Prepares the store: one organization, project 1, keys 1 to 3 in live and 4 in test.</summary>
    public static async Task Seed(TestStore store)
    {
        await store.Tamper("CREATE TABLE debits (organization_no BIGINT NOT NULL, micros BIGINT NOT NULL, requests BIGINT NOT NULL)");
        await store.Tamper(
            """
            INSERT INTO organizations (organization_no, id, name, is_operator, created_at_ms, row_version)
            VALUES (1, 'org_1', 'O', 0, 1, 1)
            """);
        await store.Tamper(
            "INSERT INTO projects (project_no, id, organization_no, name, created_at_ms, row_version) VALUES (1, 'prj_1', 1, 'P', 1, 1)");
        for (var key = 1; key <= 4; key++)
        {
            await store.Tamper(
                $"""
                INSERT INTO keys (key_no, id, project_no, environment, type, name, permissions, scopes, rights, allowed_addresses, metadata,
                                  holds, created_at_ms, created_by, row_version)
                VALUES ({key}, 'key_{key}', 1, '{(key == 4 ? "test" : "live")}', 'standard', 'Key {key}', '[]', '[]', '[]', '[]', '{"{}"}',
                        0, 1, 'root', 1)
                """);
        }
    }

    public static async Task<TestJournal> Open(TestStore store, int capacity = Spool.CapacityMin)
    {
        var spool = Spool.Open(store.Options.DataDirectory, capacity);
        var fold = new Fold(
            store.Database, spool, new UsageBook(), new LastingLimits(Limits), new RequestNumbers(), NullLogger<Fold>.Instance)
        {
            BookUsage = Debit,
        };
        var journal = new TestJournal(store, spool, fold);
        try
        {
            await fold.Open();
            return journal;
        }
        catch
        {
            await journal.DisposeAsync();
            throw;
        }
    }

    public static async Task Debit(WriteScope scope, IReadOnlyList<UsageDebit> debits)
    {
        foreach (var debit in debits)
        {
            await scope.Execute(
                "INSERT INTO debits (organization_no, micros, requests) VALUES (@OrganizationNo, @Micros, @Requests)",
                new { debit.OrganizationNo, debit.Amount.Micros, debit.Requests });
        }
    }

    public Task Start() => Fold.StartAsync(CancellationToken.None);

    public long Append(UsageEvent happened)
    {
        Assert.True(Spool.Buffer.TryAppend(in happened, out var sequence));
        return sequence;
    }

    /// <summary>Appends, and folds all there is.</summary>
    public async Task Folded(params UsageEvent[] events)
    {
        foreach (var happened in events)
        {
            Append(happened);
        }

        await Start();
        await Fold.WaitAll();
    }

    public Task<T> Ask<T>(string sql) => Database.Read(connection => connection.ExecuteScalarAsync<T>(sql))!;

    public async ValueTask DisposeAsync()
    {
        await Fold.DisposeAsync();
        Spool.Dispose();
    }

    public static UsageEvent Passed(long request, uint key = 1, long atMs = HourMs * 1_000, uint input = 0, uint output = 0) => new()
    {
        Kind = UsageKind.Passed, RequestNo = request, KeyNo = key, OrganizationNo = 1, AtMs = atMs, AdmittedAtMs = atMs,
        ClockMs = atMs, InputTokens = input, OutputTokens = output, Limits = 0b111, LastingLimits = 0b110,
    };

    public static UsageEvent Refused(long request, uint key = 1, long atMs = HourMs * 1_000) => new()
    {
        Kind = UsageKind.Refused, RequestNo = request, KeyNo = key, OrganizationNo = 1, AtMs = atMs, AdmittedAtMs = atMs, Code = 6,
        Limit = 2, LimitAmount = 100, LimitRemaining = 0, RetryAtMs = atMs + 1_500,
    };

    public static UsageEvent Reserved(long request, uint input = 10, uint output = 100, long held = 500) =>
        Passed(request, input: input, output: output) with { Kind = UsageKind.Reserved, CostMicros = held, Flags = UsageFlags.Priced };

    public static UsageEvent Marked(long request, uint output, long cost) =>
        Passed(request, input: 10, output: output) with
        {
            Kind = UsageKind.Marked, CostMicros = cost, Flags = UsageFlags.Priced, AtMs = (HourMs * 1_000) + 500,
        };

    public static UsageEvent Extended(long request, long held, uint output, long cost) =>
        Marked(request, output, cost) with { Kind = UsageKind.Extended, CostMicros = held, LossMicros = cost };

    public static UsageEvent Settled(long request, uint input = 10, uint output = 40, Money cost = default, long latency = 750) =>
        Passed(request, input: input, output: output) with
        {
            Kind = UsageKind.Settled, CostMicros = cost.Micros, Flags = UsageFlags.Priced, Status = 200, LatencyMs = (uint)latency,
            AtMs = (HourMs * 1_000) + latency,
        };
}
