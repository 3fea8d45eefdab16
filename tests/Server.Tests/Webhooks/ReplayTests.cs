using Tollgate.Server.Access;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Webhooks;

namespace Tollgate.Server.Tests.Webhooks;

public sealed class ReplayTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task One_delivery_can_be_sent_again_whatever_became_of_it_under_the_id_it_had(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        await place.Tell();
        await place.Carry();
        var done = Assert.Single(await place.Deliveries(webhook));

        var (_, again) = await place.Write(scope => place.Register.Replay(scope, WebhookPlace.Organization, webhook.Id, done.Id));
        Assert.Equal((WebhookDelivery.IsPending, 0L), (again.State, again.Attempts));
        Assert.Equal(1, (await place.Now(webhook)).Pending);
        await place.Carry();

        Assert.Equal([done.MessageId, done.MessageId], place.Receiver.Log.Select(got => got.Id));
        Assert.Equal(0, (await place.Now(webhook)).Pending);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task One_that_waits_for_its_next_attempt_is_sent_at_once(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        place.Receiver.Status = 500;
        await place.Tell();
        await place.Carry();
        place.Clock.Advance(TimeSpan.FromSeconds(1));
        var waiting = Assert.Single(await place.Deliveries(webhook));

        await place.Write(scope => place.Register.Replay(scope, WebhookPlace.Organization, webhook.Id, waiting.Id));
        await place.Carry();

        Assert.Equal(2, place.Receiver.Log.Count);
        Assert.Equal((1L, 1L), ((await place.Now(webhook)).Pending, Assert.Single(await place.Deliveries(webhook)).Attempts));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_webhook_says_when_something_last_arrived_and_when_an_attempt_last_failed(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        Assert.Equal(new WebhookPulse(), await place.Register.PulseOf(webhook, default));
        await place.Tell();
        await place.Carry();
        var arrivedMs = place.Clock.NowMs;
        Assert.Equal(new WebhookPulse { ArrivedAtMs = arrivedMs }, await place.Register.PulseOf(webhook, default));

        place.Clock.Advance(TimeSpan.FromHours(1));
        place.Receiver.Status = 500;
        await place.Tell();
        await place.Carry();

        Assert.Equal(
            new WebhookPulse { ArrivedAtMs = arrivedMs, FailedAtMs = place.Clock.NowMs },
            await place.Register.PulseOf(webhook, default));
        var last = (await place.Deliveries(webhook))[^1];
        Assert.Equal(last.MessageId, (await place.Register.FindDelivery(webhook, last.Id, default)).Value.MessageId);
        var other = await place.NewWebhook();
        Assert.Equal("not_found", (await place.Register.FindDelivery(other, last.Id, default)).CodeOf());
        Assert.Equal("not_found", (await place.Register.FindDelivery(webhook, "dlv_0000000000000000000000", default)).CodeOf());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task All_that_failed_since_a_time_are_sent_again_and_nothing_else(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        await place.Tell(balance: "before");
        place.Clock.Advance(TimeSpan.FromHours(1));
        var since = place.Clock.GetUtcNow();
        await place.Tell(balance: "first");
        await place.Tell(balance: "second");
        await place.Store.Tamper("UPDATE webhook_deliveries SET state = 2, due_at_ms = NULL, finished_at_ms = 1");
        await place.Store.Tamper("UPDATE webhooks SET pending = 0, due_at_ms = NULL");
        await place.Tell(balance: "delivered");
        await place.Carry();

        var answer = await place.Write(
            scope => place.Register.ReplayFailed(scope, WebhookPlace.Organization, webhook.Id, new ReplayWebhook(since)));
        await place.Carry();

        Assert.Equal(new ReplayAnswer(2, HasMore: false), answer);
        Assert.Equal(
            ["delivered", "first", "second"],
            place.Receiver.Log.Select(got => got.Json.GetProperty("data").GetProperty("balance").GetString()));
        Assert.Equal(0, (await place.Now(webhook)).Pending);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_call_replays_so_many_and_says_that_there_are_more(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        await place.Write<bool>(async scope =>
        {
            for (var i = 0; i <= WebhookRegister.ReplayMax; i++)
            {
                await place.Outbox.Add(scope, WebhookPlace.OrganizationNo, WebhookEvents.WalletLow, new WalletEvent("org_1", "1", "USD"));
            }

            return true;
        });
        await place.Store.Tamper("UPDATE webhook_deliveries SET state = 2, due_at_ms = NULL, finished_at_ms = 1");
        await place.Store.Tamper("UPDATE webhooks SET pending = 0, due_at_ms = NULL");

        var first = await Replay();
        var second = await Replay();

        Assert.Equal((new ReplayAnswer(WebhookRegister.ReplayMax, true), new ReplayAnswer(1, false)), (first, second));

        Task<ReplayAnswer> Replay() => place.Write(scope => place.Register.ReplayFailed(
            scope, WebhookPlace.Organization, webhook.Id, new ReplayWebhook(DateTimeOffset.UnixEpoch)));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_delivery_of_another_webhook_is_as_absent_as_none_and_a_disabled_one_replays_nothing(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        await place.Tell();
        var other = await place.NewWebhook();
        var delivery = Assert.Single(await place.Deliveries(webhook));

        Assert.Equal("not_found", await Replay(other, delivery.Id));
        Assert.Equal("not_found", await Replay(webhook, "dlv_0000000000000000000000"));
        await place.Write(scope => place.Register.Change(
            scope, WebhookPlace.Organization, webhook.Id, new ChangeWebhook { Enabled = false }));
        Assert.Equal("conflict", await Replay(webhook, delivery.Id));

        async Task<string> Replay(Webhook of, string id) => (await place.Store.Database.Write(
            scope => place.Register.Replay(scope, WebhookPlace.Organization, of.Id, id), WebhookPlace.AsRoot)).CodeOf();
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Finished_deliveries_go_after_their_time_and_a_deleted_webhook_goes_with_all_of_its(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var (kept, deleted) = (await place.NewWebhook(), await place.NewWebhook(WebhookEvents.WalletEmpty));
        await place.Tell();
        await place.Tell(WebhookEvents.WalletEmpty);
        await place.Carry();
        await place.Write(scope => place.Register.Delete(scope, WebhookPlace.Organization, deleted.Id));
        Assert.Equal("not_found", (await place.Register.Find(Caller.Root, WebhookPlace.Organization, deleted.Id, default)).CodeOf());

        await Swept();
        Assert.Equal((1, 2), (await place.Store.Count("webhooks"), await place.Store.Count("webhook_deliveries")));
        place.Clock.Advance(TimeSpan.FromDays(30));
        await Swept();
        Assert.Equal(2, (await place.Deliveries(kept)).Count);
        place.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await Swept();
        Assert.Equal(0, await place.Store.Count("webhook_deliveries"));

        async Task Swept()
        {
            while (await place.Sweep.Run(default) > 0)
            {
            }
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_waits_for_a_disabled_webhook_is_given_up_after_a_month(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        await place.Tell();
        await place.Write(scope => place.Register.Change(
            scope, WebhookPlace.Organization, webhook.Id, new ChangeWebhook { Enabled = false }));
        place.Clock.Advance(WebhookSweep.PendingMax);
        Assert.Equal(0, await place.Sweep.Run(default));
        place.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await place.Sweep.Run(default));

        var given = Assert.Single(await place.Deliveries(webhook));
        Assert.Equal((WebhookDelivery.IsFailed, AttemptErrors.Expired), (given.State, given.Error));
        Assert.Equal(0, (await place.Now(webhook)).Pending);
    }
}
