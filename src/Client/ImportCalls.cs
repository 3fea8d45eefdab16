using System.Text.Json;

namespace Tollgate.Client;

/// <summary>Other systems' keys move in. For the root key only.</summary>
public sealed class ImportCalls
{
    /// <summary>The most rows of a call.</summary>
    public const int RowsMax = 1_000;

    /// <summary>The most bytes of a call, as JSON in UTF-8 with a line feed behind each row.</summary>
    public const int BytesMax = 4 * 1_024 * 1_024;

    /// <summary>The most bytes of one row.</summary>
    public const int RowBytesMax = 32 * 1_024;

    private readonly Connection _connection;

    internal ImportCalls(Connection connection) => _connection = connection;

    /// <summary>
    /// Takes in keys. A refused row is an answer, not an exception, and takes no other with it; the same row again changes nothing, so a
    /// call whose answer was lost can be sent again.
    /// </summary>
    /// <param name="rows">At most <see cref="RowsMax"/>.</param>
    /// <param name="projectId">Where rows go that name no project.</param>
    /// <param name="dryRun">Says what would become of each row, and stores nothing.</param>
    /// <param name="idempotencyKey">To tell the first answer again; the rows themselves are safe to repeat without.</param>
    /// <param name="cancellationToken">Ends the call; its rows are all in, or none of them.</param>
    public Task<ImportReport> SendAsync(
        IReadOnlyList<ImportRow> rows,
        string? projectId = null,
        bool dryRun = false,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.Count, RowsMax);
        using var lines = new MemoryStream();
        foreach (var row in rows)
        {
            JsonSerializer.Serialize(lines, row, TollgateJson.Default.ImportRow);
            lines.WriteByte((byte)'\n');
        }

        return SendLinesAsync(lines.ToArray(), projectId, dryRun, idempotencyKey, cancellationToken);
    }

    /// <summary>The same for rows that are JSON already: UTF-8, an object on each line.</summary>
    public Task<ImportReport> SendLinesAsync(
        ReadOnlyMemory<byte> lines,
        string? projectId = null,
        bool dryRun = false,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default) =>
        _connection.ChangeByLines(
            "import" + Address.Query(("project", projectId), ("dry_run", dryRun ? "true" : null)),
            lines,
            idempotencyKey,
            TollgateJson.Default.ImportReport,
            cancellationToken);
}
