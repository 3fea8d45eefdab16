namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// Whether an upstream is worth asking. After failures in a row it rests, each time twice as long; when a rest has ended one request tries
/// it, and heals it or sends it back to rest. A background check may say besides that it is down.
/// </summary>
internal sealed class UpstreamStanding(TimeProvider time, Action<bool>? changed = null)
{
    public const int FailuresMax = 3;
    public static readonly TimeSpan RestMin = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan RestMax = TimeSpan.FromSeconds(30);

    private const long Never = 0;

    /// <summary>Guards the changes of all below; the first two are read without it.</summary>
    private readonly Lock _lock = new();
    private long _restEnd = Never;
    private volatile bool _isDown;
    private volatile int _failures;
    private TimeSpan _rest;
    private bool _isTried;

    public bool IsHealthy => Volatile.Read(ref _restEnd) == Never && !_isDown;

    /// <summary>When it may be tried again, to compare with others'; the least for a healthy one.</summary>
    public long RestEnd => Volatile.Read(ref _restEnd);

    /// <summary>Whether its rest has ended and nobody tries it; who gets true tries it.</summary>
    public bool TryTrial()
    {
        lock (_lock)
        {
            if (_isDown || _isTried || _restEnd == Never || time.GetTimestamp() < _restEnd)
            {
                return false;
            }

            return _isTried = true;
        }
    }

    /// <summary>The head of an answer came.</summary>
    public void Worked()
    {
        if (Volatile.Read(ref _restEnd) == Never)
        {
            return;
        }

        lock (_lock)
        {
            Set(Never);
            (_failures, _rest, _isTried) = (0, default, false);
        }

        changed?.Invoke(IsHealthy);
    }

    /// <summary>An answer came whole. Heads alone are no proof: a server may break each of its streams.</summary>
    public void Ended()
    {
        if (_failures != 0 && Volatile.Read(ref _restEnd) == Never)
        {
            _failures = 0;
        }
    }

    /// <summary>The request that tried it was given up for reasons that are not its own.</summary>
    public void GaveUp()
    {
        lock (_lock)
        {
            _isTried = false;
        }
    }

    public void Failed()
    {
        bool began;
        lock (_lock)
        {
            _isTried = false;
            _failures = Math.Min(_failures + 1, FailuresMax);
            var now = time.GetTimestamp();
            // Failures of what was sent before it rested, or all the same, do not lengthen a rest.
            if (_failures < FailuresMax || now < _restEnd)
            {
                return;
            }

            began = _restEnd == Never;
            _rest = TimeSpan.FromTicks(Math.Clamp(_rest.Ticks * 2, RestMin.Ticks, RestMax.Ticks));
            Set(now + (long)(_rest.TotalSeconds * time.TimestampFrequency));
        }

        if (began)
        {
            changed?.Invoke(false);
        }
    }

    /// <summary>What the background check found.</summary>
    public void Checked(bool isUp)
    {
        if (_isDown == isUp)
        {
            _isDown = !isUp;
            changed?.Invoke(IsHealthy);
        }
    }

    private void Set(long restEnd) => Volatile.Write(ref _restEnd, restEnd);
}
