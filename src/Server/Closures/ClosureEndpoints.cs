using Tollgate.Server.Access;
using Tollgate.Server.Keys;
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
            .WithSummary("Delete an organization and revoke its keys").Gives(typeof(DeletedAnswer)).OperatorOnly().Idempotent();
        api.MapDelete("/projects/{id}", DeleteProject).WithName("deleteProject").WithTags("Projects")
            .WithSummary("Delete a project and revoke its keys").Gives(typeof(DeletedAnswer)).OperatorOnly().Idempotent();
    }

    private static Task<IResult> DeleteOrganization(
        HttpContext http, string id, OrganizationRegister register, KeyRing ring, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
        {
            if (!(await register.Delete(scope, id)).TryGet(out var organization, out var problem))
            {
                return problem;
            }

            var revoked = 0;
            foreach (var projectNo in await OrganizationRegister.ProjectsOf(scope, organization))
            {
                revoked += await ring.RevokeAllOf(scope, projectNo, "organization deleted");
            }

            return Gone(organization.Id.Text, revoked);
        });

    private static Task<IResult> DeleteProject(
        HttpContext http, string id, OrganizationRegister register, KeyRing ring, MutationRunner mutations) =>
        mutations.RunWithoutBody(http, async scope =>
            (await register.DeleteProject(scope, id)).TryGet(out var project, out var problem)
                ? Gone(project.Id.Text, await ring.RevokeAllOf(scope, project.ProjectNo, "project deleted"))
                : problem);

    private static Outcome<MutationAnswer> Gone(string id, int keysRevoked) => MutationAnswer.Of(
        200, new DeletedAnswer(id, Deleted: true, keysRevoked), OrganizationWire.Default.DeletedAnswer);
}
