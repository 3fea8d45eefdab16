using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Webhooks;

/// <summary>Webhooks on the management API. Each handler binds, calls the register and answers.</summary>
internal static class WebhookEndpoints
{
    public static void MapWebhooks(this IEndpointRouteBuilder api)
    {
        var webhooks = api.MapGroup("/organizations/{id}/webhooks").WithTags("Webhooks").Needs(Rights.WebhooksManage)
            .For(Act.ManageWebhooks);
        webhooks.MapPost("", Create).WithName("createWebhook").WithSummary("Create a webhook")
            .Takes(typeof(CreateWebhook)).Gives(typeof(WebhookAnswer), 201).Idempotent();
        webhooks.MapGet("", List).WithName("listWebhooks").WithSummary("List the webhooks of an organization").Gives(typeof(WebhookList));
        webhooks.MapGet("/{webhook}", Get).WithName("getWebhook").WithSummary("Read a webhook").Gives(typeof(WebhookAnswer));
        webhooks.MapPatch("/{webhook}", Change).WithName("updateWebhook").WithSummary("Change, disable or enable a webhook")
            .Takes(typeof(ChangeWebhook)).Gives(typeof(WebhookAnswer)).Idempotent();
        webhooks.MapDelete("/{webhook}", Delete).WithName("deleteWebhook").WithSummary("Delete a webhook")
            .Gives(typeof(DeletedWebhook)).Idempotent();
        webhooks.MapPost("/{webhook}/rotate-secret", Rotate).WithName("rotateWebhookSecret")
            .WithSummary("Give a webhook a new secret; the old one signs too for a grace")
            .MayTake(typeof(RotateWebhookSecret)).Gives(typeof(WebhookAnswer)).Idempotent();
        webhooks.MapPost("/{webhook}/test", Test).WithName("testWebhook").WithSummary("Send a test event")
            .Gives(typeof(WebhookDeliveryAnswer)).Idempotent();
        webhooks.MapGet("/{webhook}/deliveries", Deliveries).WithName("listWebhookDeliveries")
            .WithSummary("List what was or is to be delivered, newest first").Gives(typeof(WebhookDeliveryList));
        webhooks.MapPost("/{webhook}/deliveries/{delivery}/replay", Replay).WithName("replayWebhookDelivery")
            .WithSummary("Deliver an event once more").Gives(typeof(WebhookDeliveryAnswer)).Idempotent();
        webhooks.MapPost("/{webhook}/replay", ReplayFailed).WithName("replayFailedDeliveries")
            .WithSummary("Deliver once more all that failed since a time")
            .Takes(typeof(ReplayWebhook)).Gives(typeof(ReplayAnswer)).Idempotent();
    }

    private static async Task<IResult> Create(HttpContext http, string id, WebhookRegister register, MutationRunner mutations) =>
        (await RequestBody.Read(http, WebhookWire.Default.CreateWebhook)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Made(register.Create(scope, id, body.Value), 201))
            : new ProblemResult(problem);

    private static async Task<IResult> List(HttpContext http, string id, WebhookRegister register) =>
        (await register.List(Caller.Of(http), id, http.RequestAborted)).TryGet(out var found, out var problem)
            ? Answers.Json(new WebhookList([.. found.Select(one => WebhookAnswer.Of(one))]), WebhookWire.Default.WebhookList)
            : new ProblemResult(problem);

    private static async Task<IResult> Get(HttpContext http, string id, string webhook, WebhookRegister register) =>
        (await register.Find(Caller.Of(http), id, webhook, http.RequestAborted)).TryGet(out var found, out var problem)
            ? Answers.Json(WebhookAnswer.Of(found), WebhookWire.Default.WebhookAnswer)
            : new ProblemResult(problem);

    private static async Task<IResult> Change(
        HttpContext http, string id, string webhook, WebhookRegister register, MutationRunner mutations) =>
        (await RequestBody.Read(http, WebhookWire.Default.ChangeWebhook)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw, scope => register.Change(scope, id, webhook, body.Value),
                changed => MutationAnswer.Of(200, WebhookAnswer.Of(changed), WebhookWire.Default.WebhookAnswer))
            : new ProblemResult(problem);

    private static Task<IResult> Delete(
        HttpContext http, string id, string webhook, WebhookRegister register, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope => (await register.Delete(scope, id, webhook)).TryGet(out var gone, out var problem)
            ? MutationAnswer.Of(200, new DeletedWebhook(gone.Id, Deleted: true), WebhookWire.Default.DeletedWebhook)
            : problem);

    private static async Task<IResult> Rotate(
        HttpContext http, string id, string webhook, WebhookRegister register, MutationRunner mutations) =>
        (await RequestBody.ReadOptional(http, WebhookWire.Default.RotateWebhookSecret)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw,
                scope => Made(register.Rotate(scope, id, webhook, body.Value ?? new RotateWebhookSecret(null, null)), 200))
            : new ProblemResult(problem);

    private static Task<IResult> Test(
        HttpContext http, string id, string webhook, WebhookRegister register, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, scope => Queued(register.Test(scope, id, webhook)));

    private static async Task<IResult> Deliveries(
        HttpContext http, string id, string webhook, WebhookRegister register, Pages pages, string? status, int? limit, string? cursor)
    {
        var state = status is null ? -1 : WebhookDelivery.States.ToList().IndexOf(status);
        if (status is not null && state < 0)
        {
            return new ProblemResult(Problem.Invalid("/status", $"must be among {string.Join(", ", WebhookDelivery.States)}."));
        }

        if (!pages.Read(http, $"webhook deliveries {webhook} {status}", limit, cursor).TryGet(out var page, out var problem)
            || !(await register.Find(Caller.Of(http), id, webhook, http.RequestAborted)).TryGet(out var found, out problem))
        {
            return new ProblemResult(problem);
        }

        var rows = await register.Deliveries(
            found, status is null ? null : state, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, row => row.DeliveryNo);
        return Answers.Json(
            new WebhookDeliveryList([.. data.Select(row => WebhookDeliveryAnswer.Of(found, row))], next),
            WebhookWire.Default.WebhookDeliveryList);
    }

    private static Task<IResult> Replay(
        HttpContext http, string id, string webhook, string delivery, WebhookRegister register, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, scope => Queued(register.Replay(scope, id, webhook, delivery)));

    private static async Task<IResult> ReplayFailed(
        HttpContext http, string id, string webhook, WebhookRegister register, MutationRunner mutations) =>
        (await RequestBody.Read(http, WebhookWire.Default.ReplayWebhook)).TryGet(out var body, out var problem)
            ? await mutations.Run(
                http, body.Raw, scope => register.ReplayFailed(scope, id, webhook, body.Value),
                replayed => MutationAnswer.Of(200, replayed, WebhookWire.Default.ReplayAnswer))
            : new ProblemResult(problem);

    private static async Task<Outcome<MutationAnswer>> Made(Task<Outcome<(Webhook Webhook, string Secret)>> change, int status) =>
        (await change).TryGet(out var made, out var problem)
            ? MutationAnswer.Of(
                status, WebhookAnswer.Of(made.Webhook, made.Secret), WebhookWire.Default.WebhookAnswer, holdsSecret: true)
            : problem;

    private static async Task<Outcome<MutationAnswer>> Queued(Task<Outcome<(Webhook Webhook, WebhookDelivery Delivery)>> change) =>
        (await change).TryGet(out var queued, out var problem)
            ? MutationAnswer.Of(
                200, WebhookDeliveryAnswer.Of(queued.Webhook, queued.Delivery), WebhookWire.Default.WebhookDeliveryAnswer)
            : problem;
}
