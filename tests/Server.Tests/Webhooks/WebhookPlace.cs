using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Engine.Keys;
using Tollgate.Server.Access;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Webhooks;

/// <summary>
/// The room without a gate around it: a database with one organization, a receiver, and a courier that goes when it is told to.
/// </summary>
internal sealed class WebhookPlace : IAsyncDisposable
{
    public const string Organization = "org_0000000000000000000001";
    public const long OrganizationNo = 1;

    private WebhookSender? _sender;

    private WebhookPlace(TestStore store, Receiver receiver) => (Store, Receiver) = (store, receiver);

    public TestStore Store { get; }

    public Receiver Receiver { get; }

    public WebhookOutbox Outbox { get; } = new();

    public WebhookRegister Register { get; private set; } = null!;

    public WebhookCourier Courier { get; private set; } = null!;

    public WebhookSweep Sweep { get; private set; } = null!;

    public ManualClock Clock => Store.Clock;

    public static async Task<WebhookPlace> Open(DatabaseKind kind, PostgresFixture postgres)
    {
        var place = new WebhookPlace(await TestStore.Open(kind, postgres), await Receiver.Start());
        await place.Store.Tamper(
            "INSERT INTO organizations (organization_no, id, name, is_operator, created_at_ms, row_version) "
            + $"VALUES ({OrganizationNo}, '{Organization}', 'One', 0, 0, 1)");
        place.Wire();
        return place;
    }

    /// <summary>A new process on the same data.</summary>
    public async Task Restart()
    {
        Dispose();
        await Store.Reopen();
        Wire();
    }

    public async Task<(Webhook Webhook, string Secret)> NewWebhookAt(string url, params string[] events)
    {
        var made = await Store.Database.Write(
            scope => Register.Create(scope, Organization, new CreateWebhook(url, events.Length == 0 ? ["*"] : events, null)), AsRoot);
        Assert.Equal("ok", made.CodeOf());
        return made.Value;
    }

    public async Task<Webhook> NewWebhook(params string[] events) => (await NewWebhookAt(Receiver.Url, events)).Webhook;

    /// <summary>Something happens to the wallet, in a write of its own.</summary>
    public async Task Tell(string type = WebhookEvents.WalletLow, string balance = "4.20") => Assert.True((await Store.Database.Write<bool>(
        async scope =>
        {
            await Outbox.Add(scope, OrganizationNo, type, new WalletEvent(Organization, balance, "USD"));
            return true;
        })).IsOk);

    /// <summary>All that is due now is tried once, or as often as it is due.</summary>
    public async Task Carry()
    {
        do
        {
            await Courier.Pass(default);
            await Courier.Idle();
        }
        while (await Store.Database.Read(WebhookSql.NextDue) <= Clock.NowMs);
    }

    public async Task<Webhook> Now(Webhook webhook) =>
        (await Register.Find(Caller.Root, Organization, webhook.Id, default)).Value;

    /// <summary>Oldest first.</summary>
    public async Task<List<WebhookDelivery>> Deliveries(Webhook webhook)
    {
        var rows = await Register.Deliveries(webhook, null, long.MaxValue, 1_000, default);
        rows.Reverse();
        return rows;
    }

    public async Task<T> Write<T>(Func<WriteScope, Task<Problems.Outcome<T>>> work)
    {
        var outcome = await Store.Database.Write(work, AsRoot);
        Assert.Equal("ok", outcome.CodeOf());
        return outcome.Value;
    }

    public async ValueTask DisposeAsync()
    {
        Dispose();
        await Receiver.DisposeAsync();
        await Store.DisposeAsync();
    }

    public static MutationContext AsRoot => MutationContext.Of(Caller.Root);

    private void Wire()
    {
        Assert.True(AddressRule.TryParse(["127.0.0.0/8"], out var loopback, out _));
        var (options, guard) = (new WebhookOptions { AllowsHttp = true, PrivateAddresses = loopback }, new AddressGuard(loopback));
        var sealer = new Sealer(Store.Pepper);
        _sender = new WebhookSender(guard, Clock);
        Sweep = new WebhookSweep(Store.Database, options, Clock);
        Courier = new WebhookCourier(Store.Database, _sender, Outbox, Sweep, sealer, Clock, NullLogger<WebhookCourier>.Instance);
        Register = new WebhookRegister(
            Store.Database, Outbox, sealer, options, guard,
            (_, _, id) => Task.FromResult(id == Organization ? new WebhookOwner(OrganizationNo, Organization, null) : null));
    }

    private void Dispose()
    {
        Courier.Dispose();
        _sender?.Dispose();
    }
}
