using System.Security.Cryptography;

namespace Tollgate.Server.Mail;

/// <summary>When a mail that could not be sent is tried again.</summary>
internal static class MailSchedule
{
    /// <summary>Each wait is up to a fifth longer, so that what failed together does not come again together.</summary>
    private const int JitterPart = 5;

    /// <summary>The server said that it would not take this one now, such as one that lets strangers wait.</summary>
    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1),
        TimeSpan.FromHours(2),
    ];

    /// <summary>
    /// The server did not answer as one does. Most likely that has nothing to do with this mail, so it must not wait for long when the
    /// server is back; but in case it does, it must not stand in front of all others either.
    /// </summary>
    private static readonly TimeSpan[] WaitsForServer =
        [TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5)];

    /// <summary>When the attempt after <paramref name="attempts"/> of them is.</summary>
    public static long Next(long attempts, bool isForServer, long nowMs)
    {
        var waits = isForServer ? WaitsForServer : Waits;
        var wait = (int)waits[(int)Math.Min(attempts, waits.Length) - 1].TotalMilliseconds;
        return nowMs + wait + RandomNumberGenerator.GetInt32((wait / JitterPart) + 1);
    }
}

/// <summary>
/// A mail server that does not answer is left alone for a while, longer each time, and then asked by one mail before it is by several: a
/// thousand mails do not run into a dead server.
/// </summary>
internal sealed class ServerRest(TimeProvider time)
{
    private const int FailuresMax = 6;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();

    // Both under the lock.
    private int _failures;
    private long _endsAt;

    /// <summary>How many may be sent at a time now, of as many as there are places.</summary>
    public int Places(int places)
    {
        lock (_lock)
        {
            return _failures == 0 ? places : time.GetTimestamp() < _endsAt ? 0 : 1;
        }
    }

    /// <summary>How long nothing is sent; zero when something is.</summary>
    public TimeSpan Left
    {
        get
        {
            lock (_lock)
            {
                var left = _failures == 0 ? TimeSpan.Zero : time.GetElapsedTime(time.GetTimestamp(), _endsAt);
                return left > TimeSpan.Zero ? left : TimeSpan.Zero;
            }
        }
    }

    /// <summary>1, 2, 4 and so on to 30 seconds. Whether it worked until now.</summary>
    public bool Failed()
    {
        lock (_lock)
        {
            _failures = Math.Min(_failures + 1, FailuresMax);
            var rest = TimeSpan.FromSeconds(1L << (_failures - 1));
            rest = rest > Longest ? Longest : rest;
            _endsAt = time.GetTimestamp() + (long)(rest.TotalSeconds * time.TimestampFrequency);
            return _failures == 1;
        }
    }

    /// <summary>Whether it had failed until now.</summary>
    public bool Worked()
    {
        lock (_lock)
        {
            var had = _failures > 0;
            _failures = 0;
            return had;
        }
    }
}
