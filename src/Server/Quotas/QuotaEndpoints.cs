using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Quotas;

/// <summary>Quotas on the management API.</summary>
internal static class QuotaEndpoints
{
    public static void MapQuotas(this IEndpointRouteBuilder api)
    {
        var quotas = api.MapGroup("/organizations/{id}/quotas").WithTags("Organizations");
        quotas.MapGet("", List).WithName("listQuotas").WithSummary("List an organization's quotas").Gives(typeof(QuotaList))
            .Needs(Rights.UsageRead | Rights.UsageWrite).For(Act.ReadAccount);
        quotas.MapPut("/{name}", Set).WithName("setQuota").WithSummary("Say how much of a quota is used")
            .Takes(typeof(SetQuota)).Gives(typeof(QuotaAnswer)).Needs(Rights.UsageWrite).Idempotent().For(Act.Operate);
    }

    private static async Task<IResult> List(HttpContext http, string id, QuotaKeeper keeper, OrganizationRegister organizations) =>
        (await keeper.List(Caller.Of(http), organizations, id, http.RequestAborted)).TryGet(out var quotas, out var problem)
            ? Answers.Json(quotas, QuotaWire.Default.QuotaList)
            : new ProblemResult(problem);

    private static async Task<IResult> Set(HttpContext http, string id, string name, QuotaKeeper keeper, MutationRunner mutations) =>
        (await RequestBody.Read(http, QuotaWire.Default.SetQuota)).TryGet(out var body, out var problem)
            ? await mutations.Run(http, body.Raw, scope => Shown(keeper.Set(scope, id, name, body.Value)))
            : new ProblemResult(problem);

    private static async Task<Outcome<MutationAnswer>> Shown(Task<Outcome<QuotaAnswer>> change) =>
        (await change).TryGet(out var quota, out var problem)
            ? MutationAnswer.Of(200, quota, QuotaWire.Default.QuotaAnswer)
            : problem;
}
