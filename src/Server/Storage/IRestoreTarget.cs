namespace Tollgate.Server.Storage;

/// <summary>
/// Where a backup is restored to: a fresh database beside the one in place, which no gate can use meanwhile. Nothing is changed until the
/// fresh one is put in place, whole and at once; disposed before that, nothing is left of it.
/// </summary>
internal interface IRestoreTarget : IAsyncDisposable
{
    DatabaseKind Kind { get; }

    /// <summary>The database in place; null when there is none, or when it cannot be read.</summary>
    DatabaseSnapshot? InPlace { get; }

    /// <summary>Why the database in place cannot be read; null when it can be, or when there is none.</summary>
    string? Unreadable { get; }

    /// <summary>The one transaction on the fresh database, which has the tables of this version.</summary>
    WriteScope Scope { get; }

    /// <summary>Makes the tables that the backup was made of, in the fresh database.</summary>
    Task Prepare(IEnumerable<Migration> migrations);

    /// <summary>Fills a table with these rows and no others.</summary>
    Task Load(TableShape table, IAsyncEnumerable<object?[]> rows, CancellationToken cancel);

    /// <summary>Commits, and puts the fresh database where the gate looks for it. Answers where the one that was there is now.</summary>
    /// <param name="stamp">Digits that name the moment.</param>
    Task<string?> PutInPlace(string stamp);
}
