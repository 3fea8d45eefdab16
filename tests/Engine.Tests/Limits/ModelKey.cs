using Tollgate.Engine.Limits;

namespace Tollgate.Engine.Tests.Limits;

/// <summary>A request as the model sees it.</summary>
internal sealed record Asked(int Key, long ClockMs, bool Reserves, int Input, int Output, long? Hold);

/// <summary>What a key has taken of its limits, as a list.</summary>
internal sealed class ModelKey
{
    private readonly List<ModelLimit> _limits = [];
    private long _clockMs;

    public ModelKey(IReadOnlyList<Limit> limits, IReadOnlyList<long> amounts, IReadOnlyList<KeyLimit> own)
    {
        for (int i = 0; i < limits.Count; i++)
        {
            long amount = amounts[i];
            foreach (KeyLimit lower in own.Where(lower => lower.Limit == i && (amount < 0 || lower.Amount < amount)))
            {
                amount = lower.Amount;
            }

            if (amount >= 0)
            {
                _limits.Add(new ModelLimit(i, limits[i], amount));
            }
        }
    }

    /// <summary>The clock never goes back.</summary>
    public long Reach(long clockMs) => _clockMs = Math.Max(_clockMs, clockMs);

    /// <summary>Of how many limits something is counted.</summary>
    public int CountAt(long clockMs) => _limits.Count(limit => limit.SumAt(clockMs) > 0);

    public List<ModelLimit> Applying(Asked ask) => _limits.FindAll(limit => limit.Counts != LimitCounts.ConcurrentRequests || ask.Reserves);
}

internal sealed class ModelLimit(int number, Limit limit, long amount)
{
    private readonly List<Booking> _booked = [];
    private readonly long _slotMs = limit.Counts == LimitCounts.ConcurrentRequests ? 1 : (limit.WindowMs + 29) / 30;

    public int Number { get; } = number;

    public LimitCounts Counts { get; } = limit.Counts;

    public bool Fits(Asked ask) => amount >= Counts switch
    {
        LimitCounts.Tokens or LimitCounts.InputTokens => ask.Input,
        LimitCounts.OutputTokens => 0,
        _ => 1,
    };

    /// <summary>How it stands before, or after, a request of which <paramref name="ask"/> is the like.</summary>
    public LimitState StateOf(Asked ask, long clockMs)
    {
        long need = NeedOf(ask);
        if (Counts == LimitCounts.ConcurrentRequests)
        {
            long open = _booked.Count(booking => booking.IsOpen);
            return new LimitState(
                (byte)Number, amount, Math.Max(0, amount - open), open > 0 ? 1_000 : 0, Fits(ask) && open + need > amount ? 1_000 : 0);
        }

        long retryMs = Fits(ask) ? Moments(clockMs).First(moment => SumAt(moment) + need <= amount) : 0;
        long resetMs = Moments(clockMs).First(moment => SumAt(moment) == 0);
        return new LimitState(
            (byte)Number,
            amount,
            Math.Max(0, amount - SumAt(clockMs)),
            resetMs == clockMs ? 0 : resetMs - ask.ClockMs,
            retryMs == 0 || retryMs == clockMs ? 0 : retryMs - ask.ClockMs);
    }

    public Booking Book(Asked ask, long clockMs)
    {
        _booked.RemoveAll(old => !old.IsOpen && old.ClockMs < clockMs - (2 * Math.Max(limit.WindowMs, _slotMs)) - 100_000);
        var booking = new Booking(Counts, clockMs, NeedOf(ask));
        _booked.Add(booking);
        return booking;
    }

    /// <summary>
    /// Whether what was taken in the span of the window's length that ends now, to the millisecond, is within the amount.
    /// </summary>
    public void AssertSpans(long clockMs, Action<string> fail)
    {
        long sum = Counts == LimitCounts.ConcurrentRequests
            ? _booked.Count(booking => booking.IsOpen)
            : _booked.Where(booking => booking.ClockMs >= clockMs - limit.WindowMs).Sum(booking => booking.Amount);
        if (sum > amount)
        {
            fail($"{sum} within {limit.WindowMs} ms, {amount} are allowed");
        }
    }

    private long NeedOf(Asked ask) => Math.Min(amount, Counts switch
    {
        LimitCounts.Tokens => ask.Input + ask.Output,
        LimitCounts.InputTokens => ask.Input,
        LimitCounts.OutputTokens => ask.Output,
        _ => 1,
    });

    /// <summary>A slot counts in full until 31 of its length have passed since it began.</summary>
    public long SumAt(long clockMs) => Counts == LimitCounts.ConcurrentRequests
        ? _booked.Count(booking => booking.IsOpen)
        : _booked.Where(booking => (clockMs / _slotMs) - (booking.ClockMs / _slotMs) <= 30).Sum(booking => booking.Amount);

    // The sum changes at these moments only.
    private IEnumerable<long> Moments(long clockMs) =>
        Enumerable.Range(1, 31).Select(i => ((clockMs / _slotMs) + i) * _slotMs).Prepend(clockMs);
}

/// <summary>What one request took of one limit.</summary>
internal sealed class Booking(LimitCounts counts, long clockMs, long amount)
{
    public long ClockMs { get; } = clockMs;

    public long Amount { get; private set; } = amount;

    public bool IsOpen { get; private set; } = true;

    /// <summary>Nothing more will be heard of it.</summary>
    public void End() => IsOpen = false;

    public void Settle(long input, long output)
    {
        IsOpen = false;
        Amount = counts switch
        {
            LimitCounts.Tokens => input + output,
            LimitCounts.InputTokens => input,
            LimitCounts.OutputTokens => output,
            _ => Amount,
        };
    }
}

internal sealed record ModelReservation(long RequestNo, int Key, List<Booking> Bookings)
{
    public long Held { get; set; }

    /// <summary>How far it came, by its last mark.</summary>
    public uint Input { get; set; }

    public uint Output { get; set; }

    public long Cost { get; set; }
}
