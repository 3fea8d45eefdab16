using System.Net;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Hosting;
using Tollgate.Server.Journal;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Faults;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Tests.Verification;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Journal;

/// <summary>A hold that was raised while its request was under way is held wherever holds are looked at, and after a restart.</summary>
public sealed class ExtendedHoldTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-extended-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task It_is_out_of_reach_survives_a_restart_and_is_settled_from_its_mark_when_nobody_does(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var clock = new ManualClock();
        string left, settled;
        await using (var gate = await Start(database, clock))
        {
            var secret = await gate.NewSecret();
            (left, settled) = (await Reserve(gate, secret), await Reserve(gate, secret));
            Assert.Equal("1000.00 0.0038 999.9962", await gate.Figures());

            Assert.Equal(SettleResult.Unpaid, Extend(gate, left, held: 1_000_000_000));
            Assert.Equal(SettleResult.Done, Extend(gate, left, held: 500_000_000));
            Assert.Equal(SettleResult.Done, Extend(gate, settled, held: 400_000_000));
            Assert.Equal("1000.00 900.00 100.00", await gate.Figures());
            await gate.Services.GetRequiredService<Fold>().WaitAll();
            var books = await PaidBooks.Of(gate.Database);
            books.Agree("extended");
            Assert.Equal(900_000_000, books.Held);
            var no = await gate.No();
            Assert.Equal(
                900_000_000, (await gate.Database.Write<long>(async scope => (await Remembrance.HeldIn(scope, no)).Micros)).Value);
            Assert.Equal(HttpStatusCode.Conflict, (await gate.Enter("adjustment", "-100.01", "too much")).Status);
            (await gate.Enter("adjustment", "-100", "all that is left")).Has(HttpStatusCode.Created);
        }

        var check = await ServedGate.Run([("TOLLGATE_DATABASE", database ?? "")], ["wallet", "check", "--data", _folder.FullName]);
        Assert.True(check.ExitCode == 0, check.ToString());
        await using var next = await Start(database, clock);
        Assert.Equal("900.00 900.00 0.00", await next.Figures());
        // More than the first hold, and less than the second.
        var body = $"{{\"reservation\":\"{settled}\",\"input_tokens\":1000,\"output_tokens\":100000000}}";
        Assert.Equal("85.0002", (await next.Send("POST", "/api/v1/usage", RunningGate.RootKey, body)).String("cost"));
        Assert.Equal("814.9998 500.00 314.9998", await next.Figures());

        clock.Advance(TimeSpan.FromSeconds(1_201));
        await next.Services.GetRequiredService<ReservationSweep>().Run();
        await next.Services.GetRequiredService<Fold>().WaitAll();
        Assert.Equal("814.999343 0.00 814.999343", await next.Figures());
        (await PaidBooks.Of(next.Database)).Agree("in the end");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Answers_that_are_paid_in_steps_end_where_the_money_does_and_never_overspend_it(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        var provider = ProviderFiles.Shipped.Load(await PaidProvider.In(_folder.FullName)).Model!;
        var options = new GateOptions { LogLevel = "none", UsageBufferEvents = 16_384 };
        await using var gate = await RunningGate.Start(provider, options, _folder.FullName, database);
        await gate.TopUp("0.10", "for a part of them");
        var secret = await gate.NewSecret();

        using var ended = new CancellationTokenSource();
        var watch = new BooksWatch(kind, _folder.FullName, database, Wallets.Dollars("0.10").Micros);
        var looks = Task.Run(() => watch.Run(ended.Token));
        var streams = Enumerable.Range(0, 200).Select(number => SteppedAnswer.Stream(gate, secret, number, watch.SeenInBetween));
        var answers = (await Task.WhenAll(streams)).Where(answer => answer.Reservation is not null).ToList();
        await ended.CancelAsync();
        Assert.True(await looks >= 3, "the database was hardly seen in between");
        Assert.Contains(answers, answer => answer.IsCut);
        Assert.Contains(answers, answer => !answer.IsCut);

        gate.Clock.Advance(TimeSpan.FromSeconds(1_201));
        await gate.Services.GetRequiredService<ReservationSweep>().Run();
        await gate.Services.GetRequiredService<Fold>().WaitAll();
        var books = await PaidBooks.Of(gate.Database);
        books.Agree("in the end");
        Assert.Equal((0L, 0L, 100_000L), (books.Held, books.Open, books.Balance + books.Spent));
        var lines = (await gate.Database.Read(connection => connection.QueryAsync<(long RequestNo, long Cost, long Loss)>(
            "SELECT request_no, cost_micros, loss_micros FROM usage_log"))).ToDictionary(row => row.RequestNo);
        Assert.Equal(answers.Count, lines.Count);
        Assert.All(answers, answer => Assert.Equal((answer.RequestNo, answer.CostMicros, 0L), lines[answer.RequestNo]));
    }

    private Task<RunningGate> Start(string? database, ManualClock clock) =>
        RunningGate.Start("tensorx", _folder.FullName, database, clock);

    private static async Task<string> Reserve(RunningGate gate, string secret)
    {
        const string Tokens = "\"tokens\":{\"input\":1000,\"max_output\":2000}";
        return (await MeteredVerifyTests.Verify(gate, secret, $"\"model\":\"{MeteredVerifyTests.Model}\",{Tokens}")).String("reservation");
    }

    private static SettleResult Extend(RunningGate gate, string reservation, long held)
    {
        Assert.True(RequestId.TryParseReservation(reservation, out var requestNo));
        return gate.Services.GetRequiredService<Admission>().TryExtend(
            requestNo, new Money(held), 1_000, 300, new Money(457), gate.Clock.NowMs,
            gate.Services.GetRequiredService<WindowClock>().NowMs);
    }
}

