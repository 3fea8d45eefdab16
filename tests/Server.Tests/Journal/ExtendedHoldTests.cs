using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Journal;
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
