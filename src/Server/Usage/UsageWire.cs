using System.Globalization;
using System.Text.Json.Serialization;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Usage;

/// <summary>Sums, with what they are kept apart by; the rest of those members is null.</summary>
internal sealed record UsageSumAnswer
{
    public required string? KeyId { get; init; }

    public required string? KeyName { get; init; }

    public required string? ProjectId { get; init; }

    public required string? Model { get; init; }

    public required string? Day { get; init; }

    public required long Requests { get; init; }

    public required long Refused { get; init; }

    /// <summary>Of the requests, those that were answered with a status of 400 or more.</summary>
    public required long Failed { get; init; }

    public required long InputTokens { get; init; }

    public required long OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public required long CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public required long ReasoningTokens { get; init; }

    /// <summary>A decimal; null when nothing of it has a price.</summary>
    public required string? Cost { get; init; }

    public required long Estimated { get; init; }

    public static UsageSumAnswer Of(UsageSumRow row) => new()
    {
        KeyId = row.KeyId,
        KeyName = row.KeyName,
        ProjectId = row.ProjectId,
        Model = row.Model,
        Day = row.FromMs == 0 ? null : DayOf(row),
        Requests = row.Requests,
        Refused = row.Refused,
        Failed = row.Failed,
        InputTokens = row.InputTokens,
        OutputTokens = row.OutputTokens,
        CachedTokens = row.CachedTokens,
        ReasoningTokens = row.ReasoningTokens,
        Cost = CostOf(row),
        Estimated = row.Estimated,
    };

    public static string DayOf(UsageSumRow row) =>
        DateTimeOffset.FromUnixTimeMilliseconds(row.FromMs).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static string? CostOf(UsageSumRow row) => row.Priced == 0 ? null : new Money(row.CostMicros).ToString();
}

internal sealed record UsageReport(IReadOnlyList<UsageSumAnswer> Data);

/// <summary>What one key did.</summary>
internal sealed record KeyUsageAnswer
{
    public required string KeyId { get; init; }

    public required string KeyName { get; init; }

    public required long Requests { get; init; }

    public required long Refused { get; init; }

    /// <summary>Of the requests, those that were answered with a status of 400 or more.</summary>
    public required long Failed { get; init; }

    public required long InputTokens { get; init; }

    public required long OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public required long CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public required long ReasoningTokens { get; init; }

    public required string? Cost { get; init; }

    public required long Estimated { get; init; }

    /// <summary>Of all its time, whatever time is asked for.</summary>
    public required DateTimeOffset? LastUsedAt { get; init; }

    public required IReadOnlyList<ModelUsage> Models { get; init; }

    public required IReadOnlyList<DayUsage> ByDay { get; init; }

    public static KeyUsageAnswer Of(KeyUsage usage) => new()
    {
        KeyId = usage.Key.KeyId,
        KeyName = usage.Key.KeyName,
        Requests = usage.Total.Requests,
        Refused = usage.Total.Refused,
        Failed = usage.Total.Failed,
        InputTokens = usage.Total.InputTokens,
        OutputTokens = usage.Total.OutputTokens,
        CachedTokens = usage.Total.CachedTokens,
        ReasoningTokens = usage.Total.ReasoningTokens,
        Cost = UsageSumAnswer.CostOf(usage.Total),
        Estimated = usage.Total.Estimated,
        LastUsedAt = usage.LastUsedAtMs is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null,
        Models =
        [
            .. usage.Models.Select(row => new ModelUsage(
                row.Model!, row.Requests, row.Refused, row.InputTokens, row.OutputTokens, row.CachedTokens, row.ReasoningTokens,
                UsageSumAnswer.CostOf(row))),
        ],
        ByDay =
        [
            .. usage.Days.Select(row => new DayUsage(
                UsageSumAnswer.DayOf(row), row.Requests, row.Refused, row.InputTokens, row.OutputTokens, row.CachedTokens,
                row.ReasoningTokens, UsageSumAnswer.CostOf(row))),
        ],
    };
}

internal sealed record ModelUsage(
    string Model, long Requests, long Refused, long InputTokens, long OutputTokens, long CachedTokens,
    long ReasoningTokens, string? Cost);

