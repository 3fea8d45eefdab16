using System.Globalization;
using System.Net;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Faults;

/// <summary>
/// Paid requests over HTTP to a process that kills itself at each step of settling, recording and taking in: the next one has each of them
/// exactly once at the cost that was told, holds what was held, and settles what nobody does from its last mark.
/// </summary>
public sealed class PaidCrashTests(PostgresFixture postgres) : IDisposable
{
    private const int KilledBySignal9 = 128 + 9;
    private const int RoundsMax = 40;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-paid-");

    /// <summary>By request: what it cost by what a server was told; null where it was told that it passed and nothing more.</summary>
    private readonly Dictionary<string, string?> _told = [];

    /// <summary>Calls that got no answer, each of which may have been made or not.</summary>
    private int _unanswered;

    private int _reports;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_settled_request_is_in_the_log_exactly_once_after_a_kill_at_every_step(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var provider = await PaidProvider.In(_folder.FullName);
        PaidKey key;
        await using (var gate = await RunningGate.Start(provider, _folder.FullName, database, FailpointTests.Today()))
        {
            var made = await gate.NewKey();
            key = new PaidKey(made.GetProperty("id").GetString()!, made.GetProperty("secret").GetString()!);
        }

        foreach (var point in CrashMatrix.Paid)
        {
            var life = await Live(point, provider, database, key);
            await using var gate = await RunningGate.Start(provider, _folder.FullName, database, FailpointTests.Today());
            await Judge(gate, life, $"{point} on {kind}");
        }
    }

    /// <summary>One life of the gate, until it dies: what was answered, and what was asked last.</summary>
    private async Task<PaidLife> Live(string point, string provider, string? database, PaidKey key)
    {
        await using var doomed = await ServedGate.Start(
            _folder.FullName, provider, rootKey: RunningGate.RootKey, database: database,
            environment: new Dictionary<string, string>
            {
                ["DOTNET_gcServer"] = "0", ["DOTNET_TieredPGO"] = "0", ["TOLLGATE_LOG_LEVEL"] = "none", ["TOLLGATE_FAILPOINT"] = point,
                ["TOLLGATE_USAGE_BUFFER_EVENTS"] = Spool.CapacityMin.ToString(CultureInfo.InvariantCulture),
            });
        using var calls = new ServedCalls(doomed);
        var life = new PaidLife();
        try
        {
            for (var round = 0; round < RoundsMax; round++)
            {
                await Round(calls, life, key);
            }
        }
        catch (HttpRequestException)
        {
            Assert.Equal(KilledBySignal9, await doomed.WaitForExit());
            _unanswered++;
            return life;
        }

        throw new InvalidOperationException($"The gate did not die at {point}: {doomed.Said}");
    }

    /// <summary>Three are reserved, of which one is settled and one marked; one is only counted, and one recorded.</summary>
    private async Task Round(ServedCalls calls, PaidLife life, PaidKey key)
    {
        var settled = await Reserve(calls, life, key);
        var marked = await Reserve(calls, life, key);
        await Reserve(calls, life, key);
        life.Marking = marked;
        await Answer(calls, "usage", $"{{\"reservation\":\"{marked}\",\"input_tokens\":90,\"output_tokens\":7,\"in_progress\":true}}");
        life.Open[marked] = PaidProvider.Cost(90, 7);
        life.Marking = null;
        await Settle(calls, life, settled);
        var counted = await Answer(calls, "verify", $"{{\"key\":\"{key.Secret}\"}}");
        _told.Add(counted.String("request_id"), null);
        life.Report = $"{{\"key_id\":\"{key.Id}\",\"model\":\"{PaidProvider.Model}\",\"input_tokens\":5,\"output_tokens\":3,"
            + $"\"idempotency_key\":\"report-{++_reports}\"}}";
        var recorded = await Answer(calls, "usage", life.Report);
        _told.Add(recorded.String("request_id"), recorded.String("cost"));
        life.Report = null;
    }

    private static async Task<string> Reserve(ServedCalls calls, PaidLife life, PaidKey key)
    {
        var verdict = await Answer(
            calls, "verify",
            $"{{\"key\":\"{key.Secret}\",\"model\":\"{PaidProvider.Model}\",\"tokens\":{{\"input\":100,\"max_output\":50}}}}");
        life.Open.Add(verdict.String("reservation"), PaidProvider.Cost(100, 0));
        return verdict.String("reservation");
    }

    private async Task Settle(ServedCalls calls, PaidLife life, string reservation)
    {
        life.Settling = reservation;
        var answer = await Answer(calls, "usage", PaidLife.SettlementOf(reservation));
        Settled(life, reservation, answer.String("cost"));
    }

    private void Settled(PaidLife life, string reservation, string cost)
    {
        Assert.True(life.Open.Remove(reservation));
        life.Settling = null;
        _told.Add(RequestOf(reservation), cost);
    }

