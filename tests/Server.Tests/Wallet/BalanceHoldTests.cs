using System.Net;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Security;

namespace Tollgate.Server.Tests.Wallet;

/// <summary>TX12: no key without a balance, none works at the threshold, and money brings back just those it had stopped.</summary>
public sealed class BalanceHoldTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tollgate-holds-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TX12_making_a_key_needs_a_balance_above_nothing_whoever_makes_it(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        var refused = (await gate.Create("\"name\":\"First\"")).Has(HttpStatusCode.PaymentRequired, "balance_needed");
        Assert.Equal("https://api.example.com/billing", refused.String("top_up_url"));
        Assert.Contains("keys: 0,", await gate.Rows(), StringComparison.Ordinal);

        await gate.TopUp("0.000001", "a");
        var held = (await gate.Create("\"name\":\"Born held\"")).Has(HttpStatusCode.Created);
        Assert.Equal(["balance"], Holds(held));
        (await gate.Enter("adjustment", "-0.000001", "b")).Has(HttpStatusCode.Created);
        (await gate.Create("\"name\":\"Second\"")).Has(HttpStatusCode.PaymentRequired, "balance_needed");

        // What is held for requests under way is a balance too.
        await gate.TopUp("1", "c");
        var manager = await gate.NewSecret("\"name\":\"Manager\",\"rights\":[\"keys:manage\"]");
        var balance = await gate.Balance();
        Assert.True(balance.TryHold(Wallets.Dollars("1")));
        (await gate.Create("\"name\":\"Third\"", manager)).Has(HttpStatusCode.Created);

        // Spent, and not booked yet: memory knows.
        balance.Settle(Wallets.Dollars("1"), Wallets.Dollars("1"));
        (await gate.Create("\"name\":\"Fourth\"", manager)).Has(HttpStatusCode.PaymentRequired, "balance_needed");
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task TX12_at_five_cents_all_keys_stop_and_money_brings_back_exactly_those_that_nobody_disabled(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("10", "evt");
        var (plain, disabled, both, revoked) = (await gate.NewPair(), await gate.NewPair(), await gate.NewPair(), await gate.NewPair());
        await gate.Act(disabled.Id, "disable");
        await gate.Act(revoked.Id, "revoke");
        var elsewhere = await Elsewhere(gate);

        await gate.Spend("9.949999");
        Assert.Equal("allowed", await gate.CodeOf(plain.Secret));
        await gate.Spend("0.000001");

        Assert.Equal("0.05 0.00 0.05", await gate.Figures());
        Assert.NotEqual("allowed", await gate.CodeOf(plain.Secret));
        Assert.Equal(["balance"], Holds(await Key(gate, plain.Id)));
        Assert.Equal(["person", "balance"], Holds(await Key(gate, disabled.Id)));
        Assert.Empty(Holds(await Key(gate, revoked.Id)));
        Assert.Equal("allowed", await gate.CodeOf(elsewhere));

        // A person's disable and the balance's hold are two things, also when they meet.
        await gate.Act(both.Id, "disable");
        await gate.Act(disabled.Id, "enable");
        Assert.Equal(["balance"], Holds(await Key(gate, disabled.Id)));
        Assert.NotEqual("allowed", await gate.CodeOf(disabled.Secret));
        await gate.Act(disabled.Id, "disable");

        await gate.Spend("0.05");
        await gate.TopUp("0.05", "not enough");
        Assert.NotEqual("allowed", await gate.CodeOf(plain.Secret));
        await gate.TopUp("0.000001", "enough");

        Assert.Equal("allowed", await gate.CodeOf(plain.Secret));
        Assert.Equal(["person"], Holds(await Key(gate, disabled.Id)));
        Assert.Equal(["person"], Holds(await Key(gate, both.Id)));
        Assert.Equal("key_revoked", await gate.CodeOf(revoked.Secret));
        var audit = await gate.Send("GET", "/api/v1/audit?action=organization.hold_keys", RunningGate.RootKey);
        var row = Assert.Single(audit.Json.GetProperty("data").EnumerateArray());
        Assert.Equal("""{"hold":"balance","keys":3}""", row.GetProperty("after").GetRawText());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_adjustment_stops_keys_and_a_refund_or_an_adjustment_brings_them_back(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("1", "evt");
        var secret = await gate.NewSecret();

        (await gate.Enter("adjustment", "-0.95", "a")).Has(HttpStatusCode.Created);
        Assert.NotEqual("allowed", await gate.CodeOf(secret));
        (await gate.Enter("refund", "0.5", "b")).Has(HttpStatusCode.Created);
        Assert.Equal("allowed", await gate.CodeOf(secret));
        (await gate.Enter("adjustment", "-0.55", "c")).Has(HttpStatusCode.Created);
        Assert.NotEqual("allowed", await gate.CodeOf(secret));
        (await gate.Enter("adjustment", "1", "d")).Has(HttpStatusCode.Created);
        Assert.Equal("allowed", await gate.CodeOf(secret));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_booking_that_is_not_committed_holds_no_key(DatabaseKind kind)
    {
        await using var gate = await Wallets.Start(kind, postgres);
        await gate.TopUp("1", "evt");
        var secret = await gate.NewSecret();

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => gate.EnterBy("adjustment", "-1", "a", _ => throw new InvalidOperationException("as a bug would")));

        Assert.Equal("allowed", await gate.CodeOf(secret));
    }

    [Fact]
    public async Task An_imported_key_needs_no_balance_and_waits_for_it()
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        var hash = new string('a', 64);
        var answer = await gate.Send(
            "POST", $"/api/v1/import?project={gate.ProjectId}", RunningGate.RootKey,
            $"{{\"external_id\":\"old 1\",\"name\":\"Moved in\",\"secret_sha256\":\"{hash}\",\"disabled\":true}}",
            ("Content-Type", "application/x-ndjson"));
        var id = answer.Has(HttpStatusCode.OK).Json.GetProperty("data")[0].GetProperty("id").GetString()!;
        Assert.Equal(["person", "balance"], Holds(await Key(gate, id)));

        await gate.TopUp("1", "evt");
        Assert.Equal(["person"], Holds(await Key(gate, id)));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_threshold_that_moves_with_the_provider_file_holds_and_lifts_at_the_start(DatabaseKind kind)
    {
        var database = kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null;
        string secret, other;
        await using (var gate = await Begin(null))
        {
            // There were no wallets yet: nobody has a balance, and nobody needed one.
            other = await Elsewhere(gate, fund: false);
            secret = await gate.NewSecret();
        }

        await using (var gate = await Begin("0.05"))
        {
            Assert.NotEqual("allowed", await gate.CodeOf(secret));
            await gate.TopUp("1", "evt");
            Assert.Equal("allowed", await gate.CodeOf(secret));
            Assert.NotEqual("allowed", await gate.CodeOf(other));
        }

        await using (var gate = await Begin("1"))
        {
            Assert.NotEqual("allowed", await gate.CodeOf(secret));
        }

        await using (var gate = await Begin("0.5"))
        {
            Assert.Equal("allowed", await gate.CodeOf(secret));
            Assert.NotEqual("allowed", await gate.CodeOf(other));
        }

        await using (var gate = await Begin(null))
        {
            Assert.Equal("allowed", await gate.CodeOf(other));
        }

        Task<RunningGate> Begin(string? disableAt) => RunningGate.Start(
            Wallets.Provider(disableAt is null ? null : Wallets.Rules with { DisableAt = Wallets.Dollars(disableAt) }),
            folder: _folder.FullName, postgres: database);
    }

    [Fact]
    public async Task Webhooks_tell_of_money_that_came_and_once_of_each_threshold_that_was_crossed()
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        await gate.Database.Write<bool>(async scope =>
        {
            await scope.Execute(
                $"""
                INSERT INTO webhooks (webhook_no, id, organization_no, organization_id, url, events, enabled, secret, pending, dropped,
                                      failures, created_at_ms, row_version)
                VALUES (1, 'whk_1', 1, '{gate.OrganizationId}', 'https://example.com', ' * ', 1, x'00', 0, 0, 0, 0, 1)
                """);
            return true;
        });

        await gate.TopUp("10", "a");
        await gate.Spend("9");
        await gate.Spend("0.5");
        await gate.Spend("0.45");
        await gate.Spend("0.01");
        await gate.TopUp("5", "b");
        await gate.Spend("5.02");

        var told = await gate.Database.Write<string>(async scope => string.Join(
            ' ', await scope.Query<string>("SELECT type FROM webhook_deliveries ORDER BY delivery_no")));
        Assert.Equal("wallet.topped_up wallet.low wallet.empty wallet.topped_up wallet.low wallet.empty", told.Value);
    }

    private static IEnumerable<string?> Holds(Answer key) =>
        key.Json.GetProperty("holds").EnumerateArray().Select(hold => hold.GetString());

    private static async Task<Answer> Key(RunningGate gate, string id) =>
        (await gate.Send("GET", $"/api/v1/keys/{id}", RunningGate.RootKey)).Has(HttpStatusCode.OK);

    /// <summary>A key of another organization, with money of its own.</summary>
    private static async Task<string> Elsewhere(RunningGate gate, bool fund = true)
    {
        var organization = (await gate.Send("POST", "/api/v1/organizations", RunningGate.RootKey, "{\"name\":\"Other\"}")).String("id");
        if (fund)
        {
            await gate.TopUp("1", "evt", organization);
        }

        var project = (await gate.Send(
            "POST", $"/api/v1/organizations/{organization}/projects", RunningGate.RootKey, "{\"name\":\"Other\"}")).String("id");
        return await gate.NewSecret(project: project);
    }
}
