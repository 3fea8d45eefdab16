using Tollgate.Engine.Limits;
using Tollgate.Engine.Usage;

namespace Tollgate.Server.Journal;

/// <summary>
/// The limits whose windows outlast a restart, by their number in the provider file. Kept under their names: a file that is edited may
/// number them anew.
/// </summary>
/// <param name="limits">All of the file's limits.</param>
internal sealed class LastingLimits(IReadOnlyList<Limit> limits)
{
    /// <summary>So many a request can be counted in: a bit each in an event.</summary>
    public const int Max = LimitCatalogue.LimitsMax;

    public bool Any { get; } = limits.Any(limit => limit.Lasts);

    public string NameOf(int number) => limits[number].Name;

    /// <summary>The name of the limit that refused; null for none, and for one that a newer file no longer has.</summary>
    public string? Refusing(in UsageEvent refused) =>
        refused.Limit > 0 && refused.Limit <= limits.Count ? limits[refused.Limit - 1].Name : null;

    /// <summary>Each limit that an event counts in, and how much of what it counts that is.</summary>
    public IEnumerable<(int Limit, long SlotMs, long Amount)> CountsOf(UsageEvent happened)
    {
        for (var number = 0; number < limits.Count && number < Max; number++)
        {
            if ((happened.LastingLimits & (1 << number)) != 0 && limits[number].Lasts)
            {
                yield return (
                    number, SlotOf(limits[number], happened.ClockMs),
                    AmountOf(limits[number].Counts, 1, happened.InputTokens, happened.OutputTokens));
            }
        }
    }

    /// <summary>By how much a settlement differs from what was counted at admission; it is put where that was.</summary>
    public IEnumerable<(int Limit, long SlotMs, long Amount)> Corrections(OpenReservation open, UsageEvent settled)
    {
        for (var number = 0; number < limits.Count && number < Max; number++)
        {
            if ((open.LastingLimits & (1 << number)) != 0 && limits[number].Lasts)
            {
                yield return (
                    number, SlotOf(limits[number], open.ClockMs),
                    AmountOf(limits[number].Counts, 0, settled.InputTokens - open.InputBooked, settled.OutputTokens - open.OutputBooked));
            }
        }
    }

    /// <summary>Every lasting limit with its number, its name and where the first slot begins that still counts.</summary>
    public IEnumerable<(int Number, string Name, long SinceMs)> Windows(long clockMs)
    {
        for (var number = 0; number < limits.Count && number < Max; number++)
        {
            if (limits[number] is { Lasts: true } limit)
            {
                yield return (number, limit.Name, SlotOf(limit, clockMs - limit.WindowMs) - limit.SlotMs);
            }
        }
    }

    private static long SlotOf(Limit limit, long clockMs) => clockMs - (clockMs % limit.SlotMs);

    private static long AmountOf(LimitCounts counts, long requests, long input, long output) => counts switch
    {
        LimitCounts.Requests => requests,
        LimitCounts.Tokens => input + output,
        LimitCounts.InputTokens => input,
        LimitCounts.OutputTokens => output,
        // Requests under way have no window.
        _ => 0,
    };
}
