using System.Runtime.InteropServices;

namespace Tollgate.Engine.Usage;

/// <summary>
/// One thing that happened to one request of a key, in 128 bytes without references: it is written into memory that outlives the process.
/// Numbers only; the database has their names.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
public struct UsageEvent
{
    public const int Bytes = 128;

    /// <summary>Its place in the row of events, from 1, without gaps. Written last.</summary>
    public long Sequence;

    /// <summary>Which request; for a reservation the one that made it, from its beginning to its end.</summary>
    public long RequestNo;

    /// <summary>Unix milliseconds.</summary>
    public long AtMs;

    /// <summary>When the request was admitted; the same as <see cref="AtMs"/> unless it was settled later.</summary>
    public long AdmittedAtMs;

    /// <summary>
    /// Held by a reservation, and in all by one that was extended; so far used by a mark; billed by a settlement, a record, or a request
    /// that passed and paid at once.
    /// </summary>
    public long CostMicros;

    /// <summary>
    /// What a settlement cost beyond what was held: the operator's loss. Of an extension, which has its hold in <see cref="CostMicros"/>:
    /// what was used so far.
    /// </summary>
    public long LossMicros;

    /// <summary>Unix milliseconds at which a refused request would have fitted; 0 when that is not a matter of time.</summary>
    public long RetryAtMs;

    public long LimitAmount;
    public long LimitRemaining;

    /// <summary>The clock of the limits' windows when the request was admitted: in whose slot it was counted.</summary>
    public long ClockMs;

    public uint KeyNo;
    public uint OrganizationNo;
    public uint InputTokens;
    public uint OutputTokens;
    public uint LatencyMs;

    /// <summary>The number the database gave the model; 0 for none.</summary>
    public ushort Model;

    /// <summary>The version of the price list; 0 where no price was asked.</summary>
    public ushort PriceVersion;

    /// <summary>The HTTP status that the API server told; 0 when it told none.</summary>
    public ushort Status;

    /// <summary>The lasting limits in which it was counted, a bit each by the limit's number in the provider file.</summary>
    public ushort LastingLimits;

    /// <summary>All limits in which it was counted, a bit each.</summary>
    public ushort Limits;

    public UsageKind Kind;

    /// <summary>The stable number of a refusal's code, see <see cref="Verification.VerdictCodes"/>.</summary>
    public byte Code;

    /// <summary>The number of the limit that refused, plus one; 0 when none did.</summary>
    public byte Limit;

    public UsageFlags Flags;

    /// <summary>Guards against a record of which only a part was written.</summary>
    public uint Checksum;

    /// <summary>Of the input tokens, those that the model server had in its cache. Events of earlier versions have nothing here.</summary>
    public uint CachedTokens;

    /// <summary>Of the output tokens, those that the model thought with.</summary>
    public uint ReasoningTokens;
}

public enum UsageKind : byte
{
    None,

    /// <summary>A request that passed and of which nothing more will be heard.</summary>
    Passed,
    Refused,

    /// <summary>A request that passed and will be settled.</summary>
    Reserved,

    /// <summary>How far a reserved request has come.</summary>
    Marked,
    Settled,

    /// <summary>A request that was made without asking the gate, told of afterwards.</summary>
    Recorded,

    /// <summary>How far a reserved request has come, and that more is held for it.</summary>
    Extended,
}

[Flags]
public enum UsageFlags : byte
{
    None = 0,

    /// <summary>The tokens are an estimate.</summary>
    Estimated = 1,

    /// <summary>Nobody settled it in time: it was settled from its last mark.</summary>
    Orphaned = 2,

    /// <summary>The cost is of a price, 0 included; without this the cost is null.</summary>
    Priced = 4,

    /// <summary>It came with a secret that a rotation has replaced.</summary>
    OldSecret = 8,
}
