namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// How long what a request now waits for may take. One timer for the whole of it: a new span is a number to compare with when the timer
/// fires, since setting a timer at each read of a stream costs more than the read. Ends early with its caller.
/// </summary>
internal sealed class Patience : IDisposable
{
    private const long Never = long.MaxValue;

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _link;

    /// <summary>Guards all below.</summary>
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _until = Never;
    private long _fires = Never;
    private bool _isDisposed;

    public Patience(TimeProvider time, CancellationToken caller)
    {
        (_time, Caller) = (time, caller);
        _link = caller.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    /// <summary>Whose request it is.</summary>
    public CancellationToken Caller { get; }

    /// <summary>Cancelled when it is over, or the caller gave up.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether something took too long.</summary>
    public bool IsOver { get; private set; }

    /// <summary>From now on so long.</summary>
    public void Begin(TimeSpan span)
    {
        lock (_lock)
        {
            _until = _time.GetTimestamp() + (long)(span.TotalSeconds * _time.TimestampFrequency);
            if (_until < _fires && !_isDisposed)
            {
                _fires = _until;
                _timer ??= _time.CreateTimer(
                    static patience => ((Patience)patience!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _timer.Change(span, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>What is waited for now is not the upstream.</summary>
    public void Pause()
    {
        lock (_lock)
        {
            _until = Never;
        }
    }

    /// <summary>The same as the caller giving up, for a call that has a token of its own.</summary>
    public void Cancel() => _source.Cancel();

    public void Dispose()
    {
        _link.Dispose();
        lock (_lock)
        {
            _isDisposed = true;
            _timer?.Dispose();
        }

        _source.Dispose();
    }

    private void Fire()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _fires = _until;
            if (_until == Never)
            {
                return;
            }

            var left = _time.GetElapsedTime(_time.GetTimestamp(), _until);
            if (left > TimeSpan.Zero)
            {
                _timer!.Change(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
                return;
            }

            IsOver = true;
        }

        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The request ended at this very moment.
        }
    }
}
