using System.Text.Json.Serialization;

namespace Tollgate.Client;

/// <summary>Sums of what was used. Members that sums are not kept apart by are null.</summary>
public sealed record UsageSum
{
    public string? KeyId { get; init; }

    public string? KeyName { get; init; }

    public string? ProjectId { get; init; }

    public string? Model { get; init; }

    /// <summary>A day of UTC.</summary>
    public DateOnly? Day { get; init; }

    /// <summary>Requests that passed.</summary>
    public long Requests { get; init; }

    public long Refused { get; init; }

    /// <summary>Of the requests, those that were answered with a status of 400 or more.</summary>
    public long Failed { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public long ReasoningTokens { get; init; }

    /// <summary>In the provider's currency; null where nothing has a price.</summary>
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
    public decimal? Cost { get; init; }

    /// <summary>Of the requests, those whose tokens are an estimate.</summary>
    public long Estimated { get; init; }
}

/// <summary>What one key did.</summary>
public sealed record KeyUsage
{
    public required string KeyId { get; init; }

    public string? KeyName { get; init; }

    public long Requests { get; init; }

    public long Refused { get; init; }

    /// <summary>Of the requests, those that were answered with a status of 400 or more.</summary>
    public long Failed { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public long ReasoningTokens { get; init; }

    /// <inheritdoc cref="UsageSum.Cost"/>
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
    public decimal? Cost { get; init; }

    public long Estimated { get; init; }

    /// <summary>Of all its time; null for a key that was never used.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    public IReadOnlyList<UsageSum> Models { get; init => field = value ?? []; } = [];

    /// <summary>Newest first.</summary>
    public IReadOnlyList<UsageSum> ByDay { get; init => field = value ?? []; } = [];
}

/// <summary>One request.</summary>
public sealed record UsageLine
{
    public required string RequestId { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary><c>passed</c>, <c>refused</c>, or <c>open</c> while it is under way.</summary>
    public required string Outcome { get; init; }

    /// <summary>Such as <c>allowed</c> or <c>rate_limited</c>.</summary>
    public required string Code { get; init; }

    public string? KeyId { get; init; }

    public string? KeyName { get; init; }

    public string? ProjectId { get; init; }

    public string? OrganizationId { get; init; }

    public string? Environment { get; init; }

    public string? Model { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public long ReasoningTokens { get; init; }

    /// <inheritdoc cref="UsageSum.Cost"/>
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
    public decimal? Cost { get; init; }

    /// <summary>The HTTP status that the API server told.</summary>
    public int? Status { get; init; }

    public long LatencyMs { get; init; }

    public bool Estimated { get; init; }

    /// <summary>The limit that refused; null where none did.</summary>
    public LimitRefusal? Limit { get; init; }
}

/// <summary>A limit that refused a request, and how it stood.</summary>
public sealed record LimitRefusal
{
    public required string Name { get; init; }

    public long Amount { get; init; }

    public long Remaining { get; init; }

    /// <summary>When the request would have fitted; null where that is not a matter of time.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>One request and how it was decided.</summary>
public sealed record DecidedRequest
{
    public required UsageLine Request { get; init; }

    public IReadOnlyList<DecisionStep> Steps { get; init => field = value ?? []; } = [];
}

/// <summary>One step: <c>passed</c>, <c>failed</c> or <c>not_reached</c>.</summary>
public sealed record DecisionStep(string Step, string Outcome, string? Code = null);

/// <summary>Whose usage is wanted, and when. A null member does not filter.</summary>
public sealed record UsageFilter
{
    /// <summary>Counts; a whole hour where sums are wanted.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Does not count.</summary>
    public DateTimeOffset? To { get; init; }

    public string? Key { get; init; }

    public string? Project { get; init; }

    public string? Organization { get; init; }

    public string? Environment { get; init; }

    public string? Model { get; init; }
}

internal sealed record UsageSums(IReadOnlyList<UsageSum> Data);
