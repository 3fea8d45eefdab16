namespace Tollgate.Server.Journal;

/// <summary>
/// Who waits for events to come into the database: booked, or only safe there. They wake the <see cref="Fold"/>, who waits for work
/// here.
/// </summary>
internal sealed class FoldWaiters : IDisposable
{
    /// <summary>How long who shares a seal waits for others at the most.</summary>
    private const int GroupMs = 5;

    private readonly Lock _turn = new();
    private readonly SemaphoreSlim _wake = new(0);

    /// <summary>Who waits, and for which event; touched under the lock, as what follows.</summary>
    private readonly List<(long Sequence, TaskCompletionSource Done)> _forFold = [];

    /// <summary>They go on where they are told, which is never under the lock.</summary>
    private readonly List<(long Sequence, TaskCompletionSource Done)> _forSeal = [];

    private long _folded;
    private long _sealed;

    /// <summary>Whether nobody of those who share a seal waits for others any longer.</summary>
    private bool _isPressed;

    /// <summary>Which wait for others this is: one that is over presses no later one.</summary>
    private long _group;

    /// <summary>1 while a wake-up is under way.</summary>
    private int _isWoken;

    /// <summary>Whether anybody waits for the fold.</summary>
    public bool WantFold
    {
        get
        {
            lock (_turn)
            {
                return _forFold.Count > 0;
            }
        }
    }

    /// <summary>Whether anybody waits for a seal, pressed or not.</summary>
    public bool AnyForSeal
    {
        get
        {
            lock (_turn)
            {
                return _forSeal.Count > 0;
            }
        }
    }

    /// <summary>Whether those who wait for a seal wait for others no longer.</summary>
    public bool WantSeal
    {
        get
        {
            lock (_turn)
            {
                return _isPressed;
            }
        }
    }

    /// <inheritdoc cref="Fold.WaitFolded"/>
    public Task WaitFolded(long sequence)
    {
        TaskCompletionSource waiter;
        lock (_turn)
        {
            if (sequence <= _folded)
            {
                return Task.CompletedTask;
            }

            _forFold.Add((sequence, waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        Wake();
        return waiter.Task;
    }

    /// <inheritdoc cref="Fold.WaitSealed"/>
    public Task WaitSealed(long sequence, int underWay)
    {
        TaskCompletionSource waiter;
        bool isPressed;
        lock (_turn)
        {
            if (sequence <= _sealed)
            {
                return Task.CompletedTask;
            }

            _forSeal.Add((sequence, waiter = new TaskCompletionSource()));
            isPressed = _isPressed |= _forSeal.Count >= underWay;
            if (!isPressed && _forSeal.Count == 1)
            {
                _ = PressLater(_group);
            }
        }

        if (isPressed)
        {
            Wake();
        }

        return waiter.Task;
    }

    /// <summary>Until somebody waits or this time is over.</summary>
    public async Task WaitForWork(int ms, CancellationToken cancel)
    {
        await _wake.WaitAsync(ms, cancel);
        Volatile.Write(ref _isWoken, 0);
    }

    /// <summary>Up to these events everything is booked, and everything is safe.</summary>
    public void Advance(long folded, long @sealed)
    {
        var done = new List<TaskCompletionSource>();
        lock (_turn)
        {
            (_folded, _sealed) = (folded, @sealed);
            _forFold.RemoveAll(waiter => waiter.Sequence <= folded && waiter.Done.TrySetResult());
            if (_forSeal.RemoveAll(waiter => IsOver(waiter)) > 0)
            {
                _group++;
                _isPressed = false;
                if (_forSeal.Count > 0)
                {
                    _ = PressLater(_group);
                }
            }
        }

        TellAll(done, static waiter => waiter.TrySetResult());

        bool IsOver((long Sequence, TaskCompletionSource Done) waiter)
        {
            if (waiter.Sequence <= @sealed)
            {
                done.Add(waiter.Done);
                return true;
            }

            return false;
        }
    }

    /// <summary>It could not be done now.</summary>
    public void Fail(Exception fault)
    {
        List<TaskCompletionSource> failed;
        lock (_turn)
        {
            failed = [.. _forFold.Concat(_forSeal).Select(waiter => waiter.Done)];
            _forFold.Clear();
            _forSeal.Clear();
            _group++;
            _isPressed = false;
        }

        TellAll(failed, waiter => waiter.TrySetException(fault));
    }

    public void Dispose()
    {
        lock (_turn)
        {
            _group++;
        }

        _wake.Dispose();
    }

    /// <summary>One way to another thread for all of them, who are many.</summary>
    private static void TellAll(List<TaskCompletionSource> waiters, Action<TaskCompletionSource> tell)
    {
        if (waiters.Count > 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static told => told.waiters.ForEach(told.tell), (waiters, tell), preferLocal: false);
        }
    }

    private async Task PressLater(long group)
    {
        await Task.Delay(GroupMs);
        lock (_turn)
        {
            if (group != _group)
            {
                return;
            }

            _isPressed = true;
            // Under the lock, so that nobody disposes what is awaited meanwhile.
            Wake();
        }
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) == 0)
        {
            _wake.Release();
        }
    }
}
