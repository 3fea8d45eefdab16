namespace Tollgate.Server.Storage;

/// <summary>
/// How far the change log may be read: to the last change whose after-commit actions have run. Whoever learns of a change here and asks the
/// gate finds memory already obeying it; a row that is committed a moment before that is not shown yet.
/// </summary>
internal sealed class ChangeLog
{
    /// <summary>Rows that are kept; a reader who stood further back has to begin anew.</summary>
    public const int RowsKept = 100_000;

    /// <summary>Old rows go at every so many changes, up to ten times as many: so a log that was longer shrinks.</summary>
    public const int TrimEvery = 64;

    private readonly Lock _turn = new();

    /// <summary>Written under the lock, read by anybody.</summary>
    private long _seq;

    /// <summary>Completed and replaced under the lock at each move.</summary>
    private TaskCompletionSource _moved = NewMove();

    /// <summary>The last change that may be read; 0 before the first.</summary>
    public long Seq => Volatile.Read(ref _seq);

    /// <summary>Completes as soon as there is a change after this one. Any number may wait; it holds nothing for them.</summary>
    public Task MovedBeyond(long seq)
    {
        lock (_turn)
        {
            return _seq > seq ? Task.CompletedTask : _moved.Task;
        }
    }

    /// <summary>Lets changes up to this one be read, and wakes who waits. Never goes back.</summary>
    public void Publish(long seq)
    {
        TaskCompletionSource moved;
        lock (_turn)
        {
            if (seq <= _seq)
            {
                return;
            }

            Volatile.Write(ref _seq, seq);
            (moved, _moved) = (_moved, NewMove());
        }

        moved.SetResult();
    }

    /// <summary>Those who wait go on elsewhere: the write that wakes them must not do their work.</summary>
    private static TaskCompletionSource NewMove() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>A row of the change log, in the numbers of this database.</summary>
internal sealed class ChangeRow
{
    public long Seq { get; init; }

    public string Kind { get; init; } = "";

    public long TargetNo { get; init; }

    public long Version { get; init; }

    public long AtMs { get; init; }
}