/// <summary>One answer that is paid a step ahead as it streams: what it came to, by what the gate let it send.</summary>
/// <param name="Reservation">Null where nothing was left when it began.</param>
/// <param name="RequestNo">Its number.</param>
/// <param name="CostMicros">What it must cost.</param>
/// <param name="IsCut">The balance had no further step.</param>
internal sealed record SteppedAnswer(string? Reservation, long RequestNo, long CostMicros, bool IsCut)
{
    private const int Input = 100;
    private const int Step = 10;

    /// <summary>Streams as far as its model, or the money, goes, and settles; one in ten walks away.</summary>
    public static async Task<SteppedAnswer> Stream(RunningGate gate, string secret, int number, Func<Task> seen)
    {
        var verdict = await gate.Send(
            "POST", "/api/v1/verify", RunningGate.RootKey,
            $"{{\"key\":\"{secret}\",\"model\":\"{PaidProvider.Model}\",\"tokens\":{{\"input\":{Input},\"max_output\":{Step}}}}}");
        if (!verdict.Json.TryGetProperty("reservation", out var reservation))
        {
            return new SteppedAnswer(null, 0, 0, false);
        }

        Assert.True(RequestId.TryParseReservation(reservation.GetString()!, out var requestNo));
        await seen();
        var wanted = new Random(number).Next(Step, 300);
        // A step is paid for before its first token goes out; what has gone out when it is not ends the answer.
        var (paid, isCut) = (Step, false);
        while (paid < wanted && !isCut)
        {
            isCut = await Extend(gate, requestNo, paid) == SettleResult.Unpaid;
            paid += isCut ? 0 : Step;
        }

        var (sent, walksAway) = (Math.Min(paid, wanted), number % 10 == 0);
        if (walksAway)
        {
            // The last mark was told a step before; of an answer without one the input is known.
            return new SteppedAnswer(reservation.GetString(), requestNo, MicrosOf(paid - Step), isCut);
        }

        var body = $"{{\"reservation\":\"{reservation.GetString()}\",\"input_tokens\":{Input},\"output_tokens\":{sent}}}";
        (await gate.Send("POST", "/api/v1/usage", RunningGate.RootKey, body)).Has(HttpStatusCode.OK);
        return new SteppedAnswer(reservation.GetString(), requestNo, MicrosOf(sent), isCut);
    }

    private static long MicrosOf(int output) => (Input * PaidProvider.InputPrice) + ((long)output * PaidProvider.OutputPrice);

    private static async Task<SettleResult> Extend(RunningGate gate, long requestNo, int sent)
    {
        var (admission, clock) = (gate.Services.GetRequiredService<Admission>(), gate.Services.GetRequiredService<WindowClock>());
        while (true)
        {
            await Task.Yield();
            var result = admission.TryExtend(
                requestNo, new Money(MicrosOf(sent + Step)), Input, (uint)sent, new Money(MicrosOf(sent)), gate.Clock.NowMs, clock.NowMs);
            if (result != SettleResult.Full)
            {
                return result;
            }
        }
    }
}
