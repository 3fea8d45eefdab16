using System.Security.Cryptography;

namespace Tollgate.Server.Webhooks;

/// <summary>
/// When something that failed is tried again: ten attempts over a little more than three days, as Standard Webhooks proposes.
/// </summary>
internal static class RetrySchedule
{
    /// <summary>A webhook that has failed so long without one success is disabled.</summary>
    public static readonly TimeSpan PauseAfter = TimeSpan.FromDays(5);

    private const long RestMs = 1_000;
    private const long RestsMax = 30;

    /// <summary>Each wait is up to a fifth longer, so that what failed together does not come again together.</summary>
    private const int JitterPart = 5;

    /// <summary>After the first attempt, after the second, and so on.</summary>
    public static IReadOnlyList<TimeSpan> Waits { get; } =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>When the attempt after <paramref name="attempts"/> of them is; null when there is none.</summary>
    public static long? Next(long attempts, long nowMs)
    {
        if (attempts > Waits.Count)
        {
            return null;
        }

        var wait = (int)Waits[(int)attempts - 1].TotalMilliseconds;
        return nowMs + wait + RandomNumberGenerator.GetInt32((wait / JitterPart) + 1);
    }

    /// <summary>
    /// How long the whole webhook is left alone after so many failures in a row: a receiver that is down is not run into by each of the
    /// thousand events that wait for it.
    /// </summary>
    public static long RestUntil(long failures, long nowMs) => nowMs + (RestMs * Math.Min(failures, RestsMax));
}
