using Tollgate.Engine.Usage;
using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Journal;

/// <summary>A request that passed and is not settled yet, as the database keeps it over a restart.</summary>
internal sealed record OpenReservation
{
    public long RequestNo { get; init; }

    public long KeyNo { get; init; }

    public long OrganizationNo { get; init; }

    public long AdmittedAtMs { get; init; }

    /// <summary>The clock of windows at its admission.</summary>
    public long ClockMs { get; init; }

    public long ModelNo { get; init; }

    public long PriceVersion { get; init; }

    public long HeldMicros { get; init; }

    /// <summary>Tokens counted at admission.</summary>
    public long InputBooked { get; init; }

    public long OutputBooked { get; init; }

    /// <summary>How far it has come, as it last told; nobody needs to have told.</summary>
    public long InputMarked { get; init; }

    public long OutputMarked { get; init; }

    public long CostMarked { get; init; }

    /// <summary>0 until it tells.</summary>
    public long MarkedAtMs { get; init; }

    /// <summary>The limits in which it is counted, a bit each.</summary>
    public long Limits { get; init; }

    /// <summary>The lasting limits in which it is counted, a bit each.</summary>
    public long LastingLimits { get; init; }

    public long Flags { get; init; }

    /// <summary>As the Engine takes it up; its money is held in the balance already.</summary>
    public Reservation ToEngine(Balance? balance) => new()
    {
        RequestNo = RequestNo,
        KeyNo = checked((uint)KeyNo),
        OrganizationNo = checked((uint)OrganizationNo),
        AdmittedAtMs = AdmittedAtMs,
        ClockMs = ClockMs,
        Model = checked((ushort)ModelNo),
        PriceVersion = checked((ushort)PriceVersion),
        InputTokens = checked((uint)InputBooked),
        OutputTokens = checked((uint)OutputBooked),
        Held = new Money(HeldMicros),
        Limits = checked((ushort)Limits),
        LastingLimits = checked((ushort)LastingLimits),
        Balance = balance,
        MarkedInputTokens = checked((uint)InputMarked),
        MarkedOutputTokens = checked((uint)OutputMarked),
        MarkedCost = new Money(CostMarked),
        IsMarked = MarkedAtMs > 0,
    };

    public static OpenReservation Of(in UsageEvent reserved) => new()
    {
        RequestNo = reserved.RequestNo,
        KeyNo = reserved.KeyNo,
        OrganizationNo = reserved.OrganizationNo,
        AdmittedAtMs = reserved.AdmittedAtMs,
        ClockMs = reserved.ClockMs,
        ModelNo = reserved.Model,
        PriceVersion = reserved.PriceVersion,
        HeldMicros = reserved.CostMicros,
        InputBooked = reserved.InputTokens,
        OutputBooked = reserved.OutputTokens,
        // Nothing is known of it but what was sent: the input counts, and what that costs is for whoever has the prices.
        InputMarked = reserved.InputTokens,
        Limits = reserved.Limits,
        LastingLimits = reserved.LastingLimits,
        Flags = (long)reserved.Flags,
    };

    public OpenReservation Marked(in UsageEvent mark) => this with
    {
        InputMarked = mark.InputTokens, OutputMarked = mark.OutputTokens, CostMarked = mark.CostMicros, MarkedAtMs = mark.AtMs,
    };

    /// <summary>More is held for it, and it has come further.</summary>
    public OpenReservation Extended(in UsageEvent extension) => Marked(in extension) with
    {
        HeldMicros = extension.CostMicros, CostMarked = extension.LossMicros,
    };
}
