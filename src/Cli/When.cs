using System.Globalization;

namespace Tollgate.Cli;

/// <summary>Durations and instants as people type them.</summary>
internal static class When
{
    /// <summary><c>0</c>, <c>90s</c>, <c>15m</c>, <c>24h</c>, <c>7d</c>.</summary>
    public static TimeSpan Duration(string option, string text) => TryDuration(text)
        ?? throw new UsageException($"{option}: \"{text}\" is not a duration such as 90s, 15m, 24h or 7d.");

    /// <summary>A duration from now, a date (its first instant in UTC), or an RFC 3339 time with its offset.</summary>
    public static DateTimeOffset Instant(string option, string text, TimeProvider time)
    {
        if (TryDuration(text) is { } wait)
        {
            return time.GetUtcNow() + wait;
        }

        string[] formats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];
        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParseExact(text, formats, CultureInfo.InvariantCulture, styles, out var at)
            ? at
            : throw new UsageException($"{option}: \"{text}\" is not a time such as 30d, 2027-01-31 or 2027-01-31T12:00:00Z.");
    }

    /// <summary>The same of what lies behind: a duration is one before now.</summary>
    public static DateTimeOffset Past(string option, string text, TimeProvider time) =>
        TryDuration(text) is { } ago ? time.GetUtcNow() - ago : Instant(option, text, time);

    /// <summary>As tables show it.</summary>
    public static string Text(DateTimeOffset? at) =>
        at?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "never";

    private static TimeSpan? TryDuration(string text)
    {
        if (text == "0")
        {
            return TimeSpan.Zero;
        }

        // Eight digits of days are beyond any use and within any type.
        if (text.Length is < 2 or > 9
            || !int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return null;
        }

        long? unit = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => null };
        return unit is { } seconds && count * seconds <= 100L * 365 * 86_400 ? TimeSpan.FromSeconds(count * seconds) : null;
    }
}
