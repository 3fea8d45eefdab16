using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Usage;

/// <summary>Usage on the management API: sums, the log, one request, and the log as a file.</summary>
internal static class UsageEndpoints
{
    public static void MapUsage(this IEndpointRouteBuilder api)
    {
        var usage = api.MapGroup("").WithTags("Usage").Needs(Rights.UsageRead).For(Act.ReadUsage);
        usage.MapGet("/usage", Sums).WithName("getUsage").WithSummary("Sum up what was used").Gives(typeof(UsageReport));
        usage.MapGet("/usage/log", Log).WithName("listUsage").WithSummary("List requests, newest first").Gives(typeof(UsageLineList));
        usage.MapGet("/usage/log.csv", (HttpContext http, UsageReader reader, TimeProvider time, [AsParameters] UsageLogQuery query) =>
            Export(http, reader, time, query, isCsv: true))
            .WithName("exportUsageCsv").WithSummary("Export the log as CSV").GivesText(UsageExport.CsvType);
        usage.MapGet("/usage/log.ndjson", (HttpContext http, UsageReader reader, TimeProvider time, [AsParameters] UsageLogQuery query) =>
            Export(http, reader, time, query, isCsv: false))
            .WithName("exportUsageLines").WithSummary("Export the log as lines of JSON").GivesText(UsageExport.LinesType);
        usage.MapGet("/keys/{id}/usage", OfKey).WithName("getKeyUsage").WithSummary("Read what a key did")
            .Gives(typeof(KeyUsageAnswer)).Needs(Rights.None);
        usage.MapGet("/requests/{id}", Find).WithName("getRequest").WithSummary("Read what became of a request, step by step")
            .Gives(typeof(RequestAnswer)).Needs(Rights.None);
    }

    private static async Task<IResult> Sums(HttpContext http, UsageReader reader, TimeProvider time, [AsParameters] UsageQuery query)
    {
        if (!query.Read(Now(time)).TryGet(out var asked, out var problem)
            || !(await reader.Sums(Caller.Of(http), asked.Question, asked.Groups, http.RequestAborted)).TryGet(out var rows, out problem))
        {
            return new ProblemResult(problem);
        }

        return Answers.Json(new UsageReport([.. rows.Select(UsageSumAnswer.Of)]), UsageWire.Default.UsageReport);
    }

    private static async Task<IResult> OfKey(HttpContext http, string id, UsageReader reader, TimeProvider time, string? from, string? to)
    {
        if (!UsageRange.Read(from, to, Now(time), UsageRange.HourMs).TryGet(out var range, out var problem)
            || !(await reader.OfKey(Caller.Of(http), UsageTexts.Id(id), range, http.RequestAborted)).TryGet(out var usage, out problem))
        {
            return new ProblemResult(problem);
        }

        return Answers.Json(KeyUsageAnswer.Of(usage), UsageWire.Default.KeyUsageAnswer);
    }

    private static async Task<IResult> Log(
        HttpContext http, UsageReader reader, Pages pages, TimeProvider time, [AsParameters] UsageLogQuery query, int? limit,
        string? cursor)
    {
        if (!query.Read(Now(time)).TryGet(out var question, out var problem)
            || !pages.Read(http, $"usage {question}", limit, cursor).TryGet(out var page, out problem))
        {
            return new ProblemResult(problem);
        }

        var rows = await reader.Log(Caller.Of(http), question, page.Before, page.Limit + 1, http.RequestAborted);
        var (data, next) = page.Cut(rows, row => row.RequestNo);
        return Answers.Json(new UsageLineList([.. data.Select(UsageLineAnswer.Of)], next), UsageWire.Default.UsageLineList);
    }

    private static IResult Export(HttpContext http, UsageReader reader, TimeProvider time, UsageLogQuery query, bool isCsv) =>
        query.Read(Now(time)).TryGet(out var question, out var problem)
            ? new UsageExport(reader.Pages(Caller.Of(http), question, UsageExport.PageRows, http.RequestAborted), isCsv)
            : new ProblemResult(problem);

    private static async Task<IResult> Find(HttpContext http, string id, UsageReader reader)
    {
        // What is no id is as absent as a request that never was.
        _ = RequestId.TryParse(id, out var requestNo);
        return (await reader.Find(Caller.Of(http), requestNo, http.RequestAborted)).TryGet(out var row, out var problem)
            ? Answers.Json(RequestAnswer.Of(row), UsageWire.Default.RequestAnswer)
            : new ProblemResult(problem);
    }

    private static long Now(TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds();
}
