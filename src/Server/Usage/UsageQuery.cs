using Microsoft.AspNetCore.Mvc;
using Tollgate.Server.Problems;

namespace Tollgate.Server.Usage;

/// <summary>The query of <c>GET /usage</c>.</summary>
internal sealed record UsageQuery
{
    [FromQuery(Name = "from")]
    public string? From { get; init; }

    [FromQuery(Name = "to")]
    public string? To { get; init; }

    [FromQuery(Name = "group_by")]
    public string? GroupBy { get; init; }

    [FromQuery(Name = "key_id")]
    public string? KeyId { get; init; }

    [FromQuery(Name = "project_id")]
    public string? ProjectId { get; init; }

    [FromQuery(Name = "organization_id")]
    public string? OrganizationId { get; init; }

    [FromQuery(Name = "environment")]
    public string? Environment { get; init; }

    [FromQuery(Name = "model")]
    public string? Model { get; init; }

    public const string GroupsExpected = "must be some of key, model, day, project, separated by commas.";

    private static readonly string[] Groups = ["key", "model", "day", "project"];

    public Outcome<(UsageQuestion Question, UsageGroups Groups)> Read(long nowMs)
    {
        var words = GroupBy is null ? [] : GroupBy.Split(',');
        if (words.Any(word => !Groups.Contains(word)) || words.Distinct().Count() != words.Length)
        {
            return Problem.Invalid("/group_by", GroupsExpected);
        }

        var groups = new UsageGroups(words.Contains("key"), words.Contains("model"), words.Contains("day"), words.Contains("project"));
        return UsageTexts.Read(
            UsageRange.Read(From, To, nowMs, UsageRange.HourMs), KeyId, ProjectId, OrganizationId, Environment, Model, null)
            .TryGet(out var question, out var problem)
                ? (question, groups)
                : problem;
    }
}

/// <summary>The query of <c>GET /usage/log</c> and of the exports, which have no pages.</summary>
internal sealed record UsageLogQuery
{
    [FromQuery(Name = "from")]
    public string? From { get; init; }

    [FromQuery(Name = "to")]
    public string? To { get; init; }

    [FromQuery(Name = "key_id")]
    public string? KeyId { get; init; }

    [FromQuery(Name = "project_id")]
    public string? ProjectId { get; init; }

    [FromQuery(Name = "organization_id")]
    public string? OrganizationId { get; init; }

    [FromQuery(Name = "environment")]
    public string? Environment { get; init; }

    [FromQuery(Name = "model")]
    public string? Model { get; init; }

    [FromQuery(Name = "outcome")]
    public string? Outcome { get; init; }

    public Outcome<UsageQuestion> Read(long nowMs) => Outcome is null or "passed" or "refused"
        ? UsageTexts.Read(UsageRange.Read(From, To, nowMs, 1), KeyId, ProjectId, OrganizationId, Environment, Model, Outcome)
        : Problem.Invalid("/outcome", "must be passed or refused.");
}

/// <summary>Filters as they are sent.</summary>
internal static class UsageTexts
{
    private const int CharsMax = 200;

    /// <summary>An id in a path; what can be none is as absent as one that nobody has.</summary>
    public static string Id(string text) => text.Length > CharsMax || text.Contains('\0', StringComparison.Ordinal) ? "" : text;

    public static Outcome<UsageQuestion> Read(
        Outcome<UsageRange> range, string? keyId, string? projectId, string? organizationId, string? environment, string? model,
        string? outcome)
    {
        (string Pointer, string? Text)[] texts =
        [
            ("/key_id", keyId), ("/project_id", projectId), ("/organization_id", organizationId), ("/environment", environment),
            ("/model", model),
        ];
        FieldError[] errors =
        [
            .. range.Problem?.Errors ?? [],
            // PostgreSQL takes no U+0000 in text, and nothing we name is as long.
            .. texts.Where(one => one.Text is { } text && (text.Length > CharsMax || text.Contains('\0', StringComparison.Ordinal)))
                .Select(one => new FieldError(one.Pointer, $"must have at most {CharsMax} characters and no U+0000.")),
        ];
        return errors.Length > 0 ? Problem.Invalid(errors) : new UsageQuestion
        {
            Range = range.Value,
            KeyId = keyId,
            ProjectId = projectId,
            OrganizationId = organizationId,
            Environment = environment,
            Model = model,
            Outcome = outcome,
        };
    }
}
