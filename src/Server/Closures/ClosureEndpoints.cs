using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Closures;

/// <summary>
/// Closing a project or an organization: what spans organizations and keys in one transaction. Every key inside is revoked with it, and
/// the answer says how many there were.
/// </summary>
internal static class ClosureEndpoints
{
    public static void MapClosures(this IEndpointRouteBuilder api)
    {
        api.MapDelete("/organizations/{id}", DeleteOrganization).WithName("deleteOrganization").WithTags("Organizations")
            .WithSummary("Delete an organization and revoke its keys").Gives(typeof(DeletedAnswer)).OperatorOnly().Idempotent()
            .For(Act.EndOrganization);
        api.MapGet("/organizations/{id}/deletion", PreviewOrganization).WithName("previewOrganizationDeletion").WithTags("Organizations")
            .WithSummary("See what deleting an organization would do").Gives(typeof(DeletedAnswer)).OperatorOnly()
            .For(Act.EndOrganization);
        api.MapDelete("/projects/{id}", DeleteProject).WithName("deleteProject").WithTags("Projects")
            .WithSummary("Delete a project and revoke its keys").Gives(typeof(DeletedAnswer)).OperatorOnly().Idempotent()
            .For(Act.RunOrganization);
    }

    private static async Task<IResult> DeleteOrganization(HttpContext http, string id, Closure closure, MutationRunner mutations)
    {
        await (closure.Ready?.Invoke() ?? Task.CompletedTask);
        return await mutations.RunWithoutBody(
            http, async scope => (await closure.Close(scope, id)).TryGet(out var closed, out var problem) ? Gone(closed) : problem);
    }

    private static async Task<IResult> PreviewOrganization(HttpContext http, string id, Closure closure) =>
        (await closure.Preview(id, http.RequestAborted)).TryGet(out var closed, out var problem)
            ? Answers.Json(
                new DeletedAnswer(closed.Id, Deleted: false, closed.KeysRevoked), OrganizationWire.Default.DeletedAnswer)
            : new ProblemResult(problem);

    private static Task<IResult> DeleteProject(HttpContext http, string id, Closure closure, MutationRunner mutations) =>
        mutations.RunWithoutBody(
            http, async scope => (await closure.CloseProject(scope, id)).TryGet(out var closed, out var problem) ? Gone(closed) : problem);

    private static Outcome<MutationAnswer> Gone(Closed closed) => MutationAnswer.Of(
        200, new DeletedAnswer(closed.Id, Deleted: true, closed.KeysRevoked), OrganizationWire.Default.DeletedAnswer);
}
