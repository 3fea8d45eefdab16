using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tollgate.Server.Problems;
using Tollgate.Server.Storage;

namespace Tollgate.Server.Journal;

/// <summary>
/// Gives reports without a reservation the number of their request: with an idempotency key always the same one, as long as it is kept. A
/// batch's are claimed in one write.
/// </summary>
internal sealed class ReportClaims(Database database, RequestNumbers numbers)
{
    /// <summary>How long a report may be repeated.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>What a report is known by; null for one that may not be repeated.</summary>
    public static byte[]? IdOf(UseReport report) => report.IdempotencyKey is { } key
        ? SHA256.HashData(Encoding.UTF8.GetBytes($"{report.KeyId}\n{key}"))
        : null;

    /// <summary>Finds or gives each its number. Another report under the same idempotency key is refused.</summary>
    public async Task Claim(IReadOnlyList<ReportWork> records)
    {
        foreach (var record in records.Where(record => record.ClaimId is null))
        {
            record.RequestNo = numbers.Next();
        }

        var claimed = records.Where(record => record.ClaimId is not null).ToList();
        if (claimed.Count > 0)
        {
            _ = (await database.Write<bool>(scope => ClaimAll(scope, claimed))).Value;
        }
    }

    /// <summary>
    /// Their lines are in the log: from now on the claim says so, and a report that is repeated when its line has been let go is not booked
    /// anew. What cannot be written down now is of consequence only then.
    /// </summary>
    public async Task MarkBooked(IReadOnlyList<ReportWork> records)
    {
        if (records.Count == 0)
        {
            return;
        }

        try
        {
            await database.Write<bool>(async scope =>
            {
                await ReportSql.MarkBooked(scope, records.Select(record => record.ClaimId!));
                return true;
            });
        }
        catch (Exception outage) when (Database.IsOutage(outage))
        {
            // The line itself is there.
        }
    }

    private async Task<Outcome<bool>> ClaimAll(WriteScope scope, List<ReportWork> records)
    {
        foreach (var record in records)
        {
            var contentHash = SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(record.Report, JournalWire.Default.UseReport));
            if (await ReportSql.Find(scope, record.ClaimId!) is not { } known)
            {
                record.RequestNo = numbers.Next();
                await ReportSql.Insert(
                    scope, record.ClaimId!, new ReportClaim { ContentHash = contentHash, RequestNo = record.RequestNo });
            }
            else if (known.ContentHash.AsSpan().SequenceEqual(contentHash))
            {
                (record.RequestNo, record.Claim) = (known.RequestNo, known.Booked != 0 ? ClaimState.Booked : ClaimState.Known);
            }
            else
            {
                record.Refuse(Problem.Of(ProblemCode.IdempotencyMismatch));
            }
        }

        await ReportSql.Trim(scope, scope.NowMs - (long)Kept.TotalMilliseconds, records.Count + 1);
        Failpoint.Pass("report.claim");
        return true;
    }
}
