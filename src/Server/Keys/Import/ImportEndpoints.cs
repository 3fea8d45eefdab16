using Microsoft.AspNetCore.Mvc;
using Tollgate.Server.Access;
using Tollgate.Server.Mutations;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Keys.Import;

/// <summary>Other systems' keys move in: the operator's to do.</summary>
internal static class ImportEndpoints
{
    public static void MapImport(this IEndpointRouteBuilder api) =>
        api.MapPost("/import", Import).WithName("importKeys").WithTags("Keys").WithSummary("Take in up to 1,000 keys made elsewhere")
            .TakesLines(typeof(ImportRow)).Gives(typeof(ImportAnswer)).OperatorOnly().Idempotent();

    private static async Task<IResult> Import(
        HttpContext http,
        KeyIntake intake,
        MutationRunner mutations,
        string? project,
        [FromQuery(Name = "dry_run")] bool? isTrial)
    {
        if (!(await RequestBody.ReadBytes(http, ImportLines.BytesMax, RequestBody.LinesType)).TryGet(out var body, out var problem)
            || !ImportLines.Read(body).TryGet(out var lines, out problem))
        {
            return new ProblemResult(problem);
        }

        return await mutations.Run(http, body, async scope =>
        {
            var results = await intake.TakeIn(scope, lines, project, isTrial == true);
            return MutationAnswer.Of(200, ImportAnswer.Of(results), ImportWire.Default.ImportAnswer);
        });
    }
}
