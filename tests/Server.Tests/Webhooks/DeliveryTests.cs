using System.Text;
using Tollgate.Client;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Tests.Fixtures;
using Tollgate.Server.Webhooks;
using AuditFilter = Tollgate.Server.Audit.AuditFilter;
using Problem = Tollgate.Server.Problems.Problem;
using Webhook = Tollgate.Server.Webhooks.Webhook;
using WebhookDelivery = Tollgate.Server.Webhooks.WebhookDelivery;

namespace Tollgate.Server.Tests.Webhooks;

public sealed class DeliveryTests(PostgresFixture postgres)
{
    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_arrives_is_signed_so_that_the_clients_own_verifier_takes_it_W11(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var (webhook, secret) = await place.NewWebhookAt(place.Receiver.Url);

        await place.Tell();
        await place.Carry();

        var got = place.Receiver.Only;
        Assert.Equal(
            "{\"type\":\"wallet.low\",\"timestamp\":\"2026-01-02T03:04:05Z\",\"data\":"
            + $"{{\"organization_id\":\"{WebhookPlace.Organization}\",\"balance\":\"4.20\",\"currency\":\"USD\"}}}}",
            Encoding.UTF8.GetString(got.Body));
        Assert.Equal(("POST", "/hook", "application/json"), (got.Method, got.Path, got.Headers["Content-Type"]));
        Assert.Equal(place.Clock.GetUtcNow().ToUnixTimeSeconds().ToString(), got.Headers["webhook-timestamp"]);
        Assert.DoesNotContain("traceparent", got.Headers.Keys);
        Assert.Equal(WebhookCheck.Valid, Check(got, place.Clock.GetUtcNow(), secret));
        var delivery = Assert.Single(await place.Deliveries(webhook));
        Assert.Equal(
            (WebhookDelivery.IsDelivered, 1, 200L, got.Id),
            (delivery.State, delivery.Attempts, delivery.ResponseStatus, delivery.MessageId));
        Assert.Equal(0, (await place.Now(webhook)).Pending);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Nothing_is_written_for_an_event_that_nobody_asked_for(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        await place.Tell();
        var webhook = await place.NewWebhook(WebhookEvents.WalletEmpty, WebhookEvents.KeyCreated);

        await place.Tell(WebhookEvents.WalletLow);
        Assert.Equal(0, await place.Store.Count("webhook_deliveries"));

        await place.Tell(WebhookEvents.WalletEmpty);
        Assert.Equal(WebhookEvents.WalletEmpty, Assert.Single(await place.Deliveries(webhook)).Type);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_event_of_a_change_that_is_not_made_is_not_told(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        await place.NewWebhook();

        await place.Store.Database.Write<bool>(async scope =>
        {
            await place.Outbox.Add(scope, WebhookPlace.OrganizationNo, WebhookEvents.WalletLow, new WalletEvent("org_1", "1", "USD"));
            return Problem.Of(ProblemCode.Conflict);
        });

        Assert.Equal(0, await place.Store.Count("webhook_deliveries"));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_fails_is_tried_ten_times_over_three_days_and_then_given_up(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        place.Receiver.Status = 503;
        var began = place.Clock.NowMs;
        await place.Tell();
        await place.Carry();

        for (var attempt = 1; attempt <= RetrySchedule.Waits.Count; attempt++)
        {
            var waiting = Assert.Single(await place.Deliveries(webhook));
            Assert.Equal((WebhookDelivery.IsPending, attempt, 503L, AttemptErrors.Status),
                (waiting.State, waiting.Attempts, waiting.ResponseStatus, waiting.Error));
            var wait = TimeSpan.FromMilliseconds(waiting.DueAtMs!.Value - place.Clock.NowMs);
            Assert.InRange(wait, RetrySchedule.Waits[attempt - 1], RetrySchedule.Waits[attempt - 1] * 1.2);
            place.Clock.Advance(wait - TimeSpan.FromMilliseconds(1));
            await place.Carry();
            Assert.Equal(attempt, place.Receiver.Log.Count);
            place.Clock.Advance(TimeSpan.FromMilliseconds(1));
            await place.Carry();
            Assert.Equal(attempt + 1, place.Receiver.Log.Count);
        }

        var given = Assert.Single(await place.Deliveries(webhook));
        Assert.Equal((WebhookDelivery.IsFailed, 10L), (given.State, given.Attempts));
        Assert.InRange(TimeSpan.FromMilliseconds(place.Clock.NowMs - began), TimeSpan.FromDays(3), TimeSpan.FromDays(4));
        place.Clock.Advance(TimeSpan.FromDays(30));
        await place.Carry();
        Assert.Equal(10, place.Receiver.Log.Count);
        // A receiver knows all of them for the same, each signed at its own time.
        Assert.Single(place.Receiver.Log.Select(got => got.Id).Distinct());
        Assert.Equal(10, place.Receiver.Log.Select(got => got.Headers["webhook-timestamp"]).Distinct().Count());
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Events_arrive_in_order_and_one_that_fails_does_not_stop_the_others(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        for (var i = 0; i < 2 * WebhookCourier.PerRunMax; i++)
        {
            await place.Tell(balance: $"{i}");
        }

        place.Receiver.Reply = http =>
        {
            http.Response.StatusCode = place.Receiver.Log.Count == 3 ? 500 : 204;
            return Task.CompletedTask;
        };
        await place.Carry();
        Assert.Equal(["0", "1", "2"], Balances(place));
        // The webhook rests for a second after a failure, and goes on with the next event.
        place.Clock.Advance(TimeSpan.FromSeconds(1));
        await place.Carry();
        Assert.Equal(Enumerable.Range(0, 2 * WebhookCourier.PerRunMax).Select(i => $"{i}"), Balances(place));

        place.Clock.Advance(TimeSpan.FromSeconds(10));
        await place.Carry();
        Assert.Equal("2", Balances(place)[^1]);
        Assert.All(await place.Deliveries(webhook), delivery => Assert.Equal(WebhookDelivery.IsDelivered, delivery.State));
        Assert.Equal((0L, 0L), ((await place.Now(webhook)).Pending, (await place.Now(webhook)).Failures));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_receiver_that_hangs_holds_up_nobody_else(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        await using var slow = await Receiver.Start();
        var released = new TaskCompletionSource();
        slow.Reply = _ => released.Task;
        var (hanging, _) = await place.NewWebhookAt(slow.Url);
        var quick = await place.NewWebhook();
        await place.Tell();

        await place.Courier.Pass(default);
        await slow.Arrived();
        await place.Receiver.Arrived();
        await place.Tell();
        while ((await place.Now(quick)).Pending > 0)
        {
            await place.Courier.Pass(default);
        }

        Assert.Equal((2, 1), (place.Receiver.Log.Count, slow.Log.Count));
        Assert.Equal(2, (await place.Now(hanging)).Pending);
        released.SetResult();
        await place.Courier.Idle();
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_receiver_that_says_gone_is_left_alone_and_the_audit_log_says_so(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        place.Receiver.Status = 410;
        await place.Tell();
        await place.Carry();

        var now = await place.Now(webhook);
        Assert.Equal((false, DisabledReasons.Gone, 0L), (now.IsEnabled, now.DisabledReason, now.Pending));
        Assert.Equal(WebhookDelivery.IsFailed, Assert.Single(await place.Deliveries(webhook)).State);
        var rows = await new AuditLog(place.Store.Database)
            .List(new AuditFilter { Action = "webhook.disable" }, long.MaxValue, 10, default);
        var row = Assert.Single(rows);
        Assert.Equal((webhook.Id, "gone", "system"), (row.TargetId, row.Reason, row.ActorId));
        await place.Tell();
        Assert.Single(await place.Deliveries(webhook));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task After_five_days_of_nothing_but_failures_a_webhook_is_disabled_and_one_success_begins_them_anew(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        place.Receiver.Status = 500;
        await Fail(RetrySchedule.PauseAfter - TimeSpan.FromMinutes(1));
        place.Receiver.Status = 200;
        place.Clock.Advance(TimeSpan.FromSeconds(30));
        await place.Carry();
        Assert.Null((await place.Now(webhook)).FailingSinceMs);

        place.Receiver.Status = 500;
        await Fail(RetrySchedule.PauseAfter - TimeSpan.FromMinutes(1));
        Assert.True((await place.Now(webhook)).IsEnabled);
        place.Clock.Advance(TimeSpan.FromMinutes(1));
        await place.Tell();
        await place.Carry();
        var now = await place.Now(webhook);
        Assert.Equal((false, DisabledReasons.Failing), (now.IsEnabled, now.DisabledReason));

        async Task Fail(TimeSpan time)
        {
            await place.Tell();
            await place.Carry();
            place.Clock.Advance(time - TimeSpan.FromMinutes(1));
            await place.Carry();
            place.Clock.Advance(TimeSpan.FromMinutes(1));
            await place.Tell();
            await place.Carry();
        }
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task What_waits_survives_a_restart(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        place.Receiver.Status = 500;
        await place.Tell(balance: "1");
        await place.Carry();
        await place.Tell(balance: "2");
        place.Receiver.Status = 200;

        await place.Restart();
        place.Clock.Advance(TimeSpan.FromMinutes(1));
        await place.Carry();

        Assert.Equal(["1", "2", "1"], Balances(place));
        Assert.Equal(0, (await place.Now(webhook)).Pending);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_webhook_whose_secret_does_not_open_is_not_sent_to_and_stops_nobody_else(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        await using var other = await Receiver.Start();
        var broken = await place.NewWebhook();
        await place.NewWebhookAt(other.Url);
        await place.Store.Tamper(
            $"UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE webhook_no = 2) WHERE webhook_no = {broken.WebhookNo}");
        await place.Tell();

        await place.Courier.Pass(default);
        await place.Courier.Idle();

        Assert.Equal((0, 1), (place.Receiver.Log.Count, other.Log.Count));
        Assert.Equal(1, (await place.Now(broken)).Pending);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task A_disabled_webhook_is_not_sent_to_and_an_enabled_one_gets_what_has_waited(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        await place.Tell();
        await Enable(place, webhook, false);
        await place.Tell();
        await place.Carry();
        Assert.Empty(place.Receiver.Log);

        await Enable(place, webhook, true);
        await place.Carry();
        Assert.Single(place.Receiver.Log);
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task Two_secrets_sign_until_the_grace_of_a_rotation_is_over_W11(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var (webhook, old) = await place.NewWebhookAt(place.Receiver.Url);
        var (_, fresh) = await place.Write(
            scope => place.Register.Rotate(scope, WebhookPlace.Organization, webhook.Id, new RotateWebhookSecret(60, null)));
        Assert.NotEqual(old, fresh);
        await place.Tell();
        place.Clock.Advance(TimeSpan.FromSeconds(59));
        await place.Carry();
        place.Clock.Advance(TimeSpan.FromSeconds(1));
        await place.Tell();
        await place.Carry();

        var (during, after) = (place.Receiver.Log[0], place.Receiver.Log[1]);
        Assert.Equal(2, during.Headers["webhook-signature"].Split(' ').Length);
        Assert.Equal(WebhookCheck.Valid, Check(during, place.Clock.GetUtcNow(), old));
        Assert.Equal(WebhookCheck.Valid, Check(during, place.Clock.GetUtcNow(), fresh));
        Assert.Equal(WebhookCheck.NoMatch, Check(after, place.Clock.GetUtcNow(), old));
        Assert.Equal(WebhookCheck.Valid, Check(after, place.Clock.GetUtcNow(), fresh));
    }

    [Theory, MemberData(nameof(Databases.Both), MemberType = typeof(Databases))]
    public async Task An_outbox_that_is_full_counts_what_it_does_not_keep(DatabaseKind kind)
    {
        await using var place = await WebhookPlace.Open(kind, postgres);
        var webhook = await place.NewWebhook();
        await place.Store.Tamper($"UPDATE webhooks SET pending = {WebhookOutbox.PendingMax - 1}");
        await place.Tell();
        Assert.Equal((WebhookOutbox.PendingMax, 0L), ((await place.Now(webhook)).Pending, (await place.Now(webhook)).Dropped));
        await place.Tell();
        Assert.Equal((WebhookOutbox.PendingMax, 1L), ((await place.Now(webhook)).Pending, (await place.Now(webhook)).Dropped));
        Assert.Equal(1, await place.Store.Count("webhook_deliveries"));
    }

    private static string[] Balances(WebhookPlace place) =>
        [.. place.Receiver.Log.Select(got => got.Json.GetProperty("data").GetProperty("balance").GetString()!)];

    private static WebhookCheck Check(Received got, DateTimeOffset now, params string[] secrets) =>
        WebhookSignature.Verify(got.Headers.GetValueOrDefault, got.Body, secrets, now);

    private static Task<Webhook> Enable(WebhookPlace place, Webhook webhook, bool enabled) => place.Write(
        scope => place.Register.Change(scope, WebhookPlace.Organization, webhook.Id, new ChangeWebhook { Enabled = enabled }));
}
