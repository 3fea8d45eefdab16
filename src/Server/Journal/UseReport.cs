using System.Text.Json.Serialization;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Journal;

/// <summary>
/// What an API server tells of a request: either of one that it reserved, which is settled by this, or of one that it made for a key
/// without asking.
/// </summary>
internal sealed record UseReport
{
    /// <summary>As the check answered it.</summary>
    public string? Reservation { get; init; }

    /// <summary>Whose request it was, where nothing was reserved.</summary>
    public string? KeyId { get; init; }

    public string? Model { get; init; }

    /// <summary>Without a reservation: the scope the request needed, or scope:action, for limits that count only some requests.</summary>
    public string? Requires { get; init; }

    public required int InputTokens { get; init; }

    public required int OutputTokens { get; init; }

    // What was left out is not written: a report that is repeated is known by its text, which was without these two before.

    /// <summary>Of the input tokens, those that the model server had in its cache.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? CachedTokens { get; init; }

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ReasoningTokens { get; init; }

    /// <summary>The HTTP status that was answered.</summary>
    public int? Status { get; init; }

    public int? LatencyMs { get; init; }

    /// <summary>Whether the tokens are an estimate.</summary>
    public bool? Estimated { get; init; }

    /// <summary>True while the request is under way: if nobody settles it, this is what it is settled for.</summary>
    public bool? InProgress { get; init; }

    /// <summary>When the request was made, where nothing was reserved; now, when left out.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Makes a report without a reservation repeatable: the same one is taken once.</summary>
    public string? IdempotencyKey { get; init; }
}

internal sealed record UseReportBatch(IReadOnlyList<UseReport?>? Records);

/// <summary>What a report came to.</summary>
internal sealed record UseReceipt
{
    public required string RequestId { get; init; }

    /// <summary><c>settled</c>, or <c>in_progress</c>.</summary>
    public required string State { get; init; }

    public required string? Model { get; init; }

    public required long InputTokens { get; init; }

    public required long OutputTokens { get; init; }

    /// <summary>What the organization is billed, as a decimal; null where no price is known.</summary>
    public required string? Cost { get; init; }
}

/// <summary>One row of a batch: what it came to, or what was wrong with it.</summary>
internal sealed record UseReportRow
{
    public required int Status { get; init; }

    public UseReceipt? Result { get; init; }

    public UseReportError? Error { get; init; }
}

internal sealed record UseReportError(string Code, string Detail);

internal sealed record UseReportRows(IReadOnlyList<UseReportRow> Data);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(Rfc3339Time)])]
[JsonSerializable(typeof(UseReport))]
[JsonSerializable(typeof(UseReportBatch))]
[JsonSerializable(typeof(UseReceipt))]
[JsonSerializable(typeof(UseReportRows))]
internal sealed partial class JournalWire : JsonSerializerContext;
