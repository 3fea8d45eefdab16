using System.Diagnostics;
using System.Net;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Tests.Wallet;

/// <summary>Memory and ledger stay in step: under load, over a restart, and when a write fails or nobody knows how it ended.</summary>
public sealed class WalletLedgerTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-wallet-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task The_entries_sum_to_the_balance_under_parallel_entries_and_usage(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("100", "first");

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 4) switch
        {
            0 => gate.EnterBy(EntryKinds.TopUp, "1.000001", $"in {i}"),
            1 => gate.EnterBy(EntryKinds.Adjustment, "-0.5", $"out {i}"),
            2 => Spend(gate),
            _ => gate.EnterBy(EntryKinds.Refund, "0.25", $"back {i}"),
        }));

        var expected = Wallets.Dollars("100") + Times("1.000001") - Times("0.5") - Times("0.3") + Times("0.25");
        Assert.Equal((expected, expected, 41), await gate.Stored());
        Assert.Equal($"{expected} 0.00 {expected}", await gate.Figures());

        static Money Times(string amount) => new(10 * Wallets.Dollars(amount).Micros);

        static async Task Spend(RunningGate gate) => await gate.Spend("0.3");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Entries_are_listed_by_kind_and_time_and_what_was_granted_is_told_apart(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("5", "paid");
        (await gate.Enter("grant", "2", "welcome")).Has(HttpStatusCode.Created);
        gate.Clock.Advance(TimeSpan.FromDays(1));
        var dayMs = gate.Clock.NowMs;
        await gate.Spend("0.5");
        var no = await gate.No();

        Assert.Equal("usage grant top_up", await Listed(new EntryFilter()));
        Assert.Equal("grant", await Listed(new EntryFilter { Kind = "grant" }));
        Assert.Equal("grant top_up", await Listed(new EntryFilter { IsWithoutUsage = true }));
        Assert.Equal("usage", await Listed(new EntryFilter { FromMs = dayMs }));
        Assert.Equal("grant top_up", await Listed(new EntryFilter { ToMs = dayMs }));
        Assert.Equal("", await Listed(new EntryFilter { Kind = "grant", FromMs = dayMs }));
        Assert.Equal(Wallets.Dollars("1.5"), await gate.Ledger().GrantedOf(no, default));
        Assert.Equal(Wallets.Dollars("0"), await gate.Ledger().GrantedOf(no + 1_000, default));

        async Task<string> Listed(EntryFilter filter) => string.Join(
            ' ', (await gate.Ledger().List(no, filter, long.MaxValue, 10, default)).Select(entry => entry.Kind));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Usage_is_one_entry_an_organization_and_what_is_not_there_is_told_beside_it(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("2", "evt");
        var (no, other) = (await gate.No(), await gate.No(await Another(gate)));

        var booked = await gate.Database.Write<bool>(async scope =>
        {
            await gate.Ledger().BookUsage(scope,
            [
                new UsageDebit(no, Wallets.Dollars("0.5"), 3), new UsageDebit(other, Wallets.Dollars("0.1"), 1),
                new UsageDebit(no, Wallets.Dollars("0.25"), 2), new UsageDebit(no, Money.Zero, 9),
            ]);
            return true;
        });
        Assert.True(booked.Value);
        await gate.Book("1.5");

        var entries = await gate.Ledger().List(no, long.MaxValue, 10, default);
        Assert.Equal(
            ["usage -1.25 0.00 0.25 1", "usage -0.75 1.25 0.00 14", "top_up 2.00 2.00 0.00 "],
            entries.Select(e => $"{e.Kind} {e.Amount} {e.BalanceAfter} {e.Uncovered} {e.Requests}"));
        var nothing = Assert.Single(await gate.Ledger().List(other, long.MaxValue, 10, default));
        Assert.Equal((Money.Zero, Wallets.Dollars("0.1")), (nothing.Amount, nothing.Uncovered));
        Assert.Equal("system", nothing.Actor);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_thousand_organizations_are_booked_together(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.Database.Write<bool>(async scope =>
        {
            foreach (var no in Enumerable.Range(1_000, 1_000))
            {
                await scope.Execute(
                    "INSERT INTO organizations (organization_no, id, name, is_operator, created_at_ms, row_version) "
                    + $"VALUES ({no}, 'org_{no}', 'x', 0, 0, 1)");
                await scope.Execute($"INSERT INTO wallets (organization_no, balance_micros, entries) VALUES ({no}, 5, 0)");
            }

            await gate.Ledger().BookUsage(scope, [.. Enumerable.Range(1_000, 1_000).Select(no => new UsageDebit(no, new Money(2), 1))]);
            Assert.Equal(3_000, await scope.Find<long>("SELECT CAST(sum(balance_micros) AS BIGINT) FROM wallets"));
            Assert.Equal(-2_000, await scope.Find<long>("SELECT CAST(sum(amount_micros) AS BIGINT) FROM wallet_entries"));
            return true;
        });
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Balances_are_there_again_after_a_restart(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        await using (var gate = await Wallets.Start(kind, postgres, _folder.FullName, database))
        {
            await gate.TopUp("10", "evt");
            await gate.Spend("2.5");
            Assert.Equal("7.50 0.00 7.50", await gate.Figures());
        }

        await using (var gate = await Wallets.Start(kind, postgres, _folder.FullName, database))
        {
            Assert.Equal("7.50 0.00 7.50", await gate.Figures());
            (await gate.Enter("top_up", "10", "evt")).Has(System.Net.HttpStatusCode.OK);
            Assert.Equal("7.50 0.00 7.50", await gate.Figures());
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_write_that_fails_leaves_memory_as_it_was(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("10", "evt");

        await Assert.ThrowsAsync<InvalidOperationException>(() => gate.EnterBy("adjustment", "-4", "a", Throw));
        await Assert.ThrowsAsync<InvalidOperationException>(() => gate.EnterBy("top_up", "4", "b", Throw));
        var refused = await gate.Database.Write<bool>(async scope =>
        {
            var organization = (await Server.Organizations.OrganizationRegister.Find(scope, gate.OrganizationId)).Value;
            await gate.Ledger().Enter(scope, organization, new EntryTerms("adjustment", Wallets.Dollars("-4"), "c", null));
            return Problem.Of(ProblemCode.Conflict);
        });
        Assert.False(refused.IsOk);

        Assert.Equal("10.00 0.00 10.00", await gate.Figures());
        Assert.Equal((Wallets.Dollars("10"), Wallets.Dollars("10"), 1), await gate.Stored());

        static Task Throw(WriteScope scope) => throw new InvalidOperationException("as a bug would");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task After_a_commit_in_doubt_that_was_not_carried_out_memory_has_what_the_ledger_has(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("10", "evt");
        await InDoubt(gate, "adjustment", "-4", "a");
        await Until(gate, "10.00 0.00 10.00");
        await InDoubt(gate, "top_up", "4", "b");
        await Until(gate, "10.00 0.00 10.00");

        // A settled request stays paid in memory: its event is still to be booked.
        Assert.True((await gate.Balance()).TryTake(Wallets.Dollars("3")));
        await Assert.ThrowsAnyAsync<Exception>(() => gate.Database.Write<bool>(async scope =>
        {
            await gate.Ledger().BookUsage(scope, [new UsageDebit(await gate.No(), Wallets.Dollars("3"), 1)]);
            await FailCommit(scope);
            return true;
        }));
        await Until(gate, "7.00 0.00 7.00");
        await gate.Book("3");
        Assert.Equal("7.00 0.00 7.00", await gate.Figures());
        Assert.Equal((Wallets.Dollars("7"), Wallets.Dollars("7"), 2), await gate.Stored());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task After_a_commit_in_doubt_that_was_carried_out_memory_has_what_the_ledger_has(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("10", "evt");

        await AnswerLost(gate, "adjustment", "-4", "a", number: 2, balance: "6");
        await Until(gate, "6.00 0.00 6.00");
        await AnswerLost(gate, "top_up", "5", "b", number: 3, balance: "11");
        await Until(gate, "11.00 0.00 11.00");

        await gate.TopUp("1", "after");
        Assert.Equal((Wallets.Dollars("12"), Wallets.Dollars("12"), 4), await gate.Stored());
        Assert.Equal("12.00 0.00 12.00", await gate.Figures());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_another_process_has_booked_is_read_anew(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("10", "evt");
        Assert.True((await gate.Balance()).TryHold(Wallets.Dollars("4")));
        // Settled here, not booked yet: what is read anew must not forget it.
        Assert.True((await gate.Balance()).TryTake(Wallets.Dollars("1")));

        var no = await gate.No();
        await Tamper(gate, no, "top_up", 20_000_000, 30_000_000, 2, "theirs");
        await gate.Database.ReadAnew!();
        Assert.Equal("29.00 4.00 25.00", await gate.Figures());

        // They spent more than is available here: nothing is left, and what is held is not taken away.
        await Tamper(gate, no, "adjustment", -29_000_000, 1_000_000, 3, "theirs too");
        await gate.Database.ReadAnew!();
        Assert.Equal("4.00 4.00 0.00", await gate.Figures());
    }

    private static async Task<string> Another(RunningGate gate) =>
        (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Other\"}")).String("id");

    /// <summary>
    /// The rows are there although nobody was told: put there by a write that waits behind the one whose commit fails, and so comes ahead
    /// of whoever looks how that one ended.
    /// </summary>
    private static async Task AnswerLost(RunningGate gate, string kind, string amount, string externalId, int number, string balance)
    {
        var no = await gate.No();
        Task? behind = null;
        await Assert.ThrowsAnyAsync<Exception>(() => gate.EnterBy(kind, amount, externalId, async scope =>
        {
            behind = Tamper(gate, no, kind, Wallets.Dollars(amount).Micros, Wallets.Dollars(balance).Micros, number, externalId);
            while (gate.Database.WriteQueueLength == 0)
            {
                await Task.Yield();
            }

            await FailCommit(scope);
        }));
        await behind!;
    }

    /// <summary>The write's commit fails and its end is not known.</summary>
    private static Task<Exception> InDoubt(RunningGate gate, string kind, string amount, string externalId) =>
        Assert.ThrowsAnyAsync<Exception>(() => gate.EnterBy(kind, amount, externalId, FailCommit));

    /// <summary>By a rule that is checked only at the commit.</summary>
    private static async Task FailCommit(WriteScope scope)
    {
        if (scope.Kind == DatabaseKind.Sqlite)
        {
            await scope.Execute("PRAGMA defer_foreign_keys = ON");
            await scope.Execute(
                "INSERT INTO projects (project_no, id, organization_no, name, created_at_ms, row_version) VALUES (99, 'a', 99, 'b', 0, 1)");
        }
        else
        {
            await scope.Execute(
                "CREATE TEMPORARY TABLE once (n INT UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP; "
                + "INSERT INTO once VALUES (1), (1)");
        }
    }

    private static async Task Tamper(RunningGate gate, long no, string kind, long amount, long balance, long number, string externalId)
    {
        var done = await gate.Database.Write<bool>(async scope =>
        {
            await scope.Execute($"UPDATE wallets SET balance_micros = {balance}, entries = {number} WHERE organization_no = {no}");
            await scope.Execute(
                "INSERT INTO wallet_entries (organization_no, entry_no, kind, amount_micros, balance_after_micros, uncovered_micros, "
                + $"external_id, created_at_ms, actor) VALUES ({no}, {number}, '{kind}', {amount}, {balance}, 0, '{externalId}', "
                + $"{scope.NowMs}, 'root')");
            return true;
        });
        Assert.True(done.Value);
    }

    private static async Task Until(RunningGate gate, string figures)
    {
        for (var waited = Stopwatch.StartNew(); await gate.Figures() is var seen && seen != figures;)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), seen);
            await Task.Delay(5);
        }
    }
}
