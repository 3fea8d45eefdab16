using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Journal;

/// <summary>A report whose members are sound, each for itself. Whether its reservation or key exists is not asked here.</summary>
internal sealed record ReportTerms
{
    /// <summary>More than any model takes, and little enough that a price of it fits into a number.</summary>
    public const int TokensMax = 100_000_000;

    public const int LatencyMsMax = 86_400_000;

    public const int RequiresCharsMax = 200;

    public const int IdempotencyCharsMax = 255;

    /// <summary>Clocks of servers differ by so much; what is told of the future within it is now.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromMinutes(1);

    /// <summary>What is older is no longer told.</summary>
    public static readonly TimeSpan Behind = TimeSpan.FromDays(7);

    public required UseReport Report { get; init; }

    /// <summary>Null where a key is named instead.</summary>
    public long? RequestNo { get; init; }

    public required long MadeAtMs { get; init; }

    public static Outcome<ReportTerms> Of(UseReport report, DateTimeOffset now)
    {
        if (Fault(report, now) is { } fault)
        {
            return Problem.Invalid([fault]);
        }

        long? requestNo = null;
        if (report.Reservation is { } text)
        {
            if (!RequestId.TryParseReservation(text, out var number))
            {
                return NoReservation;
            }

            requestNo = number;
        }

        var at = report.At is { } told && told < now ? told : now;
        return new ReportTerms { Report = report, RequestNo = requestNo, MadeAtMs = at.ToUnixTimeMilliseconds() };
    }

    public static Problem NoReservation { get; } = new(ProblemCode.NotFound, "There is no such reservation.");

    private static FieldError? Fault(UseReport report, DateTimeOffset now) =>
        report.Reservation is null == report.KeyId is null
            ? new("/reservation", "is needed, or key_id for a request that was not reserved; not both.")
        : report.InputTokens is < 0 or > TokensMax ? new("/input_tokens", $"must be a whole number from 0 to {TokensMax}.")
        : report.OutputTokens is < 0 or > TokensMax ? new("/output_tokens", $"must be a whole number from 0 to {TokensMax}.")
        : report.CachedTokens < 0 || report.CachedTokens > report.InputTokens
            ? new("/cached_tokens", "must be a whole number from 0 to input_tokens, of which they are a part.")
        : report.ReasoningTokens < 0 || report.ReasoningTokens > report.OutputTokens
            ? new("/reasoning_tokens", "must be a whole number from 0 to output_tokens, of which they are a part.")
        : report.Status is < 100 or > 599 ? new("/status", "must be an HTTP status, 100 to 599.")
        : report.LatencyMs is < 0 or > LatencyMsMax ? new("/latency_ms", $"must be a whole number from 0 to {LatencyMsMax}.")
        : report.Reservation is not null ? FaultOfReserved(report)
        : report.InProgress == true ? new("/in_progress", "is told of reservations only.")
        : report.At > now + Ahead ? new("/at", "must not be in the future.")
        : report.At < now - Behind ? new("/at", $"must be at most {Behind.TotalDays} days ago.")
        : report.IdempotencyKey is { } key && !IsIdempotencyKey(key)
            ? new("/idempotency_key", $"must have 1 to {IdempotencyCharsMax} visible ASCII characters.")
        : null;

    private static FieldError? FaultOfReserved(UseReport report) =>
        report.At is not null ? new("/at", "is told without a reservation only: a reserved request was made when it was checked.")
        : report.Requires is not null ? new("/requires", "was told when the request was checked.")
        : report.IdempotencyKey is not null
            ? new("/idempotency_key", "is not needed with a reservation, which is settled once however often it is told.")
        : null;

    private static bool IsIdempotencyKey(string key) =>
        key.Length is > 0 and <= IdempotencyCharsMax && key.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;
}
