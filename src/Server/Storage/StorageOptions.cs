using System.ComponentModel.DataAnnotations;

namespace Tollgate.Server.Storage;

/// <summary>Where the data lives and how much may wait for it.</summary>
internal sealed class StorageOptions
{
    /// <summary>The data folder: SQLite's file and its lock file.</summary>
    [Required(AllowEmptyStrings = false)]
    public required string DataDirectory { get; init; }

    /// <summary>An Npgsql connection string; null means SQLite. Pool size and time-outs come from these options, not from it.</summary>
    public string? PostgresConnectionString { get; init; }

    /// <summary>SQLite connections that read beside the one that writes: 1–64.</summary>
    [Range(1, 64)]
    public int SqliteReadersMax { get; init; } = 4;

    /// <summary>Pooled PostgreSQL connections: 2–1,000. One more is kept for the process lock.</summary>
    [Range(2, 1_000)]
    public int PostgresConnectionsMax { get; init; } = 20;

    /// <summary>How long a call waits for a connection, its turn to write or a database lock: 100–60,000 ms.</summary>
    [Range(100, 60_000)]
    public int WaitMsMax { get; init; } = 10_000;

    /// <summary>Calls that may wait for their turn to write; the next one is answered 503: 1–100,000.</summary>
    [Range(1, 100_000)]
    public int WriteQueueMax { get; init; } = 1_000;

    /// <summary>Connections for reading; on PostgreSQL those for writing come out of them too.</summary>
    public int ReadersMax => Kind == DatabaseKind.Sqlite ? SqliteReadersMax : PostgresConnectionsMax;

    /// <summary>
    /// How long after the lock on a PostgreSQL database was last seen to be held memory is trusted, and keys are served from it:
    /// 2,000–60,000 ms.
    /// </summary>
    [Range(2_000, 60_000)]
    public int LeaseMs { get; init; } = 10_000;

    public DatabaseKind Kind => PostgresConnectionString is null ? DatabaseKind.Sqlite : DatabaseKind.PostgreSql;
}

/// <summary>The databases Tollgate runs on. Public because test theories name it.</summary>
public enum DatabaseKind
{
    Sqlite,
    PostgreSql,
}

/// <summary>Why the data cannot be opened, as one sentence for the operator; start-up prints it and stops.</summary>
internal sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
