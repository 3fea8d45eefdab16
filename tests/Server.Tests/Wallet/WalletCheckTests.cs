using Dapper;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Hosting;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Tests.Wallet;

/// <summary>wallet check adds everything up again: it finds what was changed around the gate, and names whose it is.</summary>
public sealed class WalletCheckTests(PostgresFixture postgres) : IDisposable
{
    private static readonly Dictionary<long, Money> Nothing = [];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-check-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(DatabaseKind.Sqlite, "UPDATE wallets SET balance_micros = balance_micros + 1 WHERE organization_no = 1",
        "has a balance of 7.000001, and its entries sum to 7.00.")]
    [InlineData(DatabaseKind.PostgreSql, "UPDATE wallets SET balance_micros = balance_micros + 1 WHERE organization_no = 1",
        "has a balance of 7.000001, and its entries sum to 7.00.")]
    [InlineData(DatabaseKind.Sqlite, "DELETE FROM wallet_entries WHERE entry_no = 2",
        "has a balance of 7.00, and its entries sum to 8.00.|counts 3 entries, and has 2, the last of them number 3.|"
        + "has an entry 3 that does not go on from the one before it.")]
    [InlineData(DatabaseKind.PostgreSql, "DELETE FROM wallet_entries WHERE entry_no = 2",
        "has a balance of 7.00, and its entries sum to 8.00.|counts 3 entries, and has 2, the last of them number 3.|"
        + "has an entry 3 that does not go on from the one before it.")]
    [InlineData(DatabaseKind.Sqlite, "UPDATE wallet_entries SET amount_micros = amount_micros + 5 WHERE entry_no = 1",
        "has a balance of 7.00, and its entries sum to 7.000005.|has an entry 1 that does not go on from the one before it.")]
    [InlineData(DatabaseKind.Sqlite, "UPDATE wallet_entries SET entry_no = 9 WHERE entry_no = 3",
        "counts 3 entries, and has 3, the last of them number 9.")]
    public async Task What_was_changed_around_the_gate_is_named(DatabaseKind kind, string tamper, string found)
    {
        await using var gate = await Made(kind);
        Assert.True((await Check(gate, Nothing, null)).IsSound);

        await gate.Database.Write<bool>(async scope => await scope.Execute(tamper) > 0);

        var report = await Check(gate, Nothing, null);
        Assert.Equal(found.Split('|').Select(sentence => $"{gate.OrganizationId} {sentence}"), report.Named);
        Assert.Equal(report.Named.Count, report.Differences);
    }

    [Fact]
    public async Task What_is_held_and_what_the_usage_log_says_are_compared_too()
    {
        await using var gate = await Made(DatabaseKind.Sqlite);
        var no = await gate.No();
        Assert.True((await Check(gate, One(no, "7"), One(no, "2"))).IsSound);

        var report = await Check(gate, One(no, "7.000001"), One(no, "1.5"));
        Assert.Equal(
            [
                $"{gate.OrganizationId} has a balance of 7.00, of which 7.000001 is held.",
                $"{gate.OrganizationId} has usage of 1.50, and entries of usage over 2.00.",
            ],
            report.Named);
        Assert.Equal("organization number 99 holds 1.00 and has no wallet.", Assert.Single((await Check(gate, One(99, "1"), null)).Named));

        static Dictionary<long, Money> One(long no, string amount) => new() { [no] = Wallets.Dollars(amount) };
    }

    [Fact]
    public async Task Usage_that_was_not_covered_counts_as_usage()
    {
        await using var gate = await Made(DatabaseKind.Sqlite);
        await gate.Book("10");
        var no = await gate.No();
        Assert.True((await Check(gate, Nothing, new Dictionary<long, Money> { [no] = Wallets.Dollars("12") })).IsSound);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_verb_names_at_most_a_hundred_tells_how_many_there_are_and_ends_with_one(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using (var gate = await Made(kind, database))
        {
            await Log(gate, 2_000_000);
            var beside = await Verb();
            Assert.Equal((0, "1 wallets with 3 entries: every sum is as it is written down.\n"), (beside.ExitCode, beside.Output));
            await gate.Database.Write<bool>(async scope =>
            {
                for (var no = 1_000; no <= 1_100; no++)
                {
                    await scope.Execute(
                        "INSERT INTO organizations (organization_no, id, name, is_operator, created_at_ms, row_version) "
                        + $"VALUES ({no}, 'org_{no}', 'x', 0, 0, 1)");
                    await scope.Execute($"INSERT INTO wallets (organization_no, balance_micros, entries) VALUES ({no}, 5, 0)");
                }

                return true;
            });
        }

        var (exitCode, output, _) = await Verb();
        var lines = output.TrimEnd().Split('\n');
        Assert.Equal(1, exitCode);
        Assert.Equal(102, lines.Length);
        Assert.Equal("org_1000 has a balance of 0.000005, and its entries sum to 0.00.", lines[0]);
        Assert.Equal(["and 1 more", "101 differences in 102 wallets with 3 entries."], lines[^2..]);
        var doctor = await ServedGate.Run(Environment(), ["doctor", "--data", _folder.FullName]);
        Assert.Contains("FAILED   wallets", doctor.Output, StringComparison.Ordinal);

        Task<(int ExitCode, string Output, string Faults)> Verb() => Run(database, "wallet", "check");

        IEnumerable<(string, string)> Environment() => [("TOLLGATE_DATABASE", database ?? "")];
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_verb_and_doctor_compare_with_what_open_requests_hold_and_what_the_logs_sums_say(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        string organization;
        await using (var gate = await Made(kind, database))
        {
            organization = gate.OrganizationId;
            await Log(gate, 2_000_000);
            await gate.Database.Write<bool>(async scope => await scope.Execute(
                """
                INSERT INTO reservations (request_no, key_no, organization_no, admitted_at_ms, clock_ms, model_no, price_version,
                    held_micros, input_booked,
                    output_booked, input_marked, output_marked, cost_marked, marked_at_ms, limits, lasting_limits, flags)
                VALUES (7, 1, 1, 0, 0, 0, 1, 7000000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
                """) > 0);
        }

        // All of the balance is held, which is as it may be; a micro more is not.
        await Finds(0, "1 wallets with 3 entries: every sum is as it is written down.");
        await Tamper("UPDATE reservations SET held_micros = 7000001");
        await Finds(1, $"{organization} has a balance of 7.00, of which 7.000001 is held.");
        await Tamper("UPDATE reservations SET held_micros = 1; UPDATE usage_days SET cost_micros = 1999999");
        await Finds(1, $"{organization} has usage of 1.999999, and entries of usage over 2.00.");
        await Tamper("DELETE FROM usage_days");
        await Finds(1, $"{organization} has usage of 0.00, and entries of usage over 2.00.");

        async Task Tamper(string sql)
        {
            await using var connection = await Beside.Open(kind, _folder.FullName, database);
            await connection.ExecuteAsync(sql);
        }

        async Task Finds(int exitCode, string sentence)
        {
            var check = await Run(database, "wallet", "check");
            Assert.Equal((exitCode, sentence), (check.ExitCode, check.Output.Split('\n')[0]));
            var doctor = await Run(database, "doctor");
            Assert.Contains($"{(exitCode == 0 ? "ok       " : "FAILED   ")}wallets", doctor.Output, StringComparison.Ordinal);
            Assert.Contains(sentence, doctor.Output, StringComparison.Ordinal);
        }
    }

    private Task<(int ExitCode, string Output, string Faults)> Run(string? database, params string[] verb) =>
        ServedGate.Run([("TOLLGATE_DATABASE", database ?? "")], [.. verb, "--data", _folder.FullName]);

    /// <summary>The sums of the log, as they would be had requests cost what the ledger says.</summary>
    private static async Task Log(RunningGate gate, long costMicros)
    {
        _ = await gate.NewSecret();
        await gate.Database.Write<bool>(async scope => await scope.Execute(
            """
            INSERT INTO usage_days (key_no, from_ms, model_no, place_no, requests, refused, input_tokens, output_tokens, cost_micros,
                                    loss_micros, priced, estimated)
            VALUES (1, 0, 0, 0, 1, 0, 0, 0, @costMicros, 0, 1, 0)
            """,
            new { costMicros }) > 0);
    }

    /// <summary>10.00 in, 1.00 out, 2.00 used.</summary>
    private async Task<RunningGate> Made(DatabaseKind kind, string? database = null)
    {
        var gate = await Wallets.Start(kind, postgres, _folder.FullName, database);
        await gate.TopUp("10", "in");
        (await gate.Enter("adjustment", "-1", "out")).Has(System.Net.HttpStatusCode.Created);
        await gate.Spend("2");
        return gate;
    }

    private static Task<WalletReport> Check(
        RunningGate gate, IReadOnlyDictionary<long, Money> held, IReadOnlyDictionary<long, Money>? cost) =>
        gate.Database.Read(connection => new WalletCheck(connection, held, cost).Run());
}
