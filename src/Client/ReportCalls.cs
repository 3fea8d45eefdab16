namespace Tollgate.Client;

/// <summary>What requests have used, told by the server that made them.</summary>
public sealed class ReportCalls
{
    /// <summary>The most reports one batch may hold.</summary>
    public const int BatchMax = 1_000;

    private readonly Connection _connection;

    internal ReportCalls(Connection connection) => _connection = connection;

    /// <summary>
    /// Settles a reserved request, or records one that was not reserved. May be repeated: a reservation is settled once and answered the
    /// same; a record is taken once for its <see cref="UsageReport.IdempotencyKey"/>.
    /// </summary>
    public Task<UsageReceipt> SendAsync(UsageReport report, CancellationToken cancellationToken = default) =>
        _connection.Ask("usage", report, TollgateJson.Default.UsageReport, TollgateJson.Default.UsageReceipt, cancellationToken);

    /// <summary>Up to <see cref="BatchMax"/> at once; the rows come in the order of the reports, each with a status of its own.</summary>
    public async Task<IReadOnlyList<UsageReportRow>> SendAsync(
        IReadOnlyList<UsageReport> reports, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reports.Count, BatchMax);
        var page = await _connection.Ask(
            "usage/batch", new UsageReportBatch(reports), TollgateJson.Default.UsageReportBatch, TollgateJson.Default.UsageReportRows,
            cancellationToken).ConfigureAwait(false);
        return page.Data;
    }
}