internal sealed record DayUsage(
    string Day, long Requests, long Refused, long InputTokens, long OutputTokens, long CachedTokens,
    long ReasoningTokens, string? Cost);

/// <summary>A line of the usage log.</summary>
internal sealed record UsageLineAnswer
{
    public required string RequestId { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary><c>passed</c>, <c>refused</c>, or <c>open</c> while it is under way.</summary>
    public required string Outcome { get; init; }

    /// <summary>The verdict's code, such as <c>allowed</c> or <c>rate_limited</c>.</summary>
    public required string Code { get; init; }

    public required string? KeyId { get; init; }

    public required string? KeyName { get; init; }

    public required string? ProjectId { get; init; }

    public required string? OrganizationId { get; init; }

    public required string? Environment { get; init; }

    public required string? Model { get; init; }

    public required long InputTokens { get; init; }

    public required long OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public required long CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public required long ReasoningTokens { get; init; }

    public required string? Cost { get; init; }

    /// <summary>The HTTP status that the API server told.</summary>
    public required int? Status { get; init; }

    public required long LatencyMs { get; init; }

    /// <summary>Whether the tokens are an estimate.</summary>
    public required bool Estimated { get; init; }

    public required UsageLimit? Limit { get; init; }

    public static UsageLineAnswer Of(UsageLogRow row) => new()
    {
        RequestId = Wire.RequestId.Of(row.RequestNo),
        At = DateTimeOffset.FromUnixTimeMilliseconds(row.AtMs),
        Outcome = OutcomeOf(row),
        Code = CodeOf(row).ToText(),
        KeyId = row.KeyId,
        KeyName = row.KeyName,
        ProjectId = row.ProjectId,
        OrganizationId = row.OrganizationId,
        Environment = row.Environment,
        Model = row.Model,
        InputTokens = row.InputTokens,
        OutputTokens = row.OutputTokens,
        CachedTokens = row.CachedTokens,
        ReasoningTokens = row.ReasoningTokens,
        Cost = row.CostMicros is { } micros ? new Money(micros).ToString() : null,
        Status = row.Status == 0 ? null : (int)row.Status,
        LatencyMs = row.LatencyMs,
        Estimated = ((BookedFlags)row.Flags).HasFlag(BookedFlags.Estimated),
        Limit = row.LimitName is null ? null : new UsageLimit(
            row.LimitName, row.LimitAmount, row.LimitRemaining,
            row.RetryAtMs == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.RetryAtMs)),
    };

    public static string OutcomeOf(UsageLogRow row) => row.Code switch { -1 => "passed", -2 => "open", _ => "refused" };

    public static VerdictCode CodeOf(UsageLogRow row) => row.Code < 0 ? VerdictCode.Allowed
        // A number that only a newer version knows.
        : VerdictCodes.TryFromNumber((int)row.Code, out var code) ? code : VerdictCode.Busy;
}

/// <summary>The limit that refused a request, and how it stood.</summary>
internal sealed record UsageLimit(string Name, long Amount, long Remaining, DateTimeOffset? RetryAt);

internal sealed record UsageLineList(IReadOnlyList<UsageLineAnswer> Data, string? NextCursor);

/// <summary>One request, and how it was decided.</summary>
internal sealed record RequestAnswer(UsageLineAnswer Request, IReadOnlyList<RequestStep> Steps)
{
    public static RequestAnswer Of(UsageLogRow row) => new(
        UsageLineAnswer.Of(row),
        [
            .. Explanation.Of(UsageLineAnswer.CodeOf(row)).Select(step => new RequestStep(
                step.Step.ToText(),
                step.Outcome switch { StepOutcome.Passed => "passed", StepOutcome.Failed => "failed", _ => "not_reached" },
                step.Code?.ToText())),
        ]);
}

/// <summary>One step of the decision; where it failed, the code.</summary>
internal sealed record RequestStep(string Step, string Outcome, string? Code);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(UsageReport))]
[JsonSerializable(typeof(KeyUsageAnswer))]
[JsonSerializable(typeof(UsageLineList))]
[JsonSerializable(typeof(RequestAnswer))]
[JsonSerializable(typeof(UsageLineAnswer))]
internal sealed partial class UsageWire : JsonSerializerContext;
