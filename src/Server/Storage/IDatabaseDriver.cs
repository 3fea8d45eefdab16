using System.Data.Common;

namespace Tollgate.Server.Storage;

/// <summary>What differs between the two databases below the SQL: connections, locks and how a write begins.</summary>
internal interface IDatabaseDriver : IAsyncDisposable
{
    DatabaseKind Kind { get; }

    /// <summary>Cancelled when another process was found to own the database.</summary>
    CancellationToken TakenOver { get; }

    /// <summary>Cancelled when the lock that is held now is lost; another one for each time it is held.</summary>
    CancellationToken LockLost { get; }

    /// <summary>Whether, as far as is known, this process holds the single-process lock.</summary>
    bool OwnsLock { get; }

    /// <summary>Whether what was read from the database may still be taken for true: the lock was held less than a lease ago.</summary>
    bool TrustsMemory { get; }

    /// <summary>
    /// Begins to own the database, once its schema is there; <paramref name="regained"/> runs whenever the lock was lost and taken again.
    /// </summary>
    Task<Claim> Own(Func<Claim, Task> regained, CancellationToken cancel);

    ValueTask<DbConnection> TakeReader(CancellationToken cancel);

    ValueTask GiveBackReader(DbConnection connection);

    ValueTask<DbConnection> TakeWriter(CancellationToken cancel);

    ValueTask GiveBackWriter(DbConnection connection);

    /// <summary>Begins a transaction in which no other write runs, here or in another process.</summary>
    Task<DbTransaction> Begin(DbConnection connection, CancellationToken cancel);

    /// <summary>
    /// Ends a transaction that was committed, or that must not be. Does not throw: the failure that led here is on its way to the caller.
    /// </summary>
    ValueTask End(DbTransaction transaction);
}
