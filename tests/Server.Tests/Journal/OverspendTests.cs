using System.Globalization;
using System.Net;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Faults;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Journal;

/// <summary>Promise B: what is spent and held is never more than there is, at any commit, whatever requests turn out to cost.</summary>
public sealed class OverspendTests(PostgresFixture postgres) : IDisposable
{
    private const int Requests = 1_000;
    private const int OutputMax = 400;
    private const int InputMax = 200;
    private const int TriesMax = 8;

    /// <summary>Room for all that a thousand do at once.</summary>
    private static readonly GateOptions Options = new() { LogLevel = "none", UsageBufferEvents = 16_384 };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-overspend-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_thousand_parallel_requests_of_unknown_cost_never_overspend_a_balance_for_a_hundred(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using var gate = await RunningGate.Start(await Provider(), Options, _folder.FullName, database);
        await gate.TopUp("0.41", "for a hundred of them");
        var (key, paidIn) = (await gate.NewSecret(), Wallets.Dollars("0.41").Micros);

        var told = new Dictionary<string, string?>();
        using var ended = new CancellationTokenSource();
        var watch = new BooksWatch(kind, _folder.FullName, database, paidIn);
        var looks = Task.Run(() => watch.Run(ended.Token));
        await Task.WhenAll(Enumerable.Range(0, Requests).Select(number => Request(gate, key, number, told, watch)));
        await ended.CancelAsync();

        Assert.True(await looks >= 3, "the database was hardly seen in between");
        Assert.True(told.Count is >= 90 and < Requests, $"{told.Count} were admitted");
        Assert.Contains(told.Values, cost => cost is null);
        gate.Clock.Advance(TimeSpan.FromSeconds(1_201));
        await gate.Services.GetRequiredService<ReservationSweep>().Run();
        await gate.Services.GetRequiredService<Fold>().WaitAll();

        var books = await PaidBooks.Of(gate.Database);
        books.Agree("in the end");
        Assert.Equal((0L, 0L, (long)told.Count, paidIn), (books.Held, books.Open, books.Lines, books.Balance + books.Spent));
        Assert.Equal(await gate.Figures(), $"{await Balance(gate)} 0.00 {await Balance(gate)}");
        await TheLogSaysWhatWasTold(gate, told);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Money_that_a_settlement_has_just_freed_is_not_taken_out_before_the_settlement_is_in_the_database(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using var gate = await RunningGate.Start(await Provider(), Options, _folder.FullName, database);
        await gate.TopUp("1.00", "in");
        var key = await gate.NewSecret();
        using var ended = new CancellationTokenSource();
        var watch = new BooksWatch(kind, _folder.FullName, database, Wallets.Dollars("1.00").Micros, isTakenOut: true);
        var looks = Task.Run(() => watch.Run(ended.Token));

        for (var i = 0; i < 40; i++)
        {
            // As much as there is, by a few.
            var held = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Verify(gate, key, 1, 25_000 / 4)));
            var ends = held.Where(answer => answer.Json.TryGetProperty("reservation", out _)).Select(answer => Settle(gate, answer, 0, 0));
            var takes = Enumerable.Range(0, 4).Select(async part =>
            {
                var taken = await gate.Enter("adjustment", "-0.30", $"out {i} {part}");
                Assert.True(taken.Status is HttpStatusCode.Created or HttpStatusCode.Conflict, taken.ToString());
                if (taken.Status == HttpStatusCode.Created)
                {
                    (await gate.Enter("adjustment", "0.30", $"back {i} {part}")).Has(HttpStatusCode.Created);
                }
            });
            await Task.WhenAll([.. ends, .. takes]);
        }

        await ended.CancelAsync();
        await looks;
        Assert.Equal("1.00 0.00 1.00", await gate.Figures());
    }

    private async Task<ProviderModel> Provider() => ProviderFiles.Shipped.Load(await PaidProvider.In(_folder.FullName)).Model!;

    private static Task<Answer> Verify(RunningGate gate, string key, int input, int output) => gate.Send(
        "POST", "/api/v1/verify", RunningGate.RootKey,
        $"{{\"key\":\"{key}\",\"model\":\"{PaidProvider.Model}\",\"tokens\":{{\"input\":{input},\"max_output\":{output}}}}}");

    private static Task<Answer> Settle(RunningGate gate, Answer verdict, int input, int output) => gate.Send(
        "POST", "/api/v1/usage", RunningGate.RootKey,
        $"{{\"reservation\":\"{verdict.String("reservation")}\",\"input_tokens\":{input},\"output_tokens\":{output}}}");

    /// <summary>Asks, works, settles; one in ten walks away. While others hold the money it asks again.</summary>
    private static async Task Request(RunningGate gate, string key, int number, Dictionary<string, string?> told, BooksWatch watch)
    {
        var random = new Random(number);
        var (input, output) = (random.Next(1, InputMax), random.Next(1, OutputMax));
        var verdict = await Verify(gate, key, InputMax, OutputMax);
        for (var tries = 1; tries < TriesMax && verdict.String("code") == "in_flight_holds"; tries++)
        {
            verdict = await Verify(gate, key, InputMax, OutputMax);
        }

        if (!verdict.Json.GetProperty("valid").GetBoolean())
        {
            Assert.Contains(verdict.String("code"), (string[])["in_flight_holds", "wallet_empty"]);
            return;
        }

        await watch.SeenInBetween();
        var cost = number % 10 == 0 ? null : (await Settle(gate, verdict, input, output)).Has(HttpStatusCode.OK).String("cost");
        Assert.True(
            cost is null || decimal.Parse(cost, CultureInfo.InvariantCulture) == PaidProvider.Cost(input, output), $"{cost}");
        lock (told)
        {
            told.Add(verdict.String("request_id"), cost);
        }
    }

    private static async Task<string> Balance(RunningGate gate) => (await gate.Wallet()).String("balance");

    private static async Task TheLogSaysWhatWasTold(RunningGate gate, Dictionary<string, string?> told)
    {
        var lines = (await gate.Database.Read(connection => connection.QueryAsync<(long RequestNo, long Cost, long Flags)>(
            "SELECT request_no, cost_micros, CAST(flags AS BIGINT) FROM usage_log"))).ToDictionary(row => RequestId.Of(row.RequestNo));
        Assert.Equal(told.Keys.Order(StringComparer.Ordinal), lines.Keys.Order(StringComparer.Ordinal));
        foreach (var (request, cost) in told)
        {
            // What nobody settled costs its input, and is never given back in full.
            var micros = cost is null ? InputMax : Wallets.Dollars(cost).Micros;
            Assert.Equal((request, micros), (request, lines[request].Cost));
        }
    }
}
