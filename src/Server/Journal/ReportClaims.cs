using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Journal;

/// <summary>
/// Gives reports without a reservation the number of their request: with an idempotency key always the same one, as long as it is kept.
/// </summary>
internal sealed class ReportClaims(Database database, RequestNumbers numbers)
{
    /// <summary>How long a report may be repeated.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    private const int TrimmedWithEach = 10;

    /// <summary>The request that this report is of. Another report under the same idempotency key is refused.</summary>
    public async Task<Outcome<ReportNumber>> Claim(UsedKey key, UseReport report)
    {
        if (report.IdempotencyKey is null)
        {
            return new ReportNumber(numbers.Next(), IsKnown: false);
        }

        var idHash = SHA256.HashData(Encoding.UTF8.GetBytes($"{key.KeyId}\n{report.IdempotencyKey}"));
        var contentHash = SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(report, JournalWire.Default.UseReport));
        return await database.Write<ReportNumber>(async scope =>
        {
            if (await ReportSql.Find(scope, idHash) is { } known)
            {
                return known.ContentHash.AsSpan().SequenceEqual(contentHash)
                    ? new ReportNumber(known.RequestNo, IsKnown: true)
                    : Problem.Of(ProblemCode.IdempotencyMismatch);
            }

            var claim = new ReportClaim { ContentHash = contentHash, RequestNo = numbers.Next() };
            await ReportSql.Insert(scope, idHash, claim);
            await ReportSql.Trim(scope, scope.NowMs - (long)Kept.TotalMilliseconds, TrimmedWithEach);
            Failpoint.Pass("report.claim");
            return new ReportNumber(claim.RequestNo, IsKnown: false);
        });
    }
}

/// <summary>The number of the request a report is of, and whether the report was there before.</summary>
internal readonly record struct ReportNumber(long RequestNo, bool IsKnown);
