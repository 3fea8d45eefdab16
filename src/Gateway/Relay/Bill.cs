using Tollgate.Engine.Usage;
using Tollgate.Engine.Verification;
using Tollgate.Engine.Wallet;
using Tollgate.Gateway.Metering;

namespace Tollgate.Gateway.Relay;

/// <summary>What a request was admitted with.</summary>
internal sealed record BillTerms
{
    public required long RequestNo { get; init; }

    public required uint KeyNo { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public required long AdmittedAtMs { get; init; }

    /// <summary>Null where nobody pays, or no model was named.</summary>
    public ModelPrice? Price { get; init; }

    /// <summary>What its input is taken for as long as the upstream has not told.</summary>
    public uint InputEstimate { get; init; }

    /// <summary>More input than it can have: what is held for.</summary>
    public uint InputBound { get; init; }

    /// <summary>The most output it can have.</summary>
    public uint OutputMax { get; init; }

    /// <summary>What was held at its admission.</summary>
    public Money Held { get; init; }

    /// <summary>Output tokens that are paid ahead at a time; 0 where all of them are held from the beginning.</summary>
    public uint Step { get; init; }
}

/// <summary>
/// The account of one request under way: how far it has come, what more is held for it, and what it costs at its end, which is booked
/// once. The relay moves it on; beside that the upkeep notes now and then how far it is, so that a process that dies bills what has passed.
/// </summary>
internal sealed class Bill(BillTerms terms, Admission admission, BillClock clock)
{
    /// <summary>A usage buffer that is full is tried again after so long.</summary>
    private const int FullRetryMs = 5;

    /// <summary>Guards all fields below.</summary>
    private readonly Lock _turn = new();

    private Money _held = terms.Held;
    private TokenUse _use;
    private TokenUse _marked;
    private long _markedAtMs = clock.ClockMs();
    private bool _isSettled;

    public BillTerms Terms { get; } = terms;

    /// <summary>How far the request has come.</summary>
    public void Progress(in TokenUse use)
    {
        lock (_turn)
        {
            _use = use;
        }
    }

    /// <summary>
    /// Whether what is held pays for so much output; where it is held in steps, the next one is taken when it must be. False: nothing more
    /// is to be had.
    /// </summary>
    public bool Covers(uint outputTokens)
    {
        if (Terms.Price is not { } price || Terms.Step == 0)
        {
            return true;
        }

        lock (_turn)
        {
            var ahead = Math.Min((long)outputTokens + Terms.Step, Math.Max(outputTokens, Terms.OutputMax));
            if (price.MostCost(Terms.InputBound, outputTokens) <= _held)
            {
                return true;
            }

            var result = HoldLocked(price.MostCost(Terms.InputBound, ahead));
            result = result == SettleResult.Unpaid ? HoldLocked(price.MostCost(Terms.InputBound, outputTokens)) : result;
            // A full buffer says nothing of money: the next piece asks for both.
            return result is SettleResult.Done or SettleResult.Full;
        }
    }

    /// <summary>Notes how far it is, where that has changed, or where the last note is so old that it might pass for dead.</summary>
    public void Mark(long renewMs)
    {
        lock (_turn)
        {
            var now = clock.ClockMs();
            if (_isSettled || (_use == _marked && now - _markedAtMs < renewMs))
            {
                return;
            }

            var use = Known(_use);
            if (admission.TryMark(Terms.RequestNo, use.InputTokens, use.OutputTokens, BilledLocked(use), clock.NowMs(), now)
                == SettleResult.Done)
            {
                (_marked, _markedAtMs) = (_use, now);
            }
        }
    }

    /// <summary>Ends it with what it used; a second time changes nothing. Completes when what was billed is in the database.</summary>
    public Task Settle(in TokenUse use, int status) => Book(Known(use), CostOf(Known(use)), status, isEstimated: !use.IsReported);

    /// <summary>Ends it for nothing: no model has worked for it.</summary>
    public Task Void(int status) => Book(default, Terms.Price is null ? null : Money.Zero, status, isEstimated: false);

    private async Task Book(TokenUse use, Money? cost, int status, bool isEstimated)
    {
        long sequence;
        SettleResult result;
        while ((result = TryBook(use, cost, status, isEstimated, out sequence)) == SettleResult.Full)
        {
            // Nothing was done. There is room again once what waits is in the database.
            await clock.Wait(FullRetryMs);
        }

        if (result == SettleResult.Done && cost > Money.Zero)
        {
            await clock.Booked(sequence);
        }
    }

    private SettleResult TryBook(in TokenUse use, Money? cost, int status, bool isEstimated, out long sequence)
    {
        lock (_turn)
        {
            sequence = 0;
            if (_isSettled)
            {
                return SettleResult.NotOpen;
            }

            // What is held in steps follows what is seen; what is told at the end may be more, such as thoughts.
            if (Terms.Step > 0 && cost > _held && HoldLocked(cost.Value) == SettleResult.Full)
            {
                return SettleResult.Full;
            }

            var now = clock.NowMs();
            var settlement = new Settlement
            {
                InputTokens = use.InputTokens,
                OutputTokens = use.OutputTokens,
                CachedTokens = use.CachedTokens,
                ReasoningTokens = use.ReasoningTokens,
                Cost = cost ?? Money.Zero,
                Status = (ushort)status,
                LatencyMs = (uint)Math.Clamp(now - Terms.AdmittedAtMs, 0, uint.MaxValue),
                Flags = (isEstimated ? UsageFlags.Estimated : UsageFlags.None) | (cost is null ? UsageFlags.None : UsageFlags.Priced),
                AtMs = now,
                ClockMs = clock.ClockMs(),
            };
            var result = admission.Settle(Terms.RequestNo, settlement, out sequence);
            _isSettled = result != SettleResult.Full;
            if (result == SettleResult.Done)
            {
                clock.Meter.Count(isEstimated, isNothing: use == default);
            }

            return result;
        }
    }

    /// <summary>What an upstream did not tell is an estimate.</summary>
    private TokenUse Known(in TokenUse use) =>
        use.IsInputReported ? use : use with { InputTokens = Terms.InputEstimate, CachedTokens = 0 };

    private Money? CostOf(in TokenUse use) => Terms.Price?.Cost(use.InputTokens, use.OutputTokens, use.CachedTokens, use.ReasoningTokens);

    // Before the first token nothing is owed.
    private Money BilledLocked(in TokenUse use) =>
        use.OutputTokens > 0 && CostOf(use) is { } cost ? (cost < _held ? cost : _held) : Money.Zero;

    private SettleResult HoldLocked(Money held)
    {
        var use = Known(_use);
        var result = admission.TryExtend(
            Terms.RequestNo, held, use.InputTokens, use.OutputTokens, BilledLocked(use), clock.NowMs(), clock.ClockMs());
        _held = result == SettleResult.Done ? held : _held;
        return result;
    }
}

/// <summary>The times that bills are written in, and who knows what is in the database.</summary>
/// <param name="NowMs">Unix milliseconds.</param>
/// <param name="ClockMs">The clock of the limits' windows.</param>
/// <param name="Booked">Completes when an event is in the database, or cannot be brought there now and waits where it outlives us.</param>
/// <param name="Wait">Waits for so many milliseconds.</param>
internal sealed record BillClock(Func<long> NowMs, Func<long> ClockMs, Func<long, Task> Booked, Func<int, Task> Wait)
{
    public BillMeter Meter { get; } = new();
}
