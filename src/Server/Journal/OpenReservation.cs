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

    public long MarkedAtMs { get; init; }

    /// <summary>The lasting limits in which it is counted, a bit each.</summary>
    public long LastingLimits { get; init; }

    public long Flags { get; init; }

    public Money Held => new(HeldMicros);

    public static OpenReservation Of(in UsageEvent reserved) => new()
    {
        RequestNo = reserved.RequestNo,
        KeyNo = reserved.KeyNo,
        OrganizationNo = reserved.OrganizationNo,
        AdmittedAtMs = reserved.AdmittedAtMs,
        ModelNo = reserved.Model,
        PriceVersion = reserved.PriceVersion,
        HeldMicros = reserved.CostMicros,
        InputBooked = reserved.InputTokens,
        OutputBooked = reserved.OutputTokens,
        // Nothing is known of it but what was sent: the input counts, and what that costs is for whoever has the prices.
        InputMarked = reserved.InputTokens,
        MarkedAtMs = reserved.AtMs,
        LastingLimits = reserved.LastingLimits,
        Flags = (long)reserved.Flags,
    };

    public OpenReservation Marked(in UsageEvent mark) => this with
    {
        InputMarked = mark.InputTokens, OutputMarked = mark.OutputTokens, CostMarked = mark.CostMicros, MarkedAtMs = mark.AtMs,
    };
}
