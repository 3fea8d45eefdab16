using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tollgate.Client.AspNetCore;

/// <summary>
/// Follows the gate's change feed and lets the cache obey it. Polls wait for less than a third of the bound, so that a quiet feed renews
/// the trust long before it ends.
/// </summary>
internal sealed partial class FeedFollower(
    GateConnection connection, VerdictCache cache, IOptions<TollgateOptions> given, TimeProvider time, ILogger<FeedFollower> log)
    : BackgroundService
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(3);

    private readonly TollgateOptions _options = given.Value;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!_options.Caches)
        {
            return;
        }

        var wait = Math.Clamp((int)(_options.RevocationBound.TotalSeconds * 0.3), 1, ChangeCalls.WaitSecondsMax);
        ChangePage? last = null;
        TimeSpan? retry = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var askedAt = time.GetTimestamp();
                var page = await connection.Feed.Changes.PollAsync(last, wait, stoppingToken).ConfigureAwait(false);
                cache.Apply(last, page, askedAt);
                last = page;
                if (retry is not null)
                {
                    LogBack();
                    retry = null;
                }
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
#pragma warning disable CA1031 // whatever a backchannel throws: the cache is distrusted, and the application goes on
            catch (Exception error)
#pragma warning restore CA1031
            {
                cache.Distrust();
                if (retry is null)
                {
                    LogLost(error.Message);
                }

                retry = retry is { } before ? (before * 2 < RetryMax ? before * 2 : RetryMax) : RetryFirst;
                await Task.Delay(retry.Value, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        cache.Distrust();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The gate's change feed is cut, and every request asks the gate: {Reason}")]
    private partial void LogLost(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The gate's change feed is back")]
    private partial void LogBack();
}
