using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Usage;
using Tollgate.Server.Journal;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Faults;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Wallet;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Tests.Operating;

/// <summary>
/// A restore under a spool that still holds requests of the replaced database: they are kept beside, told of, and never taken into another
/// history; and whenever the restore is killed, a gate starts on what it leaves.
/// </summary>
public sealed class RestoredSpoolTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_a_killed_gate_had_not_written_is_kept_beside_and_stays_out_of_the_restored_data(DatabaseKind kind)
    {
        await using var place = await Place.New(kind, postgres);
        var (backup, secret) = await Left(place);

        var done = await place.Run("restore", backup, "--yes");

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("1 events of requests are in its spool", done.Output, StringComparison.Ordinal);
        var kept = Assert.Single(Directory.GetFiles(place.Folder, "usage.spool.before-*"));
        Assert.Contains($" and {kept}; delete it", done.Output, StringComparison.Ordinal);
        Assert.Equal(1, SpoolFile.Read(kept).Left);
        await using var gate = await place.Start();
        Assert.Equal(0, await Lines(gate));
        Assert.Equal("allowed", await gate.Code(secret));
    }

    [Theory]
    [InlineData(DatabaseKind.Sqlite, "restore-ready", 1)]
    [InlineData(DatabaseKind.Sqlite, "restore-swapped", 0)]
    [InlineData(DatabaseKind.PostgreSql, "restore-ready", 1)]
    [InlineData(DatabaseKind.PostgreSql, "restore-swapped", 0)]
    public async Task Killed_on_either_side_of_the_swap_it_leaves_a_folder_that_starts(DatabaseKind kind, string point, int lines)
    {
        await using var place = await Place.New(kind, postgres);
        var (backup, secret) = await Left(place);

        var killed = await place.Run([("TOLLGATE_FAILPOINT", point)], "restore", backup, "--yes");
        Assert.True(killed.ExitCode == 137, killed.ToString());

        // Before the swap the request is taken into the database that it belongs to.
        await using (var gate = await place.Start())
        {
            Assert.Equal(lines, await Lines(gate));
            Assert.Equal("allowed", await gate.Code(secret));
        }

        var again = await place.Run("restore", backup, "--yes");
        Assert.True(again.ExitCode == 0, again.ToString());
        await using var after = await place.Start();
        Assert.Equal(0, await Lines(after));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Request_numbers_of_a_database_that_is_lost_do_not_come_again(DatabaseKind kind)
    {
        await using var here = await Place.New(kind, postgres);
        var (backup, secret) = await Left(here);
        var last = await LastNumber(here, secret);
        await using var there = await Place.New(kind, postgres);
        File.Copy(here.PepperFile, there.PepperFile);

        Assert.Equal(0, (await there.Run("restore", backup, "--yes")).ExitCode);

        Assert.True(await LastNumber(there, secret) > last + (100L << RequestNumbers.CounterBits));
    }

    [Theory]
    [InlineData(DatabaseKind.Sqlite, true)]
    [InlineData(DatabaseKind.Sqlite, false)]
    [InlineData(DatabaseKind.PostgreSql, true)]
    [InlineData(DatabaseKind.PostgreSql, false)]
    public async Task A_request_that_was_settled_since_the_backup_is_billed_once_whether_or_not_what_was_spent_is_kept(
        DatabaseKind kind, bool keeps)
    {
        await using var place = await Place.New(kind, postgres);
        var provider = await PaidProvider.In(place.Folder);
        string backup;
        await using (var gate = await RunningGate.Start(provider, place.Folder, place.Postgres, place.Clock))
        {
            var secret = await gate.NewSecret();
            var (settled, _) = (await Reserve(gate, secret), await Reserve(gate, secret));
            await gate.Services.GetRequiredService<Fold>().WaitAll();
            backup = await place.Backup();
            var answer = await gate.Send(
                "POST", "/api/v1/usage", RunningGate.RootKey, $"{{\"reservation\":\"{settled}\",\"input_tokens\":90,\"output_tokens\":1}}");
            Assert.Equal("0.0001", answer.String("cost"));
        }

        var done = await place.Run(["restore", backup, "--yes", .. keeps ? ["--keep-revocations"] : Array.Empty<string>()]);

        Assert.True(done.ExitCode == 0, done.ToString());
        await using var after = await RunningGate.Start(provider, place.Folder, place.Postgres, place.Clock);
        // Each holds 100 and 10 × 50 micros, and costs its input when nobody settles it.
        Assert.Equal(keeps ? "999.9999 0.0006 999.9993" : "1000.00 0.0012 999.9988", await after.Figures());
        after.Clock.Advance(TimeSpan.FromSeconds(1_201));
        await after.Services.GetRequiredService<ReservationSweep>().Run();
        await after.Services.GetRequiredService<Fold>().WaitAll();
        Assert.Equal("999.9998 0.00 999.9998", await after.Figures());
        (await PaidBooks.Of(after.Database)).Agree("after the sweep");
    }

    [Theory]
    [InlineData(DatabaseKind.Sqlite, false, true)]
    [InlineData(DatabaseKind.Sqlite, true, true)]
    [InlineData(DatabaseKind.Sqlite, true, false)]
    [InlineData(DatabaseKind.PostgreSql, false, true)]
    [InlineData(DatabaseKind.PostgreSql, true, true)]
    [InlineData(DatabaseKind.PostgreSql, true, false)]
    public async Task A_request_that_a_backup_holds_sealed_is_billed_once_whether_or_not_what_was_spent_is_kept(
        DatabaseKind kind, bool keeps, bool isBookedSince)
    {
        await using var place = await Place.New(kind, postgres);
        var provider = await PaidProvider.In(place.Folder);
        string backup;
        await using (var gate = await RunningGate.Start(provider, place.Folder, place.Postgres, place.Clock))
        {
            await gate.NewSecret();
            await Seal(gate, costMicros: 100);
            backup = await place.Backup();
        }

        if (isBookedSince)
        {
            await using var booked = await RunningGate.Start(provider, place.Folder, place.Postgres, place.Clock);
            Assert.Equal("999.9999 0.00 999.9999", await booked.Figures());
        }

        var done = await place.Run(["restore", backup, "--yes", .. keeps ? ["--keep-revocations"] : Array.Empty<string>()]);

        Assert.True(done.ExitCode == 0, done.ToString());
        await using var after = await RunningGate.Start(provider, place.Folder, place.Postgres, place.Clock);
        Assert.Equal("999.9999 0.00 999.9999", await after.Figures());
        Assert.Equal(keeps && isBookedSince ? 0 : 1, await Lines(after));
        Assert.Null(await after.Database.Read(SealSql.First));
        (await PaidBooks.Of(after.Database)).Agree("after the restore");
    }

    /// <summary>As a gate leaves it whose spool is lost.</summary>
    private static async Task Seal(RunningGate gate, long costMicros)
    {
        var nowMs = gate.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        UsageEvent[] events =
        [
            new()
            {
                Sequence = 1, Kind = UsageKind.Recorded, RequestNo = 5, KeyNo = 1, OrganizationNo = 1, AtMs = nowMs, AdmittedAtMs = nowMs,
                ClockMs = nowMs, Flags = UsageFlags.Priced, CostMicros = costMicros,
            },
        ];
        var done = await gate.Database.Write<bool>(async scope =>
        {
            var rows = new RowsBatch(scope);
            SealSql.Put(rows, new SealRow
            {
                Spool = "0123456789abcdef0123456789abcdef", First = 1, Last = 1, Format = SpoolHeader.FormatVersion,
                Events = MemoryMarshal.AsBytes<UsageEvent>(events).ToArray(),
            });
            return await rows.Run();
        });
        Assert.True(done.IsOk && done.Value);
    }

    private static async Task<string> Reserve(RunningGate gate, string secret) => (await gate.Send(
        "POST", "/api/v1/verify", RunningGate.RootKey,
        $"{{\"key\":\"{secret}\",\"model\":\"{PaidProvider.Model}\",\"tokens\":{{\"input\":100,\"max_output\":50}}}}"))
        .String("reservation");

    /// <summary>A backup, and behind it a gate that died with one request in its spool.</summary>
    private static async Task<(string Backup, string Secret)> Left(Place place)
    {
        string secret;
        await using (var gate = await place.Start())
        {
            secret = await gate.NewSecret();
        }

        var backup = await place.Backup();
        await using var doomed = await ServedGate.Start(
            place.Folder, rootKey: RunningGate.RootKey, database: place.Postgres,
            environment: new Dictionary<string, string>
            {
                ["TOLLGATE_FAILPOINT"] = "fold.rows", ["TOLLGATE_USAGE_BUFFER_EVENTS"] = $"{Spool.CapacityMin}",
            });
        using var calls = new ServedCalls(doomed);
        try
        {
            _ = await calls.Send("POST", "/api/v1/verify", $"{{\"key\":\"{secret}\"}}");
        }
        catch (HttpRequestException)
        {
            // It died before it answered; the request is in the spool all the same.
        }

        Assert.Equal(137, await doomed.WaitForExit());
        return (backup, secret);
    }

    private static async Task<long> Lines(RunningGate gate) => (await PaidBooks.Of(gate.Database)).Lines;

    private static async Task<long> LastNumber(Place place, string secret)
    {
        await using var gate = await place.Start();
        var answer = await gate.Send("POST", "/api/v1/verify", RunningGate.RootKey, $"{{\"key\":\"{secret}\"}}");
        Assert.True(RequestId.TryParse(answer.String("request_id"), out var number));
        return number;
    }
}
