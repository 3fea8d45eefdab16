using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Journal;

/// <summary>What requests have used, as API servers tell it.</summary>
internal static class ReportEndpoints
{
    public const int BatchMax = 1_000;
    public const int BatchBytesMax = 1_024 * 1_024;

    public static void MapReports(this IEndpointRouteBuilder api)
    {
        var usage = api.MapGroup("/usage").WithTags("Usage");
        usage.MapPost("", One).WithName("reportUsage").WithSummary("Settle a reserved request, or record one that was not reserved")
            .Takes(typeof(UseReport)).Gives(typeof(UseReceipt)).Needs(Rights.UsageWrite);
        usage.MapPost("/batch", Many).WithName("reportUsages").WithSummary("Settle or record up to 1,000 requests")
            .Takes(typeof(UseReportBatch)).Gives(typeof(UseReportRows)).Needs(Rights.UsageWrite);
    }

    private static async Task<IResult> One(HttpContext http, Reports reports)
    {
        if (!(await RequestBody.Read(http, JournalWire.Default.UseReport)).TryGet(out var body, out var problem))
        {
            return new ProblemResult(problem);
        }

        var taken = await reports.Take(Caller.Of(http), [body.Value]);
        return taken[0].TryGet(out var answer, out problem)
            ? Answers.Json(answer, JournalWire.Default.UseReceipt)
            : new ProblemResult(problem);
    }

    private static async Task<IResult> Many(HttpContext http, Reports reports)
    {
        if (!(await RequestBody.Read(http, JournalWire.Default.UseReportBatch, BatchBytesMax)).TryGet(out var body, out var problem))
        {
            return new ProblemResult(problem);
        }

        if (body.Value.Records is not { Count: > 0 and <= BatchMax } records)
        {
            return new ProblemResult(Problem.Invalid("/records", $"must hold 1 to {BatchMax} reports."));
        }

        if (records.ToList().FindIndex(report => report is null) is >= 0 and var nothing)
        {
            return new ProblemResult(Problem.Invalid($"/records/{nothing}", "must be an object."));
        }

        var taken = await reports.Take(Caller.Of(http), [.. records.Select(report => report!)]);
        return Answers.Json(new UseReportRows([.. taken.Select(RowOf)]), JournalWire.Default.UseReportRows);
    }

    private static UseReportRow RowOf(Outcome<UseReceipt> taken) => taken.TryGet(out var answer, out var problem)
        ? new UseReportRow { Status = StatusCodes.Status200OK, Result = answer }
        : new UseReportRow { Status = problem.Code.Status, Error = new UseReportError(problem.Code.Code, problem.Detail) };
}