    private static async Task<Answer> Answer(ServedCalls calls, string path, string body)
    {
        var answer = await calls.Send("POST", "/api/v1/" + path, body);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        return answer;
    }

    private async Task Judge(RunningGate gate, PaidLife life, string which)
    {
        await gate.Services.GetRequiredService<Fold>().WaitAll();
        (await PaidBooks.Of(gate.Database)).Agree(which);
        await Retry(gate, life, which);
        // What is open is held still, and can be settled by its number.
        foreach (var reservation in life.Open.Keys)
        {
            var found = await gate.Send("GET", $"/api/v1/requests/{RequestOf(reservation)}", RunningGate.RootKey);
            Assert.True(
                found.Status == HttpStatusCode.OK && found.Json.GetProperty("request").GetProperty("outcome").GetString() == "open",
                $"{which}: {found}");
        }

        await SettleOne(gate, life);
        gate.Clock.Advance(TimeSpan.FromSeconds(1_201));
        await gate.Services.GetRequiredService<ReservationSweep>().Run();
        await gate.Services.GetRequiredService<Fold>().WaitAll();
        foreach (var (reservation, cost) in life.Open)
        {
            _told.Add(RequestOf(reservation), new Engine.Wallet.Money((long)(cost * 1_000_000)).ToString());
        }

        var books = await PaidBooks.Of(gate.Database);
        books.Agree($"{which}, settled");
        Assert.True((books.Held, books.Open) == (0, 0), $"{which}: {books}");
        Assert.True(
            books.Lines >= _told.Count && books.Lines <= _told.Count + _unanswered, $"{which}: {_told.Count} told of: {books}");
        Assert.Equal($"{await gate.Figures()}", $"{new Engine.Wallet.Money(books.Balance)} 0.00 {new Engine.Wallet.Money(books.Balance)}");
        var logged = (await gate.Database.Read(connection => connection.QueryAsync<(long RequestNo, long? Cost)>(
            "SELECT request_no, cost_micros FROM usage_log"))).ToDictionary(row => RequestId.Of(row.RequestNo), row => row.Cost);
        // A mark that got no answer was noted or was not.
        if (life.Marking is { } marking && logged[RequestOf(marking)] == (long)(PaidProvider.Cost(90, 7) * 1_000_000))
        {
            _told[RequestOf(marking)] = new Engine.Wallet.Money(logged[RequestOf(marking)]!.Value).ToString();
        }

        foreach (var (request, cost) in _told)
        {
            Assert.True(logged.TryGetValue(request, out var micros), $"{which}: {request} is not in the log");
            Assert.True(cost is null || Wallets.Dollars(cost).Micros == micros, $"{which}: {request} cost {cost}, logged {micros}");
        }
    }

    /// <summary>The call that got no answer is made again, twice: it is answered the same, and done once.</summary>
    private async Task Retry(RunningGate gate, PaidLife life, string which)
    {
        if (life.Settling is { } reservation)
        {
            Settled(life, reservation, await Twice(PaidLife.SettlementOf(reservation), answer => answer.String("cost")));
            Assert.Equal(Wallets.Dollars(_told[RequestOf(reservation)]!).Micros, (long)(PaidProvider.Cost(80, 20) * 1_000_000));
        }
        else if (life.Report is { } report)
        {
            _told.Add(await Twice(report, answer => answer.String("request_id")), "0.000035");
        }

        async Task<string> Twice(string body, Func<Answer, string> of)
        {
            var first = await gate.Send("POST", "/api/v1/usage", RunningGate.RootKey, body);
            var second = await gate.Send("POST", "/api/v1/usage", RunningGate.RootKey, body);
            Assert.True(first.Status == HttpStatusCode.OK && first.Text == second.Text, $"{which}: {first} and then {second}");
            return of(first);
        }
    }

    private async Task SettleOne(RunningGate gate, PaidLife life)
    {
        if (life.Open.Keys.FirstOrDefault() is { } reservation)
        {
            var settled = await gate.Send("POST", "/api/v1/usage", RunningGate.RootKey, PaidLife.SettlementOf(reservation));
            Settled(life, reservation, settled.String("cost"));
        }
    }

    private static string RequestOf(string reservation) => "req_" + reservation["rsv_".Length..];

    private sealed record PaidKey(string Id, string Secret);

    private sealed class PaidLife
    {
        /// <summary>Reservations that were answered and not settled, with what each costs from its last mark.</summary>
        public Dictionary<string, decimal> Open { get; } = [];

        /// <summary>The one whose mark is under way.</summary>
        public string? Marking { get; set; }

        /// <summary>The one whose settlement is under way.</summary>
        public string? Settling { get; set; }

        /// <summary>The report that is under way.</summary>
        public string? Report { get; set; }

        public static string SettlementOf(string reservation) =>
            $"{{\"reservation\":\"{reservation}\",\"input_tokens\":80,\"output_tokens\":20,\"status\":200}}";
    }
}
