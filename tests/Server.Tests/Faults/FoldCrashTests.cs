using System.Globalization;
using Dapper;
using Tollgate.Engine.Usage;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// A process that takes requests into the database and kills itself at each step of it: the next one finds them all, and none of them
/// twice.
/// </summary>
public sealed class FoldCrashTests(PostgresFixture postgres) : IDisposable
{
    private const int KilledBySignal9 = 128 + 9;

    /// <summary>More than one transaction takes, so that the death is in the middle of them too.</summary>
    private const int Events = Fold.EventsMax + 40;

    private const int Capacity = 65_536;

    private static readonly long NowMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private static readonly GateOptions Options = new() { LogLevel = "none", UsageBufferEvents = Capacity };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-fold-");
    private long _next = 1L << RequestNumbers.CounterBits;
    private long _reservations;
    private long _held;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Requests_survive_a_kill_at_every_step_of_being_taken_in_none_lost_and_none_doubled(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using (var first = await RunningGate.Start(
            "default", Options, _folder.FullName, database, FailpointTests.Today()))
        {
            _ = await first.NewPair();
        }

        var booked = new Counts(0, 0, 0, 0);
        foreach (var (point, isCommitted) in CrashMatrix.Fold)
        {
            var which = $"{point} on {kind}";
            booked += Append();
            await Crash(point, database);
            await using var gate = await RunningGate.Start(
                "default", Options, _folder.FullName, database, FailpointTests.Today());
            Assert.True(booked == await CountsOf(gate), $"{which}, committed {isCommitted}: {booked}, found {await CountsOf(gate)}");
        }
    }

    /// <summary>What a killed gate has left in its spool: requests that passed, refusals, reservations, settled and open.</summary>
    private Counts Append()
    {
        using var spool = Spool.Open(_folder.FullName, Capacity);
        var counts = new Counts(0, 0, 0, 0);
        for (var i = 0; i < Events; i += 4)
        {
            Add(spool, UsageKind.Passed, ++_next);
            Add(spool, UsageKind.Refused, ++_next);
            Add(spool, UsageKind.Reserved, ++_next);
            var settles = i % 8 == 0;
            var extends = i % 16 == 4;
            Add(spool, settles ? UsageKind.Settled : extends ? UsageKind.Extended : UsageKind.Marked, _next, extends ? 9 : 0);
            _reservations += settles ? 0 : 1;
            _held += extends ? 9 : 0;
            counts += new Counts(settles ? 2 : 1, 1, settles ? 0 : 1, settles ? 14 : 7);
        }

        return counts;
    }

    private void Add(Spool spool, UsageKind kind, long request, long costMicros = 0) => Assert.True(spool.Buffer.TryAppend(
        new UsageEvent
        {
            Kind = kind, RequestNo = request, KeyNo = 1, OrganizationNo = 1, AtMs = NowMs, AdmittedAtMs = NowMs,
            ClockMs = NowMs, InputTokens = 7, Code = 8, CostMicros = costMicros,
        },
        out _));

    private async Task Crash(string point, string? database)
    {
        // The first write of a start opens the journal; the next one takes in what was left.
        var armed = point.StartsWith("write.", StringComparison.Ordinal) ? point + ":2" : point;
        await using var doomed = await ServedGate.Start(
            _folder.FullName, rootKey: RunningGate.RootKey, database: database,
            environment: new Dictionary<string, string>
            {
                ["DOTNET_gcServer"] = "0", ["DOTNET_TieredPGO"] = "0", ["TOLLGATE_LOG_LEVEL"] = "none", ["TOLLGATE_FAILPOINT"] = armed,
                ["TOLLGATE_USAGE_BUFFER_EVENTS"] = Capacity.ToString(CultureInfo.InvariantCulture),
            });
        Assert.True(KilledBySignal9 == await doomed.WaitForExit(), $"{point}: {doomed.Said}");
    }

    private async Task<Counts> CountsOf(RunningGate gate)
    {
        var counts = await gate.Database.Read(connection => connection.QuerySingleAsync<(long, long, long, long, long, long, long)>(
            """
            SELECT (SELECT count(*) FROM usage_log), (SELECT count(*) FROM refusals), (SELECT count(*) FROM reservations),
                   (SELECT CAST(sum(input_tokens) AS BIGINT) FROM usage_log),
                   (SELECT CAST(sum(requests) AS BIGINT) FROM usage_days), (SELECT CAST(sum(refused) AS BIGINT) FROM usage_hours),
                   (SELECT CAST(sum(input_tokens) AS BIGINT) FROM usage_days)
            """));
        Assert.Equal((counts.Item1, counts.Item2, counts.Item4), (counts.Item5, counts.Item6, counts.Item7));
        Assert.Equal(_reservations, counts.Item3);
        Assert.Equal(_held, (await gate.Database.Read(Remembrance.Held)).Values.Sum(held => held.Micros));
        return new Counts(counts.Item1, counts.Item2, counts.Item3, counts.Item4);
    }

    private sealed record Counts(long Passed, long Refused, long Open, long Tokens)
    {
        public static Counts operator +(Counts one, Counts other) => new(
            one.Passed + other.Passed, one.Refused + other.Refused, one.Open + other.Open, one.Tokens + other.Tokens);
    }
}
