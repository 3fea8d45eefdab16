using System.Security.Cryptography;

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

    /// <summary>Replaced whole under the lock, read by anybody.</summary>
    private volatile LogEnd _end = new(NewEpoch(), 0);

    /// <summary>Completed and replaced under the lock at each move.</summary>
    private TaskCompletionSource _moved = NewMove();

    /// <summary>The last change that may be read; 0 before the first.</summary>
    public long Seq => _end.Seq;

    /// <summary>Where the log ends, and of which epoch that number is.</summary>
    public LogEnd End => _end;

    /// <summary>
    /// Completes as soon as there is a change after this one, or another epoch has begun. Any number may wait; it holds nothing for them.
    /// </summary>
    public Task MovedBeyond(LogEnd end)
    {
        lock (_turn)
        {
            return _end.Seq > end.Seq || _end.Epoch != end.Epoch ? Task.CompletedTask : _moved.Task;
        }
    }

    /// <summary>Lets changes up to this one be read, and wakes who waits. Never goes back.</summary>
    public void Publish(long seq) => Move(end => seq > end.Seq ? end with { Seq = seq } : null);

    /// <summary>
    /// Others have written, or changes are gone: what was told may never have been, and a number may come to stand for another change. So
    /// all who wait are woken and begin anew, even where the log ends earlier now.
    /// </summary>
    public void BeginEpoch(long seq) => Move(_ => new LogEnd(NewEpoch(), seq));

    private void Move(Func<LogEnd, LogEnd?> next)
    {
        TaskCompletionSource moved;
        lock (_turn)
        {
            if (next(_end) is not { } end)
            {
                return;
            }

            _end = end;
            (moved, _moved) = (_moved, NewMove());
        }

        moved.SetResult();
    }

    private static string NewEpoch() => RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>Those who wait go on elsewhere: the write that wakes them must not do their work.</summary>
    private static TaskCompletionSource NewMove() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// The last change that may be read, of one history: numbers of two epochs have nothing to do with each other. One begins with each start
/// of the gate, after which everything may be different, the provider file too, and whenever others may have written.
/// </summary>
internal sealed record LogEnd(string Epoch, long Seq);

/// <summary>A row of the change log, in the numbers of this database.</summary>
internal sealed class ChangeRow
{
    public long Seq { get; init; }

    public string Kind { get; init; } = "";

    public long TargetNo { get; init; }

    public long Version { get; init; }

    public long AtMs { get; init; }
}
