using System.Data.Common;

namespace Tollgate.Server.Storage;

/// <summary>What differs between the two databases below the SQL: connections, locks and how a write begins.</summary>
internal interface IDatabaseDriver : IAsyncDisposable
{
    DatabaseKind Kind { get; }

    /// <summary>Cancelled when this process no longer holds the single-process lock.</summary>
    CancellationToken LockLost { get; }

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
