using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Mvc;
using Tollgate.Server.Access;
using Tollgate.Server.Audit;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.Webhooks;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Teams;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Console.Audit;

/// <summary>Who changed what. Of a project only what is of that project, as its caller is bound to it.</summary>
internal static class AuditPages
{
    private const int RowsMax = 50;
    private const int TextCharsMax = 200;

    /// <summary>People in the filter; others are named in the page's address.</summary>
    private const int ActorsMax = 100;

    private const string Columns =
        "number,at,actor_type,actor_id,actor,action,target_type,target_id,project_id,environment,reason,address,user_agent,request_id";

    public static void MapAuditPages(this IEndpointRouteBuilder places)
    {
        places.MapGet("/audit", Show);
        places.MapGet("/audit.csv", Export);
    }

    private static async Task<IResult> Show(
        HttpContext http, FrameMaker pages, AuditLog log, Pages lists, TimeProvider time, [AsParameters] AuditForm form)
    {
        var place = ConsolePlace.Of(http);
        if (!place.May(Act.ReadAudit))
        {
            return pages.Problem(http, Problem.Of(ProblemCode.RoleMissing));
        }

        if (!Read(form, place).TryGet(out var filter, out var problem))
        {
            return pages.Of<AuditPage>(
                http, problem.Code.Status, ("Asked", await Asked(http, form, new AuditFilter(), [], null)),
                ("Faults", KeyForm.Faults(http, problem)));
        }

        if (!lists.Read(http, $"console audit {place.Id} {filter}", RowsMax, form.Cursor).TryGet(out var page, out problem))
        {
            return pages.Problem(http, problem, $"{place.Path}/audit");
        }

        var (rows, next) = page.Cut(await log.List(filter, page.Before, page.Limit + 1, http.RequestAborted), row => row.Seq);
        var names = await NamesOf(http, rows);
        var nowMs = KeyPages.Now(time);
        var asked = await Asked(http, form, filter, rows, names);
        return pages.Of<AuditPage>(http, 200, ("Asked", asked with
        {
            Lines = [.. rows.Select(row => LineOf(place, row, names, nowMs))],
            Next = next is null ? null : $"{place.Path}/audit?{QueryOf(form)}&cursor={Uri.EscapeDataString(next)}",
        }));
    }

    private static async Task<AuditAsked> Asked(
        HttpContext http, AuditForm form, AuditFilter filter, IReadOnlyList<AuditRow> rows, Dictionary<string, string>? names)
    {
        var place = ConsolePlace.Of(http);
        var actors = await ActorsOf(http, place);
        foreach (var row in rows.Where(row => actors.TrueForAll(one => one.Id != row.ActorId)).DistinctBy(row => row.ActorId))
        {
            actors.Add((row.ActorId, WhoOf(row, names!)));
        }

        if (filter.ActorId is { } asked && actors.TrueForAll(one => one.Id != asked))
        {
            actors.Add((asked, asked));
        }

        var isOfProject = place.Project is not null && RoleTable.May(place.RolesAbove, Act.ReadAudit);
        return new AuditAsked($"{place.Path}/audit", $"{place.Path}/audit.csv?{QueryOf(form)}")
        {
            Actions =
            [
                new("", "everything", null, filter.Action is null),
                .. AuditWords.Actions.Select(action => new FormChoice(action.Code, action.Words, null, action.Code == filter.Action)),
                .. filter.Action is { } code && AuditWords.Of(code) == code
                    ? [new FormChoice(code, code, null, true)]
                    : Array.Empty<FormChoice>(),
            ],
            Actors =
            [
                new("", "everybody", null, filter.ActorId is null),
                .. actors.Select(one => new FormChoice(one.Id, one.Name, null, one.Id == filter.ActorId)),
            ],
            Target = form.Target ?? "", From = form.From ?? "", To = form.To ?? "",
            Whole = isOfProject ? $"{ConsolePlace.Root}/{place.Organization.Id.Text}/audit" : null,
            IsFiltered = filter != FilterOf(place) || form.Cursor is not null,
        };
    }

    /// <summary>Who is in the organization, to choose from; who is not is found on the page itself.</summary>
    private static async Task<List<(string Id, string Name)>> ActorsOf(HttpContext http, ConsolePlace place)
    {
        if (!RoleTable.May(place.RolesAbove, Act.SeeMembers)
            || !(await http.RequestServices.GetRequiredService<TeamRoster>().Members(
                place.CallerAbove, place.Organization.Id.Text, http.RequestAborted)).TryGet(out var members, out _))
        {
            return [];
        }

        return [.. members.Take(ActorsMax).Select(one => (one.Member.PersonId, one.Name.Length > 0 ? one.Name : one.Email ?? "somebody"))];
    }

    /// <summary>People by their names of today, actors and targets.</summary>
    private static Task<Dictionary<string, string>> NamesOf(HttpContext http, IReadOnlyList<AuditRow> rows, bool isFile = false) =>
        KeyPages.MakersOf(http, rows.SelectMany(row => new[] { row.ActorId, row.TargetId }).Where(IsPerson), isFile);

    private static bool IsPerson(string id) => id.StartsWith("per_", StringComparison.Ordinal);

    private static string WhoOf(AuditRow row, Dictionary<string, string> names) => row.ActorType switch
    {
        "person" => names.GetValueOrDefault(row.ActorId, "somebody who is gone"),
        "root" => "the operator",
        "system" => "the gate itself",
        "nobody" => "somebody not signed in",
        _ => $"the key {row.ActorName}",
    };

    private static AuditLine LineOf(ConsolePlace place, AuditRow row, Dictionary<string, string> names, long nowMs) => new(
        WhoOf(row, names), AuditWords.Of(row.Action), row.Action, ThingOf(place, row, names), row.Reason ?? "", row.Address ?? "")
    {
        At = MomentFacts.Of(row.AtMs, nowMs), Changes = AuditWords.Changes(row.BeforeJson, row.AfterJson),
    };

