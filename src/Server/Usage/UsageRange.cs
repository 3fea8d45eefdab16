using System.Globalization;
using Tollgate.Server.Problems;
using Tollgate.Server.Wire;

namespace Tollgate.Server.Usage;

/// <summary>A span of time that usage is asked for: from its first moment on, up to but without its last.</summary>
internal readonly record struct UsageRange(long FromMs, long ToMs)
{
    public const long HourMs = 3_600_000;
    public const long DayMs = 24 * HourMs;
    public const string Expected = "must be a date such as 2026-01-02 or a time such as 2026-01-02T03:04:05Z.";

    /// <summary>2000-01-01: nothing was counted before.</summary>
    private const long EarliestMs = 946_684_800_000;

    /// <summary>Everything there is.</summary>
    public static UsageRange All { get; } = new(0, long.MaxValue);

    /// <summary>Whether sums of whole days suffice.</summary>
    public bool IsOfDays => IsAt(FromMs, DayMs) && IsAt(ToMs, DayMs);

    /// <param name="from">A date or a time; null for the beginning.</param>
    /// <param name="to">A date or a time; null for now.</param>
    /// <param name="nowMs">Nothing later can have been counted; a day that has begun may be named by its end.</param>
    /// <param name="stepMs">Times must be at whole steps of it: sums are kept by the hour.</param>
    public static Outcome<UsageRange> Read(string? from, string? to, long nowMs, long stepMs)
    {
        var errors = new List<FieldError>();
        var fromMs = Time("/from", from, stepMs, errors);
        var toMs = Time("/to", to, stepMs, errors);
        if (fromMs > nowMs)
        {
            errors.Add(new FieldError("/from", "must not be in the future."));
        }

        if (toMs > nowMs - (nowMs % DayMs) + DayMs)
        {
            errors.Add(new FieldError("/to", "must not be after the end of today (UTC)."));
        }

        if (errors.Count == 0 && fromMs is { } begin && toMs is { } end && begin >= end)
        {
            errors.Add(new FieldError("/to", "must be after from."));
        }

        return errors.Count > 0 ? Problem.Invalid(errors) : new UsageRange(fromMs ?? All.FromMs, toMs ?? All.ToMs);
    }

    private static long? Time(string pointer, string? text, long stepMs, List<FieldError> errors)
    {
        if (text is null)
        {
            return null;
        }

        if (!TryParse(text, out var time))
        {
            errors.Add(new FieldError(pointer, Expected));
            return null;
        }

        var ms = time.ToUnixTimeMilliseconds();
        if (ms < EarliestMs)
        {
            errors.Add(new FieldError(pointer, "must not be before 2000-01-01."));
        }
        else if (ms % stepMs != 0)
        {
            errors.Add(new FieldError(pointer, "must be a whole hour (UTC): usage is summed by the hour."));
        }

        return ms;
    }

    private static bool TryParse(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time)
        || Rfc3339Time.TryParse(text, out time);

    private static bool IsAt(long ms, long step) => ms is 0 or long.MaxValue || ms % step == 0;
}
