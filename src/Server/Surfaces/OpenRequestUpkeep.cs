using Tollgate.Gateway.Relay;

namespace Tollgate.Server.Surfaces;

/// <summary>
/// Notes each second how far the requests under way have come, so that what a killed process had passed on is billed; and when the gate
/// stops, cuts what has not ended after a while.
/// </summary>
internal sealed class OpenRequestUpkeep(OpenRequests open, RelayOptions options, IHostApplicationLifetime lifetime, TimeProvider time)
    : BackgroundService
{
    /// <summary>Well within the time after which a request nobody hears of is settled by the sweep: its least is ten seconds.</summary>
    private const long RenewMs = 3_000;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stopping = lifetime.ApplicationStopping.Register(() => _ = CutLate());
        try
        {
            while (true)
            {
                await Task.Delay(Every, time, stoppingToken);
                open.Mark(RenewMs);
            }
        }
        catch (OperationCanceledException)
        {
            // The gate has stopped.
        }
    }

    /// <summary>The server stops listening at once, and then waits for what is under way.</summary>
    private async Task CutLate()
    {
        await Task.Delay(options.Drain, time);
        open.CutAll();
    }
}
