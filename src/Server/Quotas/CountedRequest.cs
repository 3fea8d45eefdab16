using Tollgate.Server.Providers;

namespace Tollgate.Server.Quotas;

/// <summary>
/// A request under way to a route that makes or deletes what a quota counts. One that makes has taken its place before it went on; how it
/// ended is told once, and whoever tells it again changes nothing.
/// </summary>
internal sealed class CountedRequest(QuotaKeeper keeper, long organizationNo, QuotaStep step)
{
    private int _ended;

    /// <summary>A status below this one is a success: redirected, or not modified, nothing was made.</summary>
    private const int NoSuccess = 300;

    public Task Ended(int status) => Ended(isSuccess: status < NoSuccess);

    /// <summary>What failed made nothing, so its place is given back; what succeeded in deleting frees one.</summary>
    public Task Ended(bool isSuccess) =>
        Interlocked.Exchange(ref _ended, 1) == 0 && isSuccess != step.Makes
            ? keeper.Lower(organizationNo, step.Quota)
            : Task.CompletedTask;
}
