namespace Tollgate.Gateway.Upstreams;

/// <summary>
/// Asks the upstreams that have a health path whether they are up, so that one that is down is known before a request meets it.
/// </summary>
internal sealed class HealthWatch(UpstreamPool pool, TimeProvider time)
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    /// <summary>Runs until it is cancelled.</summary>
    public async Task Run(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            await Once(cancel);
        }
        while (await timer.WaitForNextTickAsync(cancel));
    }

    /// <summary>One look at each, all at once.</summary>
    public Task Once(CancellationToken cancel) => Task.WhenAll(pool.Upstreams.Select(async upstream =>
    {
        if (upstream.Config.HealthPath is { } path)
        {
            upstream.Standing.Checked(await upstream.IsUp(path, Every, cancel));
        }
    }));
}
