using Tollgate.Client;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Wallet;

namespace Tollgate.Server.Tests.Cli;

/// <summary>Money from the shell, against a real gate.</summary>
public sealed class WalletCommandTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Money_is_put_in_shown_and_listed_and_the_same_payment_puts_in_nothing()
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        var organization = gate.OrganizationId;

        var first = await Run(gate, $"wallet topup {organization} 50.00 --external-id evt --note card");
        Assert.Equal((0, "50.00\n"), (first.ExitCode, first.Out));
        Assert.Contains("50.00 put in under evt", first.Error, StringComparison.Ordinal);
        Assert.Equal("50.00\n", (await Run(gate, $"wallet topup {organization} 50 --external-id evt")).Out);
        Assert.Equal("50.25\n", (await Run(gate, $"wallet topup {organization} 0.250000")).Out);

        var shown = await Run(gate, $"wallet show {organization}");
        Assert.Contains("50.25 USD", shown.Out, StringComparison.Ordinal);
        var listed = await Run(gate, $"wallet entries {organization} --limit 1");
        Assert.Contains("cli-", listed.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("evt", listed.Out, StringComparison.Ordinal);
        Assert.Contains("There are more than 1", listed.Error, StringComparison.Ordinal);

        var json = await Run(gate, $"wallet entries {organization} --json");
        Assert.Contains("\"external_id\": \"evt\"", json.Out, StringComparison.Ordinal);
        Assert.Contains("\"note\": \"card\"", json.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("50,00", 2, "is not an amount")]
    [InlineData("-5", 2, "")]
    [InlineData("0.0000001", 5, "at most 6 decimals")]
    [InlineData("0", 5, "must be more than zero")]
    public async Task What_is_no_amount_is_refused_and_nothing_is_put_in(string amount, int exitCode, string sentence)
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        var ran = await Run(gate, $"wallet topup {gate.OrganizationId} {amount}");
        Assert.Equal(exitCode, ran.ExitCode);
        Assert.Contains(sentence, ran.Error, StringComparison.Ordinal);
        Assert.Equal("0.00 0.00 0.00", await gate.Figures());
    }

    [Fact]
    public async Task The_client_keeps_every_digit()
    {
        await using var gate = await Wallets.Start(DatabaseKind.Sqlite, postgres);
        using var client = new TollgateClient(new Uri(gate.Address), Secret.From(RunningGate.RootKey));
        var entry = await client.Wallets.EnterAsync(gate.OrganizationId, new NewWalletEntry("top_up", 0.000001m, "evt"));
        Assert.Equal((1, 0.000001m, 0.000001m), (entry.Number, entry.Amount, entry.BalanceAfter));
        Assert.True((await gate.Balance()).TryHold(new Engine.Wallet.Money(1)));
        Assert.Equal(new Tollgate.Client.Wallet(0.000001m, 0.000001m, 0m, "USD"), await client.Wallets.GetAsync(gate.OrganizationId));
        Assert.Equal(entry, Assert.Single((await client.Wallets.PageAsync(gate.OrganizationId, limit: 5)).Data));
        var fault = await Assert.ThrowsAsync<TollgateException>(
            () => client.Wallets.EnterAsync(gate.OrganizationId, new NewWalletEntry("top_up", 1m, "evt")));
        Assert.Equal("external_id_mismatch", fault.Problem.Code);
    }

    [Fact]
    public async Task Wallet_check_is_the_servers()
    {
        var ran = await Ran.Command(null, "wallet check");
        Assert.Equal(2, ran.ExitCode);
        Assert.Contains("./tollgate wallet check", ran.Error, StringComparison.Ordinal);
    }

    private static Task<Ran> Run(RunningGate gate, string line) =>
        Ran.Command(null, line, "", ("TOLLGATE_URL", gate.Address), ("TOLLGATE_ROOT_KEY", RunningGate.RootKey));
}
