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
        Map(api.MapGroup("/organizations/{id}/webhooks").For(Act.ManageWebhooks), isOfProject: false);
        Map(api.MapGroup("/projects/{id}/webhooks").For(Act.ManageProjectWebhooks), isOfProject: true);
    }

    /// <summary>The same calls for both who may have webhooks.</summary>
    private static void Map(RouteGroupBuilder group, bool isOfProject)
    {
        var webhooks = group.WithTags("Webhooks").Needs(Rights.WebhooksManage);
        webhooks.AddEndpointFilter(async (context, next) =>
            context.HttpContext.GetRouteValue("id") is string id && id.StartsWith("prj_", StringComparison.Ordinal) == isOfProject
                ? await next(context)
                : new ProblemResult(new Problem(
                    ProblemCode.NotFound, $"There is no such {(isOfProject ? "project" : "organization")}.")));
        var (noun, whose) = isOfProject ? ("ProjectWebhook", " of a project") : ("Webhook", "");
        webhooks.MapPost("", Create).WithName($"create{noun}").WithSummary($"Create a webhook{whose}")
            .Takes(typeof(CreateWebhook)).Gives(typeof(WebhookAnswer), 201).Idempotent();
        webhooks.MapGet("", List).WithName($"list{noun}s")
            .WithSummary($"List the webhooks of {(isOfProject ? "a project" : "an organization")}").Gives(typeof(WebhookList));
        webhooks.MapGet("/{webhook}", Get).WithName($"get{noun}").WithSummary($"Read a webhook{whose}").Gives(typeof(WebhookAnswer));
        webhooks.MapPatch("/{webhook}", Change).WithName($"update{noun}").WithSummary($"Change, disable or enable a webhook{whose}")
            .Takes(typeof(ChangeWebhook)).Gives(typeof(WebhookAnswer)).Idempotent();
        webhooks.MapDelete("/{webhook}", Delete).WithName($"delete{noun}").WithSummary($"Delete a webhook{whose}")
            .Gives(typeof(DeletedWebhook)).Idempotent();
        webhooks.MapPost("/{webhook}/rotate-secret", Rotate).WithName($"rotate{noun}Secret")
            .WithSummary($"Give a webhook{whose} a new secret; the old one signs too for a grace")
            .MayTake(typeof(RotateWebhookSecret)).Gives(typeof(WebhookAnswer)).Idempotent();
        webhooks.MapPost("/{webhook}/test", Test).WithName($"test{noun}").WithSummary($"Send a test event to a webhook{whose}")
            .Gives(typeof(WebhookDeliveryAnswer)).Idempotent();
        webhooks.MapGet("/{webhook}/deliveries", Deliveries).WithName($"list{noun}Deliveries")
            .WithSummary($"List what was or is to be delivered to a webhook{whose}, newest first").Gives(typeof(WebhookDeliveryList));
        webhooks.MapPost("/{webhook}/deliveries/{delivery}/replay", Replay).WithName($"replay{noun}Delivery")
            .WithSummary($"Deliver an event once more to a webhook{whose}").Gives(typeof(WebhookDeliveryAnswer)).Idempotent();
        webhooks.MapPost("/{webhook}/replay", ReplayFailed).WithName($"replayFailed{(isOfProject ? "Project" : "")}Deliveries")
            .WithSummary($"Deliver once more all that failed since a time to a webhook{whose}")
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
