using System.Data.Common;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Webhooks;

/// <summary>Whose webhooks are meant: an organization's and those of its projects, or one project's.</summary>
internal sealed record WebhookOwner(long OrganizationNo, string OrganizationId, string? ProjectId);

/// <summary>
/// The owner by the id of an organization or a project, neither of them deleted; set by Hosting, since organizations come after this room.
/// </summary>
internal delegate Task<WebhookOwner?> WebhookOwnerLook(DbConnection connection, DbTransaction? transaction, string id);

/// <summary>
/// The door to webhooks: who may have one, what it may be. Each call names an owner by its id. A key acts for its own organization and the
/// projects of it; any other is as absent as one that never was.
/// </summary>
internal sealed class WebhookRegister(
    Database database, WebhookOutbox outbox, Sealer sealer, WebhookOptions options, AddressGuard guard, WebhookOwnerLook look)
{
    /// <summary>An organization's own, and those of each project.</summary>
    public const int PerOwnerMax = 20;

    /// <summary>An organization's with those of all its projects, of which some may be deleted.</summary>
    public const int WithProjectsMax = 1_000;

    public const int DescriptionMax = 200;

    /// <summary>Deliveries that one call sets going again.</summary>
    public const int ReplayMax = 1_000;

    /// <summary>Deliveries that are looked at to say whether they arrive.</summary>
    private const int PulseOfNewest = 200;

    public const long GraceSecondsDefault = 24 * 3_600;
    public const long GraceSecondsMax = 7 * 24 * 3_600;

    private readonly WebhookUrl _urls = new(options, guard);

    /// <summary>The webhook and its secret, which is told now and never again.</summary>
    public async Task<Outcome<(Webhook Webhook, string Secret)>> Create(WriteScope scope, string ownerId, CreateWebhook asked)
    {
        if (!(await Owner(scope, ownerId)).TryGet(out var owner, out var problem)
            || !_urls.Read(asked.Url).TryGet(out var url, out problem)
            || !WebhookTerms.Events(asked.Events, owner.ProjectId).TryGet(out var events, out problem)
            || !WebhookTerms.Description(asked.Description).TryGet(out var description, out problem))
        {
            return problem;
        }

        var have = owner.ProjectId is null
            ? await WebhookSql.Count(scope, owner.OrganizationNo)
            : await WebhookSql.CountOf(scope, owner.OrganizationNo, owner.ProjectId);
        if (have >= PerOwnerMax)
        {
            var whose = owner.ProjectId is null ? "An organization" : "A project";
            return new Problem(ProblemCode.WebhooksFull, $"{whose} has at most {PerOwnerMax} webhooks.");
        }

        if (await WebhookSql.CountWithProjects(scope, owner.OrganizationNo) >= WithProjectsMax)
        {
            return new Problem(
                ProblemCode.WebhooksFull,
                $"An organization and its projects have at most {WithProjectsMax} webhooks, those of deleted projects among them.");
        }

        var (id, secret) = (WebhookIds.New(WebhookIds.Webhook), WebhookSecret.New());
        var webhook = new Webhook
        {
            WebhookNo = await scope.NextNumber("webhook"),
            Id = id,
            OrganizationNo = owner.OrganizationNo,
            OrganizationId = owner.OrganizationId,
            ProjectId = owner.ProjectId,
            Url = url,
            Description = description.Length == 0 ? null : description,
            Events = events,
            Secret = WebhookSecret.Seal(sealer, id, secret),
            CreatedAtMs = scope.NowMs,
            RowVersion = 1,
        };
        await WebhookSql.Insert(scope, webhook);
        await Record(scope, "webhook.create", null, webhook);
        return (webhook, WebhookSecret.Text(secret));
    }

    /// <summary>An organization's with those of its projects, or a project's; the oldest first.</summary>
    public async Task<Outcome<IReadOnlyList<Webhook>>> List(Caller caller, string ownerId, CancellationToken cancel) =>
        await database.Read<Outcome<IReadOnlyList<Webhook>>>(
            async connection => !(await Owner(connection, null, caller, ownerId)).TryGet(out var owner, out var problem) ? problem
                : (owner.ProjectId is null
                    ? await WebhookSql.List(connection, owner.OrganizationId)
                    : await WebhookSql.ListOf(connection, owner.OrganizationId, owner.ProjectId)).ToList(),
            cancel);

    public async Task<Outcome<Webhook>> Find(Caller caller, string ownerId, string id, CancellationToken cancel) =>
        await database.Read(c => Find(c, null, caller, ownerId, id), cancel);

    /// <summary>Newest first.</summary>
    public Task<List<WebhookDelivery>> Deliveries(Webhook webhook, long? state, long before, int limit, CancellationToken cancel) =>
        database.Read(c => DeliverySql.List(c, webhook.WebhookNo, state, before, limit), cancel);

    public async Task<Outcome<WebhookDelivery>> FindDelivery(Webhook webhook, string id, CancellationToken cancel) =>
        WebhookIds.Has(id, WebhookIds.Delivery)
        && await database.Read(connection => DeliverySql.Look(connection, id, webhook.WebhookNo), cancel) is { } found
            ? found
            : NoDelivery;

    /// <summary>Whether what is sent to it arrives, by the newest that was.</summary>
    public Task<WebhookPulse> PulseOf(Webhook webhook, CancellationToken cancel) =>
        database.Read(connection => DeliverySql.Pulse(connection, webhook.WebhookNo, PulseOfNewest), cancel);

    public async Task<Outcome<Webhook>> Change(WriteScope scope, string ownerId, string id, ChangeWebhook asked)
    {
        if (!(await Mine(scope, ownerId, id)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        var (url, events, description) = (before.Url, before.Events, before.Description ?? "");
        if ((asked.Has("/url") && !_urls.Read(asked.Url).TryGet(out url, out problem))
            || (asked.Has("/events") && !WebhookTerms.Events(asked.Events, before.ProjectId).TryGet(out events, out problem))
            || (asked.Has("/description") && !WebhookTerms.Description(asked.Description).TryGet(out description, out problem)))
        {
            return problem!;
        }

        if (asked.Has("/enabled") && asked.Enabled is null)
        {
            return Problem.Invalid("/enabled", "must be true or false.");
        }

        var after = before with
        {
            Url = url, Events = events, Description = description.Length == 0 ? null : description, RowVersion = before.RowVersion + 1,
        };
        after = asked.Enabled switch
        {
            false when before.IsEnabled => after with
            {
                Enabled = 0, DisabledReason = DisabledReasons.Person, DisabledAtMs = scope.NowMs,
            },
            // What failed before was another time: it starts with a clean slate, and with what has waited.
            true when !before.IsEnabled => after with
            {
                Enabled = 1, DisabledReason = null, DisabledAtMs = null, Failures = 0, FailingSinceMs = null, RestUntilMs = null,
            },
            _ => after,
        };
        await WebhookSql.Update(scope, after);
        await Record(scope, "webhook.change", before, after);
        return after;
    }

    public async Task<Outcome<Webhook>> Delete(WriteScope scope, string ownerId, string id)
    {
        if (!(await Mine(scope, ownerId, id)).TryGet(out var webhook, out var problem))
        {
            return problem;
        }

        await WebhookSql.Delete(scope, webhook.WebhookNo, noSecret: []);
        await Record(scope, "webhook.delete", webhook, null);
        return webhook;
    }

    /// <summary>A new secret; the one before it signs too until the grace is over.</summary>
    public async Task<Outcome<(Webhook Webhook, string Secret)>> Rotate(
        WriteScope scope, string ownerId, string id, RotateWebhookSecret how)
    {
        if (!(await Mine(scope, ownerId, id)).TryGet(out var before, out var problem))
        {
            return problem;
        }

        var grace = how.GraceSeconds ?? GraceSecondsDefault;
        if (grace is < 0 or > GraceSecondsMax)
        {
            return Problem.Invalid("/grace_seconds", $"must be between 0 and {GraceSecondsMax}.");
        }

        if (before.HasOldSecretAt(scope.NowMs) && how.Force != true)
        {
            return new Problem(
                ProblemCode.RotationRunning,
                "The old secret of the last rotation is still in its grace. Wait for its end, or send \"force\": true to end it now.");
        }

        var secret = WebhookSecret.New();
        var after = before with
        {
            Secret = WebhookSecret.Seal(sealer, before.Id, secret),
            OldSecret = grace == 0 ? null : before.Secret,
            OldSecretEndsAtMs = grace == 0 ? null : scope.NowMs + (grace * 1_000),
            RowVersion = before.RowVersion + 1,
        };
        await WebhookSql.Update(scope, after);
        await Record(scope, "webhook.rotate_secret", before, after);
        return (after, WebhookSecret.Text(secret));
    }

    public async Task<Outcome<(Webhook Webhook, WebhookDelivery Delivery)>> Test(WriteScope scope, string ownerId, string id)
    {
        if (!(await Sendable(scope, ownerId, id)).TryGet(out var webhook, out var problem))
        {
            return problem;
        }

        if (webhook.Pending >= WebhookOutbox.PendingMax)
        {
            return new Problem(ProblemCode.Conflict, $"{webhook.Pending} events wait for this webhook already.");
        }

        var delivery = await outbox.AddTest(scope, webhook);
        await Record(scope, "webhook.test", webhook, webhook);
        return (webhook, delivery);
    }

    /// <summary>One delivery begins anew, whatever became of it.</summary>
    public async Task<Outcome<(Webhook Webhook, WebhookDelivery Delivery)>> Replay(
        WriteScope scope, string ownerId, string id, string deliveryId)
    {
        if (!(await Sendable(scope, ownerId, id)).TryGet(out var webhook, out var problem))
        {
            return problem;
        }

        if (!WebhookIds.Has(deliveryId, WebhookIds.Delivery)
            || await DeliverySql.Find(scope, deliveryId, webhook.WebhookNo) is not { } delivery)
        {
            return NoDelivery;
        }

        await DeliverySql.Replay(scope, delivery.DeliveryNo);
        await Refill(scope, webhook, delivery.State == WebhookDelivery.IsPending ? 0 : 1, "webhook.replay");
        return (webhook, delivery with
        {
            State = WebhookDelivery.IsPending, Attempts = 0, DueAtMs = scope.NowMs, Error = null, FinishedAtMs = null,
        });
    }

    /// <summary>All that failed since, the oldest first, as many as one call takes.</summary>
    public async Task<Outcome<ReplayAnswer>> ReplayFailed(WriteScope scope, string ownerId, string id, ReplayWebhook asked)
    {
        if (!(await Sendable(scope, ownerId, id)).TryGet(out var webhook, out var problem))
        {
            return problem;
        }

        if (asked.Since is not { } since)
        {
            return Problem.Invalid("/since", Wire.Rfc3339Time.Expected);
        }

        var count = await DeliverySql.ReplayFailed(scope, webhook.WebhookNo, since.ToUnixTimeMilliseconds(), ReplayMax);
        await Refill(scope, webhook, count, "webhook.replay");
        return new ReplayAnswer(count, HasMore: count == ReplayMax);
    }

    private static Problem NoDelivery => new(ProblemCode.NotFound, "There is no such delivery.");

    private static Problem NoWebhook => new(ProblemCode.NotFound, "There is no such webhook.");

    /// <summary>Deliveries were set back to pending; with none, a pending one may have become due.</summary>
    private async Task Refill(WriteScope scope, Webhook webhook, int added, string action)
    {
        Failpoint.Pass("webhook.delivery");
        var due = CourierBook.DueOf(webhook, await DeliverySql.NextDue(scope, webhook.WebhookNo), scope.NowMs);
        await WebhookSql.Expired(scope, webhook.WebhookNo, -added, due);
        Failpoint.Pass("webhook.filled");
        await Record(scope, action, webhook, webhook);
    }

    private async Task<Outcome<WebhookOwner>> Owner(DbConnection connection, DbTransaction? transaction, Caller caller, string id) =>
        await look(connection, transaction, id) is { } owner && (caller.IsRoot || caller.OrganizationId == owner.OrganizationId)
            ? owner
            : new Problem(ProblemCode.NotFound, "There is no such organization or project.");

    private async Task<Outcome<WebhookOwner>> Owner(WriteScope scope, string ownerId)
    {
        var caller = scope.Context.Caller;
        return !(await Owner(scope.Connection, scope.Transaction, caller, ownerId)).TryGet(out var owner, out var problem) ? problem
            : caller.IsRoot || caller.Rights.HasFlag(Rights.WebhooksManage) ? owner
            : AccessRow.RightMissing(Rights.WebhooksManage);
    }

    private async Task<Outcome<Webhook>> Find(
        DbConnection connection, DbTransaction? transaction, Caller caller, string ownerId, string id) =>
        !(await Owner(connection, transaction, caller, ownerId)).TryGet(out var owner, out var problem) ? problem
            : WebhookIds.Has(id, WebhookIds.Webhook)
            && await WebhookSql.Find(connection, transaction, id, owner.OrganizationId) is { } found
            && (owner.ProjectId is null || owner.ProjectId == found.ProjectId)
                ? found
                : NoWebhook;

    private async Task<Outcome<Webhook>> Mine(WriteScope scope, string ownerId, string id) =>
        (await Owner(scope, ownerId)).TryGet(out _, out var problem)
            ? await Find(scope.Connection, scope.Transaction, scope.Context.Caller, ownerId, id)
            : problem;

    private async Task<Outcome<Webhook>> Sendable(WriteScope scope, string ownerId, string id)
    {
        if (!(await Mine(scope, ownerId, id)).TryGet(out var webhook, out var problem))
        {
            return problem;
        }

        return webhook.IsEnabled ? webhook : new Problem(ProblemCode.Conflict, "The webhook is disabled. Enable it first.");
    }

    private async Task Record(WriteScope scope, string action, Webhook? before, Webhook? after)
    {
        Failpoint.Pass("webhook.row");
        var webhook = (after ?? before)!;
        await AuditLog.Append(scope, new AuditEntry
        {
            Action = action,
            TargetType = "webhook",
            TargetId = webhook.Id,
            OrganizationId = webhook.OrganizationId,
            ProjectId = webhook.ProjectId,
            Before = before is null ? null : WebhookWire.Json(before),
            After = after is null ? null : WebhookWire.Json(after),
        });
        outbox.Tell(scope, webhook);
    }
}

/// <summary>What else a webhook is made of, read from what was asked.</summary>
internal static class WebhookTerms
{
    /// <summary>As a row keeps them.</summary>
    public static Outcome<string> Events(IReadOnlyList<string>? names, string? projectId)
    {
        var offered = projectId is null ? WebhookEvents.Names : WebhookEvents.OfProjects;
        return names is [WebhookEvents.All]
            || (names is { Count: > 0 } && names.Distinct(StringComparer.Ordinal).Count() == names.Count && names.All(offered.Contains))
            ? Webhook.Joined(names)
            : Problem.Invalid("/events", $"must be [\"*\"] for all, or name each once: {string.Join(", ", offered)}.");
    }

    /// <summary>Empty for none.</summary>
    public static Outcome<string> Description(string? text) =>
        text is null ? ""
        : text.Length <= WebhookRegister.DescriptionMax && !text.Any(char.IsControl) ? text
        : Problem.Invalid(
            "/description", $"must have at most {WebhookRegister.DescriptionMax} characters, none of them a control character.");
}
