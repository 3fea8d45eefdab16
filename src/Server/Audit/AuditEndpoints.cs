using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using Tollgate.Engine.Permissions;
using Tollgate.Server.Access;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Audit;

/// <summary>The audit log on the management API: the operator reads all of it, a key with <c>audit:read</c> what is of its
/// project and of no other environment, a person what is of the organization or project that they name and may read.</summary>
internal static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder api) => api.MapGet("/audit", List)
        .WithName("listAudit")
        .WithSummary("List who did what, newest first")
        .WithTags("Audit")
        .Gives(typeof(AuditList))
        .Needs(Rights.AuditRead)
        .For(Act.ReadAudit);

    private static async Task<IResult> List(HttpContext http, AuditLog log, Pages pages, [AsParameters] AuditQuery query)
    {
        var caller = Caller.Of(http);
        if (!query.Filter().TryGet(out var filter, out var problem)
            || !pages.Read(http, $"audit {filter}", query.Limit, query.Cursor).TryGet(out var page, out problem))
        {
            return new ProblemResult(problem);
        }

        if (caller.IsPerson)
        {
            filter = filter with { OrganizationId = caller.OrganizationId, ProjectId = caller.ProjectId };
        }
        else if (!caller.IsRoot)
        {
            var own = caller.ProjectId ?? throw new InvalidOperationException("A key that calls has a project.");
            if (filter.ProjectId is { } asked && asked != own)
            {
                // As empty as the audit of a project that never was.
                return Answers.Json(new AuditList([], null), AuditWire.Default.AuditList);
            }

            filter = filter with { ProjectId = own, Environment = caller.Environment };
        }

        var (rows, next) = page.Cut(await log.List(filter, page.Before, page.Limit + 1, http.RequestAborted), row => row.Seq);
        return Answers.Json(new AuditList([.. rows.Select(AuditAnswer.Of)], next), AuditWire.Default.AuditList);
    }
}

/// <summary>The query of <c>GET /audit</c>; what is left out selects everything.</summary>
internal sealed record AuditQuery
{
    [FromQuery(Name = "organization_id")]
    public string? OrganizationId { get; init; }

    [FromQuery(Name = "project_id")]
    public string? ProjectId { get; init; }

    [FromQuery(Name = "actor_id")]
    public string? ActorId { get; init; }

    [FromQuery(Name = "target_id")]
    public string? TargetId { get; init; }

    [FromQuery(Name = "action")]
    public string? Action { get; init; }

    [FromQuery(Name = "from")]
    public string? From { get; init; }

    [FromQuery(Name = "to")]
    public string? To { get; init; }

    [FromQuery(Name = "limit")]
    public int? Limit { get; init; }

    [FromQuery(Name = "cursor")]
    public string? Cursor { get; init; }

    private const int TextCharsMax = 200;

    public Outcome<AuditFilter> Filter()
    {
        FieldError[] errors =
        [
            .. TextFault("/organization_id", OrganizationId),
            .. TextFault("/project_id", ProjectId),
            .. TextFault("/actor_id", ActorId),
            .. TextFault("/target_id", TargetId),
            .. TextFault("/action", Action),
            .. TimeFault("/from", From, out var fromMs),
            .. TimeFault("/to", To, out var toMs),
        ];
        return errors.Length > 0 ? Problem.Invalid(errors) : new AuditFilter
        {
            OrganizationId = OrganizationId,
            ProjectId = ProjectId,
            ActorId = ActorId,
            TargetId = TargetId,
            Action = Action,
            FromMs = fromMs,
            ToMs = toMs,
        };
    }

    /// <summary>PostgreSQL takes no U+0000 in text, and nothing we name is as long.</summary>
    private static FieldError[] TextFault(string pointer, string? text) =>
        text is null || (text.Length <= TextCharsMax && !text.Contains('\0', StringComparison.Ordinal))
            ? []
            : [new FieldError(pointer, $"must have at most {TextCharsMax} characters and no U+0000.")];

    private static FieldError[] TimeFault(string pointer, string? text, out long? ms)
    {
        var given = Rfc3339Time.TryParse(text, out var time);
        ms = given ? time.ToUnixTimeMilliseconds() : null;
        return given || text is null ? [] : [new FieldError(pointer, Rfc3339Time.Expected)];
    }
}

/// <summary>One audit row as the management API shows it. <c>before</c> and <c>after</c> are the target's own shape.</summary>
internal sealed record AuditAnswer
{
    public required long Seq { get; init; }

    public required DateTimeOffset At { get; init; }

    public required AuditParty Actor { get; init; }

    public required string Action { get; init; }

    public required AuditTarget Target { get; init; }

    public required string? OrganizationId { get; init; }

    public required string? ProjectId { get; init; }

    public required string? Environment { get; init; }

    public required JsonElement? Before { get; init; }

    public required JsonElement? After { get; init; }

    public required string? Reason { get; init; }

    public required string? Address { get; init; }

    public required string? UserAgent { get; init; }

    public required string RequestId { get; init; }

    public required string PrevHash { get; init; }

    public required string Hash { get; init; }

    public static AuditAnswer Of(AuditRow row) => new()
    {
        Seq = row.Seq,
        At = DateTimeOffset.FromUnixTimeMilliseconds(row.AtMs),
        Actor = new AuditParty(row.ActorType, row.ActorId, row.ActorName),
        Action = row.Action,
        Target = new AuditTarget(row.TargetType, row.TargetId),
        OrganizationId = row.OrganizationId,
        ProjectId = row.ProjectId,
        Environment = row.Environment,
        Before = Parse(row.BeforeJson),
        After = Parse(row.AfterJson),
        Reason = row.Reason,
        Address = row.Address,
        UserAgent = row.UserAgent,
        RequestId = row.RequestId,
        PrevHash = row.PrevHash,
        Hash = row.Hash,
    };

    private static JsonElement? Parse(string? json) => json is null ? null : JsonElement.Parse(json);
}

/// <summary>Who acted: a kind of caller in lower case, with the name it had then.</summary>
internal sealed record AuditParty(string Type, string Id, string Name);

internal sealed record AuditTarget(string Type, string Id);

internal sealed record AuditList(IReadOnlyList<AuditAnswer> Data, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(AuditList))]
internal sealed partial class AuditWire : JsonSerializerContext;
