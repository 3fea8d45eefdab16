using System.Diagnostics;
using System.Net;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;

namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// The gate as a process, on a PostgreSQL that dies, freezes or changes hands: it goes on, never longer on old knowledge than its lease,
/// and comes back by itself.
/// </summary>
public sealed class DatabaseOutageTests : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RecoveryMax = TimeSpan.FromSeconds(5);

    /// <summary>What a request may take beyond the lease it began in: two cores shared with every other test.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly int Rounds = FaultRounds.Of("TEST_OUTAGE_ROUNDS", 4);

    private readonly List<DirectoryInfo> _folders = [];
    private OwnPostgres _postgres = null!;

    public async ValueTask InitializeAsync() => _postgres = await OwnPostgres.Start();

    public async ValueTask DisposeAsync()
    {
        await _postgres.DisposeAsync();
        _folders.ForEach(folder => folder.Delete(recursive: true));
    }

    [Fact]
    public async Task A_gate_whose_database_dies_serves_its_lease_then_refuses_and_comes_back_by_itself()
    {
        await using var gate = await Start();
        using var calls = new ServedCalls(gate);
        await calls.Unlimit();
        var (_, kept) = await calls.Create();
        var revoked = new List<string>();
        for (var round = 0; round < Rounds; round++)
        {
            var (id, secret) = await calls.Create();
            Assert.Equal(HttpStatusCode.OK, await calls.Use(secret));
            Assert.Equal(HttpStatusCode.OK, await calls.Use(kept));
            Assert.Equal(HttpStatusCode.OK, (await calls.Act(id, "revoke")).Status);
            revoked.Add(secret);
            await (round % 2 == 0 ? _postgres.Kill() : _postgres.StopAtOnce());

            await ServesItsLeaseThenRefuses(calls, kept, revoked);
            await _postgres.Run();
            await ComesBack(calls, kept, revoked);
        }

        Assert.False(gate.HasExited, gate.Said);
    }

    [Fact]
    public async Task A_database_that_stops_answering_is_noticed_and_nobody_waits_long_for_it()
    {
        await using var gate = await Start();
        using var calls = new ServedCalls(gate);
        await calls.Unlimit();
        var (_, kept) = await calls.Create();
        Assert.Equal(HttpStatusCode.OK, await calls.Use(kept));
        await _postgres.Freeze();

        var began = Stopwatch.StartNew();
        var unknown = calls.Use(calls.Unknown());
        await ServesItsLeaseThenRefuses(calls, kept, [], frozen: true);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await unknown);
        Assert.InRange(began.Elapsed, TimeSpan.Zero, RecoveryMax + Lease);

        await _postgres.Thaw();
        await ComesBack(calls, kept, []);
        Assert.False(gate.HasExited, gate.Said);
    }

    [Fact]
    public async Task A_gate_that_loses_its_lock_to_another_stops_and_says_so()
    {
        await using var first = await Start();
        using var calls = new ServedCalls(first);
        var (id, secret) = await calls.Create();
        Assert.Equal(HttpStatusCode.OK, await calls.Use(secret));
        var starting = Start();
        await Until(() => _postgres.Ask<bool>("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"));
        await CutLock();

        await using var second = await starting;
        using var others = new ServedCalls(second);
        Assert.Equal(HttpStatusCode.OK, (await others.Act(id, "revoke")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, await others.Use(secret));
        Assert.Equal(3, await first.WaitForExit());
        Assert.Contains(
            "tollgate: stopped, because the lock on the database was lost and another Tollgate process has it now.",
            first.Said,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_answer_of_a_gate_that_was_frozen_past_its_lease_is_not_from_its_memory()
    {
        await using var frozen = await Start();
        using var calls = new ServedCalls(frozen);
        var (id, secret) = await calls.Create();
        Assert.Equal(HttpStatusCode.OK, await calls.Use(secret));
        // Frozen in the middle of that write, it would keep the other from opening the database for as long as its transaction may last.
        await Until(() => _postgres.Ask<bool>("SELECT count(*) = 1 FROM usage_log WHERE key_no = 1"));
        var still = Stopwatch.StartNew();
        await Signals.Send("STOP", [frozen.ProcessId]);
        await CutLock();
        await using (var other = await Start())
        {
            using var others = new ServedCalls(other);
            Assert.Equal(HttpStatusCode.OK, (await others.Act(id, "revoke")).Status);
        }

        await Until(() => Task.FromResult(still.Elapsed > 2 * Lease));
        await Signals.Send("CONT", [frozen.ProcessId]);
        var first = await calls.Use(secret);
        Assert.True(first is HttpStatusCode.ServiceUnavailable or HttpStatusCode.Unauthorized, $"{first}");
        Assert.False(frozen.HasExited, frozen.Said);
        await Until(async () => await calls.Ready() == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await calls.Use(secret));
        // The other gate has had a spool of its own; what this one counts is taken in all the same.
        var (_, later) = await calls.Create();
        Assert.Equal(HttpStatusCode.OK, await calls.Use(later));
        await Until(() => _postgres.Ask<bool>("SELECT count(*) = 1 FROM usage_log WHERE key_no = 2"));
    }

    /// <summary>Asks without a pause from the moment the database is gone until the lease is over and some time after.</summary>
    private static async Task ServesItsLeaseThenRefuses(ServedCalls calls, string kept, List<string> revoked, bool frozen = false)
    {
        var gone = Stopwatch.StartNew();
        var (served, refused) = (0, 0);
        while (refused < 20)
        {
            var began = gone.Elapsed;
            var status = await calls.Use(kept);
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"a good key was answered {status}");
            if (status == HttpStatusCode.OK)
            {
                Assert.True(refused == 0, "served again without a database");
                Assert.InRange(began, TimeSpan.Zero, Lease + Slack);
                served++;
            }
            else
            {
                refused++;
            }

            foreach (var secret in revoked)
            {
                Assert.True(
                    await calls.Use(secret) is HttpStatusCode.Unauthorized or HttpStatusCode.ServiceUnavailable, "a revoked key passed");
            }

            // While it is not yet known that nothing answers, a question to the database takes as long as it takes to notice.
            if (!frozen || refused > 0)
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, await calls.Use(calls.Unknown()));
            }
        }

        Assert.True(served > 0, "nothing was served from memory");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await calls.Ready());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await calls.Send("GET", "/api/v1/projects")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await calls.TryCreate()).Status);
        Assert.Equal(HttpStatusCode.OK, (await calls.Send("GET", "/healthz")).Status);
        // The root key too is only as good as what is known of it.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await calls.Use(ServedCalls.RootKey));
    }

    private static async Task ComesBack(ServedCalls calls, string kept, List<string> revoked)
    {
        var back = Stopwatch.StartNew();
        while (await calls.Use(kept) is var status && status != HttpStatusCode.OK)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.InRange(back.Elapsed, TimeSpan.Zero, RecoveryMax);
        }

        Assert.Equal(HttpStatusCode.Created, (await calls.TryCreate()).Status);
        Assert.Equal(HttpStatusCode.OK, await calls.Ready());
        Assert.InRange(back.Elapsed, TimeSpan.Zero, RecoveryMax);
        Assert.Equal(HttpStatusCode.Unauthorized, await calls.Use(calls.Unknown()));
        foreach (var secret in revoked)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await calls.Use(secret));
        }
    }

    private async Task<ServedGate> Start()
    {
        var folder = Directory.CreateTempSubdirectory("tollgate-outage-");
        _folders.Add(folder);
        // One pepper for all: two gates on one database must read the same keys.
        var environment = new Dictionary<string, string>
        {
            ["TOLLGATE_LEASE_SECONDS"] = $"{(int)Lease.TotalSeconds}",
            ["TOLLGATE_PEPPER_FILE"] = Path.Combine(_folders[0].FullName, "pepper"),
        };
        return await ServedGate.Start(
            folder.FullName, rootKey: ServedCalls.RootKey, database: _postgres.ConnectionString, environment: environment);
    }

    private Task<long> CutLock() => _postgres.Ask<long>(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'tollgate %' AND state = 'idle'");

    private static async Task Until(Func<Task<bool>> condition)
    {
        for (var waited = Stopwatch.StartNew(); !await condition();)
        {
            Assert.InRange(waited.Elapsed, TimeSpan.Zero, Patience);
            await Task.Delay(20);
        }
    }
}
