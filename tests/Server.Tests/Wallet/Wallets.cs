using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Access;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Tests.Providers;
using Tollgate.Server.Tests.Security;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Tests.Wallet;

/// <summary>A gate with wallets, and the calls on them, each one line.</summary>
internal static class Wallets
{
    /// <summary>TX12: above $0 to make keys, held at $0.05 or less; and the owner is told at $1.</summary>
    public static WalletRules Rules { get; } = new()
    {
        Currency = "USD",
        ToCreateAbove = Money.Zero,
        DisableAt = new Money(50_000),
        LowAt = new Money(1_000_000),
        TopUpUrl = "https://api.example.com/billing",
    };

    public static ProviderModel Provider(WalletRules? rules, params ModelOffer[] models) =>
        Given.Real("tensorx") with { Wallet = rules, Models = models };

    public static async Task<RunningGate> Start(
        DatabaseKind kind, PostgresFixture postgres, string? folder = null, string? database = null, WalletRules? rules = null) =>
        await RunningGate.Start(
            Provider(rules ?? Rules), folder: folder,
            postgres: database ?? (kind == DatabaseKind.PostgreSql ? await postgres.NewDatabase() : null));

    public static Money Dollars(string amount) =>
        Money.TryParse(amount, out var money) ? money : throw new ArgumentException(amount, nameof(amount));

    public static string Body(string kind, string amount, string externalId) =>
        $"{{\"kind\":\"{kind}\",\"amount\":\"{amount}\",\"external_id\":{JsonSerializer.Serialize(externalId)}}}";

    public static Task<Answer> Post(this RunningGate gate, string body, string? organization = null, string? key = null) =>
        gate.Send("POST", $"/api/v1/organizations/{organization ?? gate.OrganizationId}/wallet/entries", key ?? RunningGate.RootKey, body);

    public static Task<Answer> Enter(
        this RunningGate gate, string kind, string amount, string externalId, string? organization = null) =>
        gate.Post(Body(kind, amount, externalId), organization);

    public static async Task TopUp(this RunningGate gate, string amount, string externalId, string? organization = null) =>
        (await gate.Enter("top_up", amount, externalId, organization)).Has(HttpStatusCode.Created);

    public static Task<Answer> Wallet(this RunningGate gate, string? organization = null, string? key = null) =>
        gate.Send("GET", $"/api/v1/organizations/{organization ?? gate.OrganizationId}/wallet", key ?? RunningGate.RootKey);

    /// <summary>balance, held, available: as the API tells them.</summary>
    public static async Task<string> Figures(this RunningGate gate, string? organization = null)
    {
        var wallet = (await gate.Wallet(organization)).Has(HttpStatusCode.OK);
        return $"{wallet.String("balance")} {wallet.String("held")} {wallet.String("available")}";
    }

    public static Task<Answer> Entries(this RunningGate gate, string query = "", string? organization = null) =>
        gate.Send("GET", $"/api/v1/organizations/{organization ?? gate.OrganizationId}/wallet/entries{query}", RunningGate.RootKey);

    /// <summary>kind, amount and balance of each entry, newest first.</summary>
    public static async Task<IEnumerable<string>> Told(this RunningGate gate) =>
        (await gate.Entries("?limit=100")).Has(HttpStatusCode.OK).Json.GetProperty("data").EnumerateArray().Select(entry =>
            $"{entry.GetProperty("kind")} {entry.GetProperty("amount")} {entry.GetProperty("balance_after")}").ToList();

    public static WalletLedger Ledger(this RunningGate gate) => gate.Services.GetRequiredService<WalletLedger>();

    public static async Task<long> No(this RunningGate gate, string? organization = null) =>
        (await gate.Services.GetRequiredService<OrganizationRegister>().Find(organization ?? gate.OrganizationId, default)).Value
        .OrganizationNo;

    public static async Task<Balance> Balance(this RunningGate gate, string? organization = null) =>
        gate.Services.GetRequiredService<BalanceTable>().Of(await gate.No(organization));

    /// <summary>As a request that was settled: memory has paid, and the journal books it.</summary>
    public static async Task Spend(this RunningGate gate, string amount, string? organization = null)
    {
        Assert.True((await gate.Balance(organization)).TryTake(Dollars(amount)));
        await gate.Book(amount, organization);
    }

    /// <summary>As the journal does, for memory has paid already.</summary>
    public static async Task Book(this RunningGate gate, string amount, string? organization = null)
    {
        var no = await gate.No(organization);
        var booked = await gate.Database.Write<bool>(async scope =>
        {
            await gate.Ledger().BookUsage(scope, [new UsageDebit(no, Dollars(amount), 1)]);
            return true;
        });
        Assert.True(booked.Value);
    }

    /// <summary>Enters as the operator, in a write that a test can spoil.</summary>
    public static Task<Problems.Outcome<Entered>> EnterBy(
        this RunningGate gate, string kind, string amount, string externalId, Func<WriteScope, Task>? then = null) =>
        gate.Database.Write<Entered>(
            async scope =>
            {
                var organization = (await OrganizationRegister.Find(scope, gate.OrganizationId)).Value;
                var entered = await gate.Ledger().Enter(
                    scope, organization, new EntryTerms(kind, Dollars(amount), externalId, null));
                await (then?.Invoke(scope) ?? Task.CompletedTask);
                return entered;
            },
            MutationContext.Of(Caller.Root));

    /// <summary>What the database itself says: the balance, the sum of the entries, and how many there are.</summary>
    public static async Task<(Money Balance, Money Sum, long Entries)> Stored(this RunningGate gate, string? organization = null)
    {
        var no = await gate.No(organization);
        var found = await gate.Database.Write<(Money, Money, long)>(async scope => (
            new Money(await scope.Find<long>($"SELECT balance_micros FROM wallets WHERE organization_no = {no}")),
            new Money(await scope.Find<long>(
                $"SELECT CAST(coalesce(sum(amount_micros), 0) AS BIGINT) FROM wallet_entries WHERE organization_no = {no}")),
            await scope.Find<long>($"SELECT count(*) FROM wallet_entries WHERE organization_no = {no}")));
        return found.Value;
    }

    public static string Text(this int number) => number.ToString(CultureInfo.InvariantCulture);
}
