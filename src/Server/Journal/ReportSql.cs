using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>Every statement on reports that may be repeated.</summary>
internal static class ReportSql
{
    /// <summary>By the primary key.</summary>
    public static Task<ReportClaim?> Find(WriteScope scope, byte[] idHash) => scope.Find<ReportClaim>(
        """
        SELECT content_hash AS ContentHash, request_no AS RequestNo, booked AS Booked FROM reported_requests WHERE id_hash = @idHash
        """,
        new { idHash });

    public static Task Insert(WriteScope scope, byte[] idHash, ReportClaim claim) => scope.Execute(
        """
        INSERT INTO reported_requests (id_hash, content_hash, request_no, booked, at_ms)
        VALUES (@idHash, @ContentHash, @RequestNo, 0, @NowMs)
        """,
        new { idHash, claim.ContentHash, claim.RequestNo, scope.NowMs });

    /// <summary>By the primary key, one after another.</summary>
    public static Task MarkBooked(WriteScope scope, IEnumerable<byte[]> idHashes) => scope.Execute(
        "UPDATE reported_requests SET booked = 1 WHERE id_hash = @idHash", idHashes.Select(idHash => new { idHash }));

    /// <summary>Lets go of a few of those from before this moment. By reported_requests_by_age.</summary>
    public static Task<int> Trim(WriteScope scope, long beforeMs, int rows) => scope.Execute(
        """
        DELETE FROM reported_requests WHERE id_hash IN
            (SELECT id_hash FROM reported_requests WHERE at_ms < @beforeMs ORDER BY at_ms LIMIT @rows)
        """,
        new { beforeMs, rows });
}

/// <summary>The request that a report became, and what it said.</summary>
internal sealed class ReportClaim
{
    public byte[] ContentHash { get; init; } = [];

    public long RequestNo { get; init; }

    public long Booked { get; init; }
}
