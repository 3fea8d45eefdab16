using Tollgate.Engine.Wallet;
using Tollgate.Server.Problems;
using Tollgate.Server.Usage;

namespace Tollgate.Server.Journal;

/// <summary>One report on its way: what it says, what was found for it, and what it came to. Of one call alone.</summary>
internal sealed class ReportWork(UseReport report)
{
    public UseReport Report { get; } = report;

    /// <summary>The request that it is of, once that is known.</summary>
    public long RequestNo { get; set; }

    /// <summary>Without a reservation: when the request was made.</summary>
    public long MadeAtMs { get; set; }

    /// <summary>Without a reservation: whose request it was.</summary>
    public UsedKey? Key { get; set; }

    /// <summary>What it is known by, where it may be repeated; null for others.</summary>
    public byte[]? ClaimId { get; set; }

    public ClaimState Claim { get; set; }

    /// <summary>The event to wait for; 0 for none.</summary>
    public long Sequence { get; set; }

    /// <summary>What it came to. Null, without a problem, where it was told before: then what is booked is the answer.</summary>
    public UseReceipt? Receipt { get; set; }

    public Problem? Problem { get; private set; }

    public bool IsRecord => Report.KeyId is not null;

    public bool IsOpen => Problem is null;

    public void Refuse(Problem problem) => Problem ??= problem;
}

/// <summary>Whether a report was there before.</summary>
internal enum ClaimState
{
    New,

    /// <summary>Its line is in the log, unless the process ended before it could be.</summary>
    Known,

    /// <summary>Its line was in the log.</summary>
    Booked,
}

/// <summary>A model by name and number, and what a report costs by a version of the price list; null where no price is known.</summary>
internal readonly record struct ReportPrice(string? Model, ushort Number, ushort Version, Money? Cost);
