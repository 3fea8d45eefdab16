using System.Globalization;
using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Console.Frame;

/// <summary>How numbers, money and times read in the console.</summary>
internal static class Shown
{
    private const long MinuteMs = 60_000;
    private const long HourMs = 60 * MinuteMs;
    private const long DayMs = 24 * HourMs;

    /// <summary>With separators: <c>1,234,567</c>.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>To the cent, rounded half up; what is less than a cent to four digits, and less than that as such.</summary>
    public static string Cost(long micros, string? currency)
    {
        var amount = micros / (decimal)Money.MicrosPerUnit;
        var text = Math.Abs(amount) switch
        {
            0 => "0.00",
            < 0.0001m => "less than 0.0001",
            < 0.01m => amount.ToString("0.0000", CultureInfo.InvariantCulture),
            _ => Math.Round(amount, 2, MidpointRounding.AwayFromZero).ToString("N2", CultureInfo.InvariantCulture),
        };
        return currency is null ? text : $"{text} {currency}";
    }

    /// <summary>The moment itself, in UTC.</summary>
    public static string Exact(long ms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("d MMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Iso(long ms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Day(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("d MMM", CultureInfo.InvariantCulture);

    public static string Date(long ms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>How far from now: <c>3 minutes ago</c>, <c>in 2 days</c>.</summary>
    public static string Ago(long ms, long nowMs)
    {
        var span = Math.Abs(nowMs - ms);
        if (span < MinuteMs)
        {
            return "just now";
        }

        return ms <= nowMs ? $"{Length(span)} ago" : $"in {Length(span)}";
    }

    /// <summary>A length of time in its largest unit: <c>3 minutes</c>, <c>2 days</c>.</summary>
    public static string Length(long ms) => ms switch
    {
        < MinuteMs => "less than a minute",
        < HourMs => Words(ms / MinuteMs, "minute"),
        < DayMs => Words(ms / HourMs, "hour"),
        < 60 * DayMs => Words(ms / DayMs, "day"),
        _ => Words(ms / (30 * DayMs), "month"),
    };

    /// <summary>A length of time: <c>1 day</c>, <c>90 seconds</c>.</summary>
    public static string Span(TimeSpan span) =>
        span.TotalSeconds < 120 || span.Seconds != 0 ? Words((long)span.TotalSeconds, "second")
        : span.TotalMinutes < 120 || span.Minutes != 0 ? Words((long)span.TotalMinutes, "minute")
        : span.TotalHours < 48 || span.Hours != 0 ? Words((long)span.TotalHours, "hour")
        : Words((long)span.TotalDays, "day");

    private static string Words(long count, string unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {unit}{(count == 1 ? "" : "s")}");
}
