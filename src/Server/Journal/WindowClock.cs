namespace Tollgate.Server.Journal;

/// <summary>
/// The clock of the limits' windows: it begins at the wall's time and never goes back, whatever becomes of that, so that slots that were
/// counted before a restart have their place in it.
/// </summary>
internal sealed class WindowClock(TimeProvider time)
{
    private readonly long _beganMs = time.GetUtcNow().ToUnixTimeMilliseconds();
    private readonly long _began = time.GetTimestamp();

    public long NowMs => _beganMs + (long)time.GetElapsedTime(_began).TotalMilliseconds;
}
