namespace Tollgate.Client;

/// <summary>
/// What one request has used: one that <see cref="Verdict.Reservation"/> stands for, or one of a key that was not asked about.
/// </summary>
public sealed record UsageReport
{
    public string? Reservation { get; init; }

    /// <summary>Whose request it was, where nothing was reserved.</summary>
    public string? KeyId { get; init; }

    public string? Model { get; init; }

    public required int InputTokens { get; init; }

    public required int OutputTokens { get; init; }

    /// <summary>Of the input tokens, those that the model server had in its cache; what they cost may be another price.</summary>
    public int? CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with; what they cost may be another price.</summary>
    public int? ReasoningTokens { get; init; }

    /// <summary>The HTTP status that was answered.</summary>
    public int? Status { get; init; }

    public int? LatencyMs { get; init; }

    /// <summary>Whether the tokens are an estimate.</summary>
    public bool? Estimated { get; init; }

    /// <summary>True while the request is under way: if nobody settles it, this is what it is settled for.</summary>
    public bool? InProgress { get; init; }

    /// <summary>When the request was made, where nothing was reserved.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Makes a report without a reservation repeatable.</summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>What a report came to.</summary>
public sealed record UsageReceipt
{
    public required string RequestId { get; init; }

    /// <summary><c>settled</c>, or <c>in_progress</c>.</summary>
    public required string State { get; init; }

    public string? Model { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }

    /// <summary>What the organization is billed, as a decimal; null where no price is known.</summary>
    public string? Cost { get; init; }
}

/// <summary>One report of a batch: an HTTP status, and what it came to or what was wrong with it.</summary>
public sealed record UsageReportRow(int Status, UsageReceipt? Result = null, UsageReportFault? Error = null);

/// <summary>Why a report was not taken.</summary>
public sealed record UsageReportFault(string Code, string Detail);

internal sealed record UsageReportBatch(IReadOnlyList<UsageReport> Records);

internal sealed record UsageReportRows(IReadOnlyList<UsageReportRow> Data);