    private static AuditThing ThingOf(ConsolePlace place, AuditRow row, Dictionary<string, string> names)
    {
        var kind = row.TargetType.Replace('_', ' ');
        if (IsPerson(row.TargetId))
        {
            return new AuditThing(kind, names.GetValueOrDefault(row.TargetId, row.TargetId), IsId: false, null);
        }

        var name = AuditWords.NameOf(row.BeforeJson, row.AfterJson);
        var isReached = place.Projects.Any(project => project.Id.Text == row.ProjectId);
        var href = row.TargetType switch
        {
            "key" when isReached && place.May(Act.SeeKeys) => $"{ConsolePlace.Root}/{row.ProjectId}/keys/{row.TargetId}",
            "project" when isReached => $"{ConsolePlace.Root}/{row.ProjectId}",
            "webhook" when WebhookPages.IsOfferedAt(place) => $"{place.Path}/webhooks/{row.TargetId}",
            "wallet" when place.May(Act.ReadAccount) => $"{place.Path}/wallet",
            _ => null,
        };
        return row.TargetType == "wallet" ? new AuditThing(kind, kind, IsId: false, href)
            : new AuditThing(kind, name ?? row.TargetId, name is null, href);
    }

    private static AuditFilter FilterOf(ConsolePlace place) =>
        new() { OrganizationId = place.Organization.Id.Text, ProjectId = place.Project?.Id.Text };

    private static Outcome<AuditFilter> Read(AuditForm form, ConsolePlace place)
    {
        var faults = new List<FieldError>();
        var filter = FilterOf(place) with
        {
            Action = Text("/action", form.Action, faults),
            ActorId = Text("/by", form.By, faults),
            TargetId = Text("/target", form.Target?.Trim(), faults),
            FromMs = Day("/from", form.From, faults),
            ToMs = Day("/to", form.To, faults) is { } last ? last + Tollgate.Server.Usage.UsageRange.DayMs : null,
        };
        if (filter.FromMs >= filter.ToMs)
        {
            faults.Add(new FieldError("/to", "must not be before the first day."));
        }

        return faults.Count > 0 ? Problem.Invalid(faults) : filter;
    }

    private static string? Text(string pointer, string? text, List<FieldError> faults)
    {
        if (text is not { Length: > 0 })
        {
            return null;
        }

        // PostgreSQL takes no U+0000 in text, and nothing we name is as long.
        if (text.Length > TextCharsMax || text.Contains('\0', StringComparison.Ordinal))
        {
            faults.Add(new FieldError(pointer, $"must have at most {TextCharsMax} characters and no U+0000."));
        }

        return text;
    }

    private static long? Day(string pointer, string? text, List<FieldError> faults)
    {
        if (text is not { Length: > 0 })
        {
            return null;
        }

        if (DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var day))
        {
            return day.ToUnixTimeMilliseconds();
        }

        faults.Add(new FieldError(pointer, "must be a date such as 2026-11-27."));
        return null;
    }

    private static string QueryOf(AuditForm form) => string.Join('&', new[]
    {
        ("action", form.Action), ("by", form.By), ("target", form.Target), ("from", form.From), ("to", form.To),
    }.Where(one => one.Item2 is { Length: > 0 }).Select(one => $"{one.Item1}={Uri.EscapeDataString(one.Item2!)}"));

    private static IResult Export(HttpContext http, FrameMaker pages, AuditLog log, [AsParameters] AuditForm form)
    {
        var place = ConsolePlace.Of(http);
        return !place.May(Act.ReadAudit) ? pages.Problem(http, Problem.Of(ProblemCode.RoleMissing))
            : Read(form, place).TryGet(out var filter, out var problem)
                ? new CsvFile("audit.csv", Columns, Rows(http, log, filter, http.RequestAborted))
            : pages.Problem(http, problem, $"{place.Path}/audit");
    }

    private static async IAsyncEnumerable<IReadOnlyList<string>> Rows(
        HttpContext http, AuditLog log, AuditFilter filter, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var before = long.MaxValue; ;)
        {
            var rows = await log.List(filter, before, CsvFile.PageRows, cancel);
            if (rows.Count > 0)
            {
                var names = await NamesOf(http, rows, isFile: true);
                yield return [.. rows.Select(row => RowOf(row, WhoOf(row, names)))];
                before = rows[^1].Seq;
            }

            if (rows.Count < CsvFile.PageRows)
            {
                yield break;
            }
        }
    }

    private static string RowOf(AuditRow row, string who) => CsvFile.Row(
    [
        CsvCell.OfNumber(row.Seq.ToString(CultureInfo.InvariantCulture)),
        .. new[]
        {
            Rfc3339Time.Format(DateTimeOffset.FromUnixTimeMilliseconds(row.AtMs)), row.ActorType, row.ActorId, who, row.Action,
            row.TargetType, row.TargetId, row.ProjectId, row.Environment, row.Reason, row.Address, row.UserAgent, row.RequestId,
        }.Select(CsvCell.Of),
    ]);
}

/// <summary>The filter of the audit page, in its address.</summary>
internal sealed record AuditForm
{
    [FromQuery(Name = "action")]
    public string? Action { get; init; }

    [FromQuery(Name = "by")]
    public string? By { get; init; }

    [FromQuery(Name = "target")]
    public string? Target { get; init; }

    [FromQuery(Name = "from")]
    public string? From { get; init; }

    [FromQuery(Name = "to")]
    public string? To { get; init; }

    [FromQuery(Name = "cursor")]
    public string? Cursor { get; init; }
}
