using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;

namespace Tollgate.Engine.Verification;

/// <summary>The events of what becomes of a request after its admission, and of one that was never asked about.</summary>
internal static class AdmissionEvents
{
    /// <summary>How far a reservation has come: never less than was noted before.</summary>
    public static UsageEvent OfMark(in Reservation open, uint inputTokens, uint outputTokens, Money cost, long atMs)
    {
        UsageEvent happened = Of(in open, UsageKind.Marked, atMs);
        happened.InputTokens = Math.Max(open.MarkedInputTokens, inputTokens);
        happened.OutputTokens = Math.Max(open.MarkedOutputTokens, outputTokens);
        happened.CostMicros = Math.Max(open.MarkedCost.Micros, cost.Micros);
        return happened;
    }

    /// <summary>Makes a mark tell of a larger hold as well.</summary>
    public static void Extend(ref UsageEvent mark, Money held) =>
        (mark.Kind, mark.CostMicros, mark.LossMicros) = (UsageKind.Extended, held.Micros, mark.CostMicros);

    /// <summary>What a reservation had cost so far, as a mark or an extension tells it.</summary>
    public static Money MarkedCost(in UsageEvent mark) => new(mark.Kind == UsageKind.Extended ? mark.LossMicros : mark.CostMicros);

    public static UsageEvent OfSettlement(in Reservation settled, in Settlement settlement, Money billed)
    {
        UsageEvent happened = Of(in settled, UsageKind.Settled, settlement.AtMs);
        happened.CostMicros = billed.Micros;
        happened.LossMicros = (settlement.Cost - billed).Micros;
        (happened.InputTokens, happened.OutputTokens) = (settlement.InputTokens, settlement.OutputTokens);
        (happened.CachedTokens, happened.ReasoningTokens) = (settlement.CachedTokens, settlement.ReasoningTokens);
        (happened.Status, happened.LatencyMs, happened.Flags) = (settlement.Status, settlement.LatencyMs, settlement.Flags);
        return happened;
    }

    public static UsageEvent OfRecord(in RecordedUse use, Money billed) => new()
    {
        RequestNo = use.RequestNo,
        AtMs = use.AtMs,
        AdmittedAtMs = use.MadeAtMs,
        ClockMs = use.ClockMs,
        CostMicros = billed.Micros,
        LossMicros = ((use.Cost ?? Money.Zero) - billed).Micros,
        KeyNo = use.KeyNo,
        OrganizationNo = use.OrganizationNo,
        InputTokens = use.InputTokens,
        OutputTokens = use.OutputTokens,
        CachedTokens = use.CachedTokens,
        ReasoningTokens = use.ReasoningTokens,
        LatencyMs = use.LatencyMs,
        Model = use.Model,
        PriceVersion = use.PriceVersion,
        Status = use.Status,
        Kind = UsageKind.Recorded,
        Flags = use.Flags | (use.Cost is null ? UsageFlags.None : UsageFlags.Priced),
    };

    private static UsageEvent Of(in Reservation open, UsageKind kind, long atMs) => new()
    {
        RequestNo = open.RequestNo,
        AtMs = atMs,
        AdmittedAtMs = open.AdmittedAtMs,
        ClockMs = open.ClockMs,
        KeyNo = open.KeyNo,
        OrganizationNo = open.OrganizationNo,
        Model = open.Model,
        PriceVersion = open.PriceVersion,
        Limits = open.Limits,
        LastingLimits = open.LastingLimits,
        Kind = kind,
    };
}
