using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Journal;

/// <summary>
/// Settles the requests that nobody settled: from what they last told, before that from their input, and never for nothing. Frees windows
/// that no longer count on the way.
/// </summary>
internal sealed partial class ReservationSweep(
    Admission admission, ModelNames models, WindowClock clock, TimeProvider time, ILogger<ReservationSweep> log) : BackgroundService
{
    private const int BatchMax = 256;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>What a model cost by a version of the price list; needed where requests are paid for.</summary>
    public Func<ushort, string, ValueTask<ModelPrice?>>? PriceAt { get; set; }

    /// <summary>Requests that were settled here since the start.</summary>
    public long Settled { get; private set; }

    /// <summary>Settles what has rested for too long by now; tells how many that were.</summary>
    public async Task<int> Run()
    {
        var (settled, expired) = (0, new Reservation[BatchMax]);
        while (true)
        {
            var count = admission.Reservations.Expired(clock.NowMs, expired);
            for (var i = 0; i < count; i++)
            {
                var result = admission.Settle(expired[i].RequestNo, await SettlementOf(expired[i]), out _);
                if (result == SettleResult.Full)
                {
                    // Soon there is room.
                    return settled;
                }

                settled += result == SettleResult.Done ? 1 : 0;
                Settled += result == SettleResult.Done ? 1 : 0;
            }

            if (count < BatchMax)
            {
                return settled;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await Run() is > 0 and var count)
                {
                    LogSettled(count);
                }

                admission.Limits.Sweep(clock.NowMs);
                await Task.Delay(Every, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // they stay open, and are tried again
            catch (Exception fault)
#pragma warning restore CA1031
            {
                LogNotSettled(fault);
                await Task.Delay(Every, time, CancellationToken.None);
            }
        }
    }

    private async Task<Settlement> SettlementOf(Reservation open)
    {
        var isPriced = open.PriceVersion > 0;
        var cost = open.IsMarked || !isPriced ? open.MarkedCost : await PriceOf(open);
        return new Settlement
        {
            InputTokens = open.MarkedInputTokens,
            OutputTokens = open.MarkedOutputTokens,
            Cost = cost,
            Flags = UsageFlags.Estimated | UsageFlags.Orphaned | (isPriced ? UsageFlags.Priced : UsageFlags.None),
            AtMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            ClockMs = clock.NowMs,
        };
    }

    /// <summary>A price that can no longer be found is none to guess at: all that was held is taken.</summary>
    private async Task<Money> PriceOf(Reservation open)
    {
        var price = models.NameOf(open.Model) is { } model && PriceAt is not null ? await PriceAt(open.PriceVersion, model) : null;
        return price?.Cost(open.MarkedInputTokens, open.MarkedOutputTokens) ?? open.Held;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Settled {Count} requests that nobody had settled in time")]
    private partial void LogSettled(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Requests that nobody settled could not be settled; it is tried again")]
    private partial void LogNotSettled(Exception fault);
}
