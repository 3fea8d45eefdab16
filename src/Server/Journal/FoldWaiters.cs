using System.Runtime.CompilerServices;
using Tollgate.Server.Storage;

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

    /// <summary>Since when those wait who are not sealed yet.</summary>
    private long _groupSinceMs;

    /// <summary>Ends the wait for others; set anew only when it has fired, since setting a timer wakes a thread.</summary>
    private readonly Timer _press;
    private bool _isArmed;

    /// <summary>Those whose seal is made, and who are not told yet. Touched by whoever folds.</summary>
    private List<TaskCompletionSource> _told = [];

    /// <summary>1 while a wake-up is under way.</summary>
    private int _isWoken;

    public FoldWaiters() =>
        _press = new Timer(static waiters => ((FoldWaiters)waiters!).Press(), this, Timeout.Infinite, Timeout.Infinite);

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
                BeginGroupLocked();
            }
        }

        if (isPressed)
        {
            Wake();
        }

        return waiter.Task;
    }

    /// <summary>
    /// Until somebody waits or this time is over. Who was sealed is told by this thread, when another one can go on: they are many, and it
    /// is awake.
    /// </summary>
    public async Task WaitForWork(int ms, CancellationToken cancel)
    {
        await new Telling(_wake.WaitAsync(ms, cancel), Interlocked.Exchange(ref _told, []));
        Volatile.Write(ref _isWoken, 0);
    }

    /// <summary>Tells who was sealed, before more is done than to wait.</summary>
    public void TellSealed()
    {
        if (_told.Count > 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(Tell, Interlocked.Exchange(ref _told, []), preferLocal: false);
        }
    }

    /// <summary>Up to these events everything is booked, and everything is safe.</summary>
    public void Advance(long folded, long @sealed)
    {
        lock (_turn)
        {
            (_folded, _sealed) = (folded, @sealed);
            _forFold.RemoveAll(waiter => waiter.Sequence <= folded && waiter.Done.TrySetResult());
            if (_forSeal.RemoveAll(waiter => IsOver(waiter)) > 0)
            {
                _isPressed = false;
                if (_forSeal.Count > 0)
                {
                    BeginGroupLocked();
                }
            }
        }

        bool IsOver((long Sequence, TaskCompletionSource Done) waiter)
        {
            if (waiter.Sequence <= @sealed)
            {
                _told.Add(waiter.Done);
                return true;
            }

            return false;
        }
    }

    /// <summary>It could not be done now. Who waits for a seal can do no better than to go on: his event is in the spool.</summary>
    public void Fail(Exception fault)
    {
        List<TaskCompletionSource> failed;
        var goesOn = Database.IsOutage(fault);
        lock (_turn)
        {
            failed = [.. _forFold.Select(waiter => waiter.Done)];
            (goesOn ? _told : failed).AddRange(_forSeal.Select(waiter => waiter.Done));
            _forFold.Clear();
            _forSeal.Clear();
            _isPressed = false;
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static told => told.failed.ForEach(waiter => waiter.TrySetException(told.fault)), (failed, fault), preferLocal: false);
        TellSealed();
    }

    public void Dispose()
    {
        lock (_turn)
        {
            // A timer that fires now finds nothing to press.
            _isPressed = true;
        }

        _press.Dispose();
        _wake.Dispose();
    }

    private static void Tell(List<TaskCompletionSource> waiters) => waiters.ForEach(static waiter => waiter.TrySetResult());

    private void BeginGroupLocked()
    {
        _groupSinceMs = Environment.TickCount64;
        if (!_isArmed)
        {
            _isArmed = true;
            _press.Change(GroupMs, Timeout.Infinite);
        }
    }

    private void Press()
    {
        lock (_turn)
        {
            _isArmed = false;
            if (_forSeal.Count == 0 || _isPressed)
            {
                return;
            }

            var left = _groupSinceMs + GroupMs - Environment.TickCount64;
            if (left > 0)
            {
                _isArmed = true;
                _press.Change(left, Timeout.Infinite);
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

    /// <summary>Waits, and tells when the wait has begun: whoever ends it goes on elsewhere.</summary>
    private readonly struct Telling(Task wait, List<TaskCompletionSource> told) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => false;

        public Telling GetAwaiter() => this;

        public void GetResult() => wait.GetAwaiter().GetResult();

        public void OnCompleted(Action continuation)
        {
            wait.GetAwaiter().OnCompleted(continuation);
            Tell(told);
        }

        public void UnsafeOnCompleted(Action continuation)
        {
            wait.GetAwaiter().UnsafeOnCompleted(continuation);
            Tell(told);
        }
    }
}
