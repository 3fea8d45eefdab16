using System.Data.Common;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Audit;

/// <summary>
/// Who did what, as one hash chain per database. A row is written in the transaction of the change it tells of: if it cannot be, the
/// change is not made. Editing, removing, swapping or cutting off rows in the database is found by <see cref="Verify(CancellationToken)"/>.
/// </summary>
internal sealed class AuditLog(Database database)
{
    private const int VerifyBatch = 500;

    public static Task Append(WriteScope scope, AuditEntry entry) => Append(scope, [entry]);

    /// <summary>A row for each, in this order.</summary>
    public static async Task Append(WriteScope scope, IReadOnlyList<AuditEntry> entries)
    {
        var head = await AuditSql.Head(scope) ?? throw new InvalidOperationException("The head of the audit chain is missing.");
        var rows = new List<AuditRow>(entries.Count);
        var (seq, hash) = (head.Seq, head.Hash);
        foreach (var entry in entries)
        {
            var row = RowOf(scope, entry, ++seq, hash);
            rows.Add(row);
            hash = row.Hash;
        }

        await AuditSql.Insert(scope, rows);
        if (await AuditSql.MoveHead(scope, head, new AuditHead { Seq = seq, Hash = hash }) != 1)
        {
            throw new InvalidOperationException("The head of the audit chain moved during a write.");
        }

        Failpoint.Pass("audit.row");
    }

    private static AuditRow RowOf(WriteScope scope, AuditEntry entry, long seq, string previous)
    {
        var caller = scope.Context.Caller;
        var row = new AuditRow
        {
            Seq = seq,
            AtMs = scope.NowMs,
            ActorType = caller.Kind.ToString().ToLowerInvariant(),
            ActorId = caller.Id,
            ActorName = caller.Name,
            Action = entry.Action,
            TargetType = entry.TargetType,
            TargetId = entry.TargetId,
            OrganizationId = entry.OrganizationId,
            ProjectId = entry.ProjectId,
            Environment = entry.Environment,
            BeforeJson = entry.Before,
            AfterJson = entry.After,
            Reason = entry.Reason,
            Address = scope.Context.Address,
            UserAgent = scope.Context.UserAgent,
            RequestId = scope.Context.RequestId,
            PrevHash = previous,
        };
        return row with { Hash = row.ComputeHash() };
    }

    /// <summary>Newest first, rows below <paramref name="before"/>, at most <paramref name="limit"/> of them.</summary>
    public Task<List<AuditRow>> List(AuditFilter filter, long before, int limit, CancellationToken cancel = default) =>
        database.Read(connection => AuditSql.List(connection, filter, before, limit), cancel);

    /// <summary>Walks the chain from its first row to its head and stops at the first link that is not as it was written.</summary>
    public Task<AuditCheck> Verify(CancellationToken cancel = default) =>
        database.Read(connection => Verify(connection, null, cancel), cancel);

    /// <summary>The same on a connection to a database that no gate of ours has opened.</summary>
    public static async Task<AuditCheck> Verify(DbConnection connection, DbTransaction? transaction, CancellationToken cancel)
    {
        if (await AuditSql.End(connection, transaction) is not { } end)
        {
            return AuditCheck.Broken(0, "The head of the audit chain is missing.");
        }

        var (seq, hash) = (0L, AuditRow.NoHash);
        while (seq < end.Seq)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = await AuditSql.After(connection, transaction, seq, end.Seq, VerifyBatch);
            if (rows.Count == 0)
            {
                return AuditCheck.Broken(seq + 1, $"Audit row {seq + 1} is missing; the chain should reach {end.Seq}.");
            }

            foreach (var row in rows)
            {
                if (Fault(row, seq, hash) is { } fault)
                {
                    return fault;
                }

                (seq, hash) = (row.Seq, row.Hash);
            }
        }

        return end.LastSeq > end.Seq ? AuditCheck.Broken(end.Seq + 1, $"Audit row {end.Seq + 1} stands behind the end of the chain.")
            : hash != end.Hash ? AuditCheck.Broken(seq, $"Audit row {seq} is not the one the chain ends with.")
            : AuditCheck.Whole(seq);
    }

    /// <summary>Where the chain ends, in a database that no gate of ours has opened; null when that is gone.</summary>
    public static Task<AuditEnd?> End(DbConnection connection) => AuditSql.End(connection, null);

    /// <summary>One row, in a database that no gate of ours has opened.</summary>
    public static Task<AuditRow?> Find(DbConnection connection, long seq) => AuditSql.Find(connection, seq);

    private static AuditCheck? Fault(AuditRow row, long before, string hash) =>
        row.Seq != before + 1 ? AuditCheck.Broken(before + 1, $"Audit row {before + 1} is missing.")
        : row.PrevHash != hash ? AuditCheck.Broken(row.Seq, $"Audit row {row.Seq} does not follow the row before it.")
        : row.ComputeHash() != row.Hash ? AuditCheck.Broken(row.Seq, $"Audit row {row.Seq} was changed.")
        : null;
}

/// <summary>Which rows to list; what is null selects everything. <see cref="ToMs"/> is not included.</summary>
internal sealed record AuditFilter
{
    public string? OrganizationId { get; init; }

    public string? ProjectId { get; init; }

    /// <summary>Selects its rows and those of no environment.</summary>
    public string? Environment { get; init; }

    public string? ActorId { get; init; }

    public string? TargetId { get; init; }

    public string? Action { get; init; }

    public long? FromMs { get; init; }

    public long? ToMs { get; init; }
}

/// <summary>What a walk along the chain found: how many rows are sound, or the first that is not.</summary>
internal sealed record AuditCheck
{
    public long Rows { get; private init; }

    /// <summary>The number of the first row that is changed, missing or too many; null when the chain is whole.</summary>
    public long? FirstBroken { get; private init; }

    public required string Sentence { get; init; }

    public bool IsWhole => FirstBroken is null;

    public static AuditCheck Whole(long rows) => new() { Rows = rows, Sentence = $"The audit chain of {rows} rows is whole." };

    public static AuditCheck Broken(long seq, string sentence) => new() { FirstBroken = seq, Sentence = sentence };
}
